"""Two runs over the same questions: by how much their measures differ, and whether that is chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densecli.evaluation.accuracy import QuestionScores, Values, is_percent
from densecli.evaluation.significance import ALPHA, holm, paired_test


@dataclass(frozen=True)
class Comparison:
    """One measure of a run and of the baseline.

    Attributes:
        run: its name.
        baseline: the name of the run it is compared with.
        measure: what is compared.
        questions: how many both have.
        difference: the difference of the means, in points for percents.
        p: the p-value of a paired randomization test.
        p_holm: the same, corrected for all comparisons made together.
    """

    run: str
    baseline: str
    measure: str
    questions: int
    difference: float
    p: float
    p_holm: float

    @property
    def significant(self) -> bool:
        """Whether the difference is significant at 0.05 after the correction."""
        return self.p_holm < ALPHA

    def to_json(self) -> dict[str, Any]:
        """Return `{results, baseline, measure, questions, difference, p, p_holm, significant}`."""
        return {
            "results": self.run,
            "baseline": self.baseline,
            "measure": self.measure,
            "questions": self.questions,
            "difference": round(self.difference, 4),
            "p": round(self.p, 6),
            "p_holm": round(self.p_holm, 6),
            "significant": self.significant,
        }


def compare(
    runs: Mapping[str, Mapping[str, Values]], pairs: Sequence[tuple[str, str]], resamples: int, seed: int
) -> list[Comparison]:
    """Compare the measures that both runs of each pair have.

    Args:
        runs: (n,) values from 0 to 1 by run and measure. Runs of a pair have the same questions in the same
            order.
        pairs: names of a run and of its baseline.
        resamples: the number of resamples of each test.
        seed: the seed of each test.
    """
    found = []
    for run, baseline in pairs:
        for measure in (name for name in runs[run] if name in runs[baseline]):
            one, other = runs[run][measure], runs[baseline][measure]
            unit = 100 if is_percent(measure) else 1
            difference = unit * float(one.mean() - other.mean())
            p = paired_test(one, other, resamples, seed)
            found.append(Comparison(run, baseline, measure, len(one), difference, p, p))
    # all at once: the more comparisons are made, the likelier one differs by chance
    corrected = holm([one.p for one in found])
    return [replace(one, p_holm=p) for one, p in zip(found, corrected, strict=True)]


def shared_order(one: QuestionScores, other: QuestionScores) -> NDArray[np.int64] | None:
    """Return for each question of `one` its place in `other`, or None where they have other questions.

    A question is the same if its id is, and its letters are wherever both runs have its text.
    """
    if len(one) != len(other):
        return None
    places = {question_id: place for place, question_id in enumerate(other.ids)}
    if set(one.ids) != places.keys():
        return None
    order = np.array([places[question_id] for question_id in one.ids], dtype=np.int64)
    for question, place in zip(one.questions, order.tolist(), strict=True):
        theirs = other.questions[place]
        if question and theirs and question != theirs and letters(question) != letters(theirs):
            return None
    return order


def letters(question: str) -> str:
    """Return the letters and digits of a question: case, marks and spaces differ between editions."""
    return "".join(filter(str.isalnum, question.casefold()))
