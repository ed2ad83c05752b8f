"""Making an artifact folder: refuse, skip, or write it whole with its manifest last."""

import functools
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ParamSpec

from densecli.artifacts.manifest import Manifest, describe_input, digest_file, digest_texts, read_row
from densecli.artifacts.outputs import replaceable
from densecli.artifacts.workspace import NAME, Workspace
from densecli.counts import format_counts
from densecli.errors import ArtifactError, UpToDate
from densecli.files.atomic import finish, new_folder, remove, resolved, sync_tree
from densecli.files.names import require_utf8_name
from densecli.observer import Observer

P = ParamSpec("P")


@dataclass(frozen=True)
class Artifact:
    """A folder that a function of densecli made, or found to be up to date."""

    folder: Path
    up_to_date: bool = False


def returns_artifact(make: Callable[P, Path]) -> Callable[P, Artifact]:
    """Wrap a function that returns the folder it made or raises UpToDate: return an Artifact."""

    @functools.wraps(make)
    def call(*args: P.args, **settings: P.kwargs) -> Artifact:
        try:
            return Artifact(make(*args, **settings))
        except UpToDate as done:
            return Artifact(done.folder, up_to_date=True)

    return call


@dataclass
class Building:
    """An artefact in the making. The body fills in what the manifest tells of it."""

    folder: Path
    inputs: Sequence[Mapping[str, Any]] = ()
    counts: Counter[str] = field(default_factory=Counter)
    fingerprint: str = ""
    parents: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    def seal(self, *names: str) -> None:
        """Take the content of some of its files as the artefact's fingerprint."""
        self.fingerprint = digest_texts([digest_file(self.folder / name) for name in names])


@contextmanager
def building(
    command: str,
    target: Path,
    config: Any,
    inputs: Sequence[str | Path | Mapping[str, Any]],
    force: bool,
    observer: Observer,
    keep_partial: bool = False,
    scratch: Sequence[str] = (),
    home: Workspace | None = None,
) -> Iterator[Building]:
    """Yield the artefact to fill; on a good end it takes the place of `target`.

    Args:
        command: whose artefact it is.
        target: where it goes. A link is followed once: what is checked is what is written.
        config: the settings.
        inputs: each a path, or where it is none its description for the manifest: a `path` and a `sha256` to
            know it again by.
        force: whether an artefact from other inputs or settings is replaced.
        observer: receives messages.
        keep_partial: whether what an interrupted run left is kept for the next one.
        scratch: names in it from which an interrupted run resumes; they go when the artefact is whole.
        home: the workspace. In one that was found above the working directory, `force` replaces nothing.

    Raises:
        UpToDate: `target` was made by the same command from the same inputs and settings.
        ArtifactError: it was built with different settings and `force` is off, or is no artifact.
        UsageError: its name is not UTF-8.
    """
    place = resolved(target)
    require_utf8_name(target)
    settings, defaults = asdict(config), field_defaults(config)
    described = [one if isinstance(one, Mapping) else describe_input(one) for one in inputs]

    def check() -> None:
        try:
            _check_target(command, place, target, settings, described, force, home, defaults)
        except UpToDate as done:
            observer.message(str(done))
            raise

    def check_kind(old: Path) -> None:
        replaceable(old, command, target)

    def is_whole(work: Path) -> bool:
        row = read_row(work)
        if row is None:
            return False
        made = row.get("config", {}), row.get("inputs", [])
        same = row.get("command") == command and not changes(*made, settings, described, defaults)
        for path in [work / name for name in scratch] if same else [work]:
            remove(path)
        return same

    check()
    begun = time.monotonic()
    if finish(place, is_whole, check_kind):
        observer.message(f"{target}: put in place what an interrupted run had finished")
        raise UpToDate(target)
    with new_folder(place, check_kind, keep_partial) as folder:
        check()  # again under the lock: another run may just have ended
        build = Building(folder, described)
        yield build
        seconds = time.monotonic() - begun
        sync_tree(folder)  # before there is a manifest, which says that all else is there
        Manifest(
            command=command,
            config=settings,
            fingerprint=build.fingerprint,
            inputs=described,
            parents=build.parents,
            counts=build.counts,
            facts=build.facts,
            timing={
                "finished": datetime.now(UTC).isoformat(timespec="seconds"),
                "seconds": round(seconds, 3),
            },
        ).write(folder, without=scratch)
        for name in scratch:
            remove(folder / name)
    observer.message(f"{target}: {format_counts(build.counts) or 'done'} ({seconds:.1f} s)")


def _check_target(
    command: str,
    place: Path,
    target: Path,
    settings: Mapping[str, Any],
    described: Sequence[Mapping[str, Any]],
    force: bool,
    home: Workspace | None,
    defaults: Mapping[str, Any],
) -> None:
    row = replaceable(place, command, target)
    above = home if home and home.above and place.is_relative_to(home.root.resolve()) else None
    if row is None or (force and above is None):
        return
    made = Manifest.read(place, "the earlier result", f"densecli {command}")
    found = changes(made.config, made.inputs, settings, described, defaults)
    if found and above is not None:
        raise ArtifactError(
            f"{target}: built differently ({'; '.join(found[:3])}) in a folder above; name -w {NAME}"
            f" for a workspace here, or -w {above.root} and --force to replace it"
        )
    if force:
        return
    if found:
        raise ArtifactError(f"{target}: built differently ({'; '.join(found[:3])}); rebuild with --force")
    raise UpToDate(target)


def changes(
    config: Mapping[str, Any],
    inputs: Sequence[Mapping[str, Any]],
    settings: Mapping[str, Any],
    described: Sequence[Mapping[str, Any]],
    defaults: Mapping[str, Any] | None = None,
) -> list[str]:
    """Return in which settings and inputs an earlier piece of work differs from the one now asked for.

    Args:
        config: its settings. A version without an option has not stored it: what is missing has its default.
        inputs: its inputs.
        settings: the settings now asked for.
        described: the inputs now given.
        defaults: from `field_defaults`.
    """
    config = {**(defaults or {}), **config}
    names = dict.fromkeys([*config, *settings])
    found = [
        f"{name} was {_told(config.get(name))}, now {_told(settings.get(name))}"
        for name in names
        if config.get(name) != settings.get(name)
    ]
    if len(inputs) != len(described):
        before, now = (", ".join(row["path"] for row in rows) for rows in (inputs, described))
        return [*found, f"its inputs were {before}, now {now}"]
    return found + [
        _input_changed(one, other)
        for one, other in zip(inputs, described, strict=True)
        if one.get("sha256") != other.get("sha256") or one.get("sha256") is None
    ]


def _told(value: Any) -> str:
    """Return a setting as messages tell it: one that is None takes what fits the work."""
    return "left to the default" if value is None else str(value)


def field_defaults(config: Any) -> dict[str, Any]:
    """Return the defaults of the fields of a config."""
    return {one.name: one.default for one in fields(config)}


def _input_changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    if not before.get("sha256") or not now.get("sha256"):
        return f"its input {now['path']} cannot be read twice to see whether it changed"
    return f"its input was {_known_by(before)}, now {_known_by(now)}"


def _known_by(described: Mapping[str, Any]) -> str:
    return f"{described['path']}, sha256 {described['sha256'][:8]}"
