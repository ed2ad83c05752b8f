"""Plain `.npy` files: written in pieces, mapped from the disk."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Write an array as `path` with the ending `.npy`."""
    np.save(path.with_suffix(".npy"), array, allow_pickle=False)


def write_pieces(path: Path, dtype: DTypeLike, length: int, pieces: Iterable[NDArray[Any]]) -> None:
    """Write an array of one dimension of which a piece at a time is in memory."""
    header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": (length,)}
    with open(path.with_suffix(".npy"), "wb") as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        for piece in pieces:
            stream.write(np.ascontiguousarray(piece, dtype).data)


def map_array(path: Path) -> NDArray[Any]:
    """Map the array at `path`, which leaves out the ending `.npy`.

    Raises:
        OSError, ValueError, EOFError: it is missing or damaged.
    """
    return np.asarray(np.load(path.with_suffix(".npy"), mmap_mode="r", allow_pickle=False))
