"""`manifest.json`: what an artefact is, from what it was made, and that it is complete."""

import hashlib
import platform
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import orjson

from densecli.errors import ArtifactError, InputError
from densecli.files.atomic import restore
from densecli.files.names import display_path, require_utf8_name
from densecli.files.remote import is_remote, remote_digest
from densecli.version import __version__

NAME = "manifest.json"
FILES = "files"
"""Says which files a result has, with their bytes: whatever else is in its folder is somebody else's."""
SCHEMA = 1
LIBRARIES = (
    "numpy", "pyarrow", "torch", "transformers", "faiss-cpu", "PyStemmer", "onnxruntime", "openvino",
    "tokenizers",
)  # fmt: skip


def digest_file(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest_texts(texts: Sequence[str]) -> str:
    """Return the SHA-256 of a sequence of texts, each preceded by its length."""
    total = hashlib.sha256()
    for text in texts:
        data = text.encode()
        total.update(b"%d:" % len(data) + data)
    return total.hexdigest()


@dataclass(frozen=True)
class Manifest:
    """The record of one artefact. `fingerprint` names its content; `parents` what it belongs to."""

    command: str
    config: Mapping[str, Any]
    fingerprint: str
    inputs: Sequence[Mapping[str, Any]] = ()
    parents: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    timing: Mapping[str, Any] = field(default_factory=dict)

    def write(self, folder: Path, without: Collection[str] = ()) -> None:
        """Write `manifest.json`: call it last.

        Args:
            folder: the artefact.
            without: what is in it and does not stay there.
        """
        files = sorted(
            path
            for path in folder.rglob("*")
            if path.is_file() and path.relative_to(folder).parts[0] not in {NAME, *without}
        )
        row = {
            "schema": SCHEMA,
            "densecli": __version__,
            "command": self.command,
            "config": dict(self.config),
            "fingerprint": self.fingerprint,
            "inputs": list(self.inputs),
            "parents": dict(self.parents),
            "counts": dict(self.counts),
            "facts": dict(self.facts),
            "versions": versions(),
            "timing": dict(self.timing),
            FILES: {display_path(path.relative_to(folder).as_posix()): path.stat().st_size for path in files},
        }
        (folder / NAME).write_bytes(orjson.dumps(row, option=orjson.OPT_INDENT_2))

    @classmethod
    def read(cls, folder: Path, what: str, made_by: str) -> "Manifest":
        """Read the manifest of an artefact.

        Args:
            folder: the artefact.
            what: what it should be, for the message.
            made_by: the command line that makes such a thing.

        Raises:
            UsageError: its name is not UTF-8.
            ArtifactError: the folder is missing, incomplete, or the result of another command or
                version, or its manifest is unreadable.
        """
        restore(folder)
        require_utf8_name(folder)
        row = read_row(folder)
        if row is None:
            state = "does not exist"
            if folder.exists():
                unreadable = (folder / NAME).is_file()
                state = f"is not complete ({'unreadable' if unreadable else 'no'} {NAME})"
            raise ArtifactError(f"{folder}: {what} {state}; run `{made_by}` first")
        if row.get("schema") != SCHEMA:
            raise ArtifactError(
                f"{folder}: made by another version (schema {row.get('schema')}, this one reads {SCHEMA});"
                f" run `{made_by} --force`"
            )
        if row.get("command") != made_by.split()[1]:
            raise ArtifactError(
                f"{folder}: is a result of `densecli {row.get('command')}`, not of `{made_by}`;"
                " name another folder"
            )
        try:
            return cls(**{name: row[name] for name in cls.__dataclass_fields__})
        except KeyError as error:
            raise ArtifactError(f"{folder / NAME}: no {error} in it; run `{made_by} --force`") from None


def read_row(folder: Path) -> dict[str, Any] | None:
    """Return what `manifest.json` in `folder` says, or None where no densecli wrote one."""
    try:
        row = orjson.loads((folder / NAME).read_bytes())
    except (FileNotFoundError, NotADirectoryError, orjson.JSONDecodeError):
        return None
    return row if isinstance(row, dict) and "densecli" in row else None


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that shape results."""
    found = {"python": platform.python_version(), "platform": sys.platform}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def describe_input(path: str | Path) -> dict[str, Any]:
    """Return `{path, bytes, sha256}` of an input file, folder of files, or artefact folder.

    Standard input and pipes, which can be read only once, have no digest. That of a URL is of what its server
    says of the file.

    Raises:
        InputError: there is nothing at `path`.
    """
    place = Path(path)
    told = display_path(path)
    if str(path) == "-" or place.is_fifo():
        return {"path": told}
    if is_remote(str(path)) and not place.exists():
        return {"path": told, "sha256": remote_digest(str(path))}
    made = read_row(place)
    if made is not None:
        return {"path": told, "sha256": made.get("fingerprint", "")}
    if place.is_dir():
        files = sorted(file for file in place.rglob("*") if file.is_file())
        names = [f"{display_path(file.relative_to(place))}={digest_file(file)}" for file in files]
        return {"path": told, "sha256": digest_texts(names)}
    if not place.exists():
        raise InputError(path, None, "no such file", "an existing file, or - for stdin")
    return {"path": told, "bytes": place.stat().st_size, "sha256": digest_file(place)}
