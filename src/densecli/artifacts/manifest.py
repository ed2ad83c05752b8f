"""`manifest.json`: the kind of an artifact, its inputs, and the proof that it is complete.

Each kind of artifact has a type, in `kinds`. What a reader needs of an artifact is a field of it.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from densecli.artifacts.kinds import (
    COMMON,
    FORMAT_VERSION,
    KINDS,
    NAME,
    RENAMED,
    ExamplesManifest,
    ExportManifest,
    Made,
    Manifest,
    RetrieverManifest,
)
from densecli.artifacts.recipe import (
    Input,
    Recipe,
    describe_file,
    describe_folder,
    digest_file,
    digest_texts,
)
from densecli.artifacts.workspace import EXAMPLES_FILE
from densecli.errors import ArtifactError
from densecli.files.atomic import restore
from densecli.files.names import display_path, require_utf8_name
from densecli.files.typed import from_json, read_json
from densecli.files.urls import is_remote

SCHEMA = 1
"""The form before kinds: without `kind`, and without digests in `files`. It is still read."""
MODEL_CARD = "model.json"
M = TypeVar("M", bound=Manifest)


@dataclass(frozen=True)
class Outline:
    """What can be said of an artifact even if its manifest is of another version or damaged.

    Attributes:
        kind: the kind of artifact; empty if it is not known.
        command: which made it.
        files: names of its files; None if unknown.
        fingerprint: the fingerprint of its content.
    """

    kind: str
    command: str
    files: frozenset[str] | None
    fingerprint: str


def outline(folder: Path) -> Outline | None:
    """Return what `manifest.json` in a folder says at least, or None where no densecli wrote one."""
    row = _row(folder)
    if row is None:
        return None
    files, command = row.get("files"), row.get("command")
    fingerprint = row.get("fingerprint")
    return Outline(
        _kind(folder, row),
        command if isinstance(command, str) else "",
        frozenset(files) if isinstance(files, dict) else None,
        fingerprint if isinstance(fingerprint, str) else "",
    )


def read_manifest(folder: Path, *wanted: type[M]) -> M:
    """Read the manifest of an artifact of one of some kinds.

    Args:
        folder: the artifact.
        wanted: the kinds; the first one is named where the folder is missing.

    Raises:
        ArtifactError: the folder is missing, incomplete, of another kind or a later version, or its manifest
            is damaged.
        UsageError: its name is not UTF-8.
    """
    # a run may have been killed while it exchanged this folder with a new one
    restore(folder)
    require_utf8_name(folder)
    row, first = _row(folder), wanted[0]
    if row is None:
        raise _missing(folder, first)
    version = row.get("format_version", FORMAT_VERSION if row.get("schema") == SCHEMA else None)
    if version != FORMAT_VERSION:
        odd = row.get("format_version", row.get("schema"))
        raise ArtifactError(
            f"{folder}: made by another version (format {odd!r:.40}, this one reads {FORMAT_VERSION});"
            f" rebuild it with `{first.rebuild} --force`"
        )
    kind = _kind(folder, row)
    found = next((one for one in wanted if one.kind == kind), None)
    if found is None:
        names = " or ".join(dict.fromkeys(one.kind for one in wanted))
        raise ArtifactError(
            f"{folder}: is an artifact of kind {kind or 'unknown'}, and {names} is needed; name another"
            " folder"
        )
    try:
        return _from_row(found, row)
    except ValueError as error:
        raise ArtifactError(
            f"{folder / NAME}: damaged ({error}); rebuild it with `{found.rebuild} --force`"
        ) from None


def _missing(folder: Path, wanted: type[Manifest]) -> ArtifactError:
    if not folder.exists():
        return ArtifactError(f"{folder}: {wanted.noun} does not exist; run `{wanted.rebuild}` first")
    if not folder.is_dir():
        return ArtifactError(
            f"{folder}: is a file, and {wanted.noun} is a folder; run `{wanted.rebuild}` first, and name its"
            " folder"
        )
    if os.path.lexists(folder / NAME):
        return ArtifactError(
            f"{folder}: {wanted.noun} is not complete (unreadable {NAME}); remove the folder, and run"
            f" `{wanted.rebuild}`"
        )
    return ArtifactError(f"{folder}: {wanted.noun} is not complete (no {NAME}); run `{wanted.rebuild}` first")


def read_any_manifest(folder: Path) -> Manifest:
    """Read the manifest of an artifact of any kind.

    Raises:
        ArtifactError: as `read_manifest`.
    """
    found = outline(folder)
    known = KINDS.get(found.kind) if found else None
    return read_manifest(folder, known or ExportManifest)


def _row(folder: Path) -> dict[str, Any] | None:
    try:
        row = read_json(folder / NAME)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return row if "densecli" in row else None


def _kind(folder: Path, row: Mapping[str, Any]) -> str:
    """Return the kind of an artifact. Schema 1 did not store it: command and model config show it."""
    if "format_version" in row:
        kind = row.get("kind")
        return kind if isinstance(kind, str) and kind in KINDS else ""
    command, facts = row.get("command"), row.get("facts")
    if command == "index":
        return "bm25" if isinstance(facts, dict) and facts.get("kind") == "bm25" else "index"
    if command in ("train", "train-reader", "convert"):
        try:
            kind = read_json(folder / MODEL_CARD).get("kind")
        except (OSError, ValueError):
            kind = None
        if kind in ("retriever", "reader"):
            return str(kind)
    first = {
        "preprocess": "passages", "mine-negatives": "examples", "embed": "vectors", "train": "retriever",
        "train-reader": "reader", "convert": "export",
    }  # fmt: skip
    return first.get(command, "") if isinstance(command, str) else ""


@dataclass(frozen=True)
class _Row:
    """The parts of `manifest.json` that all kinds have, in both versions."""

    fingerprint: str
    command: str = ""
    densecli: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[Input, ...] = ()
    parents: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    timing: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Any] | None = None


def _from_row(kind: type[M], row: Mapping[str, Any]) -> M:
    """Build a manifest of a kind from the content of its file.

    Raises:
        ValueError: something is missing or of another type.
    """
    parts = from_json(_Row, row, NAME)
    config, command = parts.config, parts.command
    if "format_version" not in row and "to" in config:
        command = "convert"  # in schema 1 converted vectors had the command that they stood for
    # stored names that would clash with a common field or a parent
    facts = {RENAMED.get(kind.kind, {}).get(name, name): value for name, value in parts.facts.items()}
    if kind is RetrieverManifest and "temperature" in config:
        facts.setdefault("temperature", config["temperature"])
    own = {**facts, **{name: value for name, value in parts.parents.items() if name in kind.parents}}
    if "steps" in parts.facts:
        own["training"] = parts.facts
    values = {
        **{name: value for name, value in own.items() if name not in COMMON},
        "fingerprint": parts.fingerprint,
        "counts": parts.counts,
        "files": None if parts.files is None else {n: _file_row(one) for n, one in parts.files.items()},
    }
    made = Made(
        parts.densecli,
        parts.versions,
        str(parts.timing.get("finished", "")),
        from_json(_Seconds, dict(parts.timing), "timing").seconds,
    )
    found = replace(from_json(kind, values, NAME), recipe=Recipe(command, config, parts.inputs), made=made)
    found.check()
    return found


@dataclass(frozen=True)
class _Seconds:
    seconds: float = 0.0


def _file_row(entry: Any) -> Any:
    return {"bytes": entry} if isinstance(entry, int) else entry


def describe_input(path: str | Path) -> Input:
    """Return an input file, folder of files, or artifact.

    Standard input and pipes, which can be read only once, have no digest. That of a URL is of what its server
    says of the file.

    Raises:
        InputError: there is nothing at `path`.
    """
    place = Path(path)
    if is_remote(str(path)) and not place.exists():
        return Input(display_path(path), import_module("densecli.files.remote").remote_digest(str(path)))
    made = outline(place)
    if made is not None and made.kind == ExamplesManifest.kind and (place / EXAMPLES_FILE).is_file():
        # people edit it, and what is trained on is what it holds now
        return Input(display_path(path), digest_texts([digest_file(place / EXAMPLES_FILE)]))
    if made is not None:
        return Input(display_path(path), made.fingerprint)
    if place.is_dir():
        return describe_folder(path)
    return describe_file(path)


def describe_inputs(inputs: Iterable[str | Path | Input]) -> list[Input]:
    """Return inputs as `describe_input` does; inputs that are described already are returned unchanged."""
    return [one if isinstance(one, Input) else describe_input(one) for one in inputs]
