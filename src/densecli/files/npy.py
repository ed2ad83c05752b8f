"""NumPy's `.npy` files, mapped from the disk after their header is checked.

Our own look, because NumPy's fails in many classes on a damaged header, and maps a file that is longer or
shorter than the header says.
"""

import math
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

VERSIONS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def map_npy(
    path: Path, dtype: DTypeLike | None, dimensions: int, mode: Literal["r", "c"] = "r"
) -> NDArray[Any]:
    """Return the array in a file, mapped.

    Args:
        path: the file.
        dtype: the type of the array; None allows any whole numbers.
        dimensions: their number.
        mode: numpy's: read-only, or copy-on-write.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is damaged, cut off, too long, or holds another type or number of dimensions.
    """
    size = path.stat().st_size
    with open(path, "rb") as stream:
        try:
            version = np.lib.format.read_magic(stream)
            shape, fortran, found = VERSIONS[version](stream)
        except Exception as error:  # numpy parses the header as Python
            raise ValueError(f"no NumPy header ({type(error).__name__})") from None
        begin = stream.tell()
    wanted = np.dtype(dtype) if dtype is not None or found.kind not in "iu" else found
    if found != wanted or len(shape) != dimensions or (fortran and dimensions > 1):
        raise ValueError(f"holds {found} {shape}, not {wanted} of {dimensions} dimensions")
    if begin + math.prod(shape) * wanted.itemsize != size:
        raise ValueError(f"has {size:,} bytes, which do not fit {wanted} {shape}")
    if not math.prod(shape):
        return np.zeros(shape, wanted)
    mapped: NDArray[Any] = np.memmap(path, wanted, mode, begin, shape)
    return mapped
