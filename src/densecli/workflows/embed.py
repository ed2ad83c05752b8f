"""Embedding: passages to vectors (paper, section 3.1)."""

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from densecli.artifacts.building import Building, building, returns_artifact
from densecli.artifacts.kinds import VectorsManifest
from densecli.artifacts.passages.store import PassageStore
from densecli.artifacts.recipe import Input, digest_texts
from densecli.artifacts.vectors import FloatArray, shard_name, shard_path, write_shard
from densecli.artifacts.workspace import Workspace, find_workspace
from densecli.configs.corpus import EmbedConfig
from densecli.configs.resolve import resolve_config
from densecli.encoders.embed import embed as embed_passages
from densecli.encoders.encoding import Encoder, Part
from densecli.errors import ArtifactError
from densecli.files.names import display_path
from densecli.files.npy import map_npy
from densecli.files.pieces import PLAN, Pieces, find_unfinished
from densecli.models.folder import fingerprint, passage_fingerprint
from densecli.observer import SILENT, Observer
from densecli.records import Passage
from densecli.workflows.engines import CustomRetriever, as_vectors
from densecli.workflows.models import model_folder, retriever_place

CUTS = "cut"
CUT = re.compile(rb"(\d{1,9}) (\d{1,9})")
"""Notes of an unfinished folder: how many passages of each shard were too long."""


