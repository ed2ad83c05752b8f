"""The state of a workspace: which artifacts it has, whether they fit together, and what to run next."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from densecli.artifacts.fusion_weight import FusionWeight
from densecli.artifacts.kinds import (
    Bm25Manifest,
    ExamplesManifest,
    IndexManifest,
    Manifest,
    PassagesManifest,
    ReaderManifest,
    RetrieverManifest,
    VectorsManifest,
)
from densecli.artifacts.manifest import describe_input, outline, read_any_manifest
from densecli.artifacts.recipe import WITHIN
from densecli.artifacts.verify import Check, check_digests, check_sizes, size_of
from densecli.artifacts.workspace import Workspace, find_workspace
from densecli.configs.resolve import resolve_config
from densecli.configs.status import StatusConfig
from densecli.errors import ArtifactError
from densecli.files.atomic import partial_of
from densecli.files.lock import is_scratch, scratch_of
from densecli.models.folder import fingerprint, passage_fingerprint
from densecli.observer import SILENT, Observer
from densecli.reader.tuned import StoredSelection
from densecli.report.text_table import TextTable
from densecli.workflows.rebuilding import rebuild_command

UP_TO_DATE, STALE, DAMAGED, UNFINISHED = "up to date", "stale", "damaged", "unfinished"
PLACES: dict[str, type[Manifest]] = {
    "passages": PassagesManifest,
    "bm25": Bm25Manifest,
    "retriever": RetrieverManifest,
    "vectors": VectorsManifest,
    "index": IndexManifest,
    "reader": ReaderManifest,
}
"""The folders of a workspace in the order in which they are made, and what each holds."""
COUNTS = {"passages": "passages", "bm25": "passages", "index": "vectors", "examples": "examples"}
"""The count of each kind that says how large it is."""


@dataclass(frozen=True)
class ArtifactStatus:
    """One artifact of a workspace.

    Attributes:
        name: of its folder in the workspace.
        kind: such as `passages`; empty if unknown.
        state: `up to date`, `stale`, `damaged` or `unfinished`.
        items: passages, vectors or examples in it; None for a model.
        bytes: size of its files.
        finished: when it was made, in UTC.
        command: which made it.
        reason: why it is not up to date.
        next: the command that makes it so; empty if it is.
        unverified: after a verification, files whose digests nobody stored.
    """

    name: str
    kind: str
    state: str
    items: int | None = None
    bytes: int = 0
    finished: str = ""
    command: str = ""
    reason: str = ""
    next: str = ""
    unverified: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return its fields."""
        return asdict(self)


@dataclass(frozen=True)
class WorkspaceStatus:
    """The artifacts of a workspace, and what to run next."""

    folder: Path
    artifacts: tuple[ArtifactStatus, ...]
    next: str

    @property
    def damaged(self) -> tuple[ArtifactStatus, ...]:
        """Those that are damaged."""
        return tuple(one for one in self.artifacts if one.state == DAMAGED)

    @property
    def problems(self) -> list[str]:
        """What is wrong with each artifact and what to run, in one line each."""
        lines = []
        for one in self.artifacts:
            if one.reason:
                again = f"; run `{one.next}`" if one.next else ""
                lines.append(f"{one.name}: {one.state}: {one.reason}{again}")
        unverified = sum(one.unverified or 0 for one in self.artifacts)
        if unverified:
            why = "the version that made them stored no digests"
            lines.append(f"warning: {unverified:,} files cannot be verified: {why}")
        return lines

    def table(self) -> TextTable:
        """Return a row for each artifact."""
        rows = [
            [
                one.name,
                one.kind,
                "-" if one.items is None else f"{one.items:,}",
                _size(one.bytes),
                one.finished[:10],
                one.state,
            ]
            for one in self.artifacts
        ]
        return TextTable(["artifact", "kind", "items", "size", "made", "state"], rows)


