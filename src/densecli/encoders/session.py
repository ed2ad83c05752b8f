"""What every compiled engine offers: a graph that is loaded and runs on batches."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from densecli.errors import ArtifactError
from densecli.models.weights import FloatArray

SHOWN = 200
"""Letters of an engine's message that are passed on."""
Inputs = Mapping[str, NDArray[Any]]
"""The inputs of one run of a graph, by name."""


class Session(Protocol):
    """A graph in one engine.

    Attributes:
        weights: the digest that the graph carries of the weights that it was compiled for; None without one.
        arithmetic: the type of its matrix products: `fp32` or `bf16`.
    """

    weights: str | None
    arithmetic: str

    def run(self, batches: Iterable[Inputs]) -> Iterator[FloatArray]:
        """Yield the graph's only output for each batch, in order."""
        ...


OpenSession = Callable[[Path | bytes], Session]
"""Loads a graph from a file, or from the bytes of one that holds its weights.

Raises the error of its library if that cannot run the graph.
"""


class EngineError(ArtifactError):
    """An engine is missing or broken, or can't run a tower; another engine may."""


def run_error(engine: str, error: Exception) -> Exception:
    """Return what to raise if a loaded graph does not run: it is damaged, unless memory is short."""
    reason = " ".join(str(error).split())
    if "alloc" in reason or "out of memory" in reason.lower():
        return MemoryError(reason)
    return EngineError(
        f"{engine} cannot run the model's graph.onnx ({reason[:SHOWN]}); copy the model folder again"
    )