@returns_artifact
def embed(
    *,
    workspace: Workspace | Path | str | None = None,
    retriever: str | CustomRetriever | None = None,
    passages: Path | None = None,
    output: Path | None = None,
    force: bool = False,
    config: EmbedConfig | None = None,
    observer: Observer = SILENT,
    **settings: Any,
) -> Path:
    """Turn passages into vectors.

    An interrupted run resumes after the last whole shard. Vectors of a retriever with the same passage
    encoder are up to date.

    Args:
        workspace: its folder; by default the nearest `.densecli`.
        retriever: folder, Hub name, `starter`, or a `CustomRetriever`; by default the workspace's.
        passages: passage store, in place of the workspace's.
        output: folder to write; by default `vectors` in the workspace.
        force: rebuild vectors that were made from other inputs or with other settings.
        config: how to embed.
        observer: receives messages and progress.
        **settings: fields of EmbedConfig, such as `precision="fp32"`.

    Returns:
        The folder of the vectors: shards (n, d) of float32, one row for each passage.

    Raises:
        ArtifactError: the passages or the retriever are missing, or the output was made from other inputs
            or settings and `force` is off.

    Example:
        >>> embed(workspace="nq", retriever="starter")
        Artifact(folder=PosixPath('nq/vectors'), up_to_date=False)
    """
    config = resolve_config(EmbedConfig, "embed", config, settings)
    home = find_workspace(workspace)
    store = PassageStore.open(passages or home.passages)
    target = output or home.vectors
    if isinstance(retriever, CustomRetriever):
        place, made_by = None, Input(retriever.name, retriever.fingerprint)
    else:
        place = model_folder(retriever_place(home, observer, retriever))
        made_by = Input(display_path(place), passage_fingerprint(place))
    inputs: list[str | Path | Input] = [made_by, store.folder]
    with building(
        VectorsManifest,
        "embed",
        target,
        config,
        inputs,
        force,
        observer,
        keep_partial=True,
        scratch=(CUTS, PLAN),
        home=home,
    ) as build:
        if isinstance(retriever, CustomRetriever):
            encoder: PassageTower = _CustomTower(retriever)
        else:
            assert place is not None
            encoder = _open_encoder(place, store, config, build.folder, observer)
        observer.message(f"embedding {len(store):,} passages with {made_by.path} ({encoder.arithmetic})")
        vectors = _vectors_fingerprint(encoder.fingerprint, store, encoder.arithmetic)
        dimension = _write_shards(store, encoder, config, vectors, build, observer)
        build.counts["passages"] = len(store)
        cut = sum(_noted_cuts(build.folder).values())
        if cut:
            build.counts["passages_cut"] = cut
            observer.message(
                "longer than the encoder's limit, so embedded without their ends:"
                f" {cut:,} of {len(store):,} passages"
            )
        build.manifest = VectorsManifest(
            fingerprint=vectors,
            retriever=encoder.fingerprint,
            passage_tower=encoder.passage_tower,
            passages=store.fingerprint,
            rows=len(store),
            dimension=dimension,
            shards=-(-len(store) // config.shard_rows),
            arithmetic=encoder.arithmetic,
        )
    return target


def _vectors_fingerprint(retriever: str, store: PassageStore, arithmetic: str) -> str:
    return digest_texts([retriever, store.fingerprint, arithmetic])


def _plan(vectors: str, config: EmbedConfig) -> str:
    """Return what identifies unfinished work."""
    return digest_texts([vectors, str(config.shard_rows), str(config.batch_tokens)])


def _open_encoder(
    place: Path, store: PassageStore, config: EmbedConfig, unfinished: Path, observer: Observer
) -> Encoder[Passage]:
    """Open the retriever, where nothing else is asked for in the engine that an interrupted run has used."""
    from densecli.encoders.engines import EngineRequest, open_passage_encoder  # not for "up to date"

    request = EngineRequest.of(config)
    unfinished_work = find_unfinished(unfinished, shard_name)
    if unfinished_work is not None:
        vectors = _vectors_fingerprint(fingerprint(place), store, unfinished_work.note)
        if unfinished_work.plan == _plan(vectors, config):
            try:
                same = request.for_resuming(unfinished_work.note)
                return open_passage_encoder(place, same, config.batch_tokens, observer)
            except ArtifactError as error:
                observer.warning(f"the unfinished work was done in {unfinished_work.note}, and now: {error}")
    return open_passage_encoder(place, request, config.batch_tokens, observer)


class PassageTower(Protocol):
    """Turns passages into vectors, and says what ties them to its model."""

    @property
    def fingerprint(self) -> str:
        """What ties vectors to the retriever."""
        ...

    @property
    def passage_tower(self) -> str:
        """What ties vectors to the passage encoder alone."""
        ...

    @property
    def arithmetic(self) -> str:
        """Engine and precision: vectors of two of them differ a little."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    def encode_windows(self, windows: Iterable[Sequence[Passage]], /) -> Iterator[Part]:
        """Yield the vectors of all passages, batch by batch, window after window."""
        ...


@dataclass
class _CustomTower:
    retriever: CustomRetriever
    arithmetic: str = "your own encoder"
    dimension: int = 0

    @property
    def fingerprint(self) -> str:
        return self.retriever.fingerprint

    passage_tower = fingerprint

    def encode_windows(self, windows: Iterable[Sequence[Passage]], /) -> Iterator[Part]:
        for number, passages in enumerate(windows):
            found = self.retriever.encode_passages(passages)
            vectors = as_vectors(found, len(passages), self.retriever.name)
            self.dimension = vectors.shape[1]
            yield Part(number, np.arange(len(passages)), vectors, tokens=0)


def _write_shards(
    store: PassageStore,
    encoder: PassageTower,
    config: EmbedConfig,
    vectors: str,
    build: Building,
    observer: Observer,
) -> int:
    """Write the shards that an interrupted run has not left behind; return the dimension of the vectors.

    `vectors` is their fingerprint.
    """
    unfinished_work = find_unfinished(build.folder, shard_name)
    pieces = Pieces(build.folder, shard_name, _plan(vectors, config), encoder.arithmetic)
    first = min(pieces.leading * config.shard_rows, len(store))
    if first:
        observer.message(f"resuming at passage {first:,}")
    elif unfinished_work is not None:
        observer.message("starting over: the unfinished work was done with another model, engine or setting")
    waiting: list[FloatArray] = []
    cut = 0
    clock = time.monotonic()
    steps = observer.progress(
        embed_passages(store, encoder, config, first),
        "embed",
        len(store),
        "passages ",
        note=lambda step: f"{step.tokens / max(time.monotonic() - clock, 1e-9):,.0f} tokens/s",
        done=lambda step: step.passages,
        start=first,
    )
    try:
        for step in steps:
            if step.finished is None:
                continue
            row, block = step.finished
            waiting.append(block)
            cut += step.cut
            end = row + len(block)
            if end % config.shard_rows == 0 or end == len(store):
                number = (end - 1) // config.shard_rows
                _note_cut(build.folder, number, cut)
                write_shard(build.folder, number, np.concatenate(waiting))
                waiting.clear()
                cut = 0
    except BaseException:
        pieces.discard_if_empty()
        raise
    # an encoder of the caller's has encoded nothing if all shards were there
    return encoder.dimension or int(map_npy(shard_path(build.folder, 0), np.float32, 2, "c").shape[1])


def _note_cut(folder: Path, number: int, cut: int) -> None:
    """Note how many passages of a shard were too long, before the shard is written."""
    with open(folder / CUTS, "a", encoding="ascii") as stream:
        stream.write(f"{number} {cut}\n")


def _noted_cuts(folder: Path) -> dict[int, int]:
    """Return the counts by shard; the last one that was noted for a shard counts, and no damaged line."""
    path = folder / CUTS
    lines = path.read_bytes().splitlines() if path.exists() else []
    found = filter(None, map(CUT.fullmatch, lines))
    return {int(number): int(cut) for number, cut in (one.groups() for one in found)}
