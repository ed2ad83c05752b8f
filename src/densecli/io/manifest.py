"""`manifest.json`: what an artefact is, from what it was made, and that it is complete."""

import hashlib
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import orjson

from densecli import __version__
from densecli.errors import ArtifactError, InputError

NAME = "manifest.json"
SCHEMA = 1
LIBRARIES = ("numpy", "pyarrow", "torch", "transformers", "faiss-cpu", "bm25s", "onnxruntime", "tokenizers")


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

    def write(self, folder: Path) -> None:
        """Write `manifest.json`: call it last."""
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
        }
        (folder / NAME).write_bytes(orjson.dumps(row, option=orjson.OPT_INDENT_2))

    @classmethod
    def read(cls, folder: Path, what: str, made_by: str) -> "Manifest":
        """Read the manifest of an artefact.

        Raises:
            ArtifactError: the folder is missing or incomplete, or its manifest is unreadable;
                the message names `what` it should be and the command that makes it.
        """
        try:
            row = orjson.loads((folder / NAME).read_bytes())
            if row["schema"] != SCHEMA:
                raise ArtifactError(
                    f"{folder}: made by another version (schema {row['schema']}, this one reads {SCHEMA}); run `{made_by}` again"
                )
            known = {name: row[name] for name in cls.__dataclass_fields__}
        except (FileNotFoundError, NotADirectoryError):
            state = "is not complete (no manifest.json)" if folder.exists() else "does not exist"
            raise ArtifactError(f"{folder}: {what} {state}; run `{made_by}` first") from None
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise ArtifactError(f"{folder / NAME}: not a manifest ({error}); run `{made_by}` again") from None
        return cls(**known)


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

    Raises:
        InputError: there is nothing at `path`.
    """
    place = Path(path)
    if str(path) == "-":
        return {"path": "-"}
    if (place / NAME).is_file():
        row = orjson.loads((place / NAME).read_bytes())
        return {"path": str(path), "sha256": row.get("fingerprint", "")}
    if place.is_dir():
        files = sorted(file for file in place.rglob("*") if file.is_file())
        names = [f"{file.relative_to(place)}={digest_file(file)}" for file in files]
        return {"path": str(path), "sha256": digest_texts(names)}
    if not place.exists():
        raise InputError(path, None, "no such file", "an existing file, or - for stdin")
    return {"path": str(path), "bytes": place.stat().st_size, "sha256": digest_file(place)}
