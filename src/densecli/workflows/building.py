"""Making an artifact folder: refuse, skip, or write it whole with its manifest last."""

import functools
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ParamSpec

from densecli.counts import listed
from densecli.errors import ArtifactError, UpToDate
from densecli.io.atomic import new_folder
from densecli.io.manifest import Manifest, describe_input, digest_file, digest_texts, read_row
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
) -> Iterator[Building]:
    """Yield the artefact to fill; on a good end it takes the place of `target`.

    An input is a path, or where it is none its description for the manifest: a `path` and a `sha256` to know
    it again by.

    Raises:
        UpToDate: `target` was made by the same command from the same inputs and settings.
        ArtifactError: it was made otherwise and `force` is off, or it is no artefact of ours.
    """
    settings = asdict(config)
    described = [one if isinstance(one, Mapping) else describe_input(one) for one in inputs]

    def check() -> None:
        try:
            _check_target(command, target, settings, described, force)
        except UpToDate as done:
            observer.message(str(done))
            raise

    check()
    begun = time.monotonic()
    with new_folder(target, keep_partial) as folder:
        check()  # again under the lock: another run may just have ended
        build = Building(folder, described)
        yield build
        seconds = time.monotonic() - begun
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
        ).write(folder)
    observer.message(f"{target}: {listed(build.counts) or 'done'} ({seconds:.1f} s)")


def _check_target(
    command: str,
    target: Path,
    settings: Mapping[str, Any],
    described: Sequence[Mapping[str, Any]],
    force: bool,
) -> None:
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    row = read_row(target)
    if row is None:
        raise ArtifactError(f"{target}: exists and is not a result of densecli; choose another --output")
    if row.get("command") != command:
        raise ArtifactError(
            f"{target}: is a result of `densecli {row.get('command')}`; choose another --output"
        )
    if force:
        return
    made = Manifest.read(target, "the earlier result", f"densecli {command}")
    found = changes(made.config, made.inputs, settings, described)
    if found:
        raise ArtifactError(f"{target}: made otherwise ({'; '.join(found[:3])}); --force replaces it")
    raise UpToDate(target)


def changes(
    config: Mapping[str, Any],
    inputs: Sequence[Mapping[str, Any]],
    settings: Mapping[str, Any],
    described: Sequence[Mapping[str, Any]],
) -> list[str]:
    """Return in which settings and inputs an earlier piece of work differs from the one now asked for."""
    names = dict.fromkeys([*config, *settings])
    found = [
        f"{name} was {config.get(name)}, now {settings.get(name)}"
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


def _input_changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    if not before.get("sha256") or not now.get("sha256"):
        return f"its input {now['path']} cannot be read twice to see whether it changed"
    return f"its input was {_known_by(before)}, now {_known_by(now)}"


def _known_by(described: Mapping[str, Any]) -> str:
    return f"{described['path']}, sha256 {described['sha256'][:8]}"
