import math
import subprocess
import sys

import bm25s
import numpy as np
import pytest

from densecli.lexical.analysis import Analysis, Analyzer
from densecli.lexical.bm25 import Bm25
from densecli.lexical.build import build
from densecli.records import Passage

TEXTS = [
    ("Cats", "Cats purr when they are happy, and a cat sleeps most of the day."),
    ("Dogs", "Dogs bark. A dog is a loyal animal that likes long walks."),
    ("Rome", "Rome is the capital of Italy; Rome was not built in a day."),
    ("Paris", "Paris is the capital of France."),
    ("", "The capital gains tax is a tax on profit."),
    ("France", "France borders Italy, Spain and Germany."),
    ("Spain", "Madrid is the capital of Spain. Spain is sunny."),
    ("Tax", "Nothing is certain but death and taxes."),
    ("Sleep", "Sleep is a state of rest; animals sleep, cats and dogs too."),
    ("Twin", "Vienna."),
    ("Twin", "Vienna."),
    ("", "!!!"),
]
PASSAGES = [Passage(str(number), title, text) for number, (title, text) in enumerate(TEXTS)]
QUESTIONS = [
    "what is the capital of France",
    "do cats sleep",
    "Vienna",
    "taxes on taxes",
    "dogs and cats sleeping in Rome, Italy's capital",
]


def naive_bm25(question, k1, b):
    """Lucene's BM25 as a loop over passages and terms of the question."""
    terms = Analyzer(Analysis()).terms
    documents = [terms(f"{title} {text}") for title, text in TEXTS]
    mean = sum(map(len, documents)) / len(documents)
    scores = []
    for document in documents:
        score = 0.0
        for term in terms(question):
            df = sum(term in other for other in documents)
            idf = math.log(1 + (len(documents) - df + 0.5) / (df + 0.5))
            tf = document.count(term)
            score += tf and idf * tf / (tf + k1 * (1 - b + b * len(document) / mean))
        scores.append(score)
    return scores


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bm25")
    assert build(iter(PASSAGES), folder) == len(PASSAGES)
    return folder


@pytest.fixture(scope="module")
def bm25(folder):
    return Bm25.open(folder)


@pytest.mark.parametrize(("k1", "b"), [(0.9, 0.4), (1.2, 0.75), (0.0, 0.0), (2.0, 1.0)])
def test_scores_match_the_formula(tmp_path, k1, b):
    build(PASSAGES, tmp_path, k1=k1, b=b)
    rows, scores = Bm25.open(tmp_path).search(QUESTIONS, len(PASSAGES))
    for question, found, its_scores in zip(QUESTIONS, rows, scores, strict=True):
        expected = naive_bm25(question, k1, b)
        hits = found[found >= 0]
        assert set(hits.tolist()) == {row for row, score in enumerate(expected) if score > 0}
        np.testing.assert_allclose(its_scores[: len(hits)], [expected[row] for row in hits], rtol=1e-5)
        assert np.all(np.diff(its_scores) <= 0)


def test_scores_match_bm25s(bm25):
    """Another implementation, as a reference."""
    terms = Analyzer(Analysis()).terms
    theirs = bm25s.BM25(k1=0.9, b=0.4, method="lucene")
    theirs.index([terms(f"{title} {text}") for title, text in TEXTS], show_progress=False)
    every = np.arange(len(PASSAGES))[None]
    for question in QUESTIONS:
        known = [term for term in terms(question) if term in theirs.vocab_dict]
        np.testing.assert_allclose(bm25.score([question], every)[0], theirs.get_scores(known), rtol=1e-5)


def test_hits_are_sorted_and_have_positive_scores(bm25):
    rows, scores = bm25.search(["capital of France", "Vienna", "zebra", "the of", ""], 3)
    assert rows.dtype == np.int64
    assert scores.dtype == np.float32
    assert rows.tolist()[0] == [3, 5, 4]
    assert rows.tolist()[1:] == [[9, 10, -1], [-1] * 3, [-1] * 3, [-1] * 3]
    assert scores[1, 0] == scores[1, 1] > 0
    assert not scores[2:].any()


def test_ties_at_rank_k_are_ordered_by_row(tmp_path):
    build([Passage(str(n), "", "same words") for n in range(50)], tmp_path)
    rows, _ = Bm25.open(tmp_path).search(["words"], 7)
    assert rows.tolist() == [[0, 1, 2, 3, 4, 5, 6]]


