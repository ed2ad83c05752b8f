"""Top-k accuracy over k, as in figure 1 of the paper: a picture with a line for each run."""

import math
from collections.abc import Mapping, Sequence

from densecli.report.line_chart import Panel, Series, line_chart

TITLE = "top-k accuracy (%)"
X_NAME = "k: passages for each question"
HEIGHT = 380
LONGEST_NAME = 60
Curves = Mapping[str, Sequence[float]]


def accuracy_svg(curves: Curves) -> str:
    """Return the picture as SVG. `curves` has the accuracies in percent for k = 1, 2, … by name."""
    series = [Series(name[:LONGEST_NAME], list(enumerate(values, 1))) for name, values in curves.items()]
    values = [value for one in curves.values() for value in one]
    x_ticks = _round_ticks(1, max(map(len, curves.values()), default=1))
    y_ticks = _round_ticks(min(values, default=0.0), max(values, default=100.0))
    panel = Panel(TITLE, series, HEIGHT, inner_legend=True, x_ticks=x_ticks, y_ticks=y_ticks)
    return line_chart([panel], X_NAME)


def _round_ticks(low: float, high: float) -> list[float]:
    """Return the multiples of a round number from `low` to `high`: at most nine, or none."""
    step = next((step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if high - low <= 8 * step), None)
    if step is None:
        return []
    return [float(step * number) for number in range(math.ceil(low / step), math.floor(high / step) + 1)]
