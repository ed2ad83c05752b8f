"""Opening what is searched: a passage store and an engine that fits it."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from densecli.cli.fusion import Pair, chosen_weight
from densecli.cli.models import STARTER, model_folder, retriever_place
from densecli.cli.session import SAMPLE, Session
from densecli.configs.asking import ReadConfig, SearchConfig
from densecli.configs.setting import check_effect
from densecli.errors import ArtifactError, UsageError
from densecli.io.workspace import Workspace

if TYPE_CHECKING:
    from densecli.io.store.passages import PassageStore
    from densecli.lexical.bm25 import Bm25
    from densecli.reader.runtime import Reader
    from densecli.stages.hybrid import HybridEngine
    from densecli.stages.search import DenseEngine, Encoder, Engine

BM25 = ("the BM25 index", "densecli index --kind bm25")


@dataclass(frozen=True)
class Named:
    """What options name in place of the workspace's own."""

    retriever: str | None = None
    index: Path | None = None
    bm25: Path | None = None
    passages: Path | None = None


@dataclass(frozen=True)
class Collection:
    """A passage store and the engine that searches it."""

    store: "PassageStore"
    engine: "Engine"


def open_collection(session: Session, config: SearchConfig, named: Named) -> Collection:
    """Open the collection that the options name, the workspace's, or the sample, and say how it is searched.

    Raises:
        ArtifactError: something is missing, or the parts do not belong together.
        UsageError: an option has no effect on such a search.
    """
    place, store = open_place(session, named)
    kind = _kind(place, config, named)
    engine: Engine
    if kind == "hybrid":
        hybrid, pair = open_hybrid(session, config, named, place, store)
        weight, told = chosen_weight(config, pair)
        engine = replace(hybrid, weight=weight)
    elif kind == "dense":
        engine, told = open_dense(session, named, place, store), kind
    else:
        engine, told = open_bm25(named.bm25 or named.index or place.bm25, store), kind
    session.terminal.message(f"searching {len(store):,} passages, {told}")
    return Collection(store, engine)


def open_place(session: Session, named: Named) -> "tuple[Workspace, PassageStore]":
    """Return the workspace to search, and its passages or those that are named.

    Raises:
        ArtifactError: the passages are missing or damaged.
    """
    from densecli.io.store.passages import PassageStore

    place = session.collection(named.retriever, named.index, named.bm25, named.passages)
    return place, PassageStore.open(named.passages or place.passages)


def _kind(place: Workspace, config: SearchConfig, named: Named) -> str:
    """Return `hybrid`, `dense` or `bm25`: what was asked for, else what the indexes named or at hand allow.

    Raises:
        UsageError: an option has no effect on such a search.
    """
    index = _index_kind(named.index)
    words = named.bm25 is not None or index == "bm25" or (index is None and place.bm25.exists())
    dense = index == "dense" or (index is None and place.index.exists())
    kind = config.mode or ("hybrid" if words and dense else "bm25" if words else "dense")
    if index is not None and kind != index and (index, kind) != ("dense", "hybrid"):
        raise UsageError(f"--index {named.index} is for {index} search, --mode is {kind}")
    if named.bm25 is not None and (kind == "dense" or index == "bm25"):
        raise UsageError(f"--bm25 has no effect on a {kind} search{' in --index' if index == 'bm25' else ''}")
    if named.retriever is not None and kind == "bm25":
        raise UsageError("--retriever has no effect on a search by bm25; leave it out or use --mode dense")
    defaults = SearchConfig()
    changed = {name for name, value in asdict(config).items() if value != getattr(defaults, name)}
    check_effect(replace(config, mode=kind), changed)
    return kind


def _index_kind(folder: Path | None) -> str | None:
    if folder is None:
        return None
    from densecli.io.manifest import Manifest

    made = Manifest.read(folder, "the index", "densecli index")
    return "bm25" if made.facts.get("kind") == "bm25" else "dense"


