"""Segments to one index, a range of terms at a time; statistics are the whole collection's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import DTypeLike, NDArray

from densecli.lexical.arrays import map_array, write_array, write_pieces
from densecli.lexical.vocabulary import Letters

POSTINGS = 1 << 24  # merged at a time, unless one term has more
Numbers: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class Plan:
    """Where the postings of each segment go.

    Attributes:
        folders: the segments, in row order.
        terms: for each segment the numbers of its terms in the index.
        grades: for each segment the numbers of its grades in the index.
        bounds: (terms + 1,) where the postings of each term begin in the index.
    """

    folders: Sequence[Path]
    terms: Sequence[NDArray[np.int32]]
    grades: Sequence[NDArray[Any]]
    bounds: Numbers


def merge(folders: Sequence[Path], target: Path) -> int:
    """Write the index's arrays into `target` and return the length of all passages together.

    Memory grows with the distinct terms of each segment (about 50 bytes for each), not with the postings.

    Args:
        folders: the segments, in row order.
        target: an existing folder.
    """
    letters, ends, terms = _merge_terms(folders)
    write_array(target / "letters", letters)
    write_array(target / "ends", ends)
    pairs, grades = _merge_pairs(folders)
    write_array(target / "pairs", pairs)
    counts = np.zeros(len(ends) + 1, np.int64)
    for folder, numbers in zip(folders, terms, strict=True):
        counts[numbers + 1] += np.diff(map_array(folder / "bounds"))
    plan = Plan(folders, terms, grades, np.cumsum(counts))
    write_array(target / "bounds", plan.bounds)
    for name, dtype in (("rows", np.dtype(np.int32)), ("grades", np.min_scalar_type(len(pairs)))):
        write_pieces(target / name, dtype, int(plan.bounds[-1]), _merge_array(plan, name, dtype))
    return sum(int(map_array(folder / "words")[0]) for folder in folders)


def _merge_terms(folders: Sequence[Path]) -> tuple[Letters, Numbers, list[NDArray[np.int32]]]:
    """Return the distinct terms, sorted, as letters and ends, and the number of each segment's terms."""
    arrays = [_terms_of(folder) for folder in folders]
    cuts = np.cumsum([len(array) for array in arrays])[:-1]
    encoded = pa.concat_arrays(arrays).dictionary_encode()
    del arrays
    # Arrow sorts UTF-8 bytes, which is the order that `Vocabulary` bisects in; millions of Python strings
    # would take gigabytes
    order = pc.array_sort_indices(encoded.dictionary)
    places = np.empty(len(order), np.int32)
    places[_numbers(order, np.uint64)] = np.arange(len(order), dtype=np.int32)
    numbers = places[_numbers(encoded.indices, np.int32)]
    _, starts, letters = encoded.dictionary.take(order).buffers()
    return (
        np.frombuffer(letters or b"", np.uint8),
        np.frombuffer(starts or b"", np.int64)[1 : len(order) + 1],
        np.split(numbers, cuts),
    )


def _terms_of(folder: Path) -> pa.LargeStringArray:
    # Read, not mapped: hundreds of segments are more files than a process may keep open.
    letters, ends = (np.array(map_array(folder / name)) for name in ("letters", "ends"))
    return pa.LargeStringArray.from_buffers(
        len(ends), pa.py_buffer(np.append(0, ends)), pa.py_buffer(letters)
    )


def _numbers(array: pa.Array, dtype: DTypeLike) -> NDArray[Any]:
    # Arrow's own way to numpy imports pandas where there is one.
    return np.frombuffer(array.buffers()[1] or b"", dtype)[: len(array)]


def _merge_pairs(folders: Sequence[Path]) -> tuple[Numbers, list[NDArray[Any]]]:
    """Return the distinct pairs, sorted, and the number of each segment's pairs among them."""
    arrays = [np.array(map_array(folder / "pairs", np.int64, 2)) for folder in folders]
    pairs, numbers = np.unique(np.concatenate(arrays), axis=0, return_inverse=True)
    cuts = np.cumsum([len(array) for array in arrays])[:-1]
    return pairs, np.split(numbers.astype(np.min_scalar_type(len(pairs))), cuts)


def _merge_array(plan: Plan, name: str, dtype: np.dtype[Any]) -> Iterator[NDArray[Any]]:
    """Yield an array of the index in pieces, each of whole terms."""
    first = 0
    while first < len(plan.bounds) - 1:
        last = int(np.searchsorted(plan.bounds, plan.bounds[first] + POSTINGS, "right")) - 1
        last = max(first + 1, last)
        yield _piece(plan, name, dtype, first, last)
        first = last


def _piece(plan: Plan, name: str, dtype: np.dtype[Any], first: int, last: int) -> NDArray[Any]:
    """Return the values of the terms from `first` to before `last`, of all segments."""
    origin = plan.bounds[first]
    piece = np.empty(plan.bounds[last] - origin, dtype)
    free = plan.bounds[first:last] - origin
    for folder, numbers, grades in zip(plan.folders, plan.terms, plan.grades, strict=True):
        begin, end = np.searchsorted(numbers, (first, last))
        if begin == end:
            continue
        bounds = map_array(folder / "bounds")[begin : end + 1]
        values = map_array(folder / name)[bounds[0] : bounds[-1]]
        terms, counts = numbers[begin:end] - first, np.diff(bounds)
        # The postings of a term continue where those of earlier segments end.
        shifts = np.repeat(free[terms] - (bounds[:-1] - bounds[0]), counts)
        piece[np.arange(len(values)) + shifts] = grades[values] if name == "grades" else values
        free[terms] += counts
    return piece
