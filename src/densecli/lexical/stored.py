"""The files of a BM25 index, mapped from the disk."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from densecli.errors import ArtifactError
from densecli.files.shortages import is_shortage
from densecli.lexical.analysis import Analysis, Analyzer
from densecli.lexical.arrays import map_array, write_array
from densecli.lexical.formula import saturation
from densecli.lexical.vocabulary import Vocabulary
from densecli.ranking.order import Scores

SETTINGS = "settings.json"


@dataclass(frozen=True)
class Settings:
    """What the scores depend on beside the postings.

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
            ValueError, KeyError, TypeError: it is none.
        """
        numbers = int(row["passages"]), int(row["words"]), float(row["k1"]), float(row["b"])
        return cls(*numbers, Analysis.from_json(row["analysis"]))

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
        settings = Settings.from_json(orjson.loads((folder / SETTINGS).read_bytes()))
        analyzer = Analyzer(settings.analysis)
        letters = _map(folder / "letters", "u1")
        ends, bounds, pairs = (_map(folder / name, "i8") for name in ("ends", "bounds", "pairs"))
        rows, best = _map(folder / "rows", "i4"), _map(folder / "best", "f4")
        grades = _map(folder / "grades", f"u{np.min_scalar_type(len(pairs)).itemsize}")
        whole = (
            len(ends) == len(best) == len(bounds) - 1
            and len(letters) == (ends[-1] if len(ends) else 0)
            and len(rows) == len(grades) == bounds[-1]
        )
        if not whole or bounds[0] or settings.passages < 1:
            raise ValueError("its files do not belong together")
        postings = Postings(bounds, rows, grades, settings.saturation(pairs), best)
    except (OSError, EOFError, re.error, ValueError, KeyError, TypeError, IndexError) as error:
        if is_shortage(error):
            raise
        state = "no" if isinstance(error, FileNotFoundError) else "a damaged"
        raise ArtifactError(
            f"{folder}: {state} BM25 index ({error}); run `densecli index --kind bm25 --force`"
        ) from None
    return settings, analyzer, Vocabulary(letters, ends), postings


def _map(path: Path, dtype: str) -> NDArray[Any]:
    array = map_array(path)
    if array.dtype != np.dtype(f"<{dtype}"):
        raise ValueError(f"{path.name} holds {array.dtype}")
    return array


def write_best(folder: Path, settings: Settings, step: int = 1 << 24) -> None:
    """Write the highest saturation of each term, from the other files of the index.

    Args:
        folder: the index.
        settings: its settings.
        step: postings read at a time, unless one term has more.
    """
    bounds, grades = map_array(folder / "bounds"), map_array(folder / "grades")
    values = settings.saturation(map_array(folder / "pairs"))
    best = np.zeros(len(bounds) - 1, np.float32)
    first = 0
    while first < len(best):
        last = max(first + 1, int(np.searchsorted(bounds, bounds[first] + step, "right")) - 1)
        piece = values[grades[bounds[first] : bounds[last]]]
        best[first:last] = np.maximum.reduceat(piece, bounds[first:last] - bounds[first])
        first = last
    write_array(folder / "best", best)
