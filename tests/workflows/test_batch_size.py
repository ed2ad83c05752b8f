"""The default batch grows with what each batch reads, and never beyond the memory."""

import pytest

from densecli.configs.asking import SearchConfig
from densecli.retrieval.hybrid import HybridEngine
from densecli.retrieval.search import DenseEngine
from densecli.workflows import batch_size
from densecli.workflows.batch_size import usual_batch_size

GIB = 1 << 30


class OfSize:
    """An index of some bytes."""

    def __init__(self, scanned_bytes: int) -> None:
        self.scanned_bytes = scanned_bytes


def chosen(scanned: int, k: int = 100, hybrid: bool = False, **settings: int) -> int:
    config = SearchConfig(**settings)
    dense = DenseEngine(None, OfSize(scanned))
    return usual_batch_size(HybridEngine(None, dense, config, None) if hybrid else dense, config, k)


@pytest.fixture(autouse=True)
def memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_size, "available_memory", lambda: 8 * GIB)


def test_larger_indexes_get_larger_batches() -> None:
    assert chosen(0) < chosen(GIB) < chosen(9 * GIB)


def test_a_configured_batch_size_is_used() -> None:
    assert chosen(GIB, batch_size=7) == 7


def test_bm25_alone_gets_small_batches() -> None:
    assert usual_batch_size(object(), SearchConfig(), 100) < chosen(0)


def test_memory_for_hits_limits_the_batch_size(monkeypatch: pytest.MonkeyPatch) -> None:
    assert chosen(GIB, k=100_000) < chosen(GIB)
    monkeypatch.setattr(batch_size, "available_memory", lambda: 256 << 20)
    few = chosen(GIB, hybrid=True)
    assert 1 <= few < chosen(GIB)
    assert few * 4000 * 64 <= 32 << 20
    assert chosen(GIB, k=100_000, hybrid=True) >= 1
