"""A block of passages to sorted postings on disk: the part of indexing that runs in worker processes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densecli.files.pieces import new_piece
from densecli.lexical.analysis import Analyzer
from densecli.lexical.arrays import write_array
from densecli.lexical.vocabulary import Letters, join_terms

NAMES = ("letters", "ends", "bounds", "rows", "grades", "pairs", "words")
NONE = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Segment:
    """The postings of some consecutive passages, term after term, and by row within a term.

    Attributes:
        letters: the terms in UTF-8, sorted, one after the other.
        ends: (terms,) where each of them ends.
        bounds: (terms + 1,) where the postings of each begin.
        rows: (postings,) passages.
        grades: (postings,) which of the `pairs` it is.
        pairs: (grades, 2) the pairs of (frequency of the term, length of the passage) that occur, sorted.
        words: (1,) the lengths of all passages together, in terms.
    """

    letters: Letters
    ends: NDArray[np.int64]
    bounds: NDArray[np.int64]
    rows: NDArray[np.int32]
    grades: NDArray[Any]
    pairs: NDArray[np.int64]
    words: NDArray[np.int64]

    def write(self, folder: Path) -> None:
        """Write it as a folder of `.npy` files that appears when it is whole."""
        with new_piece(folder) as partial:
            partial.mkdir()
            for name in NAMES:
                write_array(partial / name, getattr(self, name))


def count_terms(texts: Sequence[str], analyzer: Analyzer, first_row: int = 0) -> Segment:
    """Count the terms of each text.

    Args:
        texts: the texts of consecutive passages.
        analyzer: turns them into terms.
        first_row: the row of the first.
    """
    chunks = _Numbers()
    sizes: list[int] = []

    def cut() -> Iterator[list[str]]:
        for text in texts:
            found = analyzer.chunks(text)
            sizes.append(len(found))
            yield found

    chunk_at = np.fromiter(map(chunks.__getitem__, chain.from_iterable(cut())), np.int32)
    row_at = np.repeat(np.arange(len(texts)), sizes)
    terms_of = [analyzer.terms_of(chunk) for chunk in chunks]
    vocabulary, term_at, row_at = _number_terms(terms_of, chunk_at, row_at)
    return _postings(vocabulary, term_at, row_at, len(texts), first_row)


class _Numbers(dict[str, int]):
    """Numbers strings in the order in which they come."""

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self)
        return number


def _number_terms(
    terms_of: Sequence[tuple[str, ...]], chunk_at: NDArray[np.int32], row_at: NDArray[np.int64]
) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64]]:
    """Return the terms, sorted, and the number and row of each occurrence, in no order.

    Args:
        terms_of: the terms of each chunk.
        chunk_at: (occurrences of chunks,) which chunk it is.
        row_at: (occurrences of chunks,) where it is.
    """
    flat = list(chain.from_iterable(terms_of))
    vocabulary = sorted(set(flat))
    numbers = {term: number for number, term in enumerate(vocabulary)}
    term_numbers = np.fromiter(map(numbers.__getitem__, flat), np.int32, len(flat))
    many = np.fromiter(map(len, terms_of), np.int32, len(terms_of))
    starts = np.cumsum(many) - many
    found, rows = [NONE], [NONE]
    for place in range(many.max(initial=0)):  # most chunks have one term at most
        held = np.flatnonzero((many > place)[chunk_at])
        chunk_at, row_at = chunk_at[held], row_at[held]
        found.append(term_numbers[starts[chunk_at] + place])
        rows.append(row_at)
    return vocabulary, np.concatenate(found), np.concatenate(rows)


def _postings(
    vocabulary: list[str],
    term_at: NDArray[np.int64],
    row_at: NDArray[np.int64],
    passages: int,
    first_row: int,
) -> Segment:
    lengths = np.bincount(row_at, minlength=passages)
    # one number for term and passage, so that a single sort groups equal pairs
    keys = np.sort(term_at * passages + row_at)
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    frequencies = np.diff(starts, append=len(keys))
    terms, rows = np.divmod(keys[starts], passages)
    step = int(lengths.max(initial=0)) + 1
    # a grade is a pair of frequency and length: there are few, so a posting needs a small number and no two
    codes = frequencies * step + lengths[rows]
    coded = np.unique(codes)
    grades = np.searchsorted(coded, codes)
    letters, ends = join_terms(vocabulary)
    return Segment(
        letters,
        ends,
        np.append(0, np.cumsum(np.bincount(terms, minlength=len(vocabulary)))),
        (rows + first_row).astype(np.int32),
        grades.astype(np.min_scalar_type(len(coded))),
        np.stack(np.divmod(coded, step), axis=1),
        np.array([len(keys)]),
    )
