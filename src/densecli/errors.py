"""The ways to fail, and the exit status each of them ends in."""

from enum import IntEnum
from pathlib import Path


class ExitStatus(IntEnum):
    """Exit codes of the program, as documented in docs/exit-codes.md."""

    OK = 0
    BUG = 1
    USAGE = 2
    BAD_INPUT = 3
    MISFIT = 4
    RESOURCES = 5
    THRESHOLD = 6
    INTERRUPTED = 130


class DenseError(Exception):
    """A failure that a user can act on: the message says what, where and what to do next."""

    status = ExitStatus.BUG


class UsageError(DenseError):
    """Settings that contradict each other, have no effect or do not work."""

    status = ExitStatus.USAGE


class DivergedError(UsageError):
    """A training whose loss is no longer a number: its settings do not work for its examples."""


class UpToDate(Exception):  # noqa: N818 - nothing failed
    """An artifact was made before from the same inputs and settings."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder}: up to date")
        self.folder = folder


class FieldError(ValueError):
    """One field of one record is wrong; the reader adds the file and the line.

    Attributes:
        place: of a record that has a file of its own in a folder, that file and the line in it.
        code: by which such records are counted (`densecli.counts`).
    """

    def __init__(
        self,
        what: str,
        expected: str,
        place: tuple[str, int | None] | None = None,
        *,
        code: str = "unusable",
    ) -> None:
        super().__init__(f"{what}; expected {expected}")
        self.code = code
        self.what = what
        self.expected = expected
        self.place = place


class InputError(DenseError):
    """Input data that cannot be used, as `file:line: what; expected ...`.

    Attributes:
        line: the line, where there is one.
        what: is wrong there.
        expected: in its place.
    """

    status = ExitStatus.BAD_INPUT

    def __init__(self, path: str | Path, line: int | None, what: str, expected: str = "") -> None:
        place = f"{path}:{line}" if line is not None else str(path)
        message = f"{place}: {what}" + (f"; expected {expected}" if expected else "")
        super().__init__(" ".join(message.splitlines()))  # what a file holds may have line ends
        self.line = line
        self.what = what
        self.expected = expected


class ArtifactError(DenseError):
    """An artifact, model or dataset is missing, incomplete or does not fit another one."""

    status = ExitStatus.MISFIT


class ResourceError(DenseError):
    """Not enough memory, disk or permission."""

    status = ExitStatus.RESOURCES


class ThresholdError(DenseError):
    """A measure fell below the threshold that the user asked for."""

    status = ExitStatus.THRESHOLD


class Interrupted(DenseError):  # noqa: N818 - nothing failed
    """The user asked long work to stop; what is finished is kept where it can be."""

    status = ExitStatus.INTERRUPTED
