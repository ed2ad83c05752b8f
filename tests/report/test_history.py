from typing import Any

import pytest

from densecli.report.history import History, describe_measures


def row(step: int, loss: float, epoch: int = 1, **more: Any) -> dict[str, Any]:
    plain = {"untrained": None, "validation": None, "best": False, "inputs": {}}
    return plain | {"step": step, "loss": loss, "epoch": epoch, "learning_rate": step / 10} | more


def history(*rows: dict[str, Any]) -> History:
    found = History()
    for one in rows:
        found.add(one)
    return found


def test_the_loss_of_an_epoch_is_the_mean_over_its_updates() -> None:
    found = history(row(1, 8.0), row(2, 4.0), row(3, 1.0, 2))
    assert found.epoch_loss == 1.0
    found.add(row(4, 2.0, 2))
    assert found.epoch_loss == 1.5
    assert list(found.losses) == [8.0, 4.0, 1.0, 2.0]
    assert list(found.rates) == pytest.approx([0.1, 0.2, 0.3, 0.4])


def test_the_share_of_truncated_inputs_is_computed() -> None:
    inputs = {"questions": 4, "questions cut": 0, "passages": 8, "passages cut": 2}
    assert history(row(1, 1, inputs=inputs), row(2, 1, inputs=inputs)).shares_cut() == {
        "questions": 0.0,
        "passages": 0.25,
    }
    assert history(row(1, 1)).shares_cut() == {}


def test_pairs_left_out_are_summed_over_updates() -> None:
    inputs = {"questions": 4, "questions cut": 0, "pairs left out": 3}
    found = history(row(1, 1, inputs=inputs), row(2, 1, inputs=inputs))
    assert (found.left_out, found.shares_cut()) == (6, {"questions": 0.0})
    assert history(row(1, 1)).left_out == 0


def test_the_best_validation_is_found() -> None:
    seen = [{"loss": value} for value in (2.0, 1.0, 3.0)]
    found = history(
        row(1, 5, untrained=seen[0]), row(2, 4, validation=seen[1], best=True), row(3, 4, validation=seen[2])
    )
    assert found.validations == [(2, seen[1]), (3, seen[2])]
    assert (found.untrained, found.best) == (seen[0], seen[1])
    assert found.doubt(True) is None
    doubt = found.doubt(False)
    assert doubt is not None
    assert "(dev loss 1; before training loss 2)" in doubt


@pytest.mark.parametrize(
    ("losses", "doubtful"),
    [
        ((3.0,), False),
        ((3.0, 3.5), False),
        ((3.0, 9.0), True),
        ((0.0,), True),
        ((3.0, 9.0, 1.0), False),
        ((3.0, *[9.0] * 3, *[2.9] * 4), False),
        ((3.0, *[1.0] * 3, *[3.1] * 4), True),
    ],
)
def test_without_dev_examples_a_loss_that_does_not_fall_is_doubtful(
    losses: tuple[float, ...], doubtful: bool
) -> None:
    """A few updates differ by chance, and one alone tells nothing."""
    found = history(*(row(step, loss) for step, loss in enumerate(losses, 1)))
    assert (found.doubt(None) is not None) == doubtful


def test_measures_are_described_in_one_line() -> None:
    assert describe_measures({"average_rank": 12.34567, "loss": None}) == "average rank 12.35, loss unknown"
    assert describe_measures({"top_20": 0.5}) == "top-20 0.5"
