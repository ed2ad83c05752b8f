"""Files that `torch.save` wrote, read without torch: nothing in them runs, tensors stay on the disk."""

import math
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from densecli.errors import ArtifactError, FieldError
from densecli.files.pickled.arrays import DIMENSIONS, find_arrays
from densecli.files.pickled.extent import Stated
from densecli.files.pickled.unpickler import Name, Unpickler

DAMAGED = (
    zipfile.BadZipFile, struct.error, NotImplementedError, ValueError, TypeError, LookupError, AttributeError,
    RuntimeError, EOFError, OverflowError,
)  # fmt: skip
ENCRYPTED = 1
"""Bit of a zip entry's flags."""
LARGEST = 1 << 48
"""The longest dimension, and the most values, of a tensor; one without values may claim any."""
ZIP = b"PK\x03\x04"
OLD_MAGIC = 0x1950A86A20F9469CFC6C
OLD_START = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"
OLD_VERSION = 1001
LOCAL_HEADER = struct.Struct("<26xHH")
STORAGES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "BFloat16Storage": "<V2",  # numpy has no such number: two bytes that mean nothing to it
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
CONFIG_MODULES = ("omegaconf.dictconfig", "omegaconf.listconfig", "omegaconf.nodes", "omegaconf.base")


@dataclass
class _Storage:
    """Numbers that tensors are views of; `offset` in bytes from the start of the file."""

    path: Path
    dtype: np.dtype[Any]
    count: int
    offset: int = -1


@dataclass(frozen=True)
class StoredTensor:
    """A tensor that still lies in its file."""

    storage: _Storage
    first: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def read(self) -> NDArray[Any]:
        """Return the values, memory-mapped; those of bfloat16 as float32 in memory."""
        place = self.storage
        if not self.storage.count or 0 in self.shape:
            return np.zeros(self.shape, np.float32 if place.dtype.kind == "V" else place.dtype)
        flat = np.memmap(place.path, place.dtype, mode="r", offset=place.offset, shape=(place.count,))
        strides = [step * place.dtype.itemsize for step in self.strides]
        values = np.lib.stride_tricks.as_strided(flat[self.first :], self.shape, strides, writeable=False)
        return _widen(values) if place.dtype.kind == "V" else values


