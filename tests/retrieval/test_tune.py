import math
from collections import Counter
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from densecli.artifacts.passages.store import PassageStore, write_passages
from densecli.configs.asking import SearchConfig
from densecli.records import Passage, Question
from densecli.retrieval.hybrid import HybridEngine
from densecli.retrieval.search import DenseEngine
from densecli.retrieval.tune import KS, WeightSweep, contenders, tune

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


PASSAGE = st.tuples(
    st.integers(0, 6), st.integers(-4, 6), st.booleans()
)  # BM25, inner product, has the answer
QUESTIONS = st.lists(st.lists(PASSAGE, min_size=1, max_size=30), min_size=1, max_size=5)


def columns(passages):
    words, dense, holds = zip(*passages, strict=True)
    rows = np.arange(len(passages))
    return rows, np.array(words, np.float32), np.array(dense, np.float32), list(holds)


def swept(questions):
    sweep = WeightSweep()
    for passages in questions:
        sweep.add(*columns(passages))
    return sweep.best()


def found(passages, weight, k):
    """The definition: whether an answer is among the best k for one λ."""
    order = sorted(range(len(passages)), key=lambda row: (-passages[row][0] - weight * passages[row][1], row))
    return any(passages[row][2] for row in order[:k])


def accuracy(questions, weight):
    return {k: 100 * sum(found(one, weight, k) for one in questions) / len(questions) for k in KS}


def alone(questions, side):
    """The same for BM25 (0), which finds nothing that it scores 0, or dense retrieval (1) by itself."""

    def hit(passages, k):
        order = sorted(range(len(passages)), key=lambda row: (-passages[row][side], row))
        return any(passages[row][2] for row in order[:k] if side == 1 or passages[row][0] > 0)

    return {k: 100 * sum(hit(one, k) for one in questions) / len(questions) for k in KS}


def around(questions, weight):
    """What the sweep makes highest, by the definition: the mean from an octave below to one above."""
    crossings = {
        (one[0] - other[0]) / (other[1] - one[1])
        for passages in questions
        for one, other in combinations(passages, 2)
        if one[1] != other[1]
    }
    edges = [weight / 2, *sorted(edge for edge in crossings if weight / 2 < edge < 2 * weight), 2 * weight]
    return sum(
        math.log2(high / low) / 2 * sum(accuracy(questions, math.sqrt(low * high)).values()) / len(KS)
        for low, high in pairwise(edges)
    )


@given(QUESTIONS)
def test_the_reported_accuracy_matches_a_ranking_with_the_weight(questions):
    best = swept(questions)
    weight = best.weight * (1 + 1e-9)  # beside a λ at which two passages of whole scores are equal
    assert best.top_k["hybrid"] in (
        accuracy(questions, weight),
        accuracy(questions, best.weight / (1 + 1e-9)),
    )
    assert best.top_k["bm25"] == alone(questions, 0)
    assert best.top_k["dense"] == alone(questions, 1)
    assert best.questions == len(questions)


@given(st.lists(st.lists(PASSAGE, min_size=1, max_size=8), min_size=1, max_size=3), st.floats(-5, 5))
def test_no_other_weight_is_better(questions, logarithm):
    rounding = 2.0  # the weight is rounded to three digits
    assert around(questions, swept(questions).weight) >= around(questions, 2**logarithm) - rounding


def test_one_change_of_order_is_found_at_its_weight():
    """The answer is first on the dense side, and overtakes at λ = 3: an octave above it counts it in full."""
    assert swept([[(3, 0, False), (0, 1, True)]]).weight == 6
    assert swept([[(3, 0, True), (0, 1, False)]]).weight == 1.5


def test_between_two_changes_the_weight_is_in_the_middle():
    questions = [[(1, 0, False), (0, 1, True)], [(64, 0, True), (0, 1, False)]]
    best = swept(questions)
    assert best.weight == 8
    assert best.top_k == {
        "bm25": {1: 50, 5: 50, 20: 50},
        "dense": {1: 50, 5: 100, 20: 100},
        "hybrid": {1: 100, 5: 100, 20: 100},
    }


def test_a_narrow_maximum_does_not_win_over_a_broad_one():
    peak = [(1.0, 0, False), (0, 1, True), (-1.01, 2, False)]
    hill = [[(10.0, 0, False), (0, 1, True), (-1000, 11, False)]] * 2
    assert found(peak, 1.005, 1)
    assert not found(peak, 0.99, 1)
    assert not found(peak, 1.02, 1)
    assert 20 <= swept([peak, *hill]).weight <= 50


@pytest.mark.parametrize("questions", [[], [[(1, 1, False)]], [[(1, 1, True), (2, 2, False)]]])
def test_without_any_change_the_weight_is_1(questions):
    assert swept(questions).weight == 1


def test_equal_passages_keep_row_order_for_every_weight():
    assert swept([[(1, 1, False), (1, 1, True)]]).top_k["hybrid"] == {1: 0, 5: 100, 20: 100}
    assert swept([[(1, 1, True), (1, 1, False)]]).top_k["hybrid"][1] == 100


@given(st.lists(PASSAGE, min_size=1, max_size=60), st.integers(1, 6), st.floats(-8, 8))
def test_candidates_include_every_passage_that_can_rank_among_the_best(passages, k, logarithm):
    rows, words, dense, _ = columns(passages)
    order = np.random.default_rng(len(passages)).permutation(len(rows))
    kept = {int(rows[order][place]) for place in contenders(rows[order], words[order], dense[order], k)}
    weight = math.exp(logarithm)
    ranked = sorted(rows.tolist(), key=lambda row: (-float(words[row]) - weight * float(dense[row]), row))
    assert set(ranked[:k]) <= kept


def test_only_few_candidates_are_kept():
    words, dense = np.random.default_rng(0).standard_normal((2, 4000)).astype(np.float32)
    rows = np.where(np.arange(4000) < 3000, np.arange(4000), -1)
    kept = contenders(rows, words, dense)
    assert 20 < len(kept) < 250
    assert (kept < 3000).all()


def test_the_result_is_written_as_json():
    row = swept([[(1, 0, False), (0, 1, True)]] * 3).to_json()
    assert row == {
        "weight": 2.0,
        "questions": 3,
        "top_k": {
            "bm25": {"1": 0.0, "5": 0.0, "20": 0.0},
            "dense": {"1": 100.0, "5": 100.0, "20": 100.0},
            "hybrid": {"1": 100.0, "5": 100.0, "20": 100.0},
        },
    }
