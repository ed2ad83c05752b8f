import io
import re

import pytest
from rich.console import Console

from densecli.cli.snippets import (
    ANSWER_STYLE,
    REACH,
    SNIPPET_WORDS,
    WORD_STYLE,
    cut,
    prediction_view,
    ranked_view,
    sentence,
)
from densecli.records import Passage, Prediction, Question, RankedList, ScoredPassage, Span

TEXT = "The eighth Dalai Lama was born at Thobgyal Lhari Gang in the Tsang region of Tibet."


def marked(text, style):
    """The parts of a rich text that have a style."""
    return [text.plain[span.start : span.end] for span in text.spans if span.style == style]


def printed(view, width=100):
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system="truecolor")
    console.print(view)
    return console.file.getvalue()


def spans(text, *words):
    return [match.span() for word in words for match in re.finditer(word, text)]


def test_answers_and_question_words_are_highlighted():
    found = cut(TEXT, spans(TEXT, "Thobgyal", "Tibet"), spans(TEXT, "Dalai", "born"))
    assert found.plain == TEXT
    assert marked(found, ANSWER_STYLE) == ["Thobgyal", "Tibet"]
    assert marked(found, WORD_STYLE) == ["Dalai", "born"]


@pytest.mark.parametrize("place", [0, 3, 60, 150, 199])
def test_a_long_passage_is_cut_around_its_answer(place):
    words = [f"word{number}" for number in range(200)]
    words[place] = "ANSWER"
    text = " ".join(words)
    found = cut(text, spans(text, "ANSWER"), spans(text, "word7"))
    shown = found.plain.replace("… ", "").replace(" …", "").split()
    assert len(shown) == SNIPPET_WORDS
    assert marked(found, ANSWER_STYLE) == ["ANSWER"]
    assert shown == words[words.index(shown[0]) :][:SNIPPET_WORDS]
    assert found.plain.startswith("… ") == (shown[0] != words[0])
    assert found.plain.endswith(" …") == (shown[-1] != words[-1])


@pytest.mark.parametrize("text", ["", "   ", "one", " one "])
def test_a_short_text_is_not_cut(text):
    assert cut(text, [], []).plain == text.strip()


def test_a_very_long_text_is_cut_quickly():
    million = "king " * 1_000_000
    assert len(cut(million, spans(million, "king"), []).plain) == SNIPPET_WORDS * 5 - 1 + 2
    assert len(cut("x" * 1_000_000, [(500_000, 500_001)], []).plain) <= 2 * REACH + 4


def test_control_characters_are_removed_and_marks_stay_in_place():
    text = "\x1b[31mred\x07\r\x9b of\nUlm\u200f"
    found = cut(text, spans(text, "Ulm"), [])
    assert found.plain == "\ufffd[31mred\ufffd \ufffd of Ulm\u200f"
    assert marked(found, ANSWER_STYLE) == ["Ulm"]
    passage = Passage("i\x1bd", "t\x1bt\nt", text)
    span = Span("U\x1b", "i\x1bd", "t\x1b", 0, 3, 1.0, 1.0)
    ranked = RankedList(Question("1", "q\x1b"), (ScoredPassage(passage, 1.0),))
    for view in (ranked_view(ranked), prediction_view(Prediction(ranked, (span, span)))):
        plain = re.sub(r"\x1b\[[\d;]*m", "", printed(view))
        assert not set(plain) & {"\x1b", "\x07", "\r", "\x9b"}


def test_a_ranked_list_is_shown():
    contexts = (
        ScoredPassage(Passage("p1", "Dalai Lama", TEXT), 12.5, True),
        ScoredPassage(Passage("p2", "", "Something else."), -1.0, False),
    )
    shown = printed(
        ranked_view(RankedList(Question("1", "where was the 8th Dalai Lama born", ("Tibet",)), contexts))
    )
    assert " 1. " in shown
    assert "Dalai Lama" in shown
    assert "✓" in shown
    assert "12.50" in shown
    assert "\x1b[1;32mTibet\x1b[0m" in shown
    assert "\x1b[1mborn\x1b[0m" in shown
    assert "\x1b[1mwas\x1b[0m" not in shown
    assert "p2" in shown
    assert "nothing found" in printed(ranked_view(RankedList(Question("1", "who"), ())))


def test_a_prediction_is_shown():
    ranked = RankedList(Question("1", "where"), (ScoredPassage(Passage("p1", "Dalai Lama", TEXT), 1.0),))
    answers = [
        Span(text, "p1", "Dalai Lama", *spans(TEXT, text)[0], 1.0, 1.0, score)
        for text, score in (("Tibet", -1.0), ("Tibet", -1.5), ("Tsang", -2.0), ("Gang", -9.0))
    ]
    shown = printed(prediction_view(Prediction(ranked, tuple(answers))))
    assert shown.count("\x1b[1;32mTibet\x1b[0m") == 2
    assert "also: Tsang\x1b" in shown  # an answer that is far less probable is not shown
    assert "no answer found" in printed(prediction_view(Prediction(ranked, ())))


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
    assert sentence(text, start, start + len(answer)).plain.replace("… ", "").replace(" …", "") == shown