def status(
    workspace: Workspace | Path | str | None = None,
    *,
    config: StatusConfig | None = None,
    observer: Observer = SILENT,
    **settings: Any,
) -> WorkspaceStatus:
    """Return which artifacts a workspace has, whether they are up to date, and what to run next.

    Names and sizes of files are compared with the manifests in any case.

    Args:
        workspace: its folder; by default the nearest `.densecli`.
        config: whether to verify.
        observer: receives progress.
        **settings: fields of StatusConfig: `verify=True` reads all files and compares their digests.

    Raises:
        ArtifactError: a workspace is named, and there is none.

    Example:
        >>> status("nq").next
        'densecli embed'
    """
    config = resolve_config(StatusConfig, "status", config, settings)
    home = find_workspace(workspace)
    if home.named and not home.root.is_dir():
        raise ArtifactError(f"{home.root}: no such workspace; make one with `densecli preprocess CORPUS`")
    manifests: dict[str, Manifest] = {}
    found: dict[str, ArtifactStatus] = {}
    names = _names(home)  # once: another command may be making more
    for name in names:
        try:
            manifests[name] = read_any_manifest(home.root / name)
        except ArtifactError as error:
            found[name] = _unreadable(home, name, error)
    for name in list(manifests):
        found[name] = _examine(home, name, manifests, config.verify, observer)
        if found[name].state == DAMAGED and _was_replaced(home, name, manifests):
            found[name] = _examine(home, name, manifests, config.verify, observer)
    rows = [found[name] for name in names]
    rows += [_describe_unfinished(home, name) for name in _growing(home)]
    return WorkspaceStatus(home.root, tuple(rows), _next(home, rows))


def _names(home: Workspace) -> list[str]:
    """Return the folders that are artifacts, or should be, in the order in which they are made."""
    if not home.root.is_dir():
        return []
    usual = [name for name in PLACES if (home.root / name).exists()]
    sets = sorted(path.name for path in home.examples.glob("*") if path.is_dir() and path.name[0] != ".")
    others = sorted(
        path.name
        for path in home.root.iterdir()
        if path.name not in PLACES and path.name[0] != "." and path.is_dir() and outline(path) is not None
    )
    place = usual.index("bm25") + 1 if "bm25" in usual else min(1, len(usual))
    return [*usual[:place], *(f"examples/{name}" for name in sets), *usual[place:], *others]


def _growing(home: Workspace) -> Iterator[str]:
    """Yield the names of artifacts that an interrupted run has left unfinished, or that are being made."""
    for folder in (home.root, home.examples):
        for path in sorted(folder.glob(".*.partial")):
            name = path.name.removeprefix(".").removesuffix(".partial")
            target = folder / name
            if is_scratch(scratch_of(target)) and any(partial_of(target).glob("*")):
                yield target.relative_to(home.root).as_posix()


def _kind_of_place(name: str) -> str:
    """Return the kind of artifact that a folder of a workspace has by its name; empty if any may be there."""
    return PLACES[name].kind if name in PLACES else "examples" * name.startswith("examples/")


def _unreadable(home: Workspace, name: str, error: ArtifactError) -> ArtifactStatus:
    kind = _kind_of_place(name)
    size = size_of(home.root / name)
    return ArtifactStatus(
        name, kind, DAMAGED, bytes=size, reason=str(error), next=rebuild_command(kind, home, name)
    )


def _describe_unfinished(home: Workspace, name: str) -> ArtifactStatus:
    folder, kind = partial_of(home.root / name), _kind_of_place(name)
    return ArtifactStatus(
        name,
        kind,
        UNFINISHED,
        bytes=size_of(folder),
        reason="is being made, or its run was interrupted",
        next=rebuild_command(kind, home, name, force=False),
    )


def _examine(
    home: Workspace,
    name: str,
    manifests: dict[str, Manifest],
    verify: bool,
    observer: Observer,
) -> ArtifactStatus:
    folder, manifest, check = home.root / name, manifests[name], Check()
    check_sizes(folder, manifest, check)
    _check_tuned(folder, manifest, check)
    if verify:
        total = len(manifest.files or ()) or None
        for _ in observer.progress(check_digests(folder, manifest, check), f"verify {name}", total, "files "):
            pass
        _check_model(folder, manifest, check)
    stale = _stale(home, manifest, manifests)
    state = DAMAGED if check.problems else STALE if stale else UP_TO_DATE
    items = manifest.rows if isinstance(manifest, VectorsManifest) else None
    return ArtifactStatus(
        name,
        manifest.kind,
        state,
        manifest.counts.get(COUNTS.get(manifest.kind, ""), items),
        size_of(folder),
        manifest.made.finished,
        manifest.recipe.command,
        "; ".join(check.problems or stale),
        rebuild_command(manifest.kind, home, name, manifest) if check.problems or stale else "",
        check.unverified if verify else None,
    )


