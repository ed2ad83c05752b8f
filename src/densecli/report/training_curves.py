"""The picture of a training: its loss, its learning rate, and how well it did on the dev examples."""

import math

from densecli.report.history import History, label
from densecli.report.line_chart import Panel, Series, line_chart

COUNTS = ("questions", "pool")


def picture(history: History) -> str:
    """Return an SVG: losses above, dev measures between them, the learning rate below."""
    seen = [(0, history.untrained)] if history.untrained else []
    seen += history.validations
    losses = [Series("training", list(enumerate(history.losses, 1)))]
    panels = []
    for name in sorted({name for _, measures in seen for name in measures if name not in COUNTS}):
        points = [(float(step), _number(measures.get(name))) for step, measures in seen]
        if name == "loss":
            losses.append(Series("dev", points))
        else:
            panels.append(Panel(f"dev {label(name)}", [Series("dev", points)]))
    rates = Series("learning rate", list(enumerate(history.rates, 1)))
    return line_chart([Panel("loss", losses), *panels, Panel("learning rate", [rates])], "updates")


def _number(value: float | None) -> float:
    return math.nan if value is None else value