def open_hybrid(
    session: Session, config: SearchConfig, named: Named, place: Workspace, store: "PassageStore"
) -> "tuple[HybridEngine, Pair]":
    """Open both sides of a collection, with no λ, and tell what a λ for them belongs to.

    Raises:
        ArtifactError: something is missing, or the parts do not belong together.
    """
    from densecli.io.manifest import Manifest
    from densecli.stages.hybrid import HybridEngine

    folder = named.bm25 or place.bm25
    words, dense = open_bm25(folder, store), open_dense(session, named, place, store)
    made = Manifest.read(folder, *BM25)
    pair = Pair(named.index or place.index, dense.encoder.fingerprint, made.fingerprint)
    return HybridEngine(words, dense, config, weight=None), pair


def open_bm25(folder: Path, store: "PassageStore") -> "Bm25":
    """Open the BM25 index of a passage store.

    Raises:
        ArtifactError: it is missing or damaged, or was built over other passages.
    """
    from densecli.io.manifest import Manifest
    from densecli.lexical.bm25 import Bm25

    if not folder.exists():
        raise ArtifactError(f"{folder}: no bm25 index; run `densecli index --kind bm25` first")
    made = Manifest.read(folder, *BM25)
    check_passages(folder, made.parents.get("passages", ""), store, "`densecli index --kind bm25 --force`")
    return Bm25.open(folder)


def check_passages(folder: Path, built_over: str, store: "PassageStore", again: str) -> None:
    """Refuse what was built over other passages than a store has; `again` names the commands that mend it.

    Raises:
        ArtifactError: names both.
    """
    if built_over != store.fingerprint:
        raise ArtifactError(
            f"{folder} was built over other passages ({built_over[:12]}) than {store.folder} has "
            f"({store.fingerprint[:12]}); run {again}"
        )


def open_dense(session: Session, named: Named, place: Workspace, store: "PassageStore") -> "DenseEngine":
    """Open the dense index of a passage store and the question tower that fits it.

    Raises:
        ArtifactError: it is missing or damaged, or was built over other passages or by another retriever.
    """
    from densecli.index.dense import DenseIndex
    from densecli.stages.search import DenseEngine

    folder = named.index or place.index
    if not folder.exists():
        raise ArtifactError(f"{folder}: no index; run `densecli embed` and `densecli index` first")
    index = DenseIndex.open(folder)
    check_passages(folder, index.passages, store, "`densecli embed --force`, then `densecli index --force`")
    sampled = place.root.parent == SAMPLE and named.retriever is None
    model = str(STARTER / "retriever") if sampled else retriever_place(session, named.retriever)
    encoder = open_question_encoder(session, model_folder(model))
    if index.retriever != encoder.fingerprint and index.passage_tower != encoder.passage_tower:
        raise ArtifactError(
            f"{folder} was built with another retriever ({index.retriever[:12]}) than {model} "
            f"({encoder.fingerprint[:12]}); name that one with --retriever, or embed and index again"
        )
    return DenseEngine(encoder, index)


def open_question_encoder(session: Session, folder: Path) -> "Encoder":
    """Open the question tower of a model: compiled where it has that form, else in torch, which it says."""
    from densecli.encoders.folder import is_compiled

    if is_compiled(folder):
        from densecli.encoders.retriever import QuestionEncoder

        return QuestionEncoder(folder)
    from densecli.encoders.torch_retriever import TorchQuestionEncoder

    session.terminal.message(
        f"{folder} has no compiled form: encoding questions in torch, which takes seconds"
    )
    return TorchQuestionEncoder(folder)


def open_reader(folder: Path, config: ReadConfig, single: bool) -> "Reader":
    """Open a reader: compiled where it has that form and that is the faster one, else in torch.

    Torch takes seconds to load, and is faster from there where it computes in bf16 or on a GPU. So a single
    question is read by the compiled form, unless the config asks for what only torch has.
    """
    from densecli.encoders.folder import is_compiled

    compiled = is_compiled(folder, "encoder") or not folder.is_dir()
    plain = config.device in ("auto", "cpu") and config.precision in ("auto", "fp32")
    if not (compiled and single and plain):
        from densecli.encoders.torch_hardware import faster_than_compiled, pick_device, pick_precision

        device = pick_device(config.device)
        precision = pick_precision(config.precision, device)
        if not compiled or faster_than_compiled(device, precision):
            from densecli.reader.torch_folder import open_reader as open_torch_reader

            reader = open_torch_reader(folder)
            reader.model.to(device)
            return reader.reading(precision)
    from densecli.reader.runtime import Reader

    return Reader.open(folder)
