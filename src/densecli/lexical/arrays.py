"""Plain `.npy` files: written in pieces, mapped from the disk."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from densecli.files.npy import map_npy


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Write an array as `path` with the ending `.npy`."""
    np.save(path.with_suffix(".npy"), array, allow_pickle=False)


def write_pieces(path: Path, dtype: DTypeLike, length: int, pieces: Iterable[NDArray[Any]]) -> None:
    """Write an array of one dimension, with one piece in memory at a time."""
    header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": (length,)}
    with open(path.with_suffix(".npy"), "wb") as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        for piece in pieces:
            stream.write(np.ascontiguousarray(piece, dtype).data)


def map_array(path: Path, dtype: DTypeLike | None = None, dimensions: int = 1) -> NDArray[Any]:
    """Map the array at `path`, which leaves out the ending `.npy`; without a dtype it has any whole numbers.

    Raises:
        FileNotFoundError: it is missing.
        ValueError: it is damaged; names the file.
    """
    place = path.with_suffix(".npy")
    try:
        return np.asarray(map_npy(place, dtype, dimensions))
    except ValueError as error:
        raise ValueError(f"{place.name} {error}") from None
