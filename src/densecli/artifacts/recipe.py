"""What an artifact is made from: the command, its settings, and its inputs by their digests."""

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from densecli.errors import InputError
from densecli.files.folders import visible_files
from densecli.files.names import display_path
from densecli.files.urls import is_remote, url_of

WITHIN = "WORKSPACE"
"""Stands for the folder of the workspace in the paths that a manifest holds."""
PACKAGE = Path(__file__).parent.parent
HUB = re.compile(r"models--(?P<owner>[^/]+?)--(?P<name>[^/]+)/snapshots/(?P<revision>[0-9a-f]{7,40})")


@dataclass(frozen=True)
class Input:
    """A file, folder or artifact that an artifact is made from.

    Attributes:
        path: the path as the user gave it.
        sha256: digest of the content; None where it can be read only once, as a pipe.
        bytes: size, of a file.
        role: what it is used for, where inputs of one kind are used in several ways: `train`, `dev`, `gold`
            or `exclude`. None in a manifest of an older version.
    """

    path: str
    sha256: str | None = None
    bytes: int | None = None
    role: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return `{path, bytes?, sha256?, role?}`."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def __str__(self) -> str:
        digest = "" if self.sha256 is None else f", sha256 {self.sha256[:8]}"
        return f"{self.path}{digest}{f' ({self.role})' if self.role else ''}"

    def is_same(self, other: "Input") -> bool:
        """Whether both have the same content and, where both are known, the same role."""
        # without a digest nobody can say whether it is the same input
        if self.sha256 is None or self.sha256 != other.sha256:
            return False
        return None in (self.role, other.role) or self.role == other.role


@dataclass(frozen=True)
class Recipe:
    """What an artifact is made from: two with the same recipe are the same.

    Attributes:
        command: which makes it.
        config: the settings by name.
        inputs: in order.
    """

    command: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[Input, ...] = ()

    @classmethod
    def of(
        cls, command: str, config: Any, inputs: Sequence[Input], workspace: Path | None = None
    ) -> "Recipe":
        """Return the recipe for a config dataclass. Its paths are as `shown_path` returns them."""
        settings = asdict(config)
        for name in _fields_with(config, "names_input"):
            if settings[name] is not None:
                settings[name] = shown_path(settings[name], workspace)
        shown = tuple(replace(one, path=shown_path(one.path, workspace)) for one in inputs)
        return cls(command, settings, shown)

    def differences(self, wanted: "Recipe", config: Any) -> list[str]:
        """Return in what an earlier piece of work, made from this recipe, differs from the one now wanted.

        A version without an option has not stored it: a setting that is missing has its default. Settings
        that do not affect the result are left out.

        Args:
            wanted: the recipe of today.
            config: the config dataclass whose settings these are.
        """
        defaults = {one.name: one.default for one in fields(config)}
        ignored = {*_fields_with(config, "names_input"), *_fields_with(config, "affects_result", False)}
        before, now = {**defaults, **self.config}, wanted.config
        found = [
            f"{name} was {_show(before.get(name))}, now {_show(now.get(name))}"
            for name in dict.fromkeys([*before, *now])
            if name not in ignored and before.get(name) != now.get(name)
        ]
        if self.command != wanted.command:
            found.insert(0, f"made by {self.command}, now by {wanted.command}")
        if len(self.inputs) != len(wanted.inputs):
            names = (", ".join(one.path for one in inputs) for inputs in (self.inputs, wanted.inputs))
            return [*found, "its inputs were {}, now {}".format(*names)]
        return found + [
            _describe_change(one, other)
            for one, other in zip(self.inputs, wanted.inputs, strict=True)
            if not one.is_same(other)
        ]

    @property
    def rereadable(self) -> bool:
        """Whether all inputs can be read again, to resume. Pipes and iterators have no digest."""
        return all(one.sha256 for one in self.inputs)

    def digest(self, config: Any) -> str:
        """Return the key of unfinished work: a digest of the inputs' digests and of the settings that differ
        from their defaults, so that a new option does not change it.

        Args:
            config: the config dataclass whose settings these are.
        """
        defaults = {one.name: one.default for one in fields(config)}
        ignored = {*_fields_with(config, "names_input"), *_fields_with(config, "affects_result", False)}
        chosen = sorted(
            f"{name}={value!r}"
            for name, value in self.config.items()
            if name not in ignored and value != defaults.get(name)
        )
        return digest_texts([self.command, *chosen, *(str(one.sha256) for one in self.inputs)])


