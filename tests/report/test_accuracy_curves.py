from pathlib import Path
from xml.etree import ElementTree

import pytest

from densecli.errors import ArtifactError, UsageError
from densecli.report.accuracy_curves import accuracy_svg
from densecli.workflows.evaluate import Evaluation
from densecli.workflows.evaluation_report import accuracy_picture, check_plot

CURVES = {"<one> & \x1b_two": [50.0, 60.0, 75.0], **{f"run {n}": [float(n), n + 9.0] for n in range(8)}}


def test_each_run_is_a_line_with_its_name() -> None:
    svg = ElementTree.fromstring(accuracy_svg(CURVES))
    texts = [text.text for text in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert {"<one> & \ufffd_two", "run 0", "run 7", "1", "2", "3", "0", "70"} <= set(texts)
    looks = [(line.get("class"), line.get("stroke-dasharray")) for line in svg.iterfind(".//{*}polyline")]
    assert len(looks) == len(set(looks)) == 9


def test_a_picture_without_runs_is_valid() -> None:
    assert ElementTree.fromstring(accuracy_svg({}))


def test_a_png_is_drawn_by_matplotlib(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="optional peer missing: matplotlib")
    found = Evaluation({}, curves={"_a $x$": [1.0, 2.0], "b": [3.0]})
    assert accuracy_picture(found, tmp_path / "x.PNG").startswith(b"\x89PNG")


def test_other_picture_formats_are_refused_before_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("x.pdf", "x", "svg"):
        with pytest.raises(UsageError, match=r"ends in \.svg or \.png"):
            check_plot(Path(name))
    check_plot(Path("x.svg"))
    check_plot(None)
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(ArtifactError, match=r"pip install matplotlib"):
        check_plot(Path("x.png"))
