"""Fields of a JSON object: each is there and of its kind, or a FieldError says what was expected."""

import math
from collections.abc import Mapping
from typing import Any

from densecli.errors import FieldError

Json = Mapping[str, Any]


def text_field(row: Json, name: str, default: str | None = None) -> str:
    """Return `row[name]` as text; null is as good as missing.

    Raises:
        FieldError: the field is missing (and has no default), is not a string, or cannot be stored as one.
    """
    value = row.get(name)
    if value is None:
        value = default
    if value is None:
        raise _lacking(row, name)
    if not isinstance(value, str):
        raise FieldError(f"{name!r} is {type(value).__name__} {value!r:.40}", "a string", code="wrong_type")
    if "\0" in value:
        raise FieldError(f"{name!r} holds a NUL character", "text", code="bad_character")
    try:
        if not value.isascii():
            value.encode()
    except UnicodeEncodeError:
        raise FieldError(f"{name!r} holds a lone surrogate", "UTF-8 text", code="bad_character") from None
    return value


def _lacking(row: Json, *names: str) -> FieldError:
    """Return what is wrong where none of some fields has a value."""
    null = next((name for name in names if name in row), None)
    what = f"no field {names[0]!r}" if null is None else f"{null!r} is null"
    code = "missing_field" if null is None else "null_field"
    return FieldError(what, f"an object with {names[0]!r}", code=code)


def id_field(row: Json, *names: str) -> str:
    """Return the first of `names` present in `row` as an id; whole numbers are taken as text."""
    for name in names:
        value = row.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if value is not None:
            return text_field(row, name)
    raise _lacking(row, *names)


def texts_field(row: Json, name: str) -> tuple[str, ...]:
    """Return `row[name]` as a tuple of texts; missing or null means empty."""
    value = row.get(name)
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, list | tuple):
        raise FieldError(
            f"{name!r} is {type(value).__name__} {value!r:.40}", "a list of strings", code="wrong_type"
        )
    for item in value:
        if not isinstance(item, str):
            held = "null" if item is None else f"{type(item).__name__} {item!r:.40}"
            raise FieldError(f"{name!r} holds {held}", "a list of strings", code="wrong_type")
    return tuple(text_field({name: item}, name) for item in value)


def number_field(row: Json, name: str, default: float = 0.0) -> float:
    """Return `row[name]` as a finite number; DPR's files hold scores as text."""
    value = row.get(name, default)
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number) or isinstance(value, bool):
        raise FieldError(f"{name!r} is {value!r:.40}", "a number", code="wrong_value")
    return number


def rows_field(row: Json, name: str) -> list[Json]:
    """Return `row[name]` as a list of objects; missing means empty."""
    value = row.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise FieldError(f"{name!r} is not a list of objects", "a list of objects", code="wrong_type")
    return value


def spans_field(row: Json, name: str) -> tuple[tuple[int, int], ...] | None:
    """Return `row[name]`, a list of pairs of offsets, each start before its end; None if it is missing.

    Raises:
        FieldError: it is something else.
    """
    value = row.get(name)
    if value is None:
        return None
    spans = []
    for pair in value if isinstance(value, list) else [None]:
        match pair:
            case [int(start), int(end)] if 0 <= start < end:
                spans.append((start, end))
            case _:
                raise FieldError(f"{name!r} is {value!r:.40}", "a list of [start, end]", code="wrong_value")
    return tuple(spans)


def row_field(row: Json, name: str) -> Json:
    """Return `row[name]` as an object.

    Raises:
        FieldError: it is missing, or not one.
    """
    value = row.get(name)
    if not isinstance(value, dict):
        raise FieldError(f"{name!r} is not an object", "an object", code="wrong_type")
    return value
