import math
import subprocess
import sys

import pytest

from densecli.errors import UsageError
from densecli.evaluation.qrels_measures import DEFAULT, QrelsMeasures
from densecli.records import Passage, Question, RankedList, ScoredPassage

QRELS = {"1": {"a": 1, "b": 0, "c": 2}, "2": {"a": 1}, "3": {"z": 1}}


def ranked(question: str, *passages: str, scores: tuple[float, ...] = ()) -> RankedList:
    found = zip(passages, scores or range(len(passages), 0, -1), strict=True)
    return RankedList(
        Question(question, ""), tuple(ScoredPassage(Passage(one, "", ""), score) for one, score in found)
    )


def measured(*names: str, run: tuple[RankedList, ...]) -> tuple[dict[str, list[float]], QrelsMeasures]:
    judge = QrelsMeasures(names or DEFAULT, QRELS)
    assert tuple(judge.watch(run)) == run
    return {name: values.tolist() for name, values in judge.values().items()}, judge


def test_measures_match_a_calculation_by_hand() -> None:
    run = (ranked("1", "b", "c", "x", "a"), ranked("2", "x", "a"), ranked("9", "a"))
    values, judge = measured("nDCG@10", "RR@10", "R@2", "AP", "P@2", "RR", "P(rel=2)@2", run=run)
    gain = 2 / math.log2(3) + 1 / math.log2(5)
    assert values == {
        "nDCG@10": pytest.approx([gain / (2 + 1 / math.log2(3)), 1 / math.log2(3), 0]),
        "RR@10": [0.5, 0.5, 0],
        "R@2": [0.5, 1, 0],
        "AP": [0.5, 0.5, 0],
        "P@2": [0.5, 0.5, 0],
        "RR": [0.5, 0.5, 0],
        "P(rel=2)@2": [0.5, 0, 0],
    }
    assert (judge.unjudged, judge.missing) == (1, ["3"])


def test_a_reranked_run_is_measured_by_its_order() -> None:
    values, _ = measured("RR@10", run=(ranked("2", "a", "b", scores=(0.1, 9.0)),))
    assert values["RR@10"] == [0, 1, 0]


def test_a_passage_that_is_listed_twice_has_its_first_rank() -> None:
    values, _ = measured("RR@10", run=(ranked("2", "a", "b", "a"),))
    assert values["RR@10"] == [0, 1, 0]


def test_of_two_results_for_a_question_the_first_counts() -> None:
    values, judge = measured("RR@10", run=(ranked("2", "x", "a"), ranked("2", "a")))
    assert values["RR@10"] == [0, 0.5, 0]
    assert judge.judged == 2


def test_an_empty_run_counts_as_misses() -> None:
    values, judge = measured(run=(ranked("1"),))
    assert values == {name: [0, 0, 0] for name in DEFAULT}
    assert judge.missing == ["1", "2", "3"]


def test_other_names_of_a_measure_are_known() -> None:
    assert QrelsMeasures(("MRR@10", "RR@10", "Recall@5"), QRELS).names == ["RR@10", "R@5"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        *((name, "is not known") for name in ("", "foo", "P", "nDCG(", "nDCG@1.5", "nDCG@'a'", "print(1)@5")),
        ("nDCG@0", "cutoff is 0; expected 1 to 100,000"),
        ("nDCG@99999999999", "cutoff is 99999999999"),
        ("P(rel=0)@5", "rel is 0"),
        ("ERR@10", "needs another program"),
        ("NumRet", "is a sum over questions"),
    ],
)
def test_an_unknown_measure_is_refused(name: str, told: str) -> None:
    with pytest.raises(UsageError, match="`measure`") as error:
        QrelsMeasures((name,), QRELS)
    assert told in str(error.value)


def test_measuring_compiles_nothing_and_starts_no_process() -> None:
    """The parts of ir-measures that run Perl or numba are left alone."""
    code = (
        "import subprocess, sys; subprocess.Popen = None\n"
        "from densecli.evaluation.qrels_measures import DEFAULT, QrelsMeasures\n"
        "QrelsMeasures(DEFAULT, {'1': {'a': 1}}).values()\n"
        "print({'numba', 'ranx', 'cwl', 'pandas', 'torch'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
