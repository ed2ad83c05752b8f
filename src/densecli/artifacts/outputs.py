"""What exists at the place of a result, and whether it may be replaced."""

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from densecli.artifacts.kinds import NAME
from densecli.artifacts.manifest import Outline, outline
from densecli.artifacts.tuned_file import TUNED
from densecli.artifacts.workspace import Workspace
from densecli.errors import ArtifactError, UsageError
from densecli.files.atomic import resolve_path
from densecli.files.lock import is_scratch
from densecli.files.names import display_path
from densecli.files.streams import STDIN

# Files that belong to an artifact although its manifest does not list them.
ADDED_LATER = {NAME, *TUNED}
# Made by the file managers of macOS and Windows wherever somebody looks into a folder.
LEFT_BY_SYSTEMS = {".DS_Store", "Thumbs.db"}
SHOWN = 3
STDOUT = 1
WRITERS = {
    "passages": {"preprocess"},
    "bm25": {"index"},
    "index": {"index", "convert"},
    "vectors": {"embed", "convert"},
    "retriever": {"train", "convert"},
    "reader": {"train-reader", "convert"},
    "examples": {"mine-negatives"},
}
"""What is in a workspace, and which commands write it."""
OUTPUTS = ("output", "plot", "report", "tensorboard")
INPUTS = (
    "base", "bm25", "config_file", "dev", "encoder", "exclude", "files", "gold", "index", "init", "joint",
    "negatives_from", "passages", "qrels", "question", "questions", "reader", "results", "retriever",
    "source", "sources", "tune", "tune_lambda", "vectors",
)  # fmt: skip
"""Arguments of all commands that name what is written and what is read."""
Identity = tuple[int, int]


def replaceable(place: Path, kind: str, shown: Path) -> Outline | None:
    """Return what can be said of the artifact at `place`, None where there is nothing.

    Args:
        place: resolved, as it will be written.
        kind: the kind of artifact that is to be written there.
        shown: the place as the user knows it, for messages.

    Raises:
        ArtifactError: what is there is not densecli's, or of another kind, or holds files that densecli did
            not make.
    """
    if not os.path.lexists(place) or (place.is_dir() and not any(place.iterdir())):
        return None
    found = outline(place)
    if found is None:
        raise ArtifactError(f"{shown}: exists and is not a result of densecli; choose another `output`")
    if found.kind != kind:
        raise ArtifactError(
            f"{shown}: is an artifact of kind {found.kind or 'unknown'}, and {kind} is to be written; choose"
            " another `output`"
        )
    strange = _strange_files(place, found)
    if strange:
        raise ArtifactError(
            f"{shown}: has files that densecli did not make ({', '.join(strange[:SHOWN])}"
            f"{', ...' * (len(strange) > SHOWN)}); move them away, or choose another `output`"
        )
    return found


def _strange_files(place: Path, found: Outline) -> list[str]:
    """Return the files that were added to a result later; results of old versions have no list of files."""
    if found.files is None:
        return []
    files = (
        path
        for path in place.rglob("*")
        # a file of λ or of a selection whose writing was interrupted lies in a folder beside it
        if (path.is_symlink() or not path.is_dir()) and not is_scratch(path.parent)
    )
    names = (
        display_path(path.relative_to(place).as_posix()) for path in files if path.name not in LEFT_BY_SYSTEMS
    )
    return sorted(set(names) - found.files - ADDED_LATER)


def check_output(command: str, output: Path, inputs: Iterable[str | Path], workspace: Workspace) -> None:
    """Refuse an output that is an input, that holds one, or that is a workspace's own.

    Args:
        command: which is to write it.
        output: a file or folder that the user named.
        inputs: what the command reads: paths, `NAME=FILE`, `-` for standard input. Names of
            anything else are ignored.
        workspace: the one at work.

    Raises:
        UsageError: it must not be written by this command.
    """
    place = resolve_path(output)
    own = _identity(place)
    for name in inputs:
        if own is not None and own in _identities_with_parents(name):
            raise UsageError(f"{output}: would take the place of its own input {name}; name another `output`")
    for folder in place.parents:
        if outline(folder) is not None or is_scratch(folder):
            raise UsageError(f"{output}: lies in {folder}, which is densecli's own; name an `output` outside")
    root = workspace.root.resolve()
    if place != root and not place.is_relative_to(root):
        return
    first = next(iter(place.relative_to(root).parts), "")
    if not first or first.startswith(".") or command not in WRITERS.get(first, {command}):
        raise UsageError(f"{output}: is a workspace's own, and not for {command}; name another `output`")
    if first == "data" and place.exists():
        raise UsageError(f"{output}: is one of the workspace's files of datasets; name another `output`")


def check_outputs(command: str, given: Mapping[str, Any], workspace: Workspace) -> None:
    """Refuse to write what is read, or what is another command's, and to read standard input twice.

    Args:
        command: which is to write.
        given: its arguments and settings by name.
        workspace: the one at work.

    Raises:
        UsageError: names it.
    """
    inputs = named_inputs(given)
    if sum(map(names_standard_input, inputs)) > 1:
        raise UsageError("standard input is named twice, and can be read only once")
    for output in filter(None, map(given.get, OUTPUTS)):
        if str(output) not in (STDIN, "/dev/stdout"):
            check_output(command, output, inputs, workspace)
    if str(given.get("output") or STDIN) in (STDIN, "/dev/stdout"):
        check_standard_output(inputs)


def names_standard_input(name: str | Path) -> bool:
    """Whether an input is standard input, also as `NAME=-`."""
    return not {STDIN, "/dev/stdin"}.isdisjoint(map(str, _paths(name)))


def named_inputs(given: Mapping[str, Any]) -> list[str | Path]:
    """Return the inputs among the arguments and settings of a command."""
    named = [given.get(name) for name in INPUTS]
    several = [value if isinstance(value, list) else [value] for value in named]
    return [one for value in several for one in value if isinstance(one, str | Path)]


def check_standard_output(inputs: Iterable[str | Path]) -> None:
    """Refuse to append what is read to the same file, without an end: `densecli ... FILE >> FILE`.

    Raises:
        UsageError: standard output goes into an input.
    """
    own = _identity(STDOUT)
    for name in inputs:
        if own is not None and own in _identities(name):
            raise UsageError(f"standard output goes into an input of this command ({name})")


def _identities_with_parents(name: str | Path) -> set[Identity]:
    found = _identities(name)
    if found and str(name) != STDIN:
        above = (parent for path in _paths(name) for parent in Path(path).resolve().parents)
        found |= {one for one in map(_identity, above) if one is not None}
    return found


def _identities(name: str | Path) -> set[Identity]:
    """Return which file or folder an input is, under each reading of its name."""
    places: list[str | Path | int] = [0] if str(name) == STDIN else [*_paths(name)]
    return {one for one in map(_identity, places) if one is not None}


def _paths(name: str | Path) -> list[str | Path]:
    _, equals, rest = str(name).partition("=")
    return [name, rest] if equals else [name]


def _identity(place: str | Path | int) -> Identity | None:
    """Return what identifies a file or folder under all its names; None for anything else."""
    try:
        # by device and inode: links, `..` and the case of letters give one file many names
        found = os.stat(place)
    except (OSError, ValueError):
        return None
    plain = stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)
    return (found.st_dev, found.st_ino) if plain else None