def _was_replaced(home: Workspace, name: str, manifests: dict[str, Manifest]) -> bool:
    """Take the manifest of an artifact that another command has replaced since it was read."""
    with suppress(ArtifactError):
        now = read_any_manifest(home.root / name)
        if now != manifests[name]:
            manifests[name] = now
            return True
    return False


def _check_tuned(folder: Path, manifest: Manifest, check: Check) -> None:
    """Note a damaged file of tuned settings, which is added later and so has no digest in the manifest."""
    try:
        if isinstance(manifest, IndexManifest):
            FusionWeight.read(folder)
        elif isinstance(manifest, ReaderManifest):
            StoredSelection.read(folder)
    except ArtifactError as error:
        check.problems.append(str(error))


def _check_model(folder: Path, manifest: Manifest, check: Check) -> None:
    """Note a model that is not the one of its manifest: its fingerprint is a digest of its files."""
    if isinstance(manifest, RetrieverManifest | ReaderManifest) and not check.problems:
        try:
            same = fingerprint(folder) == manifest.fingerprint
        except ArtifactError as error:
            check.problems.append(str(error))
        else:
            if not same:
                check.problems.append("the model is not the one of its manifest")


def _stale(home: Workspace, manifest: Manifest, others: dict[str, Manifest]) -> list[str]:
    """Return why an artifact does not belong to what the workspace has now."""
    found = []
    passages, vectors = others.get("passages"), others.get("vectors")
    belongs = getattr(manifest, "passages", "")
    if passages is not None and belongs and belongs != passages.fingerprint:
        found.append("it was made over other passages")
    if isinstance(manifest, VectorsManifest):
        found += _of_another_retriever(home, manifest)
    if isinstance(manifest, IndexManifest) and vectors is not None and manifest.vectors:
        found += ["it was made of other vectors"] if manifest.vectors != vectors.fingerprint else []
    for one in manifest.recipe.inputs:
        name = one.path.removeprefix(f"{WITHIN}/")
        now = others.get(name) if name != one.path else None
        is_tower = isinstance(manifest, VectorsManifest) and isinstance(now, RetrieverManifest)
        if now is None or is_tower or not one.sha256 or one.sha256 == now.fingerprint:
            continue
        # people edit sets of examples; read only here, since it may take long
        if not isinstance(now, ExamplesManifest) or one.sha256 != describe_input(home.root / name).sha256:
            found.append(f"its input {name} has changed")
    return found[:1]


def _of_another_retriever(home: Workspace, manifest: VectorsManifest) -> list[str]:
    if not home.retriever.exists():
        return []
    try:
        same = fingerprint(home.retriever) == manifest.retriever
        same = same or passage_fingerprint(home.retriever) == manifest.passage_tower
    except ArtifactError:
        return []
    return [] if same else ["it was made by another retriever than the workspace's"]


def _next(home: Workspace, rows: list[ArtifactStatus]) -> str:
    """Return what to run next for the whole workspace."""
    states = {one.name: one for one in rows if one.state != UNFINISHED}
    needed = ("passages", "bm25") if "index" in states else ("passages", "bm25", "vectors", "index")
    missing = [name for name in needed if name not in states]
    if missing[:1] == ["passages"]:
        return "densecli preprocess CORPUS"
    wrong = next((one.next for one in rows if one.state in (DAMAGED, STALE, UNFINISHED) and one.next), "")
    if wrong:
        return wrong
    return PLACES[missing[0]].rebuild if missing else "densecli search QUESTION"


def _size(value: float) -> str:
    """Return a number of bytes for people, such as `1.5 GB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"
