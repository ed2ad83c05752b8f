"""A collection of a few passages, with BM25 over them."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from densecli.artifacts.passages.store import PassageStore, write_passages
from densecli.configs.mining import MineConfig
from densecli.lexical.bm25 import Bm25
from densecli.lexical.build import build
from densecli.mining.mine import mine
from densecli.mining.miner import Miner
from densecli.records import Passage, TrainingExample


@dataclass(frozen=True)
class Mined:
    """A collection, and what mining makes of questions with it."""

    store: PassageStore
    bm25: Bm25

    def __call__(
        self, asked: Any, dense: Any = None, **config: Any
    ) -> tuple[list[TrainingExample], Counter[str]]:
        counts: Counter[str] = Counter()
        chosen = MineConfig(**config)
        examples = (one if isinstance(one, TrainingExample) else TrainingExample(one, ()) for one in asked)
        blocks = mine(
            examples, lambda: Miner(self.store, self.bm25, chosen), self.store, chosen, counts, dense
        )
        return [example for block in blocks for example in block], counts


@pytest.fixture(scope="session")
def collection_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[list[Passage]], Mined]:
    """Return a function that makes a collection of passages."""

    def make(passages: list[Passage]) -> Mined:
        folders: list[Path] = [tmp_path_factory.mktemp(name) for name in ("passages", "bm25")]
        _, fingerprint = write_passages(folders[0], passages, "test")
        build(passages, folders[1])
        return Mined(PassageStore(folders[0], fingerprint), Bm25.open(folders[1]))

    return make
