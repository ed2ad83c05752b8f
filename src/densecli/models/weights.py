"""Weights on disk: safetensors files, float32 or 8-bit rows with a scale each.

Our own reader, because the compiled graphs point into the file: the library does not give the offsets of
tensors.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from densecli.errors import ArtifactError

FloatArray = NDArray[np.float32]
Shape = tuple[int, ...]
SCALE = ".scale"
# Bytes: memory-mapped weights begin at the line of a cache, as fast matrix products want them.
ALIGNMENT = 64
KINDS: dict[str, np.dtype[np.float32] | np.dtype[np.int8]] = {"F32": np.dtype("<f4"), "I8": np.dtype("i1")}
LARGEST = 1 << 48
"""No dimension and no place in a file is as large."""
IGNORED = ("embeddings.position_ids", "pooler.")


@dataclass(frozen=True, slots=True)
class Stored:
    """Where one tensor lies in a file: `offset` in bytes from its start."""

    dtype: np.dtype[np.float32] | np.dtype[np.int8]
    shape: Shape
    offset: int

    @property
    def nbytes(self) -> int:
        """The tensor's size in bytes."""
        return math.prod(self.shape) * self.dtype.itemsize


Header = Mapping[str, Stored]


def read_header(path: Path) -> Header:
    """Return the tensors of a safetensors file by name, without reading them.

    Raises:
        ArtifactError: the file is missing, damaged, cut off, or holds another kind of number.
    """
    try:
        with open(path, "rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            # the length is from the file: a damaged one must not ask for terabytes
            text = stream.read(length) if length <= path.stat().st_size else b""
        rows = orjson.loads(text)
        size = path.stat().st_size
    except FileNotFoundError:
        raise ArtifactError(f"{path}: the weights are missing; copy the whole model folder") from None
    except orjson.JSONDecodeError:
        raise ArtifactError(f"{path}: not a safetensors file, or cut off; copy it again") from None
    if not isinstance(rows, dict):
        raise ArtifactError(f"{path}: not a safetensors file, or cut off; copy it again")
    rows.pop("__metadata__", None)
    header: dict[str, Stored] = {}
    for name, row in rows.items():
        begin, end = _span(path, name, row)
        if 8 + length + end > size:
            raise ArtifactError(f"{path}: cut off inside {name} ({size} bytes); copy it again")
        if name.startswith(IGNORED):
            continue
        dtype = str(row.get("dtype"))
        if dtype not in KINDS:
            raise ArtifactError(f"{path}: {name} is of type {dtype:.40}; expected F32 or I8")
        header[name] = Stored(KINDS[dtype], tuple(row["shape"]), 8 + length + begin)
        if header[name].nbytes != end - begin:
            raise ArtifactError(f"{path}: {name} has {end - begin} bytes for {row['shape']}; copy it again")
    _refuse_overlaps(path, header)
    return header


def _span(path: Path, name: str, row: Any) -> tuple[int, int]:
    """Return where a tensor begins and ends behind the header.

    Raises:
        ArtifactError: the header does not say it, or no plausible shape.
    """
    row = row if isinstance(row, dict) else {}
    shape, span = row.get("shape"), row.get("data_offsets")
    lists = isinstance(shape, list) and isinstance(span, list) and len(span) == 2
    numbers = [*shape, *span] if lists else [None]
    if not all(type(number) is int and 0 <= number < LARGEST for number in numbers) or span[0] > span[1]:
        raise ArtifactError(f"{path}: the header of {name} is damaged; copy the file again")
    return span[0], span[1]


def _refuse_overlaps(path: Path, header: Header) -> None:
    """Refuse tensors that share bytes: training one of them would change the other.

    Raises:
        ArtifactError: names two.
    """
    placed = sorted((stored.offset, stored.nbytes, name) for name, stored in header.items() if stored.nbytes)
    for (start, size, name), (following, _, other) in pairwise(placed):
        if start + size > following:
            raise ArtifactError(f"{path}: {name} and {other} share bytes; copy the file again")


def header_digest(path: Path) -> str:
    """Return a digest of names, shapes and places: two files with the same one have the same layout."""
    rows = [(name, str(s.dtype), s.shape, s.offset) for name, s in sorted(read_header(path).items())]
    return hashlib.sha256(orjson.dumps(rows)).hexdigest()


def base_names(header: Header) -> list[str]:
    """Return the weights' names, without the scales of compact ones."""
    return [name for name in header if not (name.endswith(SCALE) and name.removesuffix(SCALE) in header)]


def check_shapes(path: Path, header: Header, expected: Mapping[str, Shape]) -> None:
    """Compare a file with the weights that the model's config needs.

    Raises:
        ArtifactError: a weight is missing, not expected, of another shape, or without its scale.
    """
    found = {name: header[name].shape for name in base_names(header)}
    compare_shapes(path, found, expected)
    for name, shape in found.items():
        if header[name].dtype == KINDS["I8"]:
            scale = header.get(name + SCALE)
            if scale is None or scale.shape != (shape[0], 1) or scale.dtype != KINDS["F32"]:
                raise ArtifactError(f"{path}: {name + SCALE} of shape {(shape[0], 1)} is missing")


def compare_shapes(path: Path, found: Mapping[str, Shape], expected: Mapping[str, Shape]) -> None:
    """Compare the weights of `path` with those that a model needs.

    Raises:
        ArtifactError: a weight is missing, not expected, or of another shape.
    """
    for name in sorted(expected.keys() - found.keys()):
        raise ArtifactError(
            f"{path}: weight {name} of shape {expected[name]} is missing"
            " (densecli never initializes weights at random)"
        )
    for name in sorted(found.keys() - expected.keys()):
        raise ArtifactError(f"{path}: weight {name} of shape {found[name]} is not part of this model")
    for name, shape in found.items():
        if shape != tuple(expected[name]):
            raise ArtifactError(
                f"{path}: weight {name} has shape {shape}; the config asks for {expected[name]}"
            )


def map_tensor(path: Path, stored: Stored) -> NDArray[np.float32] | NDArray[np.int8]:
    """Return a read-only view of one tensor on the disk."""
    if not stored.nbytes:
        return np.zeros(stored.shape, stored.dtype)
    return np.memmap(path, dtype=stored.dtype, mode="r", offset=stored.offset, shape=stored.shape)


def dequantize(rows: NDArray[np.float32] | NDArray[np.int8], scales: FloatArray | None) -> FloatArray:
    """Return float32 rows: `rows * scales`, or the rows themselves where there are no scales."""
    values = np.asarray(rows, dtype=np.float32)
    return values if scales is None else values * scales


def quantize(weight: FloatArray) -> tuple[NDArray[np.int8], FloatArray]:
    """Return 8-bit rows and their scales (rows, 1); the error is at most half a scale."""
    largest = np.abs(weight).max(axis=1, keepdims=True)
    # a row of zeros has scale 1, since 0 / 0 is not a number
    scales = np.where(largest > 0, largest / 127, 1).astype(np.float32)
    return np.rint(weight / scales).astype(np.int8), scales


def load_state(path: Path, expected: Mapping[str, Shape] | None = None) -> dict[str, FloatArray]:
    """Read every weight of a file as float32.

    Raises:
        ArtifactError: as `check_shapes` when `expected` is given; a value is not finite.
    """
    header = read_header(path)
    if expected is not None:
        check_shapes(path, header, expected)
    state: dict[str, FloatArray] = {}
    for name in base_names(header):
        weight = _load_dequantized(path, header, name)
        if not np.isfinite(weight).all():
            raise ArtifactError(f"{path}: weight {name} holds values that are not finite; train it again")
        state[name] = np.array(weight)
    return state


def load_tensor(path: Path, name: str) -> FloatArray:
    """Read one weight of a file whose shapes have been checked, as float32."""
    return np.array(_load_dequantized(path, read_header(path), name))


def _load_dequantized(path: Path, header: Header, name: str) -> FloatArray:
    scale = header.get(name + SCALE)
    scales = None if scale is None else dequantize(map_tensor(path, scale), None)
    return dequantize(map_tensor(path, header[name]), scales)


def save_state(path: Path, state: Mapping[str, FloatArray], compact: bool = False) -> None:
    """Write a safetensors file: float32, or matrices as 8-bit rows when `compact` (vectors stay float32)."""
    tensors: dict[str, NDArray[np.float32] | NDArray[np.int8]] = {}
    for name, weight in state.items():
        if compact and weight.ndim == 2:
            tensors[name], tensors[name + SCALE] = quantize(weight)
        else:
            tensors[name] = np.ascontiguousarray(weight, dtype=np.float32)
    rows: dict[str, dict[str, object]] = {}
    end = 0
    # floats first, so that all of them are aligned by 4 whatever the length of the 8-bit rows
    order = sorted(tensors, key=lambda name: (-tensors[name].itemsize, name))
    for name in order:
        start, end = end, end + tensors[name].nbytes
        kind = "I8" if tensors[name].dtype == KINDS["I8"] else "F32"
        rows[name] = {"dtype": kind, "shape": tensors[name].shape, "data_offsets": (start, end)}
    text = orjson.dumps(rows)
    text += b" " * (-(8 + len(text)) % ALIGNMENT)
    with open(path, "wb") as stream:
        stream.write(len(text).to_bytes(8, "little") + text)
        for name in order:
            stream.write(tensors[name].data)


class WordTable:
    """The rows of a word-embedding table (V, H), read from the disk as they are asked for."""

    def __init__(self, path: Path) -> None:
        header = read_header(path)
        names = base_names(header)
        if len(names) != 1 or len(header[names[0]].shape) != 2:
            raise ArtifactError(f"{path}: holds {len(names)} tensors; expected one word table")
        check_shapes(path, header, {names[0]: header[names[0]].shape})
        self.path = path
        self.name = names[0]
        self._rows = map_tensor(path, header[self.name])
        scale = header.get(self.name + SCALE)
        self._scales = None if scale is None else np.asarray(map_tensor(path, scale), dtype=np.float32)

    @property
    def shape(self) -> Shape:
        """(V, H)."""
        return self._rows.shape

    def take(self, ids: NDArray[np.int64]) -> FloatArray:
        """Return the rows of `ids` (...,) as float32 (..., H)."""
        return dequantize(self._rows[ids], None if self._scales is None else self._scales[ids])


class HeldEmbeddings:
    """The rows of a word-embedding table (V, H) in memory."""

    def __init__(self, rows: FloatArray) -> None:
        self._rows = rows

    @property
    def shape(self) -> Shape:
        """(V, H)."""
        return self._rows.shape

    def take(self, ids: NDArray[np.int64]) -> FloatArray:
        """Return the rows of `ids` (...,) as float32 (..., H)."""
        return self._rows[ids]
