"""Keeping a training in the folder of its model: what is saved, when, and how it resumes."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from densecli.artifacts.building import CHECKPOINT, SHOWN, Building, building
from densecli.artifacts.kinds import Manifest
from densecli.artifacts.line_log import LineLog
from densecli.artifacts.recipe import Input, Recipe
from densecli.artifacts.workspace import Workspace
from densecli.errors import ArtifactError, Interrupted, UpToDate, UsageError
from densecli.files.atomic import in_the_making, new_folder, recover, remove
from densecli.files.typed import from_json
from densecli.observer import Observer
from densecli.report.history import History
from densecli.report.training_curves import picture

if TYPE_CHECKING:
    from densecli.training.checkpoint import TrainProgress, TrainState
    from densecli.training.ranks import ProcessGroup
    from densecli.training.report import StepReport

BEST = "best"
LAST = "last"
METRICS = "metrics.jsonl"
PICTURE = "training.svg"
SAVE_SECONDS = 600.0
SAVE_SECONDS_AT_EPOCH_END = 60.0
DRAW_SECONDS = 5.0


@contextmanager
def resumable(
    kind: type[Manifest],
    command: str,
    target: Path,
    config: Any,
    inputs: Sequence[Input],
    force: bool,
    observer: Observer,
    ranks: "ProcessGroup | None" = None,
    home: Workspace | None = None,
) -> Iterator[Building]:
    """Yield the model folder to fill, with what an interrupted training of the same kind left in it.

    Of several processes only the first fills it. The others wait until it has begun, and at the end until
    the model is complete.

    Args:
        kind: of the model.
        command: the command that makes it.
        target: the model folder.
        config: settings of the training.
        inputs: what it is made from.
        force: replace a model, or an interrupted training, from other inputs or settings.
        observer: receives messages and warnings.
        ranks: the processes that train together.
        home: the workspace; see `building`.

    Raises:
        UpToDate: `target` was made by the same command from the same inputs and settings.
        ArtifactError: it was made from others and `force` is off, or the processes have different ones.
        UsageError: several processes are to read the same pipe.
    """
    recipe = Recipe.of(command, config, inputs, None if home is None else home.root)
    if ranks is not None and not ranks.first:
        _compare_with_first(ranks, target, recipe, config)
        yield Building(target, recipe, config)
        ranks.wait()
        return
    if ranks is not None and not recipe.rereadable:
        raise UsageError("several processes can't read the same pipe; name files")
    try:
        with building(
            kind, command, target, config, inputs, force, observer, True, (CHECKPOINT,), home
        ) as build:
            _prepare(build, target, force, observer)
            _compare_with_first(ranks, target, recipe, config)
            try:
                yield build
            except BaseException:
                if not (build.folder / CHECKPOINT).exists():
                    _empty(build.folder)  # there is nothing to resume from
                raise
    except UpToDate:
        _compare_with_first(ranks, target, recipe, config, up_to_date=True)
        raise
    if ranks is not None:
        ranks.wait()


def _prepare(build: Building, target: Path, force: bool, observer: Observer) -> None:
    """Keep what an interrupted training left if this one can resume from it; else remove it.

    Raises:
        ArtifactError: it was another training and `force` is off.
    """
    # torch: not for "up to date"
    from densecli.training.checkpoint import ARITHMETIC, describe_environment, read_note

    folder = build.folder
    for name in (CHECKPOINT, BEST, LAST):
        recover(folder / name)
    _empty(folder, ".*")
    note = read_note(folder / CHECKPOINT)
    if note is None:
        _empty(folder)
        return
    begun = Recipe(build.recipe.command, note.config, note.inputs)
    found = begun.differences(build.recipe, build.config)
    if found and not force:
        raise ArtifactError(
            f"{target}: an interrupted training has other inputs or settings ({'; '.join(found[:SHOWN])});"
            " use the same ones to resume it, or `force` to start over"
        )
    if found:
        _empty(folder)
        return
    now = describe_environment(build.recipe.config)
    odd = {name: was for name, was in note.surroundings.items() if was != now.get(name)}
    if odd:
        changes = "; ".join(f"{name} was {was}, now {now.get(name)}" for name, was in odd.items())
        how = "will differ" if ARITHMETIC in odd else "may differ in the last bits"
        observer.warning(f"{changes}: results {how}")


def _compare_with_first(
    ranks: "ProcessGroup | None",
    target: Path,
    recipe: Recipe,
    config: Any,
    up_to_date: bool = False,
) -> None:
    """Wait for the other processes, and refuse inputs and settings that are not the same in all of them.

    Raises:
        ArtifactError: names the differences.
        UpToDate: the first process says so.
    """
    if ranks is None:
        return
    first = from_json(_First, ranks.share(lambda: asdict(_First(recipe, up_to_date))))
    found = first.recipe.differences(recipe, config)
    if found:
        raise ArtifactError(
            f"the processes have different inputs or settings ({'; '.join(found[:SHOWN])}); start all of them"
            " with the same files and options"
        )
    if first.up_to_date:
        raise UpToDate(target)


@dataclass(frozen=True)
class _First:
    """What the first of several processes sends the others."""

    recipe: Recipe
    up_to_date: bool


def _empty(folder: Path, pattern: str = "*") -> None:
    for path in folder.glob(pattern):
        remove(path)


class Checkpointer:
    """Saves the best model, and from time to time all that a training resumes from.

    Attributes:
        progress: where the training is.
    """

    def __init__(
        self,
        build: Building,
        write: Callable[[Path], None],
        observer: Observer,
        save_every: int | None = None,
        tensorboard: Path | None = None,
        stop_requested: Callable[[], bool] = lambda: False,
    ) -> None:
        """Prepare to keep a training in `build.folder`.

        Args:
            build: the model in the making.
            write: writes the model, as it is now, into an empty folder.
            observer: receives messages.
            save_every: updates between two checkpoints; by default ten minutes, or an epoch of a minute or
                more.
            tensorboard: folder for TensorBoard's files.
            stop_requested: asked before the first update and after each one; when it says yes, the training
                is saved and ends.
        """
        self._observer = observer
        self._folder = build.folder
        self._recipe = build.recipe
        self._write = write
        self._save_every = save_every
        self._tensorboard = tensorboard
        self._stop_requested = stop_requested
        self._rereadable = build.recipe.rereadable
        self._saved = self._drawn = time.monotonic()

    @contextmanager
    def running(self) -> Iterator[History]:
        """Open the logs of a training for as long as it runs; yield its history."""
        self._history = History()
        with ExitStack() as self._open:
            yield self._history
            self._draw()

    def note(self, report: "StepReport") -> None:
        """Log an update, and draw the training again every few seconds."""
        row = asdict(report)
        self._log.add(row)
        self._history.add(row)
        if self._tensorboard is not None:
            self._board.add(report)
        if time.monotonic() - self._drawn > DRAW_SECONDS:
            self._draw()

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        (self._folder / PICTURE).write_text(picture(self._history))

    def begin(self, state: "TrainState") -> "TrainProgress":
        """Bring a training to where it was last saved, and cut back what was logged since."""
        from densecli.training.checkpoint import TrainProgress, read_checkpoint  # torch: not for "up to date"

        place = self._folder / CHECKPOINT
        self._state = state
        self.progress = read_checkpoint(place, state) if place.exists() else TrainProgress()
        try:
            log = LineLog(self._folder / METRICS, self.progress.step)
            self._log = self._open.enter_context(closing(log))
            for row in self._log.rows():
                self._history.add(row)
        except ArtifactError as error:
            raise ArtifactError(f"{error}; remove {self._folder} to start over") from None
        if self._tensorboard is not None:
            from densecli.training.board import TensorBoardLog  # an optional package

            self._board = self._open.enter_context(
                closing(TensorBoardLog(self._tensorboard, self.progress.step))
            )
        if self.progress.step:
            self._observer.message(f"resuming after update {self.progress.step:,}")
        if self._stop_requested():
            raise Interrupted(f"interrupted before update {self.progress.step + 1:,}")
        return self.progress

    def best(self) -> None:
        """Save the model, as it is now, as the best so far."""
        with new_folder(self._folder / BEST, in_the_making) as place:
            self._write(place)

    def offer(self, progress: "TrainProgress", epoch_ends: bool, all_ends: bool) -> None:
        """Save the training if that is due, or if it is to stop.

        Raises:
            Interrupted: it was asked to stop.
        """
        self.progress = progress
        stops = not all_ends and self._stop_requested()
        if self._rereadable and (all_ends or stops or self._is_due(progress.step, epoch_ends)):
            self._save()
        if stops and self._rereadable:
            raise Interrupted(
                f"interrupted; saved after update {progress.step:,}: start the same training again to resume"
            )
        if stops:
            raise Interrupted(
                "interrupted; nothing is saved, because a pipe or an iterator can't be read again: name a"
                " file"
            )

    def _is_due(self, step: int, epoch_ends: bool) -> bool:
        if self._save_every is not None:
            return step % self._save_every == 0
        return time.monotonic() - self._saved > (SAVE_SECONDS_AT_EPOCH_END if epoch_ends else SAVE_SECONDS)

    def _save(self) -> None:
        from densecli.training.checkpoint import write_checkpoint  # torch: not for "up to date"

        self._log.sync()
        with new_folder(self._folder / CHECKPOINT, in_the_making) as place:
            write_checkpoint(place, self._state, self.progress, self._recipe)
        self._saved = time.monotonic()

    def finish(self) -> None:
        """Put the best model at the top of the folder, and the last in `last` if it is another one."""
        best = self._folder / BEST
        if self.progress.best is None:
            self._write(self._folder)
        elif self.progress.best_step != self.progress.step:
            with new_folder(self._folder / LAST, in_the_making) as place:
                self._write(place)
        if best.exists():
            for path in best.iterdir():
                path.rename(self._folder / path.name)
            best.rmdir()
