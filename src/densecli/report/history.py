"""The history of a training by its metrics, for messages, the picture and warnings."""

from array import array
from collections import Counter
from collections.abc import Mapping
from typing import Any

CUT = " cut"
LEFT_OUT = "pairs left out"
"""Questions with passages that are no negatives, since they equal a positive of the question."""
TELLING = 8
"""With this many updates a loss that did not fall is not a coincidence; with fewer it must have doubled."""


class History:
    """The series of a training, by update.

    Attributes:
        losses: the loss of each update.
        rates: its learning rate.
        epoch: the latest epoch.
        untrained: the dev measures before the first update, if there are dev examples.
        validations: number of the update and dev measures, in order.
        best: the measures of the best of them.
        inputs: how many questions and passages were trained on, and how many of them were too long, by name.
    """

    def __init__(self) -> None:
        self.losses = array("d")
        self.rates = array("d")
        self.epoch = 0
        self.untrained: Mapping[str, float] | None = None
        self.validations: list[tuple[int, Mapping[str, float]]] = []
        self.best: Mapping[str, float] | None = None
        self.inputs: Counter[str] = Counter()
        self._epoch_begins = 0

    def add(self, row: Mapping[str, Any]) -> None:
        """Take in one update."""
        if row["epoch"] != self.epoch:
            self.epoch, self._epoch_begins = row["epoch"], len(self.losses)
        self.losses.append(row["loss"])
        self.rates.append(row["learning_rate"])
        self.inputs.update(row["inputs"])
        self.untrained = row["untrained"] or self.untrained
        if row["validation"]:
            self.validations.append((row["step"], row["validation"]))
            self.best = row["validation"] if row["best"] else self.best

    @property
    def epoch_loss(self) -> float:
        """The mean loss of the latest epoch."""
        losses = self.losses[self._epoch_begins :]
        return sum(losses) / len(losses)

    def shares_cut(self) -> dict[str, float]:
        """Return the share of questions and of passages that were too long and are cut, by name."""
        return {
            name: self.inputs[name + CUT] / count
            for name, count in self.inputs.items()
            if name + CUT in self.inputs and count
        }

    @property
    def left_out(self) -> int:
        """How many pairs of question and passage were left out, over all updates."""
        return self.inputs[LEFT_OUT]

    def doubt(self, improved: bool | None) -> str | None:
        """Return why the model may be of no use, in a sentence, or None.

        Args:
            improved: whether the best model does better on the dev examples than the untrained one; None
                without dev examples, where the loss must have fallen since the first update.
        """
        advice = "try a lower `learning_rate`, more `epochs` or more examples"
        if improved is False and self.best is not None and self.untrained is not None:
            return (
                f"the best model is no better than the untrained one (dev {describe_measures(self.best)};"
                f" before training {describe_measures(self.untrained)}): {advice}"
            )
        if not any(self.losses):
            return (
                "the loss is 0 in every update, because no question has a negative, or each is beyond"
                " `triplet_margin`: give examples with hard negatives, or raise `triplet_margin`"
            )
        # the second half and not the last update: single losses vary too much
        # the first one that taught something: a batch may have no negative
        first, later = next(filter(None, self.losses)), self.losses[(len(self.losses) + 1) // 2 :]
        if improved is None and later:
            mean = sum(later) / len(later)
            if mean >= first * (1 if len(self.losses) >= TELLING else 2):
                return (
                    f"the loss did not fall ({first:.4g} in the first update, {mean:.4g} in the second half):"
                    f" {advice}"
                )
        return None


def describe_measures(measures: Mapping[str, float | None]) -> str:
    """Return measures in one line: `loss 0.2513, top-20 0.9`."""
    return ", ".join(
        f"{label(name)} {'unknown' if value is None else f'{value:.4g}'}" for name, value in measures.items()
    )


def label(name: str) -> str:
    """Return the name of a measure as it is shown: `average rank`, `top-20`."""
    return name.replace("top_", "top-").replace("_", " ")
