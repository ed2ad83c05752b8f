"""How answers are chosen, as tuned for a reader and kept in its folder."""

from dataclasses import dataclass, replace
from pathlib import Path

from densecli.artifacts.tuned_file import SELECTION, read_tuned, write_tuned
from densecli.configs.asking import DEFAULT_DEPTH, ReadConfig
from densecli.errors import FieldError
from densecli.fields import Json, number_field, row_field, text_field
from densecli.models.folder import fingerprint
from densecli.reader.selection import Selection
from densecli.reader.tune import TunedSelection


@dataclass(frozen=True)
class StoredSelection:
    """A tuned selection. Its file is not part of the model, whose fingerprint does not change.

    Attributes:
        selection: rule and weights.
        depth: passages to read per question.
        reader: fingerprint of the reader it was tuned for.
        questions: how many questions it was tuned on.
    """

    selection: Selection
    depth: int
    reader: str
    questions: int

    @classmethod
    def read(cls, folder: Path) -> "StoredSelection | None":
        """Return the selection that is stored with the reader in `folder`, or None.

        Raises:
            ArtifactError: the file is damaged.
        """
        return read_tuned(folder / SELECTION, cls._from_json, "densecli read --tune")

    @classmethod
    def _from_json(cls, row: Json) -> "StoredSelection":
        rule = text_field(row, "rule")
        if rule not in ("passage", "joint"):
            raise FieldError(f"rule is {rule!r:.40}", "passage or joint")
        weights = row_field(row, "weights")
        span, passage, retrieval = (number_field(weights, one) for one in ("span", "passage", "retrieval"))
        depth = int(number_field(row, "depth"))
        if depth < 1:
            raise FieldError(f"depth is {depth}", "a number above 0")
        selection = Selection(rule, span, passage, retrieval)
        return cls(selection, depth, text_field(row, "reader"), int(number_field(row, "questions")))


def selection_for(folder: Path, config: ReadConfig) -> tuple[Selection, int]:
    """Return how a reader's answers are chosen, and how many passages it reads.

    The config comes first, then what was tuned for the reader in `folder`, then the paper's rule.

    Raises:
        ArtifactError: the file of the tuned selection is damaged.
    """
    stored = StoredSelection.read(folder)
    if stored is not None and stored.reader != fingerprint(folder):
        # tuned for weights that the folder no longer has
        stored = None
    selection = stored.selection if stored else Selection()
    if config.select is not None and config.select != selection.rule:
        selection = Selection(config.select)
    depth = config.depth or (stored.depth if stored else DEFAULT_DEPTH)
    return replace(selection, min_score=config.min_score), depth


def store_selection(folder: Path, tuned: TunedSelection, reader: str, source: str, sha256: str) -> Path:
    """Write a tuned selection into the folder of its reader, and return the file."""
    row = {**tuned.to_json(), "reader": reader, "source": source, "sha256": sha256}
    return write_tuned(folder / SELECTION, row)
