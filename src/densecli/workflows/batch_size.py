"""How many questions are searched together by default."""

from densecli.configs.asking import SearchConfig
from densecli.files.memory import available_memory
from densecli.retrieval.hybrid import HybridEngine
from densecli.retrieval.search import DenseEngine, Engine

SMALL = 64
USUAL = 256
LARGE = 1024
LARGEST = 4096
LARGE_INDEX = 64 << 20
HIT_BYTES = 64
"""What a passage takes until it is ranked: rows and scores of both sides, and copies of them in order."""
SHARE = 8
"""A batch's hits take at most this part of the memory."""


def usual_batch_size(engine: Engine, config: SearchConfig, k: int) -> int:
    """Return the config's batch size, or one that suits the engine.

    An exact index is read from end to end for each batch, so a large one wants large batches, above all when
    it does not fit into memory and comes from the disk each time. The other engines gain little by them, and
    the first answers come sooner without.
    """
    if config.batch_size is not None:
        return config.batch_size
    dense = engine.dense if isinstance(engine, HybridEngine) else engine
    if not isinstance(dense, DenseEngine):
        return SMALL
    memory, scanned = available_memory(), dense.index.scanned_bytes
    wanted = LARGEST if scanned > memory else LARGE if scanned > LARGE_INDEX else USUAL
    depth = 2 * max(k, config.candidates) if isinstance(engine, HybridEngine) else k
    return max(1, min(wanted, memory // SHARE // (depth * HIT_BYTES)))