def _widen(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return bfloat16 numbers as float32, of which they are the upper half."""
    return (np.array(values).view("<u2").astype(np.uint32) << 16).view(np.float32)


class Settings(Stated):
    """An object of omegaconf: `plain` is its content as dicts, lists and values."""

    def __init__(self, *_: Any) -> None:
        self._state: dict[str, Any] = {}

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, dict):
            raise TypeError("no state of omegaconf's")
        self._state = state

    def parts(self) -> tuple[Any, ...]:
        """Return the content; the rest of the state, such as the object that it is part of, is never used."""
        return (self._content,)

    @property
    def _content(self) -> Any:
        return self._state.get("_content", self._state.get("_val"))

    @property
    def plain(self) -> Any:
        """The content, without what omegaconf remembers about it."""
        content = self._content
        if isinstance(content, dict):
            return {key: _plain(value) for key, value in content.items()}
        return [_plain(value) for value in content] if isinstance(content, list) else content


def _plain(value: Any) -> Any:
    return value.plain if isinstance(value, Settings) else value


class _Dict(dict[Any, Any], Stated):
    """An ordered dict, made empty; the state that state dicts carry along is dropped."""

    def __init__(self) -> None:
        super().__init__()


def _size(shape: Any) -> tuple[Any, ...]:
    """Return a torch.Size; a list is not copied into it."""
    if type(shape) is not tuple:
        raise TypeError("no size")
    return shape


def _tensor(storage: Any, first: Any, shape: Any, strides: Any, *_: Any) -> StoredTensor:
    if not isinstance(storage, _Storage) or type(shape) is not tuple or type(strides) is not tuple:
        raise TypeError("no tensor")
    if len(shape) != len(strides) or len(shape) > DIMENSIONS:
        raise FieldError(f"a tensor of {len(shape)} dimensions", f"at most {DIMENSIONS}")
    if not all(type(number) is int and 0 <= number <= LARGEST for number in (first, *shape, *strides)):
        raise FieldError("a tensor whose shape is no shape", "a whole file")
    if math.prod(filter(None, shape)) > LARGEST:
        raise FieldError("a tensor of more values than any has", "a whole file")
    last = first + sum((length - 1) * step for length, step in zip(shape, strides, strict=True))
    spread = sorted((step, length) for step, length in zip(strides, shape, strict=True) if length > 1)
    # a tensor whose dimensions overlap or have step 0 claims more values than the file has
    overlaps = any(step * length > following for (step, length), (following, _) in pairwise(spread))
    if 0 not in shape and (last >= storage.count or overlaps or any(step == 0 for step, _ in spread)):
        raise FieldError("a tensor reaches over the end of its numbers", "a whole file")
    return StoredTensor(storage, first, tuple(shape), tuple(strides))


NAMES: dict[tuple[str, str], Callable[..., Any]] = {
    ("collections", "OrderedDict"): _Dict,
    ("collections", "defaultdict"): lambda *_: {},
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): lambda tensor, *_: tensor,
    ("torch", "Size"): _size,
    ("typing", "Any"): Stated,
    ("builtins", "dict"): Stated,
    ("__builtin__", "dict"): Stated,
    **{("torch", name): Stated for name in STORAGES},
}


def _find(module: str, name: str) -> Callable[..., Any] | None:
    if module in CONFIG_MODULES:
        return Settings
    return NAMES.get((module, name)) or find_arrays(module, name)


def read_torch_file(path: Path) -> Any:
    """Return what the file holds, with `StoredTensor` for tensors and `Settings` for omegaconf's objects.

    Both forms are read: zip archives, and the one that torch wrote before version 1.6.

    Raises:
        ArtifactError: the file is missing, is not one of torch, is damaged or compressed, or asks for
            more than data.
    """
    try:
        with open(path, "rb") as stream:
            start = stream.read(len(OLD_START))
            stream.seek(0)
            if start.startswith(ZIP):
                return _read_zip(path, stream)
            if start == OLD_START:
                return _read_old(path, stream)
    except FileNotFoundError:
        raise ArtifactError(f"{path}: no such file") from None
    except FieldError as error:
        raise ArtifactError(f"{path}: {error.what}; expected {error.expected}") from None
    except DAMAGED as error:
        raise ArtifactError(f"{path}: not whole ({error or type(error).__name__}); copy it again") from None
    raise ArtifactError(f"{path}: not a file of torch.save; expected a checkpoint (.cp, .pt or .bin)")


def _read_zip(path: Path, stream: BinaryIO) -> Any:
    with zipfile.ZipFile(stream) as archive:
        members = {entry.filename: entry for entry in archive.infolist()}
        names = [name for name in members if name.count("/") == 1 and name.endswith("/data.pkl")]
        # with two of them, this program and torch could read different models from one file
        if len(names) != 1:
            raise FieldError(f"an archive with {len(names)} data.pkl", "a file of torch.save")
        folder = names[0].removesuffix("data.pkl")
        for entry in members.values():
            if entry.flag_bits & ENCRYPTED:
                raise FieldError(f"{entry.filename} is encrypted", "an archive as torch.save writes it")
            if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
                raise FieldError(f"{entry.filename} is compressed", "an archive as torch.save writes it")
        order = folder + "byteorder"
        if order in members and archive.read(order) != b"little":
            raise FieldError("numbers in big-endian order", "little-endian ones")

        def storage(reference: Any) -> _Storage:
            dtype, key, count = _reference(reference)
            entry = members.get(f"{folder}data/{key}")
            if entry is None or count * dtype.itemsize > entry.file_size:
                raise FieldError(f"the numbers {key!r:.40} are missing or cut off", "a whole file")
            stream.seek(entry.header_offset)
            # the directory at the end does not say it: torch pads the local header to align the numbers
            name, extra = LOCAL_HEADER.unpack(stream.read(LOCAL_HEADER.size))
            offset = entry.header_offset + LOCAL_HEADER.size + name + extra
            if offset + entry.file_size > path.stat().st_size:
                raise FieldError(f"the numbers {key!r:.40} are cut off", "a whole file")
            return _Storage(path, dtype, count, offset)

        with archive.open(names[0]) as pickled:
            return Unpickler(pickled, members[names[0]].file_size, _find, storage).load()  # type: ignore[arg-type]


def _read_old(path: Path, stream: BinaryIO) -> Any:
    size = path.stat().st_size
    held: dict[str, _Storage] = {}

    def storage(reference: Any) -> _Storage:
        dtype, key, count = _reference(reference[:5])
        if len(reference) > 5 and reference[5] is not None:
            raise FieldError("a storage that is a view of another", "a file of torch 0.4 or later")
        return held.setdefault(key, _Storage(path, dtype, count))

    def load() -> Any:
        return Unpickler(stream, size - stream.tell(), _find, storage).load()

    if (load(), load()) != (OLD_MAGIC, OLD_VERSION) or load().get("little_endian") is not True:
        raise FieldError("an unknown form of torch.save", "little-endian numbers, version 1001")
    found, keys = load(), load()
    for key in keys:
        place = held[key]
        (count,) = struct.unpack("<q", stream.read(8))
        place.offset = stream.tell()
        end = place.offset + count * place.dtype.itemsize
        if not place.count <= count or end > size:
            raise FieldError(f"the numbers {key!r:.40} are cut off", "a whole file")
        stream.seek(end)
    if any(place.offset < 0 for place in held.values()):
        raise FieldError("numbers are missing", "a whole file")
    return found


def _reference(reference: Any) -> tuple[np.dtype[Any], str, int]:
    """Check a reference to a storage: `("storage", type, key, device, numbers)`."""
    _, kind, key, _, count = reference
    if not isinstance(kind, Name) or kind.name not in STORAGES or type(key) is not str:
        raise TypeError("no storage")
    if type(count) is not int or count < 0:
        raise TypeError("no storage")
    return np.dtype(STORAGES[kind.name]), key, count
