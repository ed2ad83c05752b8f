"""Vectors with passage ids in other programs' files: DPR's pickled shards, Pyserini's encoded JSONL."""

import os
import pickle
import struct
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from densecli.artifacts.kinds import NAME as MANIFEST
from densecli.artifacts.vectors import FloatArray
from densecli.batches import batched
from densecli.errors import ArtifactError, FieldError, InputError
from densecli.fields import Json, id_field
from densecli.files.jsonl import encode_line, read_records
from densecli.files.pickled.arrays import PickledArray, find_arrays
from densecli.files.pickled.unpickler import Unpickler
from densecli.records import Passage

IndexPair = tuple[str, FloatArray]
PICKLE = b"\x80"
NOT_READ = (".", MANIFEST)
EXPECTED = "a pickled list of (id, vector), as DPR writes it, or lines of {id, vector}"
# Of Python 3.0 and later, which is as old as DPR's Python.
PROTOCOL = 3
BATCH = 1000


def read_embeddings(paths: Sequence[Path]) -> Iterator[IndexPair]:
    """Yield `(id, vector (d,) float32)` of files in the order given, of a folder's by name and number.

    Each file is a pickled shard of DPR or JSONL of Pyserini (`.gz` too), read as a stream.

    Raises:
        ArtifactError: a file is missing, cut off, holds anything but ids and vectors, or asks for more than
            data; a vector is not finite or of another length than the first.
    """
    dimension: int | None = None
    for path in _files(paths):
        for number, (passage_id, vector) in enumerate(_pairs(path), 1):
            dimension = len(vector) if dimension is None else dimension
            if len(vector) != dimension or not np.isfinite(vector).all():
                odd = "a value that is not finite" if len(vector) == dimension else f"{len(vector)} numbers"
                what = f"vector {number:,} ({passage_id!r:.40}) has {odd}"
                raise _unusable(path, what, f"{dimension} numbers")
            yield passage_id, vector


def write_embeddings(path: Path, pairs: Iterable[IndexPair]) -> None:
    """Write a shard as DPR reads it, with any version of NumPy: a pickled list of (id, vector)."""
    with open(path, "wb") as stream:
        _write_list(stream, PREAMBLE, (_pickle(passage_id, vector) for passage_id, vector in pairs))


def read_id_list(path: Path) -> Iterator[str]:
    """Yield the ids of a pickled list of texts (DPR's `index_meta.dpr`).

    Raises:
        ArtifactError: the file is missing, cut off, or holds anything else.
    """
    for item in _items(path):
        if type(item) is not str:
            raise _unusable(path, f"holds a {type(item).__name__}", "a pickled list of passage ids")
        yield item


def write_id_list(path: Path, ids: Iterable[str]) -> None:
    """Write ids as a pickled list of texts."""
    with open(path, "wb") as stream:
        _write_list(stream, b"", map(_text, ids))


def write_encoded(path: Path, passages: Iterable[tuple[Passage, FloatArray]]) -> None:
    """Write Pyserini's encoded JSONL: `{id, contents, vector}`, contents being title and text on lines."""
    with open(path, "wb") as stream:
        for passage, vector in passages:
            contents = f"{passage.title}\n{passage.text}" if passage.title else passage.text
            stream.write(encode_line({"id": passage.id, "contents": contents, "vector": np.asarray(vector)}))


def _unusable(path: Path, what: str, expected: str) -> ArtifactError:
    return ArtifactError(f"{path}: {what}; expected {expected}")


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        inside = [file for file in path.iterdir() if file.is_file() and not file.name.startswith(NOT_READ)]
        if not inside:
            raise _unusable(path, "is an empty folder", EXPECTED)
        yield from sorted(inside, key=_order)


def _order(path: Path) -> tuple[str, int, str]:
    """Order `wiki_passages_2` before `wiki_passages_10`."""
    # numbers compared as numbers, because row order follows file order
    stem = path.name.split(".")[0]
    name = stem.rstrip("0123456789")
    return name, int(stem[len(name) :] or 0), path.name


