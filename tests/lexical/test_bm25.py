import math
import subprocess
import sys

import bm25s
import numpy as np
import pytest

from densecli.errors import ArtifactError
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
def test_scores_are_those_of_the_formula(tmp_path, k1, b):
    build(PASSAGES, tmp_path, k1=k1, b=b)
    rows, scores = Bm25.open(tmp_path).search(QUESTIONS, len(PASSAGES))
    for question, found, its_scores in zip(QUESTIONS, rows, scores, strict=True):
        expected = naive_bm25(question, k1, b)
        hits = found[found >= 0]
        assert set(hits.tolist()) == {row for row, score in enumerate(expected) if score > 0}
        np.testing.assert_allclose(its_scores[: len(hits)], [expected[row] for row in hits], rtol=1e-5)
        assert np.all(np.diff(its_scores) <= 0)


def test_finds_what_bm25s_itself_finds(folder, bm25):
    direct = bm25s.BM25.load(folder)
    terms = Analyzer(Analysis()).terms
    for question in QUESTIONS:
        theirs = direct.get_scores(terms(question))
        rows, scores = bm25.search([question], len(PASSAGES))
        np.testing.assert_allclose(scores[0], np.sort(theirs)[::-1], rtol=1e-6)
        np.testing.assert_array_equal(theirs[rows[0][rows[0] >= 0]], scores[0][rows[0] >= 0])


def test_best_first_and_only_hits(bm25):
    rows, scores = bm25.search(["capital of France", "Vienna", "zebra", "the of", ""], 3)
    assert rows.dtype == np.int64
    assert scores.dtype == np.float32
    assert rows.tolist()[0] == [3, 5, 4]
    assert rows.tolist()[1:] == [[9, 10, -1], [-1] * 3, [-1] * 3, [-1] * 3]
    assert scores[1, 0] == scores[1, 1] > 0
    assert not scores[2:].any()


def test_equal_scores_are_ordered_by_row_at_the_cut_too(tmp_path):
    build([Passage(str(n), "", "same words") for n in range(50)], tmp_path)
    rows, _ = Bm25.open(tmp_path).search(["words"], 7)
    assert rows.tolist() == [[0, 1, 2, 3, 4, 5, 6]]


def test_together_or_one_by_one_is_the_same(bm25):
    rows, scores = bm25.search(QUESTIONS, 4)
    for number, question in enumerate(QUESTIONS):
        alone = bm25.search([question], 4)
        np.testing.assert_array_equal(alone[0][0], rows[number])
        np.testing.assert_array_equal(alone[1][0], scores[number])


def test_no_questions(bm25):
    rows, scores = bm25.search([], 4)
    assert rows.shape == scores.shape == (0, 4)


def test_a_query_is_analysed_as_the_index_was(tmp_path):
    build(PASSAGES, tmp_path, analysis=Analysis(stop_words="", stemmer=""))
    bm25 = Bm25.open(tmp_path)
    assert bm25.search(["sleeping"], 1)[0].tolist() == [[-1]]
    assert bm25.search(["sleeps"], 1)[0].tolist() == [[0]]
    assert bm25.search(["the"], 1)[0].tolist() != [[-1]]


def test_a_collection_without_terms(tmp_path):
    build([Passage("1", "", "!!!"), Passage("2", "", "the")], tmp_path)
    bm25 = Bm25.open(tmp_path)
    assert len(bm25) == 2
    assert bm25.search(["the end"], 2)[0].tolist() == [[-1, -1]]


def test_no_passages(tmp_path):
    with pytest.raises(ArtifactError, match="no passages"):
        build([], tmp_path)


def test_a_missing_index_says_what_makes_it(tmp_path):
    with pytest.raises(ArtifactError, match="densecli index --kind bm25"):
        Bm25.open(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("analysis.json", b"{"),
        ("analysis.json", b'{"word": "("}'),
        ("analysis.json", b'{"word": "(", "stop_words": "", "stemmer": ""}'),
        ("analysis.json", b'{"word": "x", "stop_words": "", "stemmer": "none of these"}'),
        ("vocab.index.json", b"{}"),
        ("params.index.json", b"[]"),
        ("data.csc.index.npy", b"\x93NUMPY"),
        ("indptr.csc.index.npy", b""),
    ],
)
def test_a_damaged_index_is_refused(tmp_path, name, content):
    build(PASSAGES, tmp_path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ArtifactError, match="damaged"):
        Bm25.open(tmp_path)


def test_the_same_passages_give_the_same_files(tmp_path, folder):
    build(PASSAGES, tmp_path)
    for path in folder.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


def test_searching_loads_no_more_than_it_needs():
    code = "import sys, densecli.lexical.bm25; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"bm25s", "tqdm", "numba", "scipy", "jax", "torch"} & set(loaded.stdout.split())
