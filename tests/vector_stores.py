"""Vector stores for tests, written as `embed` writes them."""

from pathlib import Path

import numpy as np

from densecli.artifacts.kinds import VectorsManifest
from densecli.artifacts.passages.store import PassageStore
from densecli.artifacts.vectors import VectorStore, write_shard
from densecli.encoders.torch_retriever import PassageEncoder


def write_vectors(folder: Path, store: PassageStore, model: Path, shard_rows: int = 5) -> VectorStore:
    """Write the vectors that a model's passage tower makes of a store, in small shards, and open them."""
    folder.mkdir(parents=True)
    encoder = PassageEncoder(model)
    vectors = np.concatenate([encoder.encode([passage]) for passage in store])
    for number, first in enumerate(range(0, len(vectors), shard_rows)):
        write_shard(folder, number, vectors[first : first + shard_rows])
    manifest = VectorsManifest(
        fingerprint="test",
        retriever=encoder.fingerprint,
        passage_tower=encoder.passage_tower,
        passages=store.fingerprint,
        rows=len(store),
        dimension=encoder.dimension,
        shards=-(-len(store) // shard_rows),
    )
    manifest.write(folder)
    return VectorStore.open(folder)
