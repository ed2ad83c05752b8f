"""The tuned weight λ of a retriever and a BM25 index, kept in the folder of the dense index."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from densecli.errors import ArtifactError, FieldError
from densecli.fields import number_field, text_field
from densecli.files.atomic import new_file

NAME = "fusion.json"


@dataclass(frozen=True)
class FusionWeight:
    """λ, and what it was tuned for. The file is no part of the index, whose fingerprint it leaves as it is.

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
        """Store it with the index in the folder `index`, with what else the tuning found, and return where;
        the file appears when it is whole."""
        with new_file(index / NAME) as path:
            row = {**asdict(self), **found}
            path.write_bytes(orjson.dumps(row, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        return index / NAME

    @classmethod
    def read(cls, index: Path) -> "FusionWeight | None":
        """Return what is stored with the index in the folder `index`, or None.

        Raises:
            ArtifactError: the file is damaged.
        """
        path = index / NAME
        try:
            row = orjson.loads(path.read_bytes())
            weight = number_field(row, "weight", math.nan)
            missing, retriever, bm25, source, sha256 = (
                text_field(row, name) for name in ("missing", "retriever", "bm25", "source", "sha256")
            )
            questions = int(number_field(row, "questions"))
            return cls(weight, missing, retriever, bm25, source, sha256, questions)
        except FileNotFoundError:
            return None
        except (orjson.JSONDecodeError, FieldError, AttributeError) as error:
            raise ArtifactError(
                f"{path}: not readable ({error}); run `densecli search --tune-lambda`, or remove it"
            ) from None
