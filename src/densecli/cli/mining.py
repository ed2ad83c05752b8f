"""What `mine-negatives` opens, and how it fills the artefact block by block, from where it was stopped."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from densecli.cli.session import Session
from densecli.configs.corpus import IndexConfig
from densecli.configs.mining import MineConfig
from densecli.errors import ArtifactError, UsageError
from densecli.io.workspace import EXAMPLES_FILE
from densecli.workflows.building import Building
from densecli.workflows.engines import Parts, open_bm25, open_dense
from densecli.workflows.index import build_bm25_index

if TYPE_CHECKING:
    from densecli.io.store.passages import PassageStore
    from densecli.records import TrainingExample
    from densecli.stages.mining.miner import Miner
    from densecli.stages.search import DenseEngine


@dataclass(frozen=True)
class Mined:
    """What is mined.

    Attributes:
        store: the passages.
        bm25: the folder of their BM25 index, where anything comes from it.
        dense: their dense index and its retriever, where dense negatives are wanted.
        folders: the artefacts that the result is made from.
    """

    store: "PassageStore"
    bm25: Path | None
    dense: "DenseEngine | None"
    folders: tuple[Path, ...]


def open_mined(session: Session, config: MineConfig, named: Parts, workers: int) -> Mined:
    """Open the passages and what searches them; BM25 is built, by so many workers, when it is missing.

    Raises:
        ArtifactError: something is missing, or the parts do not belong together.
        UsageError: an option has no effect on what is mined.
    """
    from densecli.io.store.passages import PassageStore

    store = PassageStore.open(named.passages or session.workspace.passages)
    if len(store) < config.depth != MineConfig.depth:
        session.terminal.warning(
            f"--depth is {config.depth}, the collection has {len(store):,}: all are ranked"
        )
    folders = [store.folder]
    bm25, dense = None, None
    if config.positives != "keep" or "bm25" in config.wanted:
        bm25 = named.bm25 or session.workspace.bm25
        if not bm25.exists():
            build_bm25_index(store.folder, bm25, IndexConfig(kind="bm25"), False, workers, session.terminal)
        open_bm25(bm25, store)
        folders.append(bm25)
    elif named.bm25 is not None:
        raise UsageError("--bm25 has no effect: positives are kept, and no negatives come from it")
    if "dense" in config.wanted:
        dense = open_dense(session.workspace, named, session.workspace, store, session.terminal)
        folders.append(named.index or session.workspace.index)
    elif named.index is not None or named.retriever is not None:
        raise UsageError("--index and --retriever have an effect only with --negatives dense")
    return Mined(store, bm25, dense, tuple(folders))


def fill(
    session: Session,
    config: MineConfig,
    collection: Mined,
    asked: "Iterator[TrainingExample]",
    build: Building,
    workers: int,
) -> None:
    """Mine all that is asked into the artefact.

    Args:
        session: of the command.
        config: what is wanted.
        collection: what is mined.
        asked: the whole input.
        build: the artefact, with what an interrupted run has left in it.
        workers: processes to mine in.

    Raises:
        InputError: the input has something that cannot be used.
        ResourceError: a worker died.
    """
    from densecli.io.growing import growing_lines
    from densecli.io.manifest import digest_texts
    from densecli.stages.mine import mine

    store = collection.store
    opener = partial(open_miner, store.folder, store.fingerprint, collection.bm25, config)
    plan = digest_texts([repr(config), *(repr(row) for row in build.inputs)])
    with growing_lines(build.folder / EXAMPLES_FILE, plan) as lines:
        build.counts.update(lines.done.counts)
        if lines.done.records:
            session.terminal.message(f"going on at question {lines.done.records + 1:,}")
        rest = islice(asked, lines.done.records, None)
        blocks = mine(rest, opener, store, config, build.counts, collection.dense, workers)
        with closing(blocks):
            tracked = session.terminal.progress(
                blocks,
                "mine",
                unit="questions ",
                done=lambda _: build.counts["questions"],
                start=lines.done.records,
            )
            for examples in tracked:
                rows = (example.to_json() for example in examples)
                lines.add(rows, build.counts["questions"], build.counts)
    if not build.counts["examples"]:
        session.terminal.warning("no question has a positive passage: there is nothing to train on")
    build.parents = {"passages": store.fingerprint}
    build.seal(EXAMPLES_FILE)


def open_miner(passages: Path, fingerprint: str, bm25: Path | None, config: MineConfig) -> "Miner":
    """Open a miner, in any process.

    Raises:
        ArtifactError: the passages are no longer those with this fingerprint.
    """
    from densecli.io.store.passages import PassageStore
    from densecli.stages.mining.miner import Miner

    store = PassageStore.open(passages)
    if store.fingerprint != fingerprint:
        raise ArtifactError(f"{passages}: was replaced while it was mined; run the same command again")
    return Miner(store, None if bm25 is None else open_bm25(bm25, store), config)
