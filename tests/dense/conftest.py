"""Vectors on disk, and dense indexes over them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from densecli.artifacts.kinds import IndexManifest, VectorsManifest
from densecli.artifacts.vectors import FloatArray, VectorStore, write_shard
from densecli.configs.corpus import IndexConfig
from densecli.dense.index import DenseIndex, build

Build = Callable[..., DenseIndex]


def stored(folder: Path, *shards: FloatArray) -> VectorStore:
    """Write vectors as shards and open them."""
    folder.mkdir()
    for number, shard in enumerate(shards):
        write_shard(folder, number, shard)
    manifest = VectorsManifest(
        fingerprint="v",
        retriever="r",
        passages="p",
        rows=sum(map(len, shards)),
        dimension=shards[0].shape[1],
        shards=len(shards),
    )
    manifest.write(folder)
    return VectorStore.open(folder)


@pytest.fixture
def indexed(tmp_path: Path) -> Build:
    """A function that indexes shards of vectors and opens the index."""

    def make(kind: str, *shards: FloatArray, **settings: int) -> DenseIndex:
        number = len(list(tmp_path.iterdir()))
        vectors = stored(tmp_path / f"vectors-{number}", *(np.asarray(shard, np.float32) for shard in shards))
        folder = tmp_path / f"index-{number}"
        folder.mkdir()
        grown = list(build(vectors, IndexConfig(kind=kind, **settings), folder))
        assert grown[-1] == vectors.shape[0]
        IndexManifest(fingerprint="i", retriever="r", passages="p", structure=kind).write(folder)
        return DenseIndex.open(folder)

    return make
