"""Vectors on disk: float32 `.npy` shards cut at fixed rows, memory-mapped."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densecli.artifacts.kinds import VectorsManifest
from densecli.artifacts.manifest import read_manifest
from densecli.errors import ArtifactError
from densecli.files.atomic import sync
from densecli.files.npy import map_npy

FloatArray = NDArray[np.float32]
PLAN = "plan"
AGAIN = "run `densecli embed --force`"


def shard_path(folder: Path, number: int) -> Path:
    """Return the file of shard `number`, counted from 0."""
    return folder / f"shard-{number:05d}.npy"


def write_shard(folder: Path, number: int, vectors: FloatArray) -> None:
    """Write one shard of shape (n, d); the file appears when it is whole."""
    path = shard_path(folder, number)
    partial = path.with_suffix(".partial")
    with open(partial, "wb") as stream:
        np.save(stream, np.ascontiguousarray(vectors, dtype=np.float32))
    sync(partial)
    partial.replace(path)


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
        for first, shard in self._mapped:
            own = (rows >= first) & (rows < first + len(shard))
            if own.any():
                found[own] = shard[rows[own] - first]
        return found

    @cached_property
    def _mapped(self) -> list[tuple[int, FloatArray]]:
        return list(self.shards())

    def shards(self) -> Iterator[tuple[int, FloatArray]]:
        """Yield `(first row, vectors (n, d))` shard by shard, memory-mapped.

        The maps are copy-on-write: torch takes no array that may not be written, and the files stay as they
        are whatever is done to it.

        Raises:
            ArtifactError: a shard is missing, damaged, or of another shape than the manifest says.
        """
        first = 0
        for number in range(self.manifest.shards):
            path = shard_path(self.folder, number)
            try:
                vectors: FloatArray = map_npy(path, np.float32, 2, "c")
            except (FileNotFoundError, ValueError) as error:
                raise ArtifactError(f"{path}: not readable ({error}); {AGAIN}") from None
            if vectors.shape[1] != self.shape[1]:
                told = f"float32 {vectors.shape}, the manifest says float32 (n, {self.shape[1]})"
                raise ArtifactError(f"{path}: {told}; {AGAIN}")
            yield first, vectors
            first += len(vectors)
        if first != self.shape[0]:
            raise ArtifactError(f"{self.folder}: {first} vectors, the manifest says {self.shape[0]}; {AGAIN}")


@dataclass(frozen=True)
class Unfinished:
    """What an interrupted run has noted: a fingerprint of its plan, and the arithmetic of its vectors."""

    plan: str
    arithmetic: str


def unfinished_work(folder: Path) -> Unfinished | None:
    """Return what an interrupted run has noted that has left at least one shard in `folder`."""
    marker = folder / PLAN
    if not marker.exists() or not shard_path(folder, 0).exists():
        return None
    plan, _, arithmetic = marker.read_text().partition("\n")
    return Unfinished(plan, arithmetic)


def discard_plan(folder: Path) -> None:
    """Remove the plan of unfinished work that has no shard yet: there is nothing to resume from."""
    if not shard_path(folder, 0).exists():
        (folder / PLAN).unlink(missing_ok=True)


def finished_rows(folder: Path, plan: str, shard_rows: int, arithmetic: str = "") -> int:
    """Return how many leading rows an interrupted run has left in whole shards.

    Args:
        folder: the unfinished folder; what it holds of another plan is removed.
        plan: a fingerprint of everything that shapes the vectors and the shards.
        shard_rows: rows of a whole shard.
        arithmetic: what makes the vectors, for who resumes.
    """
    marker = folder / PLAN
    if not marker.exists() or marker.read_text().partition("\n")[0] != plan:
        for path in folder.iterdir():
            path.unlink()
        marker.write_text(f"{plan}\n{arithmetic}")
    number = 0
    while shard_path(folder, number).exists():
        number += 1
    return number * shard_rows
