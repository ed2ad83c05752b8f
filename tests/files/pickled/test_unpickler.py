"""Hostile pickles do nothing, damaged ones are told, and data comes out as it went in."""

import builtins
import io
import os
import pickle
import struct
import subprocess
from collections import OrderedDict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from densecli.errors import FieldError
from densecli.files.pickled.arrays import PickledArray, find_arrays
from densecli.files.pickled.unpickler import KEPT, Stated, Unpickler


def nothing(module: str, name: str) -> None:
    return None


def machine(data: bytes, find: Any = nothing) -> Unpickler:
    return Unpickler(io.BytesIO(data), len(data), find)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner, inner)
    ),
    max_leaves=30,
)


@given(PLAIN, st.integers(2, 5))
def test_plain_data_survives_a_round_trip(value: Any, protocol: int) -> None:
    if protocol < 3:
        value = repr(value)  # bytes need a function there
    assert machine(pickle.dumps(value, protocol)).load() == value


@given(st.lists(st.tuples(st.text(), st.integers())), st.integers(2, 5))
def test_a_list_is_streamed(values: list[tuple[str, int]], protocol: int) -> None:
    assert list(machine(pickle.dumps(values, protocol)).items()) == values


def test_a_long_list_is_streamed_in_bounded_memory() -> None:
    values = [(f"id {number}", number, "shared") for number in range(3 * KEPT)]
    reader = machine(pickle.dumps(values))
    assert list(reader.items()) == values
    assert len(reader._memo) < 3 * 3 * KEPT / 2


def test_a_reference_to_a_much_earlier_item_is_refused() -> None:
    far = ("far", 1)
    values = [(str(number), number) for number in range(2 * KEPT)] + [far]
    values += [(f"later {number}", number) for number in range(KEPT)] + [far]
    assert machine(pickle.dumps(values)).load() == values
    with pytest.raises(FieldError, match="an object that is not kept"):
        list(machine(pickle.dumps(values)).items())


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize("kind", ["<f4", ">f8", "<f2", "<i8"])
def test_arrays_are_read_without_the_constructors_of_numpy(protocol: int, kind: str) -> None:
    array = np.asfortranarray(np.arange(12).reshape(3, 4)).astype(kind)
    made = machine(pickle.dumps([array, array[1]], protocol), find_arrays).load()
    np.testing.assert_array_equal(made[0].values, array)
    np.testing.assert_array_equal(made[1].values, array[1])


def test_both_module_names_of_numpy_core_are_known() -> None:
    data = pickle.dumps(np.ones(2, np.float32), 3)
    assert b"numpy._core" in data
    old = data.replace(b"numpy._core", b"numpy.core")
    assert machine(old, find_arrays).load().values.tolist() == [1, 1]


class Reduced:
    """Pickles as a call of anything."""

    def __init__(self, *how: Any) -> None:
        self.how = how

    def __reduce__(self) -> Any:
        return self.how


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize(
    "make",
    [
        lambda mark: Reduced(os.system, (f"touch {mark}",)),
        lambda mark: Reduced(builtins.eval, (f"open({str(mark)!r}, 'w')",)),
        lambda mark: Reduced(builtins.exec, (f"open({str(mark)!r}, 'w')",)),
        lambda mark: Reduced(builtins.open, (str(mark), "w")),
        lambda mark: Reduced(builtins.getattr, (Reduced(builtins.__import__, ("os",)), "system")),
        lambda mark: Reduced(partial, (os.system, f"touch {mark}")),
        lambda mark: Reduced(subprocess.Popen, (["touch", str(mark)],)),
        lambda mark: Reduced(list, (), None, iter([Reduced(os.system, (f"touch {mark}",))])),
        lambda mark: {"a": [OrderedDict(b=Reduced(os.system, (f"touch {mark}",)))]},
        lambda mark: np.array([Reduced(os.system, (f"touch {mark}",))], dtype=object),
        lambda mark: Path(mark),
    ],
)
def test_a_call_is_refused_and_nothing_runs(make: Any, protocol: int, tmp_path: Path) -> None:
    mark = tmp_path / "harm"
    data = pickle.dumps([make(mark)], protocol)
    for read in (lambda: machine(data, find_arrays).load(), lambda: list(machine(data, find_arrays).items())):
        with pytest.raises(FieldError, match=r"the pickle (wants|calls|is damaged|has)"):
            read()
    assert not mark.exists()


