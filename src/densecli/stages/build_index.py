"""Vectors to an index (paper, section 3.1)."""

from collections.abc import Iterator
from pathlib import Path

from densecli.configs.corpus import IndexConfig
from densecli.index.dense import BATCH, build
from densecli.io.vectors.shards import VectorStore

__all__ = ["BATCH", "build_index"]


def build_index(vectors: VectorStore, config: IndexConfig, folder: Path) -> Iterator[int]:
    """Build a dense index in `folder`; yield the number of vectors in it as it grows.

    Raises:
        ArtifactError: the vectors are damaged or not finite.
    """
    yield from build(vectors, config, folder)
