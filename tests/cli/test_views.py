"""What people see of passages, answers, explanations, and several kinds of search side by side."""

import io
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console, RenderableType

import densecli
from densecli.cli.search_checks import check_explained
from densecli.cli.session import open_session
from densecli.cli.terminal import Terminal
from densecli.cli.views import (
    ANSWER_STYLE,
    compared_view,
    explained_view,
    prediction_view,
    ranked_view,
    styled,
)
from densecli.configs.asking import SearchConfig
from densecli.errors import UsageError
from densecli.records import Passage, Prediction, Question, RankedList, ScoredPassage, Span
from densecli.text.snippets import cut_snippet
from densecli.workflows.explain import compare_modes, explain

MEG = Question("m", "who voiced Meg", ("Mila Kunis",))
TEXT = "The eighth Dalai Lama was born at Thobgyal Lhari Gang in the Tsang region of Tibet."
SAMPLE = Path(densecli.__file__).parent / "sample" / "workspace"


def test_the_scores_behind_each_hit_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    [explained] = explain(MEG, workspace=SAMPLE, k=5)
    Terminal().show(explained_view(explained))
    shown = " ".join(capsys.readouterr().out.split())  # lines are as wide as the terminal
    first = explained.explanations[0]
    assert f"dense {first.dense:.2f} (rank 1) · BM25 {first.bm25:.2f} (rank 1): meg" in shown
    assert shown.count("fused = BM25 + ") == 5


def test_modes_are_compared_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    [sides] = compare_modes(MEG, ["bm25", "dense"], workspace=SAMPLE, k=2)
    Terminal().show(compared_view(sides))
    _, header, first, *_ = capsys.readouterr().out.splitlines()
    assert header.split() == ["bm25", "dense"]
    assert first.count("1. Meg Griffin") == 2


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"explain": True, "compare": "bm25,dense"}, "--explain and --compare contradict"),
        ({"explain": True, "tune": "dev.jsonl"}, "--explain has no effect with --tune-lambda"),
        ({"explain": True, "typed": {"split"}}, "--explain and --split contradict"),
        ({"compare": "bm25,dense", "typed": {"batch_size"}}, "--compare and --batch-size contradict"),
        ({"compare": "bm25,dense", "config": SearchConfig(format="trec")}, "--compare and --format trec"),
    ],
)
def test_options_that_contradict_explain_are_refused(given: dict[str, Any], told: str) -> None:
    usual = {"config": SearchConfig(), "explain": False, "compare": None, "tune": None}
    typed = frozenset(given.pop("typed", ()))
    session = open_session(None, Terminal(), typed)
    with pytest.raises(UsageError, match=told):
        check_explained(session, **{**usual, **given})


def test_settings_of_fusion_need_a_hybrid_side() -> None:
    with pytest.raises(UsageError, match="`fusion_weight` has an effect only where `compare` names hybrid"):
        compare_modes(MEG, ["bm25", "dense"], workspace=SAMPLE, fusion_weight=2)
    compare_modes(MEG, ["bm25", "hybrid"], workspace=SAMPLE, fusion_weight=2)


def plain(shown: str) -> str:
    return " ".join(re.sub(r"\x1b\[[\d;]*m", "", shown).split())


def printed(view: RenderableType, width: int = 100) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width, force_terminal=True, color_system="truecolor").print(view)
    return stream.getvalue()


def spans(text: str, *words: str) -> list[tuple[int, int]]:
    return [match.span() for word in words for match in re.finditer(word, text)]


def test_control_characters_are_removed_and_marks_stay_in_place() -> None:
    text = "\x1b[31mred\x07\r\x9b of\nUlm\u200f"
    found = styled(cut_snippet(text, spans(text, "Ulm"), []))
    assert found.plain == "\ufffd[31mred\ufffd \ufffd of Ulm\u200f"
    marked = [found.plain[one.start : one.end] for one in found.spans if one.style == ANSWER_STYLE]
    assert marked == ["Ulm"]
    passage = Passage("i\x1bd", "t\x1bt\nt", text)
    span = Span("U\x1b", "i\x1bd", "t\x1b", 0, 3, 1.0, 1.0)
    ranked = RankedList(Question("1", "q\x1b"), (ScoredPassage(passage, 1.0),))
    for view in (ranked_view(ranked), prediction_view(Prediction(ranked, (span, span)))):
        plain = re.sub(r"\x1b\[[\d;]*m", "", printed(view))
        assert not set(plain) & {"\x1b", "\x07", "\r", "\x9b"}


def test_a_ranked_list_is_shown() -> None:
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


def test_a_prediction_is_shown() -> None:
    ranked = RankedList(Question("1", "where"), (ScoredPassage(Passage("p1", "Dalai Lama", TEXT), 1.0),))
    answers = [
        Span(text, "p1", "Dalai Lama", *spans(TEXT, text)[0], 1.0, 1.0, score)
        for text, score in (
            ("Tibet", -1.0),
            ("Tibet", -1.5),
            ("Tsang", -1.2),
            ("the Tsang", -1.25),
            ("Gang", -1.4),
        )
    ]
    shown = printed(prediction_view(Prediction(ranked, tuple(answers))))
    assert shown.count("\x1b[1;32mTibet\x1b[0m") == 2
    assert "also: Tsang\x1b" in shown  # an answer that is far less probable is not shown
    assert "no answer found" in printed(prediction_view(Prediction(ranked, ())))
    start = spans(TEXT, "Tibet")[0][0]
    assert f"p1, character {start} of the passage" in plain(shown)


def test_an_answer_is_located_in_its_article_where_the_collection_knows_it() -> None:
    start, end = spans(TEXT, "Tibet")[0]
    answer = Span("Tibet", "p1", "Dalai Lama", start, end, 1.0, 1.0)
    word = 1200 + len(TEXT[:start].split()) + 1
    for meta, place in (
        ({"article": "lamas/dalai.txt", "offset": 1200}, f"lamas/dalai.txt, word {word:,}"),
        ({"offset": 1200}, f"p1, character {start} of the passage"),
    ):
        found = ScoredPassage(Passage("p1", "Dalai Lama", TEXT, meta), 1.0)
        shown = printed(prediction_view(Prediction(RankedList(Question("1", "where"), (found,)), (answer,))))
        assert place in plain(shown)


@pytest.mark.parametrize(
    ("text", "answer", "place"),
    [
        ("Lima is it", "Lima", "a.txt, word 11"),
        ("it is (Lima)", "Lima", "a.txt, word 13"),
        ("it is Lima", "Lima", "a.txt, word 13"),
        ("首都は リマ", "リマ", "a.txt, character 4 of the passage at word 11"),
    ],
)
def test_the_word_of_an_answer_is_counted(text: str, answer: str, place: str) -> None:
    start = text.index(answer)
    span = Span(answer, "p1", "T", start, start + len(answer), 1.0, 1.0)
    found = ScoredPassage(Passage("p1", "T", text, {"article": "a.txt", "offset": 10}), 1.0)
    shown = printed(prediction_view(Prediction(RankedList(Question("1", "where"), (found,)), (span,))))
    assert place in plain(shown)
