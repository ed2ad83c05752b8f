"""The tuned weight λ of a retriever and a BM25 index, kept in the folder of the dense index."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from densecli.artifacts.tuned_file import FUSION, read_tuned, write_tuned
from densecli.fields import Json, number_field, text_field


@dataclass(frozen=True)
class FusionWeight:
    """λ, and what it was tuned for. Its file is not part of the index, whose fingerprint does not change.

    Attributes:
        weight: λ.
        missing: the rule for passages that only one side has found.
        retriever: fingerprint of the retriever.
        bm25: fingerprint of the BM25 index.
        source: the file of questions.
        sha256: its digest; empty for standard input.
        questions: how many of them had answers.
    """

    weight: float
    missing: str
    retriever: str
    bm25: str
    source: str
    sha256: str
    questions: int

    def write(self, index: Path, found: Mapping[str, Any]) -> Path:
        """Store it in the folder of an index, with what else the tuning found, and return the file."""
        return write_tuned(index / FUSION, {**asdict(self), **found})

    @classmethod
    def read(cls, index: Path) -> "FusionWeight | None":
        """Return the weight that is stored with the index in the folder `index`, or None.

        Raises:
            ArtifactError: the file is damaged.
        """
        return read_tuned(index / FUSION, cls._from_json, "densecli search --tune-lambda")

    @classmethod
    def _from_json(cls, row: Json) -> "FusionWeight":
        weight = number_field(row, "weight", math.nan)
        missing, retriever, bm25, source, sha256 = (
            text_field(row, name) for name in ("missing", "retriever", "bm25", "source", "sha256")
        )
        questions = int(number_field(row, "questions"))
        return cls(weight, missing, retriever, bm25, source, sha256, questions)
