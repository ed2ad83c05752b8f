"""`densecli index`: vectors, or words, to an index."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from densecli.cli.building import Building, building
from densecli.cli.engines import check_passages
from densecli.cli.options import Force, command
from densecli.cli.session import Session
from densecli.configs.corpus import IndexConfig
from densecli.errors import UsageError

if TYPE_CHECKING:
    from densecli.io.vectors.shards import VectorStore


def register(app: typer.Typer) -> None:
    """Add the command to the program."""

    @command(app, "index", IndexConfig)
    def index(
        session: Session,
        config: IndexConfig,
        vectors: Annotated[
            Path | None, typer.Option("--vectors", help="Vectors. [default: WORKSPACE/vectors]")
        ] = None,
        passages: Annotated[
            Path | None,
            typer.Option("--passages", help="Passage store, for bm25. [default: WORKSPACE/passages]"),
        ] = None,
        output: Annotated[
            Path | None,
            typer.Option("--output", "-o", help="Folder to write. [default: WORKSPACE/index or /bm25]"),
        ] = None,
        workers: Annotated[
            int | None,
            typer.Option(
                "--workers", min=1, max=1024, help="Processes that index words. [default: one per core]"
            ),
        ] = None,
        force: Force = False,
    ) -> None:
        """Build a flat, hnsw or bm25 index."""
        if config.kind == "bm25":
            if vectors is not None:
                raise UsageError("--vectors has no effect with --kind bm25, which indexes words")
            build_bm25_index(session, config, passages or session.workspace.passages, output, force, workers)
            return
        if workers is not None:
            raise UsageError("--workers has an effect only with --kind bm25; dense kinds use all cores")
        if passages is not None:
            raise UsageError("--passages has an effect only with --kind bm25; dense kinds index vectors")
        from densecli.io.store.passages import PassageStore
        from densecli.io.vectors.shards import VectorStore

        store = VectorStore.open(vectors or session.workspace.vectors)
        if vectors is None:
            place = session.workspace.passages
            if place.exists():
                check_passages(
                    store.folder, store.passages, PassageStore.open(place), "`densecli embed --force`"
                )
        with building(session, output or session.workspace.index, config, [store.folder], force) as build:
            _fill_dense(session, config, store, build)


def _fill_dense(session: Session, config: IndexConfig, store: "VectorStore", build: Building) -> None:
    from densecli.io.manifest import digest_texts
    from densecli.stages.build_index import BATCH, build_index

    batches = -(-store.shape[0] // BATCH)
    for rows in session.terminal.progress(
        build_index(store, config, build.folder), f"index {config.kind}", batches
    ):
        build.counts["vectors"] = rows
    build.parents = {
        "retriever": store.model,
        "passage_tower": store.passage_tower,
        "passages": store.passages,
        "vectors": store.fingerprint,
    }
    build.fingerprint = digest_texts([store.fingerprint, str(config)])
    build.facts = {"kind": config.kind, "dimension": store.shape[1]}


def build_bm25_index(
    session: Session,
    config: IndexConfig,
    source: Path,
    output: Path | None,
    force: bool = False,
    workers: int | None = None,
) -> None:
    """Build the BM25 index of the passage store in `source`, with one process for each core by default."""
    from densecli.io.manifest import digest_texts
    from densecli.io.store.passages import PassageStore
    from densecli.lexical.analysis import Analysis
    from densecli.lexical.build import build as build_words

    store = PassageStore.open(source)
    session = replace(session, command="index")  # which `mine-negatives` has done for it
    target = output or session.workspace.bm25
    with building(session, target, config, [source], force, keep_partial=True) as build:
        tracked = session.terminal.progress(store, "index bm25", len(store))
        analysis = Analysis.chosen(config)
        build_words(tracked, build.folder, config.k1, config.b, analysis, store.fingerprint, workers)
        build.counts["passages"] = len(store)
        build.parents = {"passages": store.fingerprint}
        build.fingerprint = digest_texts(
            [store.fingerprint, str(config.k1), str(config.b), str(analysis.to_json())]
        )
        build.facts = {"kind": "bm25"}
