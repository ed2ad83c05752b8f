from collections import Counter

import numpy as np
import pytest

from densecli.artifacts.passages.store import PassageStore, write_passages
from densecli.errors import ArtifactError
from densecli.records import Passage, Question, RankedList, ScoredPassage
from densecli.retrieval.search import DenseEngine, search

TEXTS = ["Ulm lies on the Danube", "Rome lies on the Tiber", "Paris lies on the Seine"]
PASSAGES = [Passage(f"p{row}", "", text) for row, text in enumerate(TEXTS)]


class Table:
    """An engine that knows what it will find: a row per digit of the question; `x` is no hit."""

    def __init__(self):
        self.asked = []

    def search(self, questions, k):
        self.asked.append((len(questions), k))
        rows = np.array([[-1 if sign == "x" else int(sign) for sign in question] for question in questions])
        return rows, np.linspace(1, 0, rows.size).reshape(rows.shape).astype(np.float32)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    _, fingerprint = write_passages(folder, PASSAGES, "test")
    return PassageStore(folder, fingerprint)


def run(store, questions, engine=None, batch_size=64):
    counts = Counter()
    return list(search(questions, engine or Table(), store, 3, batch_size, counts)), +counts


def test_rows_become_passages_in_rank_order(store):
    found, counts = run(store, [Question("q", "20x")])
    assert found == [
        RankedList(Question("q", "20x"), (ScoredPassage(PASSAGES[2], 1.0), ScoredPassage(PASSAGES[0], 0.5)))
    ]
    assert isinstance(found[0].ctxs[0].score, float)
    assert counts == {"questions": 1}


def test_passages_are_marked_with_has_answer_when_answers_are_known(store):
    found, _ = run(
        store,
        [
            Question("a", "01", ("Rome", "Milan")),
            Question("b", "01", (r"D\w+",), "regex"),
            Question("c", "01"),
        ],
    )
    assert [[ctx.has_answer for ctx in one.ctxs] for one in found] == [
        [False, True],
        [True, False],
        [None, None],
    ]


def test_a_question_without_hits_gets_an_empty_list_and_is_counted(store):
    found, counts = run(store, [Question("a", "xx"), Question("b", "1x")])
    assert [len(one.ctxs) for one in found] == [0, 1]
    assert counts == {"questions": 2, "without_result": 1}


def test_batches_keep_the_order_and_are_streamed(store):
    engine = Table()
    drawn = 0

    def questions():
        nonlocal drawn
        for drawn in range(1, 8):
            yield Question(str(drawn), "0")

    stream = search(questions(), engine, store, 3, 3, Counter())
    assert next(stream).question.id == "1"
    assert drawn == 3
    assert [one.question.id for one in stream] == list("234567")
    assert engine.asked == [(3, 3), (3, 3), (1, 3)]


def test_no_questions_give_no_results(store):
    assert run(store, []) == ([], {})


def test_the_dense_engine_searches_with_encoded_questions():
    class Encoder:
        def encode(self, questions):
            return np.array([[float(question)] for question in questions])

    class Index:
        def search(self, vectors, k):
            return vectors.astype(int), vectors + k

        def score(self, vectors, rows):
            return vectors * rows

    engine = DenseEngine(Encoder(), Index())
    rows, scores = engine.search(["1", "2"], 5)
    assert (rows.tolist(), scores.tolist()) == ([[1], [2]], [[6.0], [7.0]])
    assert engine.score(["1", "2"], np.array([[3, 4], [5, 6]])).tolist() == [[3, 4], [10, 12]]


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_is_an_error(store, odd):
    class Damaged(Table):
        def search(self, questions, k):
            rows, scores = super().search(questions, k)
            scores[:, 1] = odd
            return rows, scores

    with pytest.raises(ArtifactError, match="question 'q' gets scores that are not finite"):
        run(store, [Question("q", "201")], Damaged())
    found, _ = run(store, [Question("q", "2x1")], Damaged())
    assert [ctx.passage.id for ctx in found[0].ctxs] == ["p2", "p1"]
