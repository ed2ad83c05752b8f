"""How large a value from a pickle is for a program that walks over it.

An object that is used twice costs nothing in a pickle. A chain of such objects is a tree of 2**34 leaves to
`repr`, `==` or any recursion, in a file of a kilobyte. So what was read is measured before anyone uses it.
"""

from typing import Any

from densecli.errors import FieldError

LARGEST = 1 << 24
"""Items and characters that a value may have, each counted as often as it is met."""
DEEPEST = 100
"""Objects within each other."""


class Stated:
    """The only kind of object to which a pickle may give a state."""

    def __setstate__(self, state: Any) -> None:
        """Take what the pickle says; here nothing of it is kept."""

    def parts(self) -> tuple[Any, ...]:
        """Return the values that it holds."""
        return ()


def check_extent(value: Any) -> None:
    """Refuse a value that is larger or deeper than data is. The time taken is that of its distinct objects.

    Raises:
        FieldError: says which.
    """
    measured: dict[int, tuple[int, int]] = {}  # size and height by id; None while its parts are measured
    waiting: list[tuple[Any, bool]] = [(value, False)]
    while waiting:
        one, done = waiting.pop()
        parts = _parts(one)
        if not done and id(one) in measured:
            if not measured[id(one)][0]:
                raise FieldError("an object in the pickle holds itself", "plain data")
            continue
        if not done and parts:
            measured[id(one)] = (0, 0)
            waiting.append((one, True))
            waiting += ((part, False) for part in parts)
            continue
        size, height = _own_size(one), 0
        for part in parts:
            size += measured[id(part)][0]
            height = max(height, 1 + measured[id(part)][1])
        measured[id(one)] = (size, height)
        if size > LARGEST:
            raise FieldError("the pickle uses its objects again and again", "plain data")
        if height > DEEPEST:
            raise FieldError(f"the pickle has more than {DEEPEST} objects within each other", "plain data")


def _parts(value: Any) -> "list[Any] | tuple[Any, ...]":
    if isinstance(value, dict):
        return [*value, *value.values()]
    if isinstance(value, list | tuple):
        return value
    return value.parts() if isinstance(value, Stated) else ()


def _own_size(value: Any) -> int:
    return 1 + len(value) if isinstance(value, str | bytes) else 1
