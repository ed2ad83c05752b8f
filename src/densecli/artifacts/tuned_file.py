"""What was tuned for an artifact, as a JSON file in its folder. It is not part of the artifact."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import orjson

from densecli.errors import ArtifactError, FieldError
from densecli.fields import Json
from densecli.files.atomic import new_file

T = TypeVar("T")
FUSION = "fusion.json"
"""λ, with a dense index."""
SELECTION = "selection.json"
"""How answers are chosen, with a reader."""
TUNED = {FUSION, SELECTION}
"""Their content may change, so no manifest has their digests."""


def read_tuned(path: Path, parse: Callable[[Json], T], command: str) -> T | None:
    """Return the parsed content of a file, or None if there is none.

    Args:
        path: the file.
        parse: makes the result of its JSON object, or raises FieldError.
        command: which writes the file.

    Raises:
        ArtifactError: the file is damaged.
    """
    try:
        return parse(orjson.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (orjson.JSONDecodeError, FieldError, AttributeError) as error:
        raise ArtifactError(f"{path}: not readable ({error}); run `{command}`, or remove it") from None


def write_tuned(path: Path, row: Mapping[str, Any]) -> Path:
    """Write a JSON object into a file, which appears when it is whole, and return the file."""
    with new_file(path) as place:
        place.write_bytes(orjson.dumps(row, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return path
