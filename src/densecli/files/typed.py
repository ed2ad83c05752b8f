"""JSON values to the types of a dataclass: everything in a file is checked before it is used."""

import math
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import orjson

T = TypeVar("T")
LARGEST_FILE = 64 << 20
"""Bytes of a JSON file that is read; ours are far smaller."""
LARGEST_COUNT = 1 << 48
"""No count or size in a file of ours is larger."""


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a small JSON file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is too large, no JSON, or no object.
    """
    if path.is_dir():
        raise ValueError("is a folder")
    if path.stat().st_size > LARGEST_FILE:
        raise ValueError(f"larger than {LARGEST_FILE >> 20} MiB")
    row = orjson.loads(path.read_bytes())
    if not isinstance(row, dict):
        raise ValueError("not a JSON object")
    return row


def from_json(kind: type[T], row: Any, name: str = "the file") -> T:
    """Build a dataclass from a JSON object. Missing fields have their default; unknown ones are ignored.

    Args:
        kind: a dataclass whose fields are texts, numbers, truth values, mappings, tuples and dataclasses.
        row: the object.
        name: the name of the object, for messages.

    Raises:
        ValueError: a value is missing or of another type, or a count is negative or beyond reason.
    """
    if not isinstance(row, dict):
        raise ValueError(f"{name} is {row!r:.40}, not an object")
    values = {}
    for known in fields(kind):  # type: ignore[arg-type]
        if known.name in row:
            values[known.name] = _convert(row[known.name], _hints(kind)[known.name], known.name)  # type: ignore[arg-type]
        elif known.default is MISSING and known.default_factory is MISSING:
            raise ValueError(f"no {known.name!r} in {name}")
    return kind(**values)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _convert(value: Any, hint: Any, name: str) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return value
    if origin in (Union, UnionType):
        if value is None and NoneType in arguments:
            return None
        return _convert(value, next(one for one in arguments if one is not NoneType), name)
    if origin is tuple and isinstance(value, list):
        return tuple(_convert(one, arguments[0], name) for one in value)
    if origin is Mapping and isinstance(value, dict):
        return {key: _convert(one, arguments[1], f"{name}.{key}") for key, one in value.items()}
    if is_dataclass(hint):
        return from_json(hint, value, name)  # type: ignore[arg-type]
    if _fits(value, hint):
        return float(value) if hint is float else value
    raise ValueError(f"{name} is {value!r:.40}")


def _fits(value: Any, hint: Any) -> bool:
    if hint is float:
        # numbers near the largest float would overflow in the first product
        return type(value) in (int, float) and abs(value) < 1e300 and math.isfinite(value)
    if hint is int:
        return type(value) is int and 0 <= value <= LARGEST_COUNT
    # type and not isinstance: JSON's true is not the number 1
    return type(value) is hint
