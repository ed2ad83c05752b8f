"""Pickles of a few kilobytes that stand for a tree of any size, or for copies without end."""

import io
import pickle
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from densecli.errors import ArtifactError, FieldError
from densecli.files.pickled import unpickler
from densecli.files.pickled.arrays import find_arrays
from densecli.files.pickled.extent import DEEPEST, check_extent
from densecli.files.pickled.torch_file import read_torch_file
from densecli.files.pickled.unpickler import Unpickler
from densecli.models.foreign.dpr_checkpoint import DprCheckpoint

DOUBLINGS = 60
SETTINGS = b"comegaconf.dictconfig\nDictConfig\n)\x81}(" + b"X\x08\0\0\0_content"


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def put(number: int) -> bytes:
    return b"r" + struct.pack("<I", number)


def get(number: int) -> bytes:
    return b"j" + struct.pack("<I", number)


def doubled(first: bytes, twice: Callable[[bytes], bytes]) -> bytes:
    """An object that has another one twice, that has another one twice, and so on."""
    code = first + put(0)
    for number in range(DOUBLINGS):
        code += b"0" + twice(get(number)) + put(number + 1)
    return code


SHARING = {
    "lists": doubled(b"]", lambda one: b"](" + one * 2 + b"e"),
    "tuples": doubled(b")", lambda one: one * 2 + b"\x86"),
    "dicts": doubled(b"}", lambda one: b"}(" + text("a") + one + text("b") + one + b"u"),
    "settings": doubled(
        SETTINGS + b"}ub", lambda one: SETTINGS + b"}(" + text("a") + one + text("b") + one + b"uub"
    ),
    "one long text": text("x" * 9999) + put(0) + b"0](" + get(0) * 9999 + b"e",
}


def archive(path: Path, code: bytes, numbers: bytes = bytes(64)) -> Path:
    with zipfile.ZipFile(path, "w") as held:
        held.writestr("a/data.pkl", b"\x80\x02" + code + b".")
        held.writestr("a/data/0", numbers)
    return path


def checkpoint(path: Path, params: bytes = b"}", model: bytes = b"}") -> Path:
    return archive(path, b"}(" + text("model_dict") + model + text("encoder_params") + params + b"u")


def machine(code: bytes) -> Unpickler:
    data = b"\x80\x04" + code + b"."
    return Unpickler(io.BytesIO(data), len(data), find_arrays)


@pytest.mark.parametrize("kind", SHARING)
@pytest.mark.parametrize("name", ["encoder_model_type", "pretrained_model_cfg", "encoder", "anything"])
def test_exponential_sharing_is_refused_everywhere(tmp_path: Path, kind: str, name: str) -> None:
    path = checkpoint(tmp_path / "shared.cp", b"}(" + text(name) + SHARING[kind] + b"u")
    assert path.stat().st_size < 64_000
    with pytest.raises(ArtifactError, match="uses its objects again and again|within each other"):
        DprCheckpoint.read(path)


def test_an_object_filled_after_sharing_is_measured_at_its_final_size() -> None:
    """Lists are kept empty, put into each other, and filled last of all."""
    code = b"".join(b"]" + put(number) for number in range(DOUBLINGS)) + b"0" * (DOUBLINGS - 1)
    for number in reversed(range(1, DOUBLINGS)):
        code += get(number) + b"(" + get(number - 1) * 2 + b"e0"
    with pytest.raises(FieldError, match="again and again"):
        machine(code + get(DOUBLINGS - 1)).load()


def test_ordinary_sharing_is_allowed() -> None:
    shared = ["float32", "cpu", (2, 3)]
    value = [{"shape": shared, "name": f"layer {number}", "again": shared} for number in range(1000)]
    assert machine(pickle.dumps(value)[2:-1]).load() == value


def test_depth_is_limited(tmp_path: Path) -> None:
    value: Any = ()
    for _ in range(DEEPEST):
        value = (value,)
    check_extent(value)
    with pytest.raises(FieldError, match="within each other"):
        check_extent((value,))
    path = checkpoint(
        tmp_path / "deep.cp", b"}(" + text("encoder_model_type") + b"N" + b"\x85" * 100_000 + b"u"
    )
    with pytest.raises(ArtifactError, match="within each other"):
        DprCheckpoint.read(path)


@pytest.mark.parametrize("code", [b"]" + put(0) + get(0) + b"a", b"}" + put(0) + text("me") + get(0) + b"s"])
def test_an_object_that_contains_itself_is_refused(code: bytes) -> None:
    with pytest.raises(FieldError, match="holds itself"):
        machine(code).load()


def test_memory_is_bounded_for_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    assert unpickler.MOST_STEPS < 4_000_000  # of which each can take 110 bytes
    monkeypatch.setattr(unpickler, "MOST_STEPS", 5000)
    with pytest.raises(FieldError, match="of more than 5,000 parts"):
        machine(b"](" + b"]" * 5001 + b"e").load()
    with pytest.raises(FieldError, match="of more than 5,000 parts"):
        list(machine(b"](" + b"N" * 5001 + b"e").items())
    batches = b"]" + (b"(" + b"N" * 1000 + b"e") * 50
    assert sum(1 for _ in machine(batches).items()) == 50_000


