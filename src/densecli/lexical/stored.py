"""The files of a BM25 index, mapped from the disk."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from densecli.configs.corpus import IndexConfig
from densecli.errors import ArtifactError
from densecli.files.shortages import is_shortage
from densecli.files.typed import from_json, read_json
from densecli.lexical.analysis import Analysis, Analyzer
from densecli.lexical.arrays import map_array, write_array
from densecli.lexical.formula import saturation
from densecli.lexical.vocabulary import Vocabulary
from densecli.ranking.order import Scores

SETTINGS = "settings.json"
MOST_PASSAGES = 1 << 31
"""Rows are 32-bit numbers."""


@dataclass(frozen=True)
class _Numbers:
    passages: int
    words: int
    k1: float
    b: float


@dataclass(frozen=True)
class Settings:
    """What the scores depend on in addition to the postings.

    Attributes:
        passages: how many there are.
        words: their lengths together, in terms.
        k1: saturation of term frequency.
        b: weight of passage length.
        analysis: how text becomes terms.
    """

    passages: int
    words: int
    k1: float
    b: float
    analysis: Analysis

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "Settings":
        """Build one from its stored form.

        Raises:
            ValueError: it is none.
        """
        numbers = from_json(_Numbers, row, SETTINGS)
        allowed = {one.name: one.metadata["setting"].max for one in fields(IndexConfig)}
        if not 0 < numbers.passages <= MOST_PASSAGES or not (
            0 <= numbers.k1 <= allowed["k1"] and 0 <= numbers.b <= allowed["b"]
        ):
            raise ValueError(f"{numbers.passages} passages, k1 {numbers.k1}, b {numbers.b}")
        analysis = Analysis.from_json(row.get("analysis") or {})
        return cls(numbers.passages, numbers.words, numbers.k1, numbers.b, analysis)

    def write(self, folder: Path) -> None:
        """Write the stored form."""
        row = {**vars(self), "analysis": self.analysis.to_json()}
        (folder / SETTINGS).write_bytes(orjson.dumps(row, option=orjson.OPT_INDENT_2))

    def saturation(self, pairs: NDArray[np.int64]) -> Scores:
        """Return the score of each grade for a term of idf 1."""
        return saturation(pairs, self.words / self.passages, self.k1, self.b)


@dataclass(frozen=True)
class Postings:
    """Which passages hold a term, and how much each of them says.

    Attributes:
        bounds: (terms + 1,) where the postings of each term begin.
        rows: (postings,) passages, ascending within a term.
        grades: (postings,) how often, in a passage how long: the number of such a pair.
        saturation: (grades,) the score of each such pair for a term of idf 1.
        best: (terms,) the highest of a term's postings.
    """

    bounds: NDArray[np.int64]
    rows: NDArray[np.int32]
    grades: NDArray[Any]
    saturation: Scores
    best: Scores


def open_index(folder: Path) -> tuple[Settings, Analyzer, Vocabulary, Postings]:
    """Map the index in `folder`.

    Raises:
        ArtifactError: it is missing, incomplete or damaged.
    """
    try:
        settings = Settings.from_json(read_json(folder / SETTINGS))
        analyzer = Analyzer(settings.analysis)
        letters, ends, bounds = (
            map_array(folder / name, kind)
            for name, kind in (("letters", "u1"), ("ends", "<i8"), ("bounds", "<i8"))
        )
        pairs = map_array(folder / "pairs", "<i8", 2)
        rows, best = map_array(folder / "rows", "<i4"), map_array(folder / "best", "<f4")
        grades = map_array(folder / "grades", f"<u{np.min_scalar_type(len(pairs)).itemsize}")
        saturation = settings.saturation(pairs) if pairs.shape[1:] == (2,) else np.array([np.nan])
        whole = (
            len(ends) == len(best) == len(bounds) - 1
            and len(letters) == (ends[-1] if len(ends) else 0)
            and len(rows) == len(grades) == bounds[-1]
        )
        if not whole or bounds[0] or not np.isfinite(saturation).all():
            raise ValueError("its files do not belong together")
        postings = Postings(bounds, rows, grades, saturation, best)
    except (FileNotFoundError, ValueError, KeyError, IndexError) as error:
        if is_shortage(error):
            raise
        state = "no" if isinstance(error, FileNotFoundError) else "a damaged"
        raise ArtifactError(
            f"{folder}: {state} BM25 index ({error}); run `densecli index --kind bm25 --force`"
        ) from None
    return settings, analyzer, Vocabulary(letters, ends), postings


def write_best(folder: Path, settings: Settings, step: int = 1 << 24) -> None:
    """Write the highest saturation of each term, from the other files of the index.

    Args:
        folder: the index.
        settings: its settings.
        step: postings read at a time, unless one term has more.
    """
    bounds, grades = map_array(folder / "bounds"), map_array(folder / "grades")
    values = settings.saturation(map_array(folder / "pairs", np.int64, 2))
    best = np.zeros(len(bounds) - 1, np.float32)
    first = 0
    while first < len(best):
        last = max(first + 1, int(np.searchsorted(bounds, bounds[first] + step, "right")) - 1)
        piece = values[grades[bounds[first] : bounds[last]]]
        best[first:last] = np.maximum.reduceat(piece, bounds[first:last] - bounds[first])
        first = last
    write_array(folder / "best", best)
