"""Opening what is searched: a passage store and an engine that fits it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from densecli.cli.models import STARTER, model_folder, retriever_place
from densecli.cli.session import SAMPLE, Session
from densecli.errors import ArtifactError, UsageError
from densecli.io.workspace import Workspace

if TYPE_CHECKING:
    from densecli.io.passages import PassageStore
    from densecli.lexical.bm25 import Bm25
    from densecli.reader.runtime import Reader
    from densecli.stages.search import DenseEngine, Encoder, Engine


@dataclass(frozen=True)
class Collection:
    """A passage store and the engine that searches it."""

    store: "PassageStore"
    engine: "Engine"


def open_collection(
    session: Session, mode: str | None, retriever: str | None, index: Path | None, passages: Path | None
) -> Collection:
    """Open the collection that the options name, the workspace's, or the sample.

    Raises:
        ArtifactError: something is missing, or the parts do not belong together.
        UsageError: a retriever is named for a search by words.
    """
    from densecli.io.passages import PassageStore

    place = session.collection(retriever, index, passages)
    store = PassageStore.open(passages or place.passages)
    folder, kind = _index_of(place, mode, index)
    session.terminal.say(f"searching {len(store):,} passages, {kind}")
    if kind == "bm25":
        if retriever is not None:
            raise UsageError(
                "--retriever has no effect on a search by bm25; leave it out or use --mode dense"
            )
        return Collection(store, open_bm25(folder, store))
    return Collection(store, _dense(session, place, retriever, folder, store))


def _index_of(place: Workspace, mode: str | None, named: Path | None) -> tuple[Path, str]:
    if named is not None:
        from densecli.io.manifest import Manifest

        made = Manifest.read(named, "the index", "densecli index")
        kind = "bm25" if made.facts.get("kind") == "bm25" else "dense"
        if mode not in (None, kind):
            raise UsageError(f"--index {named} is for {kind} search, --mode is {mode}")
        return named, kind
    if mode == "bm25" or (mode is None and not place.index.exists() and place.bm25.exists()):
        if not place.bm25.exists():
            raise ArtifactError(f"{place.bm25}: no bm25 index; run `densecli index --kind bm25` first")
        return place.bm25, "bm25"
    if not place.index.exists():
        raise ArtifactError(f"{place.index}: no index; run `densecli embed` and `densecli index` first")
    return place.index, "dense"


def open_bm25(folder: Path, store: "PassageStore") -> "Bm25":
    """Open the BM25 index of a passage store.

    Raises:
        ArtifactError: it is missing or damaged, or was built over other passages.
    """
    from densecli.io.manifest import Manifest
    from densecli.lexical.bm25 import Bm25

    made = Manifest.read(folder, "the BM25 index", "densecli index --kind bm25")
    _check_passages(folder, made.parents.get("passages", ""), store)
    return Bm25.open(folder)


def _check_passages(folder: Path, built_over: str, store: "PassageStore") -> None:
    if built_over != store.fingerprint:
        raise ArtifactError(
            f"{folder} was built over other passages ({built_over[:12]}) than {store.folder} has "
            f"({store.fingerprint[:12]}); build it again with --force"
        )


def _dense(
    session: Session, place: Workspace, retriever: str | None, folder: Path, store: "PassageStore"
) -> "DenseEngine":
    from densecli.index.dense import DenseIndex
    from densecli.stages.search import DenseEngine

    index = DenseIndex.open(folder)
    _check_passages(folder, index.passages, store)
    sampled = place.root.parent == SAMPLE and retriever is None
    model = str(STARTER / "retriever") if sampled else retriever_place(session, retriever)
    encoder = open_question_encoder(model_folder(model))
    if index.retriever != encoder.fingerprint:
        raise ArtifactError(
            f"{folder} was built with another retriever ({index.retriever[:12]}) than {model} "
            f"({encoder.fingerprint[:12]}); name that one with --retriever, or embed and index again"
        )
    return DenseEngine(encoder, index)


def open_question_encoder(folder: Path) -> "Encoder":
    """Open the question tower of a model: compiled where it has that form, else in torch."""
    from densecli.encoders.folder import is_compiled

    if is_compiled(folder):
        from densecli.encoders.retriever import QuestionEncoder

        return QuestionEncoder(folder)
    from densecli.encoders.torch_retriever import TorchQuestionEncoder

    return TorchQuestionEncoder(folder)


def open_reader(folder: Path) -> "Reader":
    """Open a reader: compiled where it has that form, else in torch."""
    from densecli.encoders.folder import is_compiled

    if is_compiled(folder, "encoder") or not folder.is_dir():
        from densecli.reader.runtime import Reader

        return Reader.open(folder)
    from densecli.encoders.torch_hardware import pick_device, pick_precision
    from densecli.reader.torch_folder import open_reader as open_torch_reader

    return open_torch_reader(folder).reading(pick_precision("auto", pick_device("cpu")))
