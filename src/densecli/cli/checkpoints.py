"""A training in an artefact that is being made: what is kept of it, when, and how it goes on."""

import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from densecli.cli.session import Session
from densecli.errors import ArtifactError, UsageError
from densecli.io.atomic import new_folder, recover
from densecli.workflows.building import Building, building, changes

if TYPE_CHECKING:
    from densecli.training.checkpoint import Standing, Trainee
    from densecli.training.history import History
    from densecli.training.report import StepReport

CHECKPOINT = "checkpoint"
BEST = "best"
LAST = "last"
METRICS = "metrics.jsonl"
PICTURE = "training.svg"
MOST_SECONDS = 600.0
LEAST_SECONDS = 60.0
DRAWN_SECONDS = 5.0

SaveEvery = Annotated[
    int | None,
    typer.Option(
        "--save-every",
        min=1,
        help="Updates between two checkpoints. [default: every ten minutes, and after epochs of a "
        "minute or more]",
    ),
]
TensorBoard = Annotated[
    Path | None,
    typer.Option("--tensorboard", help="Folder for TensorBoard files. Needs the package tensorboard."),
]


@contextmanager
def resumable(
    session: Session, target: Path, config: Any, inputs: Sequence[str | Path], force: bool
) -> Iterator[Building]:
    """Yield the model folder to fill, with what an interrupted training of the same kind left in it.

    Of several processes only the first fills it; the others begin when all is well.

    Raises:
        ArtifactError: it was another training's and `force` is off, or the processes were given different
            things.
        UsageError: several processes are to read the same pipe.
    """
    from densecli.io.manifest import describe_input

    described = [describe_input(one) for one in inputs]
    if not session.leads:
        _agree(session, config, described)
        yield Building(target)
        return
    again = _can_be_read_again(described)
    if session.ranks is not None and not again:
        raise UsageError("several processes can't read the same pipe; name files")
    with building(
        session.command, target, config, described, force, session.terminal, keep_partial=again
    ) as build:
        from densecli.training.checkpoint import read_note, surroundings  # seconds, not for "up to date"

        for name in (CHECKPOINT, BEST, LAST):
            recover(build.folder / name)
        _empty(build.folder, ".*")
        note = read_note(build.folder / CHECKPOINT)
        other = note and changes(note["config"], note["inputs"], asdict(config), described)
        if other and not force:
            raise ArtifactError(
                f"{target}: an interrupted training was of another kind ({'; '.join(other[:3])}); give what"
                " it was given to go on, or --force to begin anew"
            )
        if other or not note:
            _empty(build.folder)
        elif odd := changes(note["surroundings"], [], surroundings(), []):
            session.terminal.warning(f"{'; '.join(odd)}: the last bits of the result may be others")
        _agree(session, config, described)
        try:
            yield build
        except BaseException:
            if not (build.folder / CHECKPOINT).exists():
                _empty(build.folder)  # there is nothing to go on from
            raise
    shutil.rmtree(target / CHECKPOINT, ignore_errors=True)  # only now: a kill before this line loses nothing


def _agree(session: Session, config: Any, described: Sequence[Mapping[str, Any]]) -> None:
    """Wait for the other processes, and refuse what was not given to all of them alike.

    Raises:
        ArtifactError: names the differences.
    """
    if session.ranks is None:
        return
    first = session.ranks.share(lambda: {"config": asdict(config), "inputs": list(described)})
    other = changes(first["config"], first["inputs"], asdict(config), described)
    if other:
        raise ArtifactError(
            f"the processes were given different things ({'; '.join(other[:3])}); give all of them the same"
            " files and options"
        )


