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
        """Build one from what `asdict` gives. A rank may be infinite, which other JSON of ours may not.

        Raises:
            ValueError, TypeError: it is damaged.
        """
        ranks: dict[str, Any] = {name: row.get(name) and tuple(map(float, row[name])) for name in RANKS}
        rest = {name: value for name, value in row.items() if name not in RANKS}
        return replace(from_json(cls, rest, "standing"), **ranks)

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
                own = value.clone()  # aligned as torch wants it
                moments.setdefault(int(place), {})[kind] = own.reshape(()) if kind == "step" else own
        self.optimizer.load_state_dict({**numbers, "adam": {**numbers["adam"], "state": moments}})


class Checkpointer(Protocol):
    """Keeps a training outside of memory, at moments of its own choosing."""

    def begin(self, trainee: TrainState) -> TrainProgress:
        """Bring a training to where it was last kept, if ever, and return where that is."""
        ...

    def best(self) -> None:
        """Keep the model, as it is now, as the best so far."""
        ...

    def offer(self, standing: TrainProgress, epoch_ends: bool, all_ends: bool) -> None:
        """Keep the training, or let the moment go by; one at which all ends is kept."""
        ...


def surroundings() -> dict[str, str]:
    """Return what may change the last bits of a result without being a setting."""
    processes = dist.get_world_size() if dist.is_initialized() else 1
    counted = {"threads": str(torch.get_num_threads()), "processes": str(processes)}
    device = pick_device("auto")
    arithmetic = describe_hardware(device, pick_precision("auto", device))
    hardware = {"usual arithmetic": arithmetic, "processor": torch.backends.cpu.get_cpu_capability()}
    return {**versions(), "densecli": __version__, **counted, **hardware}


@dataclass(frozen=True)
class Note:
    """What a checkpoint holds in addition to its tensors.

    Attributes:
        standing: where the training is.
        optimizer: the numbers of its state.
        config: the settings of the training.
        inputs: what it is made from.
        surroundings: see `surroundings`.
    """

    standing: TrainProgress
    optimizer: Mapping[str, Any]
    config: Mapping[str, Any]
    inputs: tuple[Input, ...]
    surroundings: Mapping[str, str] = field(default_factory=dict)


def write_checkpoint(folder: Path, trainee: TrainState, standing: TrainProgress, recipe: Recipe) -> None:
    """Write a training into an empty folder; `recipe` says what it is made from, for `read_note`."""
    save_state(folder / STATE, {name: value.cpu().numpy() for name, value in trainee.tensors().items()})
    note = Note(standing, trainee.numbers(), recipe.config, recipe.inputs, surroundings())
    (folder / NOTE).write_text(json.dumps(asdict(note), indent=1))


def read_note(folder: Path) -> Note | None:
    """Return the note of a checkpoint; None if there is no checkpoint.

    Raises:
        ArtifactError: it is unreadable.
    """
    try:
        row = json.loads((folder / NOTE).read_bytes())
        row.setdefault("optimizer", row.get("optimiser"))  # as 0.1.0 spelled it
        standing = TrainProgress.from_json(row["standing"])
        return replace(from_json(Note, {**row, "standing": {}}, NOTE), standing=standing)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _damaged(folder) from None


def read_checkpoint(folder: Path, trainee: TrainState) -> TrainProgress:
    """Bring a training to where a checkpoint was written.

    Raises:
        ArtifactError: the checkpoint is damaged, or of another model.
    """
    note = read_note(folder)
    if note is None:
        raise _damaged(folder)
    tensors = {name: torch.from_numpy(value) for name, value in load_state(folder / STATE).items()}
    try:
        trainee.restore(tensors, note.optimizer)
    except (KeyError, TypeError, ValueError, RuntimeError):
        raise _damaged(folder) from None
    return note.standing


def _damaged(folder: Path) -> ArtifactError:
    return ArtifactError(
        f"{folder}: the checkpoint is damaged or of another model; use `force` to start over"
    )
