"""Texts for results that hold only ids, such as runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from densecli.files.bad_records import BadRecords
from densecli.formats.lookup import Lookup
from densecli.records import Question


@dataclass(frozen=True)
class Texts:
    """Where the texts are: a file of questions, and a passage store.

    Attributes:
        questions: the file.
        passages: the passage store.
        asked: what the file holds, where it is read already.
    """

    questions: str | None = None
    passages: Path | None = None
    asked: Sequence[Question] | None = None

    @property
    def named(self) -> str:
        """Name of the first that is given, or an empty string."""
        return "questions" if self.questions is not None else "passages" if self.passages else ""

    def lookup(self, bad: BadRecords) -> Lookup:
        """Return the texts.

        Raises:
            InputError: the questions cannot be read, or an id occurs twice.
            ArtifactError: the passage store is missing or incomplete.
        """
        if not self.named:
            return Lookup()
        from densecli.formats.read_any import lookup_from  # loads Arrow, which results with texts do not need

        return lookup_from(None if self.asked is not None else self.questions, self.passages, bad)
