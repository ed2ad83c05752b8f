"""All that a training needs to resume as if it had never been stopped.

`files/pieces` says how other work resumes, and why it differs.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import torch
import torch.distributed as dist
from torch import Tensor, nn

from densecli.artifacts.kinds import versions
from densecli.artifacts.recipe import Input, Recipe
from densecli.encoders.torch_hardware import describe_hardware, pick_device, pick_precision
from densecli.errors import ArtifactError
from densecli.files.typed import from_json
from densecli.models.weights import load_state, save_state
from densecli.training.optimizer import Optimizer
from densecli.training.ranks import ProcessGroup
from densecli.version import __version__

STATE = "state.safetensors"
NOTE = "note.json"
RANKS = ("untrained", "best")


@dataclass(frozen=True, slots=True)
class TrainProgress:
    """Where a training is between two updates.

    Attributes:
        step: updates done.
        steps: updates of the whole training.
        untrained: rank of the validation before the first update, higher is better; None without one.
        best: rank of the best validation since; None before the first.
        best_step: the update after which it was.
        stale: validations since.
    """

    step: int = 0
    steps: int = 0
    untrained: tuple[float, ...] | None = None
    best: tuple[float, ...] | None = None
    best_step: int = 0
    stale: int = 0

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "TrainProgress":
        """Build one from what `asdict` gives.

        Raises:
            ValueError, TypeError: it is damaged.
        """
        # `from_json` refuses infinite numbers, but the rank of a validation may be one
        ranks: dict[str, Any] = {name: row.get(name) and tuple(map(float, row[name])) for name in RANKS}
        rest = {name: value for name, value in row.items() if name not in RANKS}
        return replace(from_json(cls, rest, "progress"), **ranks)

    @property
    def improved(self) -> bool | None:
        """Whether the best model ranks above the untrained one; None where none was validated."""
        if self.untrained is None or self.best is None:
            return None
        return self.best > self.untrained


class TrainState:
    """The weights that a training changes, and their optimizer.

    Dropout, order and draws come from the seed and the number of the update alone, so this is all.
    """

    def __init__(self, modules: Sequence[nn.Module], optimizer: Optimizer) -> None:
        # a weight that two modules share is stored once; the order of definition gives the same numbers in
        # every run
        trained = (weight for module in modules for weight in module.parameters() if weight.requires_grad)
        self._weights = list(dict.fromkeys(trained))
        self.optimizer = optimizer

    def tensors(self) -> dict[str, Tensor]:
        """Return weights and moments by name."""
        moments = self.optimizer.state_dict()["adam"]["state"]
        found = {f"weight.{number}": weight.detach() for number, weight in enumerate(self._weights)}
        return found | {
            f"{name}.{number}": value for number, kept in moments.items() for name, value in kept.items()
        }

    def numbers(self) -> dict[str, Any]:
        """Return the rest of the optimizer's state, as JSON."""
        state = self.optimizer.state_dict()
        return state | {"adam": {name: part for name, part in state["adam"].items() if name != "state"}}

    def restore(self, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
        """Take over what `tensors` and `numbers` returned.

        Raises:
            KeyError: a weight is missing.
            RuntimeError: a weight is of another shape.
        """
        with torch.no_grad():
            for number, weight in enumerate(self._weights):
                weight.copy_(tensors[f"weight.{number}"])
        moments: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            kind, _, place = name.rpartition(".")
            if kind != "weight":
                own = value.clone()  # the file does not align tensors as torch wants them
                # numpy stores a number without dimensions as an array of one, which Adam does not accept
                moments.setdefault(int(place), {})[kind] = own.reshape(()) if kind == "step" else own
        self.optimizer.load_state_dict({**numbers, "adam": {**numbers["adam"], "state": moments}})


class Checkpointer(Protocol):
    """Saves a training to disk, and decides when."""

    def begin(self, state: TrainState) -> TrainProgress:
        """Restore the state that was saved last, if any, and return its progress."""
        ...

    def best(self) -> None:
        """Save the model as it is now as the best so far."""
        ...

    def offer(self, progress: TrainProgress, epoch_ends: bool, all_ends: bool) -> None:
        """Save the training if it is time to; the end of the whole training is always saved."""
        ...


ARITHMETIC = "usual arithmetic"
"""The key of device and number format in the environment of a training."""


def describe_environment(config: Mapping[str, Any]) -> dict[str, str]:
    """Return what may change a result, mostly its last bits, without being a setting that counts.

    Args:
        config: the settings of the training.
    """
    processes = dist.get_world_size() if dist.is_initialized() else 1
    # both change the order in which sums are added up, and thereby the last bits
    counted = {"threads": str(torch.get_num_threads()), "processes": str(processes)}
    device = pick_device(config.get("device", "auto"))
    arithmetic = describe_hardware(device, pick_precision(config.get("precision", "auto"), device))
    hardware = {ARITHMETIC: arithmetic, "processor": torch.backends.cpu.get_cpu_capability()}
    return {**versions(), "densecli": __version__, **counted, **hardware}


@dataclass(frozen=True)
class CheckpointNote:
    """What a checkpoint holds in addition to its tensors.

    Attributes:
        progress: the progress of the training.
        optimizer: the numbers of the optimizer's state.
        config: the settings of the training.
        inputs: the artifacts and files that it reads.
        surroundings: see `describe_environment`.
    """

    progress: TrainProgress
    optimizer: Mapping[str, Any]
    config: Mapping[str, Any]
    inputs: tuple[Input, ...]
    surroundings: Mapping[str, str] = field(default_factory=dict)


def write_checkpoint(folder: Path, state: TrainState, progress: TrainProgress, recipe: Recipe) -> None:
    """Write a training into an empty folder; its settings and inputs are in `recipe`."""
    save_state(folder / STATE, {name: value.cpu().numpy() for name, value in state.tensors().items()})
    note = CheckpointNote(
        progress, state.numbers(), recipe.config, recipe.inputs, describe_environment(recipe.config)
    )
    (folder / NOTE).write_text(json.dumps(asdict(note), indent=1))


def read_note(folder: Path) -> CheckpointNote | None:
    """Return the note of a checkpoint; None if there is no checkpoint.

    Raises:
        ArtifactError: it is unreadable.
    """
    try:
        row = json.loads((folder / NOTE).read_bytes())
        row.setdefault("optimizer", row.get("optimiser"))  # as 0.1.0 spelled it
        if "standing" in row:  # as 0.1.0 called it
            row["progress"] = row.pop("standing")
        progress = TrainProgress.from_json(row["progress"])
        # the progress is read above, because its ranks may be infinite
        return replace(from_json(CheckpointNote, {**row, "progress": {}}, NOTE), progress=progress)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _damage_error(folder) from None


def read_checkpoint(folder: Path, state: TrainState) -> TrainProgress:
    """Restore the state of a training from a checkpoint, and return its progress.

    Raises:
        ArtifactError: the checkpoint is damaged, or of another model.
    """
    note = read_note(folder)
    if note is None:
        raise _damage_error(folder)
    tensors = {name: torch.from_numpy(value) for name, value in load_state(folder / STATE).items()}
    try:
        state.restore(tensors, note.optimizer)
    except (KeyError, TypeError, ValueError, RuntimeError):
        raise _damage_error(folder) from None
    return note.progress


def _damage_error(folder: Path) -> ArtifactError:
    return ArtifactError(
        f"{folder}: the checkpoint is damaged or of another model; remove {folder.parent} to start over"
    )


class SharedCheckpointer:
    """Restores in the first process, and sends the result to the others. The disk need not be shared."""

    def __init__(self, checkpointer: Checkpointer, ranks: ProcessGroup) -> None:
        self._checkpointer = checkpointer
        self._ranks = ranks

    def begin(self, state: TrainState) -> TrainProgress:
        """Restore weights, moments and progress in all processes."""
        ranks = self._ranks
        progress = TrainProgress.from_json(ranks.share(lambda: asdict(self._checkpointer.begin(state))))
        numbers = ranks.share(state.numbers)
        own = {name: value.cpu().contiguous() for name, value in state.tensors().items()}
        shapes = ranks.share(lambda: {name: list(value.shape) for name, value in own.items()})
        # float32 without saying so: weights and moments are, whatever the precision of products
        tensors = {name: own[name] if ranks.first else torch.empty(shape) for name, shape in shapes.items()}
        for value in tensors.values():
            ranks.copy(value)
        if not ranks.first:
            state.restore(tensors, numbers)
        return progress

    def best(self) -> None:
        """Save the model as it is now as the best so far."""
        if self._ranks.first:
            self._checkpointer.best()

    def offer(self, progress: TrainProgress, epoch_ends: bool, all_ends: bool) -> None:
        """Save the training if it is time to."""
        if self._ranks.first:
            self._checkpointer.offer(progress, epoch_ends, all_ends)
