"""`--fail-under`: the least that measures must reach."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from densecli.errors import ThresholdError, UsageError
from densecli.evaluation.accuracy import EXACT_MATCH, Summary, is_percent, top_name

FORM = "NAME=VALUE, such as top20=0.75, EM=40 or nDCG@10=0.3"
ROUNDING = 1e-9
TOP_NAME = re.compile(r"top-?(\d{1,6})", re.IGNORECASE)


@dataclass(frozen=True)
class Threshold:
    """The least value of a measure.

    Attributes:
        name: the measure; None means exact match, or top-20 accuracy where nothing was read.
        least: up to 1 a share, above it a percentage.
    """

    name: str | None
    least: float

    @property
    def k(self) -> int | None:
        """The k of top-k accuracy, None for other measures."""
        match = TOP_NAME.fullmatch(self.name) if self.name is not None else None
        return int(match[1]) if match else None

    def check(self, name: str, summary: Summary) -> None:
        """Refuse a set of results that does not reach the value.

        Raises:
            ThresholdError: names the results, the measure and its value.
            UsageError: the measure was not measured.
        """
        values = summary.values()
        measure = self._measure(values)
        if measure is None:
            if self.name is None:
                raise UsageError("`fail_under` needs predictions, or results with at least 20 passages")
            raise UsageError(f"`fail_under` {self.name}: {name} has {', '.join(values) or 'no measure'}")
        value, least = values[measure], self.least
        if is_percent(measure):
            # 0.75 and 75 mean the same; a threshold of at most 1 % has no use
            least = 100 * least if least <= 1 else least
        # 100 * 0.29 is a little less than 29
        if value < least - ROUNDING:
            shown = {EXACT_MATCH: "exact match", "top-20": "top-20 accuracy"}.get(measure, measure)
            digits = 1 if is_percent(measure) else 4
            raise ThresholdError(f"{name}: {shown} is {value:.{digits}f}, below {least:g}")

    def _measure(self, values: Mapping[str, float]) -> str | None:
        if self.name is None:
            return next((name for name in (EXACT_MATCH, top_name(20)) if name in values), None)
        wanted = top_name(self.k) if self.k is not None else self.name
        return next((name for name in values if name.lower() == wanted.lower()), None)


def parse_thresholds(text: str | None) -> list[Threshold]:
    """Return what `--fail-under` asks for.

    Raises:
        UsageError: a part is not `NAME=VALUE` or a number.
    """
    found = []
    for part in text.split(",") if text else ():
        name, equals, value = part.strip().rpartition("=")
        try:
            least = float(value)
        except ValueError:
            least = math.nan
        if not 0 <= least <= 100 or (equals and not name.strip()):
            raise UsageError(f"`fail_under` is {text!r}; expected numbers from 0 to 100 as {FORM}")
        found.append(Threshold(name.strip() or None, least))
    return found


def parse_ks(text: str) -> tuple[int, ...]:
    """Return the values of k, ascending, each once.

    Raises:
        UsageError: one is not a whole number from 1.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and 0 < int(part) <= 100_000 for part in parts):
        raise UsageError(f"`top_k` is {text!r}; expected whole numbers from 1 to 100,000, such as 1,5,20,100")
    return tuple(sorted(set(map(int, parts))))
