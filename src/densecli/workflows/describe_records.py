"""Records in memory as the input of an artifact."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import orjson

from densecli.artifacts.recipe import Input
from densecli.files.jsonl import encode_line


class Record(Protocol):
    """A record that has a JSON form, such as a Question."""

    def to_json(self) -> Mapping[str, Any]:
        """Return its fields."""
        ...


def describe_records(name: str, records: Iterable[Record]) -> Input:
    """Return records in memory as an input: a name, and a digest of their JSON lines.

    An iterator can be read only once. Like a pipe it has no digest: the result is never up to date, and an
    interrupted run does not resume.

    Raises:
        TypeError: a field of a record has no JSON form.
    """
    if isinstance(records, Iterator):
        return Input(name)
    digest = hashlib.sha256()
    for record in records:
        digest.update(_line(record.to_json()))
    return Input(name, digest.hexdigest())


def _line(row: Mapping[str, Any]) -> bytes:
    try:
        return encode_line(row)
    except orjson.JSONEncodeError:
        # text that is not UTF-8: who reads the records refuses or skips that one, with its place
        return json.dumps(row).encode()
