import math
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from densecli.report.line_chart import HEIGHT, MOST_POINTS, WIDTH, Panel, Series, line_chart

POINTS = st.lists(st.tuples(st.floats(0, 1e9), st.floats(width=32)), max_size=30)


def lines(*series: Series) -> list[list[tuple[float, float]]]:
    svg = ElementTree.fromstring(line_chart([Panel("a <title>", series)], "x & y"))
    return [
        [(float(x), float(y)) for x, y in (pair.split(",") for pair in line.get("points", "").split())]
        for line in svg.findall(".//{*}polyline")
    ]


@given(st.lists(POINTS, max_size=3))
def test_any_series_stays_inside_the_chart(given: list[list[tuple[float, float]]]) -> None:
    for line in lines(*(Series(f"s{n}", points) for n, points in enumerate(given))):
        assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in line)


def test_higher_values_are_drawn_higher_and_later_values_further_right() -> None:
    ((first, last),) = lines(Series("a", [(0, 1.0), (10, 2.0)]))
    assert first[0] < last[0]
    assert first[1] > last[1]


def test_values_that_are_not_finite_are_left_out() -> None:
    (line,) = lines(Series("a", [(0, 1.0), (1, math.nan), (2, math.inf), (3, 2.0)]))
    assert len(line) == 2


def test_a_long_series_is_thinned() -> None:
    (line,) = lines(Series("a", [(float(n), float(n % 2)) for n in range(10 * MOST_POINTS)]))
    assert len(line) == MOST_POINTS
    assert len({y for _, y in line}) == 1


def test_a_single_point_is_drawn_as_a_dot() -> None:
    svg = line_chart([Panel("a", [Series("s", [(1, 1.0)])])], "x")
    assert ("<circle" in svg, "<polyline" in svg) == (True, False)


def test_fractional_ticks_are_not_rounded() -> None:
    svg = line_chart([Panel("a", [Series("s", [(0, 1.0), (3, 2.0), (2001, 1.5)])])], "x")
    assert [f">{tick}</text>" in svg for tick in ("0", "1,000.5", "2,001")] == [True] * 3