@pytest.mark.parametrize(
    "code",
    [
        b"c_codecs\nencode\n" + put(0) + b"0" + text("x" * 10_000) + text("latin1") + b"\x86" + put(1)
        + (b"0" + get(0) + get(1) + b"R") * 10_000,
        b"ctorch\nSize\n" + put(0) + b"0](" + b"N" * 10_000 + b"e\x85" + put(1)
        + (b"0" + get(0) + get(1) + b"R") * 10_000,
        b"ccollections\nOrderedDict\n" + put(0) + b"0](" + (b"K\x01K\x02\x86" * 5_000) + b"e\x85" + put(1)
        + (b"0" + get(0) + get(1) + b"R") * 10_000,
    ],
    ids=["texts", "sizes", "dicts"],
)  # fmt: skip
def test_endless_copies_are_refused_in_bounded_memory(tmp_path: Path, code: bytes) -> None:
    path = archive(tmp_path / "copies.cp", code.replace(b"0c", b"c", 1))
    tracemalloc.start()
    with pytest.raises(ArtifactError):
        read_torch_file(path)
    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()


def test_a_key_with_an_exponential_hash_time_is_refused(tmp_path: Path) -> None:
    pair = SHARING["tuples"] + b"N\x86"
    code = b"ccollections\nOrderedDict\n]" + pair + b"a\x85R"
    with pytest.raises(ArtifactError, match="damaged"):
        read_torch_file(archive(tmp_path / "hash.cp", code))


def tensor(shape: tuple[int, ...], strides: tuple[int, ...], first: int = 0) -> bytes:
    def number(value: int) -> bytes:
        return b"\x8a\x0c" + value.to_bytes(12, "little", signed=True)

    def numbers(values: tuple[int, ...]) -> bytes:
        return b"(" + b"".join(map(number, values)) + b"t"

    storage = text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu") + number(16)
    called = b"ctorch._utils\n_rebuild_tensor_v2\n((" + storage + b"tQ" + number(first)
    return called + numbers(shape) + numbers(strides) + b"\x89}tR"


@pytest.mark.parametrize(
    ("shape", "strides"),
    [
        ((1,) * 100, (1,) * 100), ((0, 2**70), (1, 1)), ((0, 2**40, 2**40), (1, 1, 1)), ((1,), (2**70,)),
        ((-1,), (1,)), ((2, 2), (1,)),
    ],
)  # fmt: skip
def test_a_tensor_with_an_impossible_shape_is_refused(tmp_path: Path, shape: Any, strides: Any) -> None:
    path = checkpoint(tmp_path / "odd.cp", model=b"}(" + text("w") + tensor(shape, strides) + b"u")
    with pytest.raises(ArtifactError, match="tensor|dimensions"):
        DprCheckpoint.read(path)


def test_unusual_but_valid_tensors_are_read(tmp_path: Path) -> None:
    for shape, strides in (((), ()), ((0, 5), (5, 1)), ((1, 4), (99, 1)), ((1,) * 64, (1,) * 64)):
        path = checkpoint(tmp_path / "odd.cp", model=b"}(" + text("w") + tensor(shape, strides) + b"u")
        assert DprCheckpoint.read(path).weights["w"].shape == shape


def test_an_encrypted_archive_is_refused(tmp_path: Path) -> None:
    path = checkpoint(tmp_path / "locked.cp")
    data = bytearray(path.read_bytes())
    data[data.find(b"PK\x03\x04") + 6] |= 1
    data[data.find(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(ArtifactError, match=r"a/data\.pkl is encrypted"):
        read_torch_file(path)


@pytest.mark.parametrize("value", [b"]", b"K\x05", b"}", text("hf_roberta"), text("x" * 5000)])
def test_an_unknown_encoder_type_is_refused(tmp_path: Path, value: bytes) -> None:
    path = checkpoint(tmp_path / "kind.cp", b"}(" + text("encoder_model_type") + value + b"u")
    with pytest.raises(ArtifactError, match="an encoder of type") as caught:
        DprCheckpoint.read(path)
    assert len(str(caught.value)) < 300


def test_a_base_that_is_not_a_name_is_refused(tmp_path: Path) -> None:
    path = checkpoint(tmp_path / "base.cp", b"}(" + text("pretrained_model_cfg") + b"](K\x01eu")
    with pytest.raises(ArtifactError, match="'pretrained_model_cfg' is a list; expected a name"):
        DprCheckpoint.read(path).base(None)


@pytest.mark.parametrize("shape", [((), ()), ((4,), (1,)), ((2, 2, 2), (4, 2, 1))])
def test_word_embeddings_that_are_not_a_table_are_refused(tmp_path: Path, shape: Any) -> None:
    name = "question_model.embeddings.word_embeddings.weight"
    path = checkpoint(tmp_path / "table.cp", model=b"}(" + text(name) + tensor(*shape) + b"u")
    with pytest.raises(ArtifactError, match="word embeddings are no table"):
        DprCheckpoint.read(path).tower("question_model.", tmp_path)
