"""`--questions` and `--passages`: texts for results that hold only ids, such as runs."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from densecli.io.bad_records import BadRecords
    from densecli.io.formats.lookup import Lookup

QuestionsOption = Annotated[
    str | None, typer.Option("--questions", help="Questions for what holds only their ids.")
]
TextsOption = Annotated[
    Path | None, typer.Option("--passages", help="Passage store for what holds only passage ids.")
]


@dataclass(frozen=True)
class Texts:
    """What the two options name."""

    questions: str | None
    passages: Path | None

    @property
    def named(self) -> str:
        """The first of the options that was given, or an empty string."""
        return "questions" if self.questions is not None else "passages" if self.passages else ""

    def lookup(self, bad: "BadRecords") -> "Lookup":
        """Return the texts.

        Raises:
            InputError: the questions cannot be read, or an id occurs twice.
            ArtifactError: the passage store is missing or incomplete.
        """
        if not self.named:
            from densecli.io.formats.lookup import Lookup

            return Lookup()
        from densecli.io.doors.records import lookup_from

        return lookup_from(self.questions, self.passages, bad)
