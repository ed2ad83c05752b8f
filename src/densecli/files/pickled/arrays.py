"""NumPy arrays in pickles, of any NumPy version, made without NumPy's own constructors."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densecli.files.pickled.extent import Stated

NUMBER = re.compile(r"[fiub]\d")
DIMENSIONS = 64
"""The most that NumPy and torch have."""


class _Type(Stated):
    """A dtype of plain numbers; the state says its byte order."""

    def __init__(self, code: str, *_: Any) -> None:
        if type(code) is not str or not NUMBER.fullmatch(code):
            raise TypeError("no type of plain numbers")
        self.dtype = np.dtype(code)

    def __setstate__(self, state: Any) -> None:
        order = state[1]
        if order not in ("<", ">", "|", "="):
            raise TypeError("no byte order")
        self.dtype = self.dtype.newbyteorder(order)


class PickledArray(Stated):
    """An array in a pickle: `values` is its content once its state is read."""

    values: NDArray[Any] = np.empty(0, np.float32)

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, fortran, data = state
        self.values = _fill_array(data, kind, shape, "F" if fortran else "C")


def _fill_array(data: Any, kind: Any, shape: Any, order: Any) -> NDArray[Any]:
    """Return the array that `data` fills; a shape that says more than that is refused."""
    sized = (
        type(shape) is tuple
        and len(shape) <= DIMENSIONS
        and all(type(length) is int and length >= 0 for length in shape)
    )
    if not sized or not isinstance(kind, _Type) or type(data) is not bytes or order not in ("C", "F"):
        raise TypeError("no array of plain numbers")
    return np.frombuffer(data, kind.dtype).reshape(shape, order=order)


def _from_buffer(data: Any, kind: Any, shape: Any, order: Any) -> PickledArray:
    array = PickledArray()
    array.values = _fill_array(data, kind, shape, order)
    return array


def _empty(*_: Any) -> PickledArray:
    """Stand for an array whose state follows; its declared shape is not believed."""
    return PickledArray()


def _scalar(kind: Any, data: Any) -> Any:
    return _fill_array(data, kind, (), "C").item()


def _encode_latin1(text: Any, encoding: Any) -> bytes:
    """Return bytes that the oldest protocols write as text."""
    if type(text) is not str or encoding != "latin1":
        raise TypeError("no bytes")
    return text.encode("latin1")


NAMES: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "ndarray"): PickledArray,
    ("numpy", "dtype"): _Type,
    ("_codecs", "encode"): _encode_latin1,
}
for _core in ("numpy.core", "numpy._core"):
    NAMES[f"{_core}.multiarray", "_reconstruct"] = _empty
    NAMES[f"{_core}.multiarray", "scalar"] = _scalar
    NAMES[f"{_core}.numeric", "_frombuffer"] = _from_buffer


def find_arrays(module: str, name: str) -> Callable[..., Any] | None:
    """Return the function that replaces a name of NumPy in a pickle of arrays, else None."""
    return NAMES.get((module, name))
