"""A log of JSON lines. A run that resumes cuts it back to the point from which it resumes.

The checkpoint of a training says how many lines that are. `files/pieces` says how other work resumes, and why
it differs.
"""

import os
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from densecli.artifacts.growing_lines import end_of
from densecli.errors import ArtifactError
from densecli.files.jsonl import encode_line


class LineLog:
    """Lines that are handed to the operating system as soon as they are added."""

    def __init__(self, path: Path, lines: int) -> None:
        """Open a log and keep its first `lines` lines.

        Raises:
            ArtifactError: it has fewer.
        """
        size = end_of(path, lines)
        if size is None:
            raise ArtifactError(f"{path}: has fewer than {lines:,} lines")
        self._path = path
        self._lines = lines
        # without a buffer, so that whoever watches a training sees each update
        self._stream = open(path, "ab", buffering=0)  # noqa: SIM115 - until `close`
        self._stream.truncate(size)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the lines that were kept.

        Raises:
            ArtifactError: one is damaged.
        """
        with open(self._path, "rb") as stream:
            for number, line in enumerate(islice(stream, self._lines), 1):
                try:
                    row = orjson.loads(line)
                except orjson.JSONDecodeError:
                    row = None
                if not isinstance(row, dict):
                    raise ArtifactError(f"{self._path}:{number}: damaged")
                yield row

    def add(self, row: Mapping[str, Any]) -> None:
        """Add a line."""
        rest = memoryview(encode_line(row))
        while rest:  # without a buffer, a write may take less than all
            rest = rest[self._stream.write(rest) :]

    def sync(self) -> None:
        """Flush the added lines to the disk."""
        os.fsync(self._stream.fileno())

    def close(self) -> None:
        """Close the file."""
        self._stream.close()
