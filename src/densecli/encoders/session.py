"""What every compiled engine offers: a graph that is loaded and runs on batches."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from densecli.errors import ArtifactError
from densecli.models.weights import FloatArray

Inputs = Mapping[str, NDArray[Any]]
"""The inputs of one run of a graph, by name."""


class Session(Protocol):
    """A graph in one engine.

    Attributes:
        weights: the digest that the graph carries of the weights that it was compiled for; None without one.
        arithmetic: of its matrix products: `fp32` or `bf16`.
    """

    weights: str | None
    arithmetic: str

    def run(self, batches: Iterable[Inputs]) -> Iterator[FloatArray]:
        """Yield the graph's only output for each batch, in order."""
        ...


OpenSession = Callable[[Path | bytes], Session]
"""Loads a graph from a file, or from the bytes of one that holds its weights.

Raises whatever its library raises where it can't take the graph.
"""


class EngineError(ArtifactError):
    """An engine is missing or broken, or can't run a tower; another engine may."""
