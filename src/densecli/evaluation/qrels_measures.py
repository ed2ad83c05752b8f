"""Measures of relevance judgments (nDCG, RR, R, AP, P, …) through ir-measures, by its names."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import ir_measures
import numpy as np
from ir_measures.providers import FallbackProvider

from densecli.errors import UsageError
from densecli.evaluation.accuracy import Values
from densecli.records import RankedList, Result, ranked_of

DEFAULT = ("nDCG@10", "RR@10", "R@100")
LARGEST = 100_000


class QrelsMeasures:
    """Measures of one run against qrels. A question of the qrels that the run has no passage for counts 0.

    The order of a list counts and not its scores, which a reranker may have left as they were.

    Attributes:
        names: the names of the measures, as ir-measures writes them.
        unjudged: how many questions of the run the qrels do not have.
        judged: how many they have.
    """

    def __init__(self, names: Sequence[str], qrels: Mapping[str, Mapping[str, int]]) -> None:
        """Begin with an empty run.

        Raises:
            UsageError: a name is not known, or needs a program that is not part of ir-measures.
        """
        self._measures = [_parse(name) for name in dict.fromkeys(names)]
        self.names = list(dict.fromkeys(map(str, self._measures)))
        self.unjudged, self.judged = 0, 0
        self._qrels = qrels
        self._run: dict[str, dict[str, float]] = {}

    def watch(self, results: Iterable[Result]) -> Iterator[Result]:
        """Pass results on, and add their passages to the run."""
        for result in results:
            self._add(ranked_of(result))
            yield result

    def _add(self, ranked: RankedList) -> None:
        if ranked.question.id not in self._qrels:
            self.unjudged += 1
            return
        # of two results for a question the first one counts
        self.judged += 1
        if ranked.ctxs and ranked.question.id not in self._run:
            # 1 / rank as the score, because trec_eval orders by score and breaks ties by id
            scores: dict[str, float] = {}
            for rank, ctx in enumerate(ranked.ctxs, 1):
                # a passage that is listed twice has its first rank
                scores.setdefault(ctx.passage.id, 1 / rank)
            self._run[ranked.question.id] = scores

    @property
    def missing(self) -> list[str]:
        """Ids of the questions that the run has no passage for."""
        return [one for one in self._qrels if one not in self._run]

    def values(self) -> dict[str, Values]:
        """Return (n,) values for each measure, over the questions of the qrels in their order."""
        places = {one: place for place, one in enumerate(self._qrels)}
        # zeros, because ir-measures may yield nothing for a question without results, and a mean over the
        # others would be too high
        found = {name: np.zeros(len(places)) for name in self.names}
        for metric in _providers().iter_calc(self._measures, self._qrels, self._run):
            found[str(metric.measure)][places[metric.query_id]] = metric.value
        return found


def cutoffs(names: Sequence[str]) -> list[int]:
    """Return how many passages measures look at, of those that have a limit."""
    found = (_parse(name).params.get("cutoff") for name in names)
    return [cutoff for cutoff in found if isinstance(cutoff, int)]


def check_measures(names: Sequence[str]) -> None:
    """Refuse names of measures that are not known.

    Raises:
        UsageError: says which.
    """
    for name in names:
        _parse(name)


def usual_name(name: str) -> str | None:
    """Return the name under which a measure is measured, None for one that is not known."""
    try:
        return str(_parse(name))
    except UsageError:
        return None


def _parse(name: str) -> Any:
    try:
        measure = ir_measures.parse_measure(name)
        measure.validate_params()
    except Exception:  # the parser raises NameError, SyntaxError, AssertionError and others: one outcome
        raise UsageError(
            f"`measure` {name!r} is not known; expected a name of ir-measures, such as nDCG@10, RR@10, R@100,"
            " AP or P(rel=2)@5"
        ) from None
    # trec_eval ends the whole process at a cutoff of 0
    for parameter, value in measure.params.items():
        if isinstance(value, int) and not isinstance(value, bool) and not 1 <= value <= LARGEST:
            raise UsageError(f"`measure` {name!r}: {parameter} is {value}; expected 1 to {LARGEST:,}")
    if not isinstance(measure.aggregator(), ir_measures.measures.MeanAgg):
        raise UsageError(f"`measure` {name!r} is a sum over questions; only means can be compared")
    if not _providers().supports(measure):
        raise UsageError(
            f"`measure` {name!r} needs another program; try nDCG, RR, R, AP, P, Rprec, Bpref or Success"
        )
    return measure


def _providers() -> Any:
    """Return the parts of ir-measures that start no program and compile nothing.

    Its other parts run Perl (gdeval) or compile with numba (ranx).
    """
    return FallbackProvider([ir_measures.pytrec_eval, ir_measures.judged, ir_measures.msmarco])
