"""Vectors on disk: float32 `.npy` shards cut at fixed rows, memory-mapped."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densecli.artifacts.kinds import VectorsManifest
from densecli.artifacts.manifest import read_manifest
from densecli.errors import ArtifactError
from densecli.files.npy import map_npy
from densecli.files.pieces import new_piece

FloatArray = NDArray[np.float32]
AGAIN = "run `densecli embed --force`"


def shard_name(number: int) -> str:
    """Return the name of the file of shard `number`, counted from 0."""
    return f"shard-{number:05d}.npy"


def shard_path(folder: Path, number: int) -> Path:
    """Return the file of shard `number`, counted from 0."""
    return folder / shard_name(number)


def write_shard(folder: Path, number: int, vectors: FloatArray) -> None:
    """Write one shard of shape (n, d); the file appears when it is whole."""
    with new_piece(shard_path(folder, number)) as path, open(path, "wb") as stream:
        np.save(stream, np.ascontiguousarray(vectors, dtype=np.float32))


class VectorStore:
    """The vectors of a passage set: row i belongs to passage i."""

    def __init__(self, folder: Path, manifest: VectorsManifest) -> None:
        self.folder = folder
        self.manifest = manifest
        self.shape: tuple[int, int] = (manifest.rows, manifest.dimension)

    @classmethod
    def open(cls, folder: Path) -> "VectorStore":
        """Open the vectors in `folder`.

        Raises:
            ArtifactError: they are missing or incomplete.
        """
        return cls(folder, read_manifest(folder, VectorsManifest))

    def __len__(self) -> int:
        return self.shape[0]

    def take(self, rows: NDArray[np.int64]) -> FloatArray:
        """Return the vectors (n, d) of `rows` (n,), in that order; only these are read.

        Raises:
            ArtifactError: as `shards`.
        """
        found = np.empty((len(rows), self.shape[1]), dtype=np.float32)
        numbers = np.searchsorted(self._first_rows, rows, side="right") - 1
        for number in np.unique(numbers).tolist():
            own = numbers == number
            found[own] = self._shard(number)[rows[own] - self._first_rows[number]]
        return found

    @cached_property
    def _first_rows(self) -> NDArray[np.int64]:
        return np.array([first for first, _ in self.shards()], dtype=np.int64)

    def _shard(self, number: int) -> FloatArray:
        # not kept: each map holds a descriptor, and there can be more shards than a process may open
        path = shard_path(self.folder, number)
        try:
            vectors: FloatArray = map_npy(path, np.float32, 2, "c")
        except (FileNotFoundError, ValueError) as error:
            raise ArtifactError(f"{path}: not readable ({error}); {AGAIN}") from None
        if vectors.shape[1] != self.shape[1]:
            what = f"float32 {vectors.shape}, the manifest says float32 (n, {self.shape[1]})"
            raise ArtifactError(f"{path}: {what}; {AGAIN}")
        return vectors

    def shards(self) -> Iterator[tuple[int, FloatArray]]:
        """Yield `(first row, vectors (n, d))` shard by shard, memory-mapped.

        The maps are copy-on-write: torch takes no array that may not be written, and the files never change.

        Raises:
            ArtifactError: a shard is missing, damaged, or of another shape than the manifest says.
        """
        first = 0
        for number in range(self.manifest.shards):
            vectors = self._shard(number)
            yield first, vectors
            first += len(vectors)
        if first != self.shape[0]:
            raise ArtifactError(f"{self.folder}: {first} vectors, the manifest says {self.shape[0]}; {AGAIN}")
