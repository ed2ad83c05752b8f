import pytest
from hypothesis import given
from hypothesis import strategies as st

from densecli.mining.gold import CANDIDATES, LEAST, gold_match, gold_query, overlap
from densecli.mining.hits import Hit, ranked_hits
from densecli.records import Passage, Question
from densecli.retrieval.passage_cache import AnswerChecker, PassageCache

WORDS = [f"w{number}" for number in range(400)]
ARTICLE = " ".join(WORDS)
BLOCKS = [" ".join(WORDS[start : start + 100]) for start in range(0, 400, 100)]
PASSAGES = [
    *(Passage(str(row), "Numbers", text) for row, text in enumerate(BLOCKS)),
    Passage("4", "Copy", BLOCKS[1]),
    Passage("5", "Others", "something else entirely about w130 and nothing more"),
]


@pytest.fixture(scope="module")
def mined(collection_of):
    return collection_of(PASSAGES)


def match(mined, text, title="", answers=()):
    """Match as the stage does; return the row and the overlap."""
    gold, cache = Passage("gold", title, text), PassageCache(mined.store)
    checker = AnswerChecker(Question("q", "q", answers), cache)
    rows, scores = mined.bm25.search([gold_query(gold, checker)], CANDIDATES)
    found = gold_match(gold, ranked_hits(rows[0], scores[0], "bm25"), checker, cache)
    return None if found is None else (found.row, found.score)


def test_a_passage_finds_itself(mined):
    assert [match(mined, text, "Numbers") for text in BLOCKS] == [(row, 1.0) for row in range(4)]


def test_a_paragraph_finds_the_block_that_holds_its_answer(mined):
    paragraph = " ".join(WORDS[60:160])
    assert match(mined, paragraph, answers=("w90",))[0] == 0
    assert match(mined, paragraph, "Numbers", answers=("w120",))[0] == 1
    assert match(mined, ARTICLE, answers=("w250",)) == (2, 1.0)


def test_a_sentence_finds_the_block_around_it(mined):
    assert match(mined, " ".join(WORDS[310:320]) + ".") == (3, 1.0)


def test_the_title_decides_between_equals(mined):
    assert match(mined, BLOCKS[1], "Copy") == (4, 1.0)
    assert match(mined, BLOCKS[1], "NUMBERS") == (1, 1.0)


@pytest.mark.parametrize("text", ["w130 and a text that is nowhere in the collection", "", "?!"])
def test_too_little_overlap_is_no_match(mined, text):
    assert match(mined, text, answers=("w130",)) is None


def test_matching_parts_of_a_passage_are_enough(mined):
    changed = [word if place % 10 < 8 else f"x{place}" for place, word in enumerate(WORDS[:100])]
    assert match(mined, " ".join(changed))[1] > LEAST
    changed = [word if place % 5 < 3 else f"x{place}" for place, word in enumerate(WORDS[:100])]
    assert match(mined, " ".join(changed)) is None


def test_the_query_contains_the_words_around_the_answer(mined):
    checker = AnswerChecker(Question("q", "q", ("w250",)), PassageCache(mined.store))
    words = gold_query(Passage("", "Title", ARTICLE), checker).split()
    assert words[0] == "Title"
    assert words[1:] == WORDS[230:270]


def test_without_candidates_there_is_no_match(mined):
    cache = PassageCache(mined.store)
    checker = AnswerChecker(Question("q", "q"), cache)
    assert gold_match(PASSAGES[0], [], checker, cache) is None
    assert gold_match(PASSAGES[0], [Hit(5, "bm25")], checker, cache) is None


runs = st.sets(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")))


@given(runs, runs)
def test_overlap_is_symmetric_and_between_0_and_1(one, other):
    shared = overlap(one, other)
    assert shared == overlap(other, one)
    assert 0 <= shared <= 1
    if one:
        assert overlap(one, one | other) == 1
