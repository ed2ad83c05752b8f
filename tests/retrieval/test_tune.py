from collections import Counter

import numpy as np
import pytest

from densecli.artifacts.passages.store import PassageStore, write_passages
from densecli.configs.asking import SearchConfig
from densecli.records import Passage, Question
from densecli.retrieval.hybrid import HybridEngine
from densecli.retrieval.search import DenseEngine
from densecli.retrieval.tune import tune
from densecli.retrieval.weight_sweep import WeightSweep

WORDS = np.array([[3, 2, 1]], np.float32)
DENSE = np.array([[0, 1, 4]], np.float32)
PASSAGES = [Passage(f"p{row}", "", text) for row, text in enumerate(["in Rome", "in Ulm", "in Oslo, 1912"])]


class Words:
    def __len__(self):
        return 3

    def search(self, questions, k):
        return np.tile([[0, 1, 2]], (len(questions), 1))[:, :k], np.tile(WORDS, (len(questions), 1))[:, :k]

    def score(self, questions, rows):
        return np.take_along_axis(np.tile(WORDS, (len(questions), 1)), rows, 1)


class Index:
    def search(self, vectors, k):
        return np.tile([[2, 1, 0]], (len(vectors), 1))[:, :k], np.tile(DENSE[:, ::-1], (len(vectors), 1))[
            :, :k
        ]

    def score(self, vectors, rows):
        return np.take_along_axis(np.tile(DENSE, (len(vectors), 1)), rows, 1)


class Encoder:
    fingerprint = "r"

    def encode(self, questions):
        return np.zeros((len(questions), 2), np.float32)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    _, fingerprint = write_passages(folder, PASSAGES, "test")
    return PassageStore(folder, fingerprint)


def tuned(store, *questions, batch_size=2):
    engine = HybridEngine(Words(), DenseEngine(Encoder(), Index()), SearchConfig(), None)
    sweep, counts = WeightSweep(), Counter()
    seen = list(tune(questions, engine, store, batch_size, sweep, counts))
    assert seen == list(questions)
    return sweep.best(), +counts


def test_answers_found_only_by_the_dense_index_give_a_large_weight(store):
    """Oslo overtakes Rome at λ = 1/2."""
    best, counts = tuned(store, *[Question(str(number), "where", ("Oslo",)) for number in range(5)])
    assert best.weight == 1
    assert best.top_k["bm25"][1] == 0
    assert best.top_k["hybrid"][1] == best.top_k["dense"][1] == 100
    assert counts == {"questions": 5}


def test_regular_expressions_can_be_answers(store):
    best, _ = tuned(store, Question("a", "when", (r"\d{4}",), "regex"))
    assert (best.questions, best.weight) == (1, 1)


def test_questions_without_a_usable_answer_are_counted_and_skipped(store):
    questions = [
        Question("a", "where"),
        Question("b", "where", ("",)),
        Question("c", "where", ("(",), "regex"),
        Question("d", "where", ("Rome",)),
    ]
    best, counts = tuned(store, *questions)
    assert best.questions == 1
    assert best.weight == 0.25
    assert counts["without_answer"] == 3
    assert counts["invalid_patterns"] == 1


def test_tuning_without_questions_is_refused(store):
    best, counts = tuned(store)
    assert (best.questions, best.weight, counts) == (0, 1, {})
