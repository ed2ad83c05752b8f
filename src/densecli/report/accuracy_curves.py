"""Top-k accuracy over k, as in figure 1 of the paper: a picture with a line for each run."""

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from densecli.errors import ArtifactError, UsageError
from densecli.report.line_chart import Panel, Series, line_chart

TITLE = "top-k accuracy (%)"
HEIGHT = 380
LONGEST_NAME = 60
Curves = Mapping[str, Sequence[float]]


def accuracy_svg(curves: Curves) -> str:
    """Return the picture as SVG. `curves` has the accuracies in per cent for k = 1, 2, … by name."""
    series = [Series(name[:LONGEST_NAME], list(enumerate(values, 1))) for name, values in curves.items()]
    values = [value for one in curves.values() for value in one]
    x_ticks = _round_ticks(1, max(map(len, curves.values()), default=1))
    y_ticks = _round_ticks(min(values, default=0.0), max(values, default=100.0))
    panel = Panel(TITLE, series, HEIGHT, inner_legend=True, x_ticks=x_ticks, y_ticks=y_ticks)
    return line_chart([panel], "k: passages for each question")


def check_plot(path: Path | None) -> None:
    """Refuse a picture that cannot be drawn, before anything is measured.

    Raises:
        UsageError: the name ends neither in .svg nor in .png.
        ArtifactError: it is a PNG, and matplotlib is not installed.
    """
    if path is None:
        return
    if path.suffix.lower() not in (".svg", ".png"):
        raise UsageError(f"`plot` is {str(path)!r}; expected a name that ends in .svg or .png")
    if path.suffix.lower() == ".png":
        try:
            import matplotlib  # noqa: F401 - an optional library
        except ImportError:
            raise ArtifactError(
                f"{path}: matplotlib is not installed; pip install matplotlib, or write an .svg"
            ) from None


def accuracy_picture(curves: Curves, path: Path) -> bytes:
    """Return the bytes of the picture, PNG or SVG as the name of its file says."""
    return accuracy_svg(curves).encode() if path.suffix.lower() == ".svg" else _png(curves)


def _round_ticks(low: float, high: float) -> list[float]:
    """Return the multiples of a round number from `low` to `high`: at most nine, or none."""
    step = next((step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if high - low <= 8 * step), None)
    if step is None:
        return []
    return [float(step * number) for number in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _png(curves: Curves) -> bytes:

    from matplotlib.figure import Figure  # without pyplot, which looks for a screen

    figure = Figure(figsize=(7.2, 4.2), dpi=150, layout="constrained")
    axes = figure.subplots()
    for name, values in curves.items():
        # a name is no formula, and one with a leading underscore would be left out of the legend
        label = " " + name[:LONGEST_NAME].replace("$", r"\$")
        axes.plot(range(1, len(values) + 1), values, label=label, marker="o" if len(values) == 1 else "")
    axes.set_xlabel("k: passages for each question")
    axes.set_ylabel(TITLE)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    return stream.getvalue()
