"""The scores behind hits, and several kinds of search side by side, on the sample."""

from pathlib import Path

import pytest

import densecli
from densecli.errors import UsageError
from densecli.records import Question
from densecli.workflows.explain import ExplainedList, compare_modes, explain

MEG = Question("m", "who voiced Meg", ("Mila Kunis",))


@pytest.fixture(scope="module")
def sample() -> Path:
    return Path(densecli.__file__).parent / "sample" / "workspace"


@pytest.fixture(scope="module")
def explained(sample: Path) -> ExplainedList:
    [found] = explain(MEG, workspace=sample, k=30)
    return found


def test_the_parts_of_a_fused_score_sum_to_it(explained: ExplainedList) -> None:
    assert explained.weight
    for ctx, one in zip(explained.ranked.ctxs, explained.explanations, strict=True):
        assert one.dense is not None
        assert one.bm25 is not None
        assert one.bm25 + explained.weight * one.dense == pytest.approx(ctx.score, rel=1e-5)
        assert sum(one.terms.values()) == pytest.approx(one.bm25, rel=1e-5)
        assert list(one.terms.values()) == sorted(one.terms.values(), reverse=True)
    first = explained.explanations[0]
    assert (first.dense_rank, first.bm25_rank) == (1, 1)
    assert {"meg", "who"} <= first.terms.keys()
    assert any(one.bm25 == 0 and one.bm25_rank is None for one in explained.explanations)


def test_a_search_in_one_index_shows_its_own_scores(sample: Path) -> None:
    [words] = explain(MEG, workspace=sample, k=3, mode="bm25")
    assert [one.bm25 for one in words.explanations] == [ctx.score for ctx in words.ranked.ctxs]
    assert [(one.bm25_rank, one.dense, one.dense_rank) for one in words.explanations][:2] == [
        (1, None, None),
        (2, None, None),
    ]
    assert (words.fusion, words.weight) == (None, None)
    [dense] = explain(MEG, workspace=sample, k=3, mode="dense")
    assert [one.dense for one in dense.explanations] == pytest.approx(
        [ctx.score for ctx in dense.ranked.ctxs]
    )
    assert [one.dense_rank for one in dense.explanations] == [1, 2, 3]
    assert all(one.bm25 is None and not one.terms for one in dense.explanations)


def test_a_question_without_hits_is_explained(sample: Path) -> None:
    [found] = explain("zzzzqqqq", workspace=sample, mode="bm25")
    assert (found.ranked.ctxs, found.explanations) == ((), [])


def test_several_modes_are_compared(sample: Path) -> None:
    [sides] = compare_modes(MEG, ["bm25", "dense"], workspace=sample, k=2)
    assert list(sides) == ["bm25", "dense"]
    assert [ctx.has_answer for ctx in sides["dense"].ctxs] == [True, False]
    assert sides["bm25"].ctxs[0].passage.title == "Meg Griffin"


def test_a_fusion_is_no_setting_of_one_side(sample: Path) -> None:
    [sides] = compare_modes(MEG, ["bm25", "hybrid"], workspace=sample, k=2, fusion="rrf")
    assert sides["hybrid"].ctxs[0].score == pytest.approx(2 / 61)


def test_the_lowest_score_of_a_side_is_named_in_the_formula(sample: Path) -> None:
    [found] = explain(MEG, workspace=sample, k=2, missing="min")
    assert found.formula.endswith("dense, with the lowest score of a side that did not find it")


@pytest.mark.parametrize("modes", [["bm25"], ["bm25", "bm25"], ["bm25", "sparse"], [""]])
def test_other_modes_are_refused(sample: Path, modes: list[str]) -> None:
    with pytest.raises(UsageError, match="`compare` is"):
        compare_modes(MEG, modes, workspace=sample)