def _fields_with(config: Any, name: str, value: bool = True) -> list[str]:
    """Return the fields of a config whose setting is marked."""
    return [one.name for one in fields(config) if getattr(one.metadata.get("setting"), name, None) is value]


def _show(value: Any) -> str:
    """Return a setting as messages show it: None means the default."""
    return "left to the default" if value is None else str(value)


def _describe_change(before: Input, now: Input) -> str:
    if not before.sha256 or not now.sha256:
        return f"its input {now.path} cannot be read twice to see whether it changed"
    return f"its input was {before}, now {now}"


def shown_path(path: str, workspace: Path | None = None) -> str:
    """Return a path as a manifest holds it, so that it can be shared: never absolute.

    A path in the workspace is relative to it. A model of the Hub has its name there, and one that ships with
    densecli its folder in the package. Another path stays as it is if it leads down from the working
    directory; of the others only the last name stays.
    """
    place = Path(path)
    hub = HUB.search(place.as_posix())
    if hub:
        return "{owner}/{name}@{revision}".format(**hub.groupdict())
    if "://" in path or is_remote(path):
        return _shown_url(path)
    above = place.is_absolute() or ".." in place.parts
    if workspace is not None and (above or os.path.lexists(place)):
        inside, root = Path(os.path.abspath(place)), Path(os.path.abspath(workspace))
        if inside.is_relative_to(root):
            return f"{WITHIN}/{inside.relative_to(root).as_posix()}".removesuffix("/.")
    if not above:
        return path
    if place.is_relative_to(PACKAGE):
        return place.relative_to(PACKAGE).as_posix()
    return Path(os.path.abspath(place)).name or WITHIN


def _shown_url(path: str) -> str:
    """Return a URL without passwords, signatures, and folders of this machine."""
    url = urlsplit(url_of(path))
    if url.scheme == "file":
        return PurePosixPath(url.path).name
    return urlunsplit((url.scheme, url.netloc.rpartition("@")[2], url.path, "", ""))


def digest_file(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest_texts(texts: Sequence[str]) -> str:
    """Return the SHA-256 of a sequence of texts, each preceded by its length."""
    total = hashlib.sha256()
    for text in texts:
        data = text.encode()
        # with the length, so that ["ab", "c"] and ["a", "bc"] differ
        total.update(b"%d:" % len(data) + data)
    return total.hexdigest()


def describe_folder(path: str | Path) -> Input:
    """Return a folder of files as an input: the digest of the names and contents of its visible files.

    What cannot be read counts as such: who reads the folder refuses it, or skips it.
    """
    place = Path(path)
    files = sorted(Path(entry.path) for entry in visible_files(place, lenient=True))
    names = [f"{display_path(file.relative_to(place))}={_digest_or_reason(file)}" for file in files]
    return Input(display_path(path), digest_texts(names))


def _digest_or_reason(file: Path) -> str:
    try:
        return digest_file(file)
    except OSError as error:
        return f"unreadable: {error.strerror}"


def describe_file(path: str | Path) -> Input:
    """Return a file as an input. Standard input and pipes, which can be read only once, have no digest.

    Raises:
        InputError: there is nothing at `path`.
    """
    place = Path(path)
    shown = display_path(path)
    if str(path) == "-" or place.is_fifo():
        return Input(shown)
    if not place.exists():
        raise InputError(path, None, "no such file", "an existing file, or - for stdin")
    return Input(shown, digest_file(place), place.stat().st_size)
