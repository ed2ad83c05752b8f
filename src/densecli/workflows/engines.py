"""Opening passages, the indexes over them, and the models that fit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from densecli.artifacts.fusion_weight import FusionWeight
from densecli.artifacts.kinds import Bm25Manifest
from densecli.artifacts.manifest import read_manifest
from densecli.artifacts.passages.store import PassageStore
from densecli.artifacts.vectors import FloatArray
from densecli.artifacts.workspace import Workspace
from densecli.configs.asking import SearchConfig
from densecli.errors import ArtifactError
from densecli.lexical.bm25 import Bm25
from densecli.observer import Observer
from densecli.records import Passage
from densecli.retrieval.hybrid import HybridEngine
from densecli.retrieval.search import DenseEngine, Encoder
from densecli.workflows.models import STARTER, model_folder, retriever_place

SAMPLE = Path(__file__).parent.parent / "sample"


@dataclass(frozen=True)
class CustomRetriever:
    """Functions that encode questions and passages, in place of a retriever's folder.

    Attributes:
        name: names this encoder and its version; vectors are searched under the name that made them.
        encode_questions: from n questions to vectors (n, d).
        encode_passages: from n passages to vectors (n, d).
    """

    name: str
    encode_questions: Callable[[Sequence[str]], Any]
    encode_passages: Callable[[Sequence[Passage]], Any]

    @property
    def fingerprint(self) -> str:
        """What ties vectors to this encoder."""
        return f"custom:{self.name}"

    passage_tower = fingerprint

    def encode(self, questions: Sequence[str], /) -> FloatArray:
        """Return the vectors (n, d) of questions."""
        return as_vectors(self.encode_questions(questions), len(questions), self.name)


def as_vectors(found: Any, count: int, name: str) -> FloatArray:
    """Return what an encoder gave as float32 (n, d).

    Raises:
        ValueError: it is not of shape (`count`, d), or not finite.
    """
    vectors = np.ascontiguousarray(found, dtype=np.float32)
    if vectors.ndim != 2 or len(vectors) != count or not np.isfinite(vectors).all():
        raise ValueError(f"encoder {name}: expected {count} finite vectors, got an array {vectors.shape}")
    return vectors


@dataclass(frozen=True)
class Parts:
    """What stands in place of the workspace's own parts."""

    retriever: "str | CustomRetriever | None" = None
    index: Path | None = None
    bm25: Path | None = None
    passages: Path | None = None


def open_place(
    home: Workspace, parts: Parts, observer: Observer, sample: bool = False
) -> tuple[Workspace, PassageStore]:
    """Return the workspace to search, and its passages or those that are named.

    With `sample` that is the sample that ships with densecli, if nothing is prepared and nothing was named:
    neither a part nor the workspace.

    Raises:
        ArtifactError: the passages are missing or damaged.
    """
    place = home
    if sample and home.empty and not home.named and parts == Parts():
        observer.message(f"no collection in {home.root}: answering from the sample that ships with densecli")
        place = Workspace(SAMPLE / "workspace")
    return place, PassageStore.open(parts.passages or place.passages)


@dataclass(frozen=True)
class IndexPair:
    """What a λ belongs to, by fingerprint, and the dense index whose folder keeps it."""

    index: Path
    retriever: str
    bm25: str


def fusion_weight(config: SearchConfig, pair: IndexPair) -> tuple[float | None, str]:
    """Return λ, or None for one by the spread of each question's scores, and say which it is.

    The user's comes first, then the one tuned for this pair and rule.

    Raises:
        ArtifactError: the file of the tuned one is damaged.
    """
    if config.fusion == "rrf":
        return None, "hybrid by reciprocal ranks"
    if config.fusion_weight is not None:
        return config.fusion_weight, f"hybrid, λ {config.fusion_weight:g}"
    tuned = FusionWeight.read(pair.index)
    if tuned and (tuned.retriever, tuned.bm25, tuned.missing) == (pair.retriever, pair.bm25, config.missing):
        return tuned.weight, f"hybrid, λ {tuned.weight:g} (tuned on {tuned.questions:,} questions)"
    why = "the tuned λ is for another retriever, BM25 index or `missing`" if tuned else "no λ is tuned"
    return None, f"hybrid, λ by the spread of each question's scores ({why})"


