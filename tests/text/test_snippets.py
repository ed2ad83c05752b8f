import re

import pytest

from densecli.records import Question
from densecli.text.snippets import REACH, SNIPPET_WORDS, answer_sentence, cut_snippet, passage_snippet

TEXT = "The eighth Dalai Lama was born at Thobgyal Lhari Gang in the Tsang region of Tibet."


def marked(snippet, places):
    """The parts of a snippet at its marked places."""
    return [snippet.text[start:end] for start, end in places]


def spans(text, *words):
    return [match.span() for word in words for match in re.finditer(word, text)]


def test_answers_and_question_words_are_highlighted():
    found = cut_snippet(TEXT, spans(TEXT, "Thobgyal", "Tibet"), spans(TEXT, "Dalai", "born"))
    assert found.text == TEXT
    assert marked(found, found.answers) == ["Thobgyal", "Tibet"]
    assert marked(found, found.words) == ["Dalai", "born"]


@pytest.mark.parametrize("place", [0, 3, 60, 150, 199])
def test_a_long_passage_is_cut_around_its_answer(place):
    words = [f"word{number}" for number in range(200)]
    words[place] = "ANSWER"
    text = " ".join(words)
    found = cut_snippet(text, spans(text, "ANSWER"), spans(text, "word7"))
    shown = found.text.replace("… ", "").replace(" …", "").split()
    assert len(shown) == SNIPPET_WORDS
    assert marked(found, found.answers) == ["ANSWER"]
    assert shown == words[words.index(shown[0]) :][:SNIPPET_WORDS]
    assert found.text.startswith("… ") == (shown[0] != words[0])
    assert found.text.endswith(" …") == (shown[-1] != words[-1])


@pytest.mark.parametrize("text", ["", "   ", "one", " one "])
def test_a_short_text_is_not_cut(text):
    assert cut_snippet(text, [], []).text == text.strip()


def test_a_very_long_text_is_cut_quickly():
    million = "king " * 1_000_000
    assert len(cut_snippet(million, spans(million, "king"), []).text) == SNIPPET_WORDS * 5 - 1 + 2
    assert len(cut_snippet("x" * 1_000_000, [(500_000, 500_001)], []).text) <= 2 * REACH + 4


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("Mila Kunis", "Since then it is Mila Kunis."),
        ("J. K. Rowling", "J. K. Rowling wrote it!"),
        ("London", "In St. Paul's in London (U.S. Army) they met."),
        ("end", "The end"),
    ],
)
def test_an_answer_is_shown_in_its_sentence(answer, shown):
    text = (
        "First it was Lacey. Since then it is Mila Kunis. J. K. Rowling wrote it! "
        "In St. Paul's in London (U.S. Army) they met. The end"
    )
    start = text.index(answer)
    assert answer_sentence(text, start, start + len(answer)).text.replace("… ", "").replace(" …", "") == shown


def test_a_passage_without_answers_is_cut_around_a_word_of_the_question():
    text = "word " * 100 + "the Dalai Lama " + "word " * 100
    found = passage_snippet(text, Question("1", "where was the Dalai Lama"))
    assert marked(found, found.words) == ["Dalai", "Lama"]
    assert found.answers == ()


def test_answers_are_put_in_brackets():
    found = passage_snippet(TEXT, Question("1", "where", ("Tsang", "Tibet")))
    assert found.mark_answers().endswith("in the [[Tsang]] region of [[Tibet]].")
