"""Line charts as small SVG files that can be read on a light and on a dark background.

Our own, because a training draws its curves without matplotlib, and one file has to suit both backgrounds.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 720, 220
LINE = 18
"""Height of a line of an inner legend."""
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 34, 28
# About one for each pixel of width.
MOST_POINTS = 600
COLORS = (
    ("#1f6feb", "#58a6ff"),
    ("#bc4c00", "#f0883e"),
    ("#1a7f37", "#3fb950"),
    ("#8250df", "#bc8cff"),
    ("#bf3989", "#f778ba"),
    ("#57606a", "#9198a1"),
)
"""For light and for dark ground."""
DASHES = ("", "6 3", "2 3")
"""Of the first six lines, of the next six, and so on."""
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Series:
    """A line of points, in the order of x."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Panel:
    """Series over one pair of axes.

    Attributes:
        title: the title above.
        series: the series, in the order of the legend.
        height: the height in pixels.
        inner_legend: whether the legend is a column at the lower right, in place of a row beside the title,
            which has room for three short names.
        x_ticks: values shown below the axis; by default both ends and the middle.
        y_ticks: the same beside it.
    """

    title: str
    series: Sequence[Series]
    height: int = HEIGHT
    inner_legend: bool = False
    x_ticks: Sequence[float] = ()
    y_ticks: Sequence[float] = ()


def line_chart(panels: Sequence[Panel], x_name: str) -> str:
    """Return an SVG with the panels one below the other, over the same x.

    Points that are not finite are left out; a long series is thinned to means of neighbors.
    """
    shown = [[Series(s.name, _thin(s.points)) for s in panel.series] for panel in panels]
    xs = [x for series in shown for one in series for x, _ in one.points]
    x_range = _range(xs)
    height = sum(panel.height for panel in panels) + BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}"'
        f' height="{height}" role="img">',
        f"<style>{_style()}</style>",
        '<rect class="ground" width="100%" height="100%"/>',
    ]
    top = 0
    for panel, series in zip(panels, shown, strict=True):
        parts.append(f'<g transform="translate(0 {top})">')
        parts += _panel(panel, series, x_range)
        parts.append("</g>")
        top += panel.height
    parts.append(f'<text x="{WIDTH // 2}" y="{height - 8}" text-anchor="middle">{_text(x_name)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: Panel, series: Sequence[Series], x_range: tuple[float, float]) -> list[str]:
    y_range = _range([y for one in series for _, y in one.points])
    bottom = panel.height - BOTTOM
    parts = [f'<text x="{LEFT}" y="18" class="title">{_text(panel.title)}</text>']
    for value in panel.y_ticks or _ends_and_middle(y_range):
        y = _place(value, y_range, bottom, TOP)
        parts.append(f'<path class="rule" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.3g}</text>')
    for value in panel.x_ticks or _ends_and_middle(x_range):
        x = _place(value, x_range, LEFT, WIDTH - RIGHT)
        parts.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{_count(value)}</text>')
    for number, one in enumerate(series):
        color = f"line{number % len(COLORS)}"
        dash = DASHES[number // len(COLORS) % len(DASHES)]
        if dash:
            color += f'" stroke-dasharray="{dash}'
        places = [
            (_place(x, x_range, LEFT, WIDTH - RIGHT), _place(y, y_range, bottom, TOP)) for x, y in one.points
        ]
        if len(places) == 1:
            parts.append(f'<circle class="{color}" cx="{places[0][0]:.1f}" cy="{places[0][1]:.1f}" r="3"/>')
        elif places:
            line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
            parts.append(f'<polyline class="{color}" points="{line}"/>')
        if panel.inner_legend:
            y = bottom - 10 - LINE * (len(series) - number - 1)
            end = WIDTH - RIGHT - 8
            parts.append(f'<path class="{color}" d="M{end - 24} {y - 4}h24"/>')
            parts.append(f'<text x="{end - 30}" y="{y}" text-anchor="end">{_text(one.name)}</text>')
        else:
            x = WIDTH - RIGHT - 150 * (len(series) - number) + 30
            parts.append(f'<path class="{color}" d="M{x} 14h18"/>')
            parts.append(f'<text x="{x + 24}" y="18">{_text(one.name)}</text>')
    return parts


def _text(text: str) -> str:
    """Return a text for an XML document, which cannot hold most control characters."""
    return escape(NOT_XML.sub("\ufffd", text))


def _style() -> str:
    light, dark = (
        "".join(f".line{n}{{stroke:{pair[side]}}}" for n, pair in enumerate(COLORS)) for side in (0, 1)
    )
    return (
        "text{font:12px system-ui,sans-serif;fill:#57606a}.title{font-weight:600;fill:#1f2328}"
        ".ground{fill:#fff}.rule{stroke:#d0d7de}polyline,path,circle{fill:none;stroke-width:1.5}"
        f"{light}"
        "@media(prefers-color-scheme:dark){text{fill:#9198a1}.title{fill:#f0f6fc}.ground{fill:#0d1117}"
        f".rule{{stroke:#3d444d}}{dark}}}"
    )


def _thin(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    finite = [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]
    # means and not every n-th point: a single loss is mostly noise, and a file stays small
    size = -(-len(finite) // MOST_POINTS)
    groups = (finite[start : start + size] for start in range(0, len(finite), size or 1))
    return [
        (sum(x for x, _ in group) / len(group), sum(y for _, y in group) / len(group)) for group in groups
    ]


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values, default=0.0), max(values, default=1.0)
    # a flat series would have a range of 0, and every place would be a division by 0
    room = max(0.5, abs(low) / 100)
    return (low, high) if low < high else (low - room, high + room)


def _ends_and_middle(of: tuple[float, float]) -> tuple[float, float, float]:
    return of[0], (of[0] + of[1]) / 2, of[1]


def _place(value: float, of: tuple[float, float], first: float, last: float) -> float:
    return first + (value - of[0]) / (of[1] - of[0]) * (last - first)


def _count(value: float) -> str:
    """Return a number of things, or one and a half of them, for an axis."""
    return f"{value:,.1f}".removesuffix(".0")
