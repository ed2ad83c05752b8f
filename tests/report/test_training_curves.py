from xml.etree import ElementTree

from densecli.report.history import History
from densecli.report.training_curves import picture


def drawn(validated: bool) -> ElementTree.Element:
    history = History()
    for step in range(1, 31):
        seen = {"loss": 2.0 / step, "accuracy": step / 30, "questions": 7} if validated else None
        history.add({
            "step": step, "epoch": 1, "loss": 3.0 / step, "learning_rate": 1e-3, "inputs": {}, "best": False,
            "untrained": {"loss": 2.5, "accuracy": 0.0, "questions": 7} if validated and step == 1 else None,
            "validation": seen if step % 10 == 0 else None,
        })  # fmt: skip
    return ElementTree.fromstring(picture(history))


def titles(svg: ElementTree.Element) -> list[str | None]:
    return [text.text for text in svg.findall(".//{*}text") if text.get("class") == "title"]


def test_loss_dev_measures_and_learning_rate_have_one_panel_each() -> None:
    assert titles(drawn(validated=True)) == ["loss", "dev accuracy", "learning rate"]
    assert titles(drawn(validated=False)) == ["loss", "learning rate"]


def test_every_validation_is_a_point_and_the_untrained_model_is_the_first() -> None:
    lines = [line.get("points", "").split() for line in drawn(True).findall(".//{*}polyline")]
    assert [len(points) for points in lines] == [30, 4, 4, 30]
    assert [points[0].split(",")[0] for points in lines[1:3]] == ["64.0", "64.0"]