@pytest.mark.parametrize(
    "data",
    [
        b"cos\nsystem\n(S'touch harm'\ntR.",
        b"(S'touch harm'\nios\nsystem\n.",
        b"(cos\nsystem\nS'touch harm'\no.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\ntouch harm\x85R.",
        b"\x80\x04\x8c\x05numpy\x8c\x11ndarray.__class__\x93.",
        b"\x80\x04\x8c\x05numpy\x8c\x16ndarray.__init_subclass\x93.",
        b"\x80\x02\x82\x01.",  # an extension's code
        b"\x80\x02Pstorage\n.",  # a persistent id
        b"\x80\x02X\x01\x00\x00\x00aQ.",
        b"\x80\x02X\x01\x00\x00\x00a)R.",  # a text is called
        b"\x80\x02]}X\x01\x00\x00\x00aK\x01sb.",  # a list takes a state
        b"\x80\x02cnumpy\nndarray\n}X\x0f\x00\x00\x00__reduce_ex__aK\x01sb.",  # a class takes a state
    ],
)
def test_opcodes_written_by_hand_are_refused(
    data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FieldError):
        machine(data, find_arrays).load()
    assert not list(tmp_path.iterdir())


def test_only_objects_of_allowed_classes_take_a_state() -> None:
    taken = []

    class Kept(Stated):
        def __setstate__(self, state: Any) -> None:
            taken.append(state)

    made = machine(b"\x80\x02cours\nKept\n)\x81}X\x01\x00\x00\x00aK\x01sb.", lambda *_: Kept).load()
    assert isinstance(made, Kept)
    assert taken == [{"a": 1}]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"\x80\x03B" + struct.pack("<I", 1 << 31) + b"x.", "2147483648 bytes are asked for"),
        (b"\x80\x04\x8e" + struct.pack("<Q", 1 << 60) + b"x.", "cut off"),
        (b"\x80\x04\x8d" + struct.pack("<Q", 1 << 63) + b"x.", "cut off"),
        (b"\x80\x02\x8b" + struct.pack("<i", 1 << 30) + b"x.", "a number of 1073741824 bytes"),
        (b"\x80\x02\x8b" + struct.pack("<i", -5) + b"x.", "cut off"),
        (b"\x80\x02c" + b"a" * 500 + b"\n.", "a name in it is too long"),
        (b"", "cut off"),
        (b"\x80\x02]", "cut off"),
        (b"\x80\x02.", "damaged"),
        (b"\x80\x02e.", "damaged"),
        (b"\x80\x02K\x01K\x02a.", "damaged"),
        (b"\x80\x02h\x05.", "points at an object"),
    ],
)
def test_absurd_sizes_and_damage_are_reported(data: bytes, told: str) -> None:
    with pytest.raises(FieldError, match=told):
        machine(data).load()


def test_a_huge_memo_index_needs_no_memory() -> None:
    """CPython's own unpickler makes an array of 64 GiB for this."""
    assert machine(b"\x80\x02]r\xff\xff\xff\x7f.").load() == []


def test_a_key_with_an_exponential_hash_time_is_refused() -> None:
    nested = b")" + b"q\x00h\x00\x86" * 60
    with pytest.raises(FieldError, match="a tuple is a key"):
        machine(b"\x80\x02}" + nested + b"K\x01s.").load()


@pytest.mark.parametrize("shape", [(1 << 40,), (3, -1), ("a",), 5])
def test_a_shape_that_does_not_match_its_bytes_is_refused(shape: Any) -> None:
    class Fake:
        def __reduce__(self) -> Any:
            state = (1, shape, np.dtype("<f4"), False, b"1234")
            return np.ones(1).__reduce__()[0], (np.ndarray, (0,), b"b"), state

    with pytest.raises(FieldError, match="damaged"):
        machine(pickle.dumps(Fake()), find_arrays).load()


@given(st.binary(max_size=200))
def test_any_bytes_give_data_or_a_field_error(data: bytes) -> None:
    for read in (Unpickler.load, lambda reader: list(reader.items())):
        try:
            read(machine(b"\x80\x04" + data, find_arrays))
        except FieldError:
            continue


@given(st.integers(0, 400), st.integers(0, 255))
def test_a_changed_byte_gives_data_or_a_field_error(place: int, value: int) -> None:
    data = bytearray(pickle.dumps([("wiki:1", np.ones(4, np.float32)), ("wiki:2", np.zeros(4, np.float32))]))
    data[place % len(data)] = value
    try:
        for item in machine(bytes(data), find_arrays).items():
            if type(item) is tuple and len(item) > 1 and isinstance(item[1], PickledArray):
                assert item[1].values.nbytes < 1000
    except FieldError:
        pass
