"""What people see of an explanation, and of several kinds of search side by side."""

from pathlib import Path
from typing import Any

import pytest

import densecli
from densecli.cli.explained import check_explained, compared_view, explained_view
from densecli.cli.terminal import Terminal
from densecli.configs.asking import SearchConfig
from densecli.errors import UsageError
from densecli.records import Question
from densecli.workflows.explain import compare_modes, explain

MEG = Question("m", "who voiced Meg", ("Mila Kunis",))
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
        ({"explain": True, "compared": "bm25,dense"}, "--explain and --compare contradict"),
        ({"explain": True, "tune": "dev.jsonl"}, "--explain has no effect with --tune-lambda"),
        ({"compared": "bm25,dense", "config": SearchConfig(format="trec")}, "--compare and --format trec"),
    ],
)
def test_options_that_contradict_explain_are_refused(given: dict[str, Any], told: str) -> None:
    usual = {"config": SearchConfig(), "explain": False, "compared": None, "tune": None}
    with pytest.raises(UsageError, match=told):
        check_explained(**{**usual, **given})
