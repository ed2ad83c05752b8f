"""Making an artifact folder: refuse, skip, or write it whole with its manifest last."""

import functools
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec

from densecli.artifacts.kinds import Made, Manifest
from densecli.artifacts.manifest import describe_inputs, outline, read_manifest
from densecli.artifacts.outputs import replaceable
from densecli.artifacts.recipe import Input, Recipe, digest_file, digest_texts
from densecli.artifacts.workspace import NAME, Workspace
from densecli.counts import format_counts
from densecli.errors import ArtifactError, UpToDate
from densecli.files.atomic import finish, new_folder, remove, resolve_path, settle, sync_tree
from densecli.files.names import require_utf8_name
from densecli.observer import Observer

P = ParamSpec("P")
SHOWN = 3
CHECKPOINT = "checkpoint"
"""What a training resumes from, in its unfinished folder: hours of work, which only `force` removes."""


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
    """An artifact that is being made.

    Attributes:
        folder: the folder to fill.
        recipe: what it is made from.
        config: the settings.
        counts: the counts to fill.
        manifest: to be set by the caller, without recipe, counts, time and files, which are filled in here.
    """

    folder: Path
    recipe: Recipe
    config: Any
    counts: Counter[str] = field(default_factory=Counter)
    manifest: Manifest | None = None

    @property
    def plan(self) -> str:
        """The key of unfinished work, by which a later run recognizes it."""
        return self.recipe.digest(self.config)

    def digest(self, *names: str) -> str:
        """Return a fingerprint of the content of some of its files."""
        return digest_texts([digest_file(self.folder / name) for name in names])


@contextmanager
def building(
    kind: type[Manifest],
    command: str,
    target: Path,
    config: Any,
    inputs: Sequence[str | Path | Input],
    force: bool,
    observer: Observer,
    keep_partial: bool = False,
    scratch: Sequence[str] = (),
    home: Workspace | None = None,
) -> Iterator[Building]:
    """Yield the artifact to fill; when the block ends well, it takes the place of `target`.

    Args:
        kind: the kind of artifact.
        command: which makes it.
        target: where it goes. A link is followed once: what is checked is what is written.
        config: the settings, a config dataclass.
        inputs: paths, or inputs that are described already.
        force: whether an artifact from other inputs or settings is replaced.
        observer: receives messages.
        keep_partial: whether the next run resumes from what an interrupted one left.
        scratch: names in it from which an interrupted run resumes; removed when the artifact is whole.
        home: the workspace. In one that was found above the working directory, `force` replaces nothing.

    Raises:
        UpToDate: `target` was made by the same command from the same inputs and settings.
        ArtifactError: it was built with different settings and `force` is off, or is no such artifact.
        UsageError: its name is not UTF-8.
    """
    # followed once: a link that is changed meanwhile must not lead the result elsewhere
    place = resolve_path(target)
    require_utf8_name(target)
    recipe = Recipe.of(command, config, describe_inputs(inputs), None if home is None else home.root)

    def check() -> None:
        try:
            _check_target(kind, place, target, recipe, config, force, home)
        except UpToDate as done:
            observer.message(str(done))
            settle(place)
            raise

    def check_kind(old: Path) -> None:
        replaceable(old, kind.kind, target)

    def is_whole(work: Path) -> bool:
        if outline(work) is None:
            return False
        try:
            same = not read_manifest(work, kind).recipe.differences(recipe, config)
        except ArtifactError:  # of another kind or version, so it cannot be resumed
            same = False
        for path in [work / name for name in scratch] if same else [work]:
            remove(path)
        return same

    check()
    begun = time.monotonic()
    # a run can be killed between its manifest and the exchange with the old artifact
    if finish(place, is_whole, check_kind):
        observer.message(f"{target}: put in place what an interrupted run had finished")
        raise UpToDate(target)
    keep = partial(_keep_training, target, force or CHECKPOINT in scratch)
    with new_folder(place, check_kind, keep_partial, keep) as folder:
        check()  # again under the lock: another run may just have ended
        build = Building(folder, recipe, config)
        yield build
        assert build.manifest is not None, "who fills an artifact sets its manifest"
        seconds = time.monotonic() - begun
        sync_tree(folder)  # before the manifest is written, which says that everything else is on the disk
        whole = replace(build.manifest, recipe=recipe, counts=dict(build.counts), made=Made.now(seconds))
        whole.write(folder, without=scratch)
        for name in scratch:
            remove(folder / name)
    observer.message(f"{target}: {format_counts(build.counts) or 'done'} ({seconds:.1f} s)")


def _keep_training(target: Path, handled: bool, work: Path) -> None:
    """Refuse to remove an interrupted training, unless the caller keeps it or it may be removed."""
    if not handled and (work / CHECKPOINT).exists():
        raise ArtifactError(
            f"{target}: an interrupted training can resume there; resume it, or use `force` to remove it"
        )


def _check_target(
    kind: type[Manifest],
    place: Path,
    target: Path,
    recipe: Recipe,
    config: Any,
    force: bool,
    home: Workspace | None,
) -> None:
    found = replaceable(place, kind.kind, target)
    above = home if home and home.above and place.is_relative_to(home.root.resolve()) else None
    if found is None or (force and above is None):
        return
    odd = read_manifest(place, kind).recipe.differences(recipe, config)
    shown = "; ".join(odd[:SHOWN])
    if odd and above is not None:
        raise ArtifactError(
            f"{target}: built differently ({shown}) in a folder above; name -w {NAME} for a workspace here,"
            f" or `workspace` {above.root} and `force` to replace it"
        )
    if force:
        return
    if odd:
        raise ArtifactError(f"{target}: built differently ({shown}); rebuild with `force`")
    raise UpToDate(target)
