"""Pickles read as data: a machine for the opcodes that data needs, which imports nothing.

A name in a pickle means what the caller's short list says it means, or the file is refused. Only functions of
that list are called, only objects made for it take a state, and sizes are compared with what is left of the
file before anything is made of them.
"""

import pickle
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from densecli.errors import FieldError
from densecli.files.pickled.extent import Stated, check_extent
from densecli.files.pickled.measured import LONGEST_LINE, MeasuredBytes

Find = Callable[[str, str], Callable[..., Any] | None]
"""Module and name to the function that replaces them, or None if they are refused."""
EXPECTED = "plain data: numbers, texts, lists, arrays"
KEPT = 1000
LONGEST_NUMBER = 64
MOST_STEPS = 2_000_000
"""Opcodes for one object, or for one batch of a list's items: each can take a hundred bytes of memory."""
DAMAGED = (
    ValueError, TypeError, IndexError, KeyError, AttributeError, OverflowError, RecursionError, struct.error,
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Name:
    """A name of the short list in the data: it can be called, and nothing else."""

    name: str
    make: Callable[..., Any]


class _Mark:
    pass


MARK = _Mark()


class Unpickler:
    """Reads one pickle from a stream; what follows it in the stream is left alone."""

    def __init__(
        self, stream: BinaryIO, size: int, find: Find, storage: Callable[[Any], Any] | None = None
    ) -> None:
        """Read from `stream`.

        Args:
            stream: at the pickle's first byte.
            size: bytes that are left in it.
            find: the short list.
            storage: makes an object of a persistent id; None refuses them.
        """
        source = MeasuredBytes(stream, size)
        self._copies_left = size
        self._bytes, self._line, self._size = source.take, source.line, source.number
        self._find = find
        self._storage = storage
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._memoised = 0
        self._fresh: list[int] = []

    def load(self) -> Any:
        """Return the object.

        Raises:
            FieldError: the pickle is cut off or damaged, asks for more than data, or is larger than it.
        """
        for _ in self._run(None):
            pass
        value = self._pop()
        check_extent(value)
        return value

    def items(self) -> Iterator[Any]:
        """Yield the items of a pickled list, without ever holding the list.

        Objects are shared within an item and with the first thousand items, as every pickler does it.

        Raises:
            FieldError: the pickle is no list, cut off or damaged, or asks for more than data.
        """
        yield from self._run([])

    def _run(self, root: list[Any] | None) -> Iterator[Any]:
        """Run to the end; yield the items that are appended to `root`, the outermost list."""
        memo, appends = self._memo, (ord(pickle.APPEND), ord(pickle.APPENDS))
        seen = steps = 0
        try:
            while True:
                code = self._bytes(1)[0]
                steps += 1
                if steps > MOST_STEPS:
                    raise FieldError(f"a pickled object of more than {MOST_STEPS:,} parts", EXPECTED)
                if code == STOP:
                    break
                if root is not None and not self._stack and code == EMPTY_LIST:
                    self._stack.append(root)
                    continue
                self._step(code)
                if root and code in appends and len(self._stack) == 1:
                    yield from root
                    steps = 0
                    seen += len(root)
                    root.clear()
                    # memory: a pickler puts every vector into its memo, but refers only to the first ones
                    # (dtype, class)
                    for place in self._fresh if seen > KEPT else ():
                        memo.pop(place, None)
                    self._fresh.clear()
        except FieldError:
            raise
        except DAMAGED:
            raise FieldError("the pickle is damaged", "a whole file") from None
        if root is not None and (len(self._stack) != 1 or self._stack[0] is not root):
            raise FieldError("the pickle holds no list", "a list")

    def _step(self, code: int) -> None:
        action = ACTIONS.get(code)
        if action is None:
            raise FieldError(f"the pickle has the opcode {code:#04x}, which data does not need", EXPECTED)
        action(self)

    # ---- the stack

    def _pop(self) -> Any:
        if not self._stack or self._stack[-1] is MARK:
            raise FieldError("the pickle is damaged", "a whole file")
        return self._stack.pop()

    def _pop_to_mark(self) -> list[Any]:
        place = len(self._stack) - 1
        while self._stack[place] is not MARK:
            place -= 1
            if place < 0:
                raise FieldError("the pickle is damaged", "a whole file")
        found = self._stack[place + 1 :]
        del self._stack[place:]
        return found

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    # ---- memory

    def _put(self, place: int) -> None:
        self._memo[place] = self._stack[-1]
        self._memoised += 1
        self._fresh.append(place)

    def _memoise(self) -> None:
        self._put(self._memoised)

    def _get(self, place: int) -> None:
        if place not in self._memo:
            raise FieldError("the pickle points at an object that is not kept", "a list of separate items")
        self._push(self._memo[place])

    # ---- what is made

    def _tuple(self, count: int) -> None:
        items = [self._pop() for _ in range(count)]
        self._push(tuple(reversed(items)))

    def _append(self) -> None:
        self._extend([self._pop()])

    def _extend(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is not list:
            raise FieldError("the pickle is damaged", "a whole file")
        target.extend(items)

    def _set_item(self) -> None:
        value, key = self._pop(), self._pop()
        self._set_items([key, value])

    def _set_items(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if not isinstance(target, dict):
            raise FieldError("the pickle is damaged", "a whole file")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if type(key) not in (str, int, bool, bytes):  # hashing nested tuples can take forever
                raise FieldError(f"a {type(key).__name__} is a key in the pickle", "texts or numbers as keys")
            target[key] = value

    def _push_name(self, module: str, name: str) -> None:
        found = self._find(module, name)
        if found is None:
            raise FieldError(f"the pickle wants {module[:LONGEST_LINE]}.{name[:LONGEST_LINE]}", EXPECTED)
        self._push(Name(name, found))

    def _global(self) -> None:
        module, name = self._line().decode(), self._line().decode()
        self._push_name(module, name)

    def _stack_global(self) -> None:
        name, module = self._pop(), self._pop()
        if type(name) is not str or type(module) is not str:
            raise FieldError("the pickle is damaged", "a whole file")
        self._push_name(module, name)

    def _call(self) -> None:
        arguments, function = self._pop(), self._pop()
        if not isinstance(function, Name) or type(arguments) is not tuple:
            raise FieldError("the pickle calls what is no constructor", EXPECTED)
        self._copies_left -= sum(len(one) for one in arguments if type(one) in (str, bytes))
        if self._copies_left < 0:  # each text is made into bytes once, not over and over
            raise FieldError("the pickle makes more of its texts than there is", EXPECTED)
        self._push(function.make(*arguments))

    def _build(self) -> None:
        state, target = self._pop(), self._stack[-1]
        if not isinstance(target, Stated):
            raise FieldError(f"the pickle gives a {type(target).__name__} a state", EXPECTED)
        target.__setstate__(state)

    def _persistent(self) -> None:
        if self._storage is None:
            raise FieldError("the pickle refers to something outside of it", EXPECTED)
        self._push(self._storage(self._pop()))

    def _number(self, count: int) -> None:
        if count > LONGEST_NUMBER:
            raise FieldError(f"a number of {count} bytes is in the pickle", EXPECTED)
        self._push(int.from_bytes(self._bytes(count), "little", signed=True))

    def _text_number(self) -> None:
        text = self._line()
        self._push(text == b"01" if text in (b"00", b"01") else int(text.rstrip(b"L")))


STOP = ord(pickle.STOP)
EMPTY_LIST = ord(pickle.EMPTY_LIST)
Action = Callable[[Unpickler], object]
ACTIONS: dict[int, Action] = {
    ord(code): action
    for code, action in {
        pickle.PROTO: lambda m: m._bytes(1),
        pickle.FRAME: lambda m: m._bytes(8),
        pickle.MARK: lambda m: m._push(MARK),
        pickle.POP: lambda m: m._stack.pop(),
        pickle.POP_MARK: Unpickler._pop_to_mark,
        pickle.NONE: lambda m: m._push(None),
        pickle.NEWTRUE: lambda m: m._push(True),
        pickle.NEWFALSE: lambda m: m._push(False),
        pickle.INT: Unpickler._text_number,
        pickle.LONG: Unpickler._text_number,
        pickle.BININT: lambda m: m._push(m._size("<i")),
        pickle.BININT1: lambda m: m._push(m._size("<B")),
        pickle.BININT2: lambda m: m._push(m._size("<H")),
        pickle.LONG1: lambda m: m._number(m._size("<B")),
        pickle.LONG4: lambda m: m._number(m._size("<i")),
        pickle.BINFLOAT: lambda m: m._push(struct.unpack(">d", m._bytes(8))[0]),
        pickle.BINUNICODE: lambda m: m._push(m._bytes(m._size("<I")).decode()),
        pickle.SHORT_BINUNICODE: lambda m: m._push(m._bytes(m._size("<B")).decode()),
        pickle.BINUNICODE8: lambda m: m._push(m._bytes(m._size("<Q")).decode()),
        pickle.BINBYTES: lambda m: m._push(m._bytes(m._size("<I"))),
        pickle.SHORT_BINBYTES: lambda m: m._push(m._bytes(m._size("<B"))),
        pickle.BINBYTES8: lambda m: m._push(m._bytes(m._size("<Q"))),
        pickle.BYTEARRAY8: lambda m: m._push(m._bytes(m._size("<Q"))),
        pickle.EMPTY_TUPLE: lambda m: m._push(()),
        pickle.TUPLE: lambda m: m._push(tuple(m._pop_to_mark())),
        pickle.TUPLE1: lambda m: m._tuple(1),
        pickle.TUPLE2: lambda m: m._tuple(2),
        pickle.TUPLE3: lambda m: m._tuple(3),
        pickle.EMPTY_LIST: lambda m: m._push([]),
        pickle.LIST: lambda m: m._push(m._pop_to_mark()),
        pickle.APPEND: Unpickler._append,
        pickle.APPENDS: lambda m: m._extend(m._pop_to_mark()),
        pickle.EMPTY_DICT: lambda m: m._push({}),
        pickle.SETITEM: Unpickler._set_item,
        pickle.SETITEMS: lambda m: m._set_items(m._pop_to_mark()),
        pickle.GLOBAL: Unpickler._global,
        pickle.STACK_GLOBAL: Unpickler._stack_global,
        pickle.REDUCE: Unpickler._call,
        pickle.NEWOBJ: Unpickler._call,
        pickle.BUILD: Unpickler._build,
        pickle.BINPERSID: Unpickler._persistent,
        pickle.BINGET: lambda m: m._get(m._size("<B")),
        pickle.LONG_BINGET: lambda m: m._get(m._size("<I")),
        pickle.BINPUT: lambda m: m._put(m._size("<B")),
        pickle.LONG_BINPUT: lambda m: m._put(m._size("<I")),
        pickle.MEMOIZE: Unpickler._memoise,
    }.items()
}