def test_a_batch_gives_the_same_hits_as_single_questions(bm25):
    rows, scores = bm25.search(QUESTIONS, 4)
    for number, question in enumerate(QUESTIONS):
        alone = bm25.search([question], 4)
        np.testing.assert_array_equal(alone[0][0], rows[number])
        np.testing.assert_array_equal(alone[1][0], scores[number])


def test_scores_of_given_passages_match_the_search(bm25):
    rows, scores = bm25.search(QUESTIONS, len(PASSAGES))
    rows, scores = rows[:, ::-1], scores[:, ::-1]  # any order, -1 in front
    np.testing.assert_array_equal(bm25.score(QUESTIONS, rows), scores)
    others = np.arange(len(PASSAGES))[None].repeat(len(QUESTIONS), 0)
    expected = np.zeros(others.shape, np.float32)
    for place, (found, its_scores) in enumerate(zip(rows, scores, strict=True)):
        expected[place, found[found >= 0]] = its_scores[found >= 0]
    np.testing.assert_array_equal(bm25.score(QUESTIONS, others), expected)


def test_scores_without_passages_or_known_terms_are_empty_or_0(bm25):
    assert bm25.score([], np.zeros((0, 3), np.int64)).shape == (0, 3)
    assert bm25.score(["cats"], np.zeros((1, 0), np.int64)).shape == (1, 0)
    assert bm25.score(["zebra", "the of", ""], np.array([[0, -1], [11, 3], [2, 2]])).tolist() == [[0, 0]] * 3


def test_no_questions_give_no_hits(bm25):
    rows, scores = bm25.search([], 4)
    assert rows.shape == scores.shape == (0, 4)


def test_a_query_is_analyzed_as_the_index(tmp_path):
    build(PASSAGES, tmp_path, analysis=Analysis(stop_words="", stemmer=""))
    bm25 = Bm25.open(tmp_path)
    assert bm25.search(["sleeping"], 1)[0].tolist() == [[-1]]
    assert bm25.search(["sleeps"], 1)[0].tolist() == [[0]]
    assert bm25.search(["the"], 1)[0].tolist() != [[-1]]


def test_a_collection_without_terms_gives_no_hits(tmp_path):
    build([Passage("1", "", "!!!"), Passage("2", "", "the")], tmp_path)
    bm25 = Bm25.open(tmp_path)
    assert len(bm25) == 2
    assert bm25.search(["the end"], 2)[0].tolist() == [[-1, -1]]


def test_a_question_of_ten_thousand_words_is_answered(bm25):
    question = " ".join(f"word{n}" for n in range(5000)) + " cats" * 4000 + " dogs" * 1000
    rows, scores = bm25.search([question], 3)
    (expected,) = [naive_bm25(question, 0.9, 0.4)]
    assert rows.tolist() == [[0, 8, 1]]
    np.testing.assert_allclose(scores[0], [expected[row] for row in rows[0]], rtol=1e-4)


def test_a_question_with_every_term_is_answered(tmp_path):
    passages = [Passage(str(n), "", " ".join(f"w{n * 7 % m}" for m in range(2, 60))) for n in range(200)]
    build(passages, tmp_path)
    bm25 = Bm25.open(tmp_path)
    question = " ".join(f"w{n}" for n in range(60))
    rows, scores = bm25.search([question], 200)
    np.testing.assert_array_equal(bm25.score([question], rows), scores)
    assert sorted(rows[0].tolist()) == list(range(200))


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Москва - столица России", "столица"),
        ("東京は日本の首都です", "日本の首都"),
        ("القاهرة عاصمة مصر", "عاصمة"),
        ("दिल्ली भारत की राजधानी है", "राजधानी"),
        ("😀 emoji", "emoji 😀"),
    ],
)
def test_other_scripts_are_searched(tmp_path, text, question):
    build([Passage("1", "", "something else"), Passage("2", "", text)], tmp_path)
    assert Bm25.open(tmp_path).search([question], 1)[0].tolist() == [[1]]


def test_searching_loads_no_large_library():
    code = "import sys, densecli.lexical.bm25; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"pyarrow", "numba", "scipy", "torch"} & set(loaded.stdout.split())
