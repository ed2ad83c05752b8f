"""Indexing: vectors to a dense index, or words to a BM25 index."""

from pathlib import Path
from typing import Any

from densecli.artifacts.building import building, returns_artifact
from densecli.artifacts.fusion_weight import FusionWeight
from densecli.artifacts.kinds import Bm25Manifest, IndexManifest, VectorsManifest
from densecli.artifacts.manifest import read_manifest
from densecli.artifacts.passages.store import PassageStore
from densecli.artifacts.recipe import digest_texts
from densecli.artifacts.tuned_file import FUSION
from densecli.artifacts.vectors import VectorStore
from densecli.artifacts.workspace import Workspace, find_workspace
from densecli.configs.corpus import IndexConfig
from densecli.configs.resolve import resolve_config
from densecli.errors import ArtifactError, UsageError
from densecli.observer import SILENT, Observer
from densecli.workflows.engines import check_passages


@returns_artifact
def index(
    *,
    workspace: Workspace | Path | str | None = None,
    vectors: Path | None = None,
    passages: Path | None = None,
    output: Path | None = None,
    workers: int | None = None,
    force: bool = False,
    config: IndexConfig | None = None,
    observer: Observer = SILENT,
    **settings: Any,
) -> Path:
    """Build a flat, HNSW or BM25 index.

    Args:
        workspace: its folder; by default the nearest `.densecli`.
        vectors: vectors, in place of the workspace's, for flat and HNSW.
        passages: passage store, in place of the workspace's, for BM25.
        output: folder to write; by default `index` or `bm25` in the workspace.
        workers: processes that index words; by default one for each core.
        force: rebuild an index that was made from other inputs or with other settings.
        config: the kind of index and its settings.
        observer: receives messages and progress.
        **settings: fields of IndexConfig, such as `kind="bm25"`.

    Returns:
        The folder of the index.

    Raises:
        ArtifactError: vectors or passages are missing or do not fit, or the output was made from other inputs
            or settings and `force` is off.
        UsageError: a setting has no effect on such an index.

    Example:
        >>> index(workspace="nq", kind="bm25")
        Artifact(folder=PosixPath('nq/bm25'), up_to_date=False)
    """
    config = resolve_config(IndexConfig, "index", config, settings)
    home = find_workspace(workspace)
    if config.kind == "bm25":
        if vectors is not None:
            raise UsageError("`vectors` has no effect with `kind=bm25`, which indexes words")
        target = output or home.bm25
        build_bm25_index(passages or home.passages, target, config, force, workers, observer, home)
        return target
    if workers is not None:
        raise UsageError("`workers` has an effect only with `kind=bm25`; dense kinds use all cores")
    if passages is not None:
        raise UsageError("`passages` has an effect only with `kind=bm25`; dense kinds index vectors")
    store = VectorStore.open(vectors or home.vectors)
    if vectors is None and home.passages.exists():
        check_passages(
            store.folder,
            store.manifest.passages,
            PassageStore.open(home.passages),
            "`densecli embed --force`",
        )
    target = output or home.index
    build_dense_index(store, target, config, force, observer, home)
    return target


def _tuned_weight(index: Path) -> bytes | None:
    """Return the file of the λ that is stored with an index, None where there is none or it is damaged."""
    try:
        if FusionWeight.read(index) is None or (index / FUSION).is_symlink():
            return None
    except ArtifactError:
        return None
    return (index / FUSION).read_bytes()


def build_dense_index(
    store: VectorStore, target: Path, config: IndexConfig, force: bool, observer: Observer, home: Workspace
) -> None:
    """Build the flat or HNSW index of vectors.

    Raises:
        ArtifactError: the vectors are damaged, or the output was made from other inputs
            or settings and `force` is off.
    """
    # λ belongs to retriever and BM25 index, not to the structure
    tuned = _tuned_weight(target)
    with building(
        IndexManifest, "index", target, config, [store.folder], force, observer, home=home
    ) as build:
        from densecli.dense.copies import FILE as COPIES
        from densecli.dense.index import BATCH, FILE  # FAISS: not for "up to date"
        from densecli.dense.index import build as build_index

        batches = -(-store.shape[0] // BATCH)
        built = build_index(store, config, build.folder)
        for rows in observer.progress(built, f"index {config.kind}", batches):
            build.counts["vectors"] = rows
        # files are opened one after the other, so two models' vectors could be mixed
        if read_manifest(store.folder, VectorsManifest).fingerprint != store.manifest.fingerprint:
            raise ArtifactError(
                f"{store.folder}: was replaced while it was indexed; run the same command again"
            )
        build.manifest = IndexManifest(
            fingerprint=build.digest(*(name for name in (FILE, COPIES) if (build.folder / name).is_file())),
            retriever=store.manifest.retriever,
            passage_tower=store.manifest.passage_tower,
            passages=store.manifest.passages,
            vectors=store.manifest.fingerprint,
            structure=config.kind,
            dimension=store.shape[1],
        )
        if tuned is not None:
            (build.folder / FUSION).write_bytes(tuned)


def build_bm25_index(
    passages: Path,
    target: Path,
    config: IndexConfig,
    force: bool,
    workers: int | None,
    observer: Observer,
    home: Workspace,
) -> None:
    """Build the BM25 index of a passage store, with one process for each core by default.

    Raises:
        ArtifactError: the passages are missing, or the output was made from other inputs
            or settings and `force` is off.
    """
    from densecli.lexical.analysis import Analysis
    from densecli.lexical.build import build as build_words

    store = PassageStore.open(passages)
    with building(
        Bm25Manifest, "index", target, config, [passages], force, observer, keep_partial=True, home=home
    ) as build:
        tracked = observer.progress(store, "index bm25", len(store))
        analysis = Analysis.from_config(config)
        build_words(tracked, build.folder, config.k1, config.b, analysis, store.fingerprint, workers)
        build.counts["passages"] = len(store)
        fingerprint = digest_texts(
            [store.fingerprint, str(config.k1), str(config.b), str(analysis.to_json())]
        )
        build.manifest = Bm25Manifest(fingerprint=fingerprint, passages=store.fingerprint)