def _can_be_read_again(inputs: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a training can go on with them: what comes through a pipe is gone."""
    return all("sha256" in one for one in inputs)


def _empty(folder: Path, pattern: str = "*") -> None:
    for path in folder.glob(pattern):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


class Checkpoints:
    """Keeps the best model, and from time to time all that the training goes on from.

    Attributes:
        standing: where the training is.
    """

    def __init__(
        self,
        session: Session,
        build: Building,
        config: Any,
        write: Callable[[Path], None],
        save_every: int | None,
        tensorboard: Path | None,
    ) -> None:
        self._terminal = session.terminal
        self._folder = build.folder
        self._made: Mapping[str, Any] = {"config": asdict(config), "inputs": list(build.inputs)}
        self._write = write
        self._save_every = save_every
        self._tensorboard = tensorboard
        self._lasting = _can_be_read_again(build.inputs)
        self._saved = self._drawn = time.monotonic()
        self._stopping = False

    @contextmanager
    def running(self) -> "Iterator[History]":
        """Let a training run and log what it tells; the first Ctrl-C waits for the end of an update."""
        from densecli.training.history import History

        self._history = History()
        with ExitStack() as self._open, _ctrl_c(self._ask):
            yield self._history
            self._draw()

    def _ask(self) -> None:
        if self._stopping:
            raise KeyboardInterrupt
        self._stopping = True

    def note(self, report: "StepReport") -> None:
        """Log an update, and draw the training anew every few seconds."""
        row = asdict(report)
        self._log.add(row)
        self._history.add(row)
        if self._tensorboard is not None:
            self._board.add(report)
        if time.monotonic() - self._drawn > DRAWN_SECONDS:
            self._draw()

    def _draw(self) -> None:
        from densecli.training.picture import picture

        self._drawn = time.monotonic()
        (self._folder / PICTURE).write_text(picture(self._history))

    def begin(self, trainee: "Trainee") -> "Standing":
        """Bring a training to where it was last kept, and cut back what was written since."""
        from densecli.io.line_log import LineLog
        from densecli.training.checkpoint import Standing, read_checkpoint

        place = self._folder / CHECKPOINT
        self._trainee = trainee
        self.standing = read_checkpoint(place, trainee) if place.exists() else Standing()
        self._log = self._open.enter_context(closing(LineLog(self._folder / METRICS, self.standing.step)))
        for row in self._log.rows():
            self._history.add(row)
        if self._tensorboard is not None:
            from densecli.training.board import Board

            self._board = self._open.enter_context(closing(Board(self._tensorboard, self.standing.step)))
        if self.standing.step:
            self._terminal.message(f"going on after update {self.standing.step:,}")
        return self.standing

    def best(self) -> None:
        """Keep the model, as it is now, as the best so far."""
        with new_folder(self._folder / BEST) as place:
            self._write(place)

    def offer(self, standing: "Standing", epoch_ends: bool, all_ends: bool) -> None:
        """Keep the training where that is due, or where it is to stop.

        Raises:
            KeyboardInterrupt: it was asked to stop.
        """
        self.standing = standing
        if self._lasting and (all_ends or self._stopping or self._due(standing.step, epoch_ends)):
            self._save()
        if self._stopping and not all_ends:
            if self._lasting:
                self._terminal.message(f"saved after update {standing.step:,}")
            else:
                self._terminal.warning(
                    "nothing is saved: what came through a pipe can't be read again; name a file"
                )
            raise KeyboardInterrupt

    def _due(self, step: int, epoch_ends: bool) -> bool:
        if self._save_every is not None:
            return step % self._save_every == 0
        return time.monotonic() - self._saved > (LEAST_SECONDS if epoch_ends else MOST_SECONDS)

    def _save(self) -> None:
        from densecli.training.checkpoint import write_checkpoint

        self._log.sync()
        with new_folder(self._folder / CHECKPOINT) as place:
            write_checkpoint(place, self._trainee, self.standing, self._made)
        self._saved = time.monotonic()

    def settle(self) -> None:
        """Put the best model at the top of the artefact, and the last beside it when it is another."""
        best = self._folder / BEST
        if self.standing.best is None:
            self._write(self._folder)
        elif self.standing.best_step != self.standing.step:
            with new_folder(self._folder / LAST) as place:
                self._write(place)
        if best.exists():
            for path in best.iterdir():
                path.rename(self._folder / path.name)
            best.rmdir()


@contextmanager
def _ctrl_c(ask: Callable[[], None]) -> Iterator[None]:
    before = signal.signal(signal.SIGINT, lambda number, frame: ask())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
