"""DPR's miniature checkpoints, and what the reference makes of them."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from densecli.models.foreign.bert_tower import BertRetriever
from densecli.models.foreign.dpr_checkpoint import read_retriever_checkpoint
from densecli.models.weights import FloatArray
from densecli.records import Passage

GOLDEN = Path(__file__).parents[2] / "golden"


class Observed:
    """Questions and passages, and their vectors by the reference with and without the trailing `[SEP]`."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.config = row["bert_config"]
        self.questions: list[str] = row["questions"]
        self.passages = [Passage(str(n), one["title"], one["text"]) for n, one in enumerate(row["passages"])]
        self.question_ids, self.passage_ids = row["question_ids"], row["ctx_ids"]
        self._row = row

    def vectors(self, side: str, trailing_sep: bool) -> FloatArray:
        name = {"question": "q_vectors", "passage": "ctx_vectors"}[side]
        return np.array(self._row[name + ("" if trailing_sep else "_without_trailing_sep")], np.float32)


@pytest.fixture(scope="session")
def observed() -> Observed:
    return Observed(json.loads((GOLDEN / "checkpoint.json").read_text())["forward"])


@pytest.fixture(scope="session")
def dpr_base(observed: Observed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the BERT that the miniature checkpoints began with: vocabulary and config."""
    folder = tmp_path_factory.mktemp("dpr") / "base"
    shutil.copytree(GOLDEN / "tiny-vocab", folder)
    (folder / "config.json").write_text(json.dumps(observed.config))
    return folder


@pytest.fixture(scope="session")
def dpr_retriever(dpr_base: Path) -> BertRetriever:
    return read_retriever_checkpoint(GOLDEN / "tiny_biencoder.v1.cp", dpr_base)