def _pairs(path: Path) -> Iterator[IndexPair]:
    try:
        with open(path, "rb") as stream:
            pickled = stream.read(1) == PICKLE
    except FileNotFoundError:
        raise _unusable(path, "no such file", EXPECTED) from None
    if not pickled:
        try:
            yield from read_records(str(path), _parse_encoded)
        except InputError as error:
            raise ArtifactError(str(error)) from None
        return
    for item in _items(path):
        pair = type(item) in (tuple, list) and len(item) >= 2 and isinstance(item[1], PickledArray)
        if not pair or type(item[0]) not in (str, int):
            raise _unusable(path, f"holds a {type(item).__name__} that is no vector", EXPECTED)
        yield str(item[0]), _vector(path, item[1].values)


def _vector(path: Path, values: Any) -> FloatArray:
    if values.ndim != 1 or not len(values) or values.dtype.kind != "f":
        raise _unusable(path, f"holds an array of {values.dtype}, {values.shape}", "float vectors")
    return np.ascontiguousarray(values, dtype=np.float32)


def _parse_encoded(row: Json, _: str) -> IndexPair:
    passage_id = id_field(row, "id", "docid")
    values = row.get("vector")
    numbers = isinstance(values, list) and values and all(type(one) in (int, float) for one in values)
    if not numbers:
        raise FieldError("'vector' is no list of numbers", "{id, contents, vector}")
    return passage_id, np.array(values, dtype=np.float32)


def _items(path: Path) -> Iterator[Any]:
    try:
        with open(path, "rb") as stream:
            yield from Unpickler(stream, os.fstat(stream.fileno()).st_size, find_arrays).items()
    except FileNotFoundError:
        raise _unusable(path, "no such file", EXPECTED) from None
    except FieldError as error:
        raise _unusable(path, error.what, error.expected) from None


# ---- pickles written item by item, in opcodes that Python 3 and NumPy of any version read: pickle.dump would
# hold all vectors in memory, and name numpy._core, which NumPy below 1.26 does not have

ARRAY, TYPE, DTYPE = (pickle.BINGET + bytes([number]) for number in range(200, 203))


def _memoize(code: bytes, number: int) -> bytes:
    """Make an object and keep it under a number for later."""
    return code + pickle.BINPUT + bytes([number]) + pickle.POP


PREAMBLE = (
    _memoize(pickle.dumps(np.dtype("<f4"), PROTOCOL)[2:-1], 202)
    + _memoize(pickle.GLOBAL + b"numpy\nndarray\n", 201)
    + _memoize(pickle.GLOBAL + b"numpy.core.multiarray\n_reconstruct\n", 200)
)
EMPTY_ARRAY = (
    ARRAY + TYPE + pickle.BININT1 + b"\0" + pickle.TUPLE1
    + pickle.SHORT_BINBYTES + b"\x01b" + pickle.TUPLE3 + pickle.REDUCE
)  # fmt: skip


def _text(text: str) -> bytes:
    data = text.encode()
    return pickle.BINUNICODE + struct.pack("<I", len(data)) + data


def _pickle(passage_id: str, vector: FloatArray) -> bytes:
    data = np.ascontiguousarray(vector, dtype="<f4").tobytes()
    shape = pickle.BININT + struct.pack("<i", len(vector)) + pickle.TUPLE1
    content = pickle.BINBYTES + struct.pack("<I", len(data)) + data
    state = pickle.MARK + pickle.BININT1 + b"\x01" + shape + DTYPE + pickle.NEWFALSE + content + pickle.TUPLE
    return _text(passage_id) + EMPTY_ARRAY + state + pickle.BUILD + pickle.TUPLE2


def _write_list(stream: BinaryIO, preamble: bytes, items: Iterable[bytes]) -> None:
    stream.write(pickle.PROTO + bytes([PROTOCOL]) + preamble + pickle.EMPTY_LIST)
    for batch in batched(items, BATCH):
        stream.write(pickle.MARK + b"".join(batch) + pickle.APPENDS)
    stream.write(pickle.STOP)