def open_hybrid(
    home: Workspace,
    config: SearchConfig,
    parts: Parts,
    place: Workspace,
    store: PassageStore,
    observer: Observer,
    single: bool = True,
) -> tuple[HybridEngine, IndexPair]:
    """Open both sides of a collection, with no λ, and return what a λ for them belongs to.

    Raises:
        ArtifactError: something is missing, or the parts do not belong together.
    """
    folder = parts.bm25 or place.bm25
    words = open_bm25(folder, store)
    dense = open_dense(home, parts, place, store, observer, config.engine, single)
    made = read_manifest(folder, Bm25Manifest)
    pair = IndexPair(parts.index or place.index, dense.encoder.fingerprint, made.fingerprint)
    return HybridEngine(words, dense, config, weight=None), pair


def open_bm25(folder: Path, store: PassageStore) -> Bm25:
    """Open the BM25 index of a passage store.

    Raises:
        ArtifactError: it is missing or damaged, or was built over other passages.
    """
    if not folder.exists():
        raise ArtifactError(f"{folder}: no bm25 index; run `densecli index --kind bm25` first")
    made = read_manifest(folder, Bm25Manifest)
    check_passages(folder, made.passages, store, "`densecli index --kind bm25 --force`")
    opened = Bm25.open(folder)
    if len(opened) != len(store):
        raise ArtifactError(
            f"{folder}: a damaged BM25 index (it has {len(opened):,} passages, the store {len(store):,}); run"
            " `densecli index --kind bm25 --force`"
        )
    return opened


def check_passages(folder: Path, built_over: str, store: PassageStore, again: str) -> None:
    """Refuse what was built over other passages than a store has; `again` names the commands that mend it.

    Raises:
        ArtifactError: names both.
    """
    if built_over != store.fingerprint:
        raise ArtifactError(
            f"{folder} was built over other passages ({built_over[:12]}) than {store.folder} has "
            f"({store.fingerprint[:12]}); run {again}"
        )


def open_dense(
    home: Workspace,
    parts: Parts,
    place: Workspace,
    store: PassageStore,
    observer: Observer,
    engine: str = "auto",
    single: bool = True,
) -> DenseEngine:
    """Open the dense index of a passage store and the question tower that fits it.

    The tower runs in `engine`; auto takes one that starts fast for `single` questions.

    Raises:
        ArtifactError: it is missing or damaged, or was built over other passages or by another retriever.
    """
    # FAISS and the tokenizers, which a search by BM25 does not need
    from densecli.dense.index import DenseIndex
    from densecli.encoders.engines import EngineRequest, open_question_encoder

    folder = parts.index or place.index
    if not folder.exists():
        raise ArtifactError(f"{folder}: no index; run `densecli embed` and `densecli index` first")
    index = DenseIndex.open(folder)
    made = index.manifest
    check_passages(folder, made.passages, store, "`densecli embed --force`, then `densecli index --force`")
    encoder: Encoder
    if isinstance(parts.retriever, CustomRetriever):
        model, encoder = parts.retriever.name, parts.retriever
    else:
        sampled = place.root.parent == SAMPLE and parts.retriever is None
        model = str(STARTER / "retriever") if sampled else retriever_place(home, observer, parts.retriever)
        encoder = open_question_encoder(model_folder(model), EngineRequest(engine), single, observer)
    if made.retriever != encoder.fingerprint and made.passage_tower != encoder.passage_tower:
        raise ArtifactError(
            f"{folder} was built with another retriever ({made.retriever[:12]}) than {model} "
            f"({encoder.fingerprint[:12]}); name that one with `retriever`, or run"
            " `densecli embed --force`, then `densecli index --force`"
        )
    return DenseEngine(encoder, index)
