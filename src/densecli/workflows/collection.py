"""A collection that stays open: search it and read answers from it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from densecli.artifacts.kinds import Bm25Manifest, IndexManifest, Manifest
from densecli.artifacts.manifest import read_manifest
from densecli.artifacts.passages.store import PassageStore
from densecli.artifacts.recipe import digest_texts
from densecli.artifacts.workspace import Workspace, find_workspace
from densecli.configs.asking import ReadConfig, SearchConfig
from densecli.configs.resolve import resolve_config
from densecli.configs.setting import check_effect
from densecli.errors import UsageError
from densecli.observer import SILENT, Observer
from densecli.records import Prediction, Question, RankedList
from densecli.retrieval.search import Engine
from densecli.retrieval.search import search as search_questions
from densecli.workflows.batch_size import usual_batch_size
from densecli.workflows.engines import (
    CustomRetriever,
    Parts,
    fusion_weight,
    open_bm25,
    open_dense,
    open_hybrid,
    open_place,
)
from densecli.workflows.models import reader_place

if TYPE_CHECKING:
    from densecli.reader.runtime import Reader

DEFAULT_K = 100


@dataclass(frozen=True)
class Collection:
    """Passages and what searches them. It stays open: models and indexes are loaded once.

    Attributes:
        store: the passages, by row.
        engine: finds rows and scores.
        config: how it searches.
        workspace: where its reader is.
        fingerprint: of all that decides what it finds: passages, indexes, retriever, λ and settings.
        observer: receives messages and warnings.
    """

    store: PassageStore
    engine: Engine
    config: SearchConfig
    workspace: Workspace
    fingerprint: str
    observer: Observer
    _readers: "dict[str, Reader]" = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.store)

    @overload
    def search(  # type: ignore[overload-overlap]  # a str is an iterable of str, and means one question
        self, questions: str | Question, k: int | None = None
    ) -> RankedList: ...
    @overload
    def search(
        self,
        questions: Iterable[str | Question],
        k: int | None = None,
        batch_size: int | None = None,
        has_arrived: Callable[[], bool] | None = ...,
    ) -> Iterator[RankedList]: ...
    def search(
        self,
        questions: str | Question | Iterable[str | Question],
        k: int | None = None,
        batch_size: int | None = None,
        has_arrived: Callable[[], bool] | None = None,
    ) -> RankedList | Iterator[RankedList]:
        """Find the best passages.

        Args:
            questions: one question, or many. Many are answered in order, as a stream.
            k: passages for each question; by default the config's, else 100.
            batch_size: questions that are searched together; by default the config's, or what suits the
                index.
            has_arrived: returns whether another question is there without waiting for it. A batch holds
                what has arrived, so that nobody waits for an answer until others ask.

        Returns:
            The ranked list of one question, or an iterator of ranked lists. `has_answer` is set where the
            question has answers.
        """
        if isinstance(questions, str | Question):
            # no messages at its end: who asks in a loop would get them for each question
            return next(self._search([questions], k, 1))
        return self._search(questions, k, batch_size, has_arrived)

    @overload
    def read(
        self, questions: str | Question | RankedList, reader: str | None = None, **settings: Any
    ) -> Prediction: ...
    @overload
    def read(
        self, questions: Iterable[str | Question], reader: str | None = None, **settings: Any
    ) -> Iterator[Prediction]: ...
    def read(
        self,
        questions: str | Question | RankedList | Iterable[str | Question],
        reader: str | None = None,
        **settings: Any,
    ) -> Prediction | Iterator[Prediction]:
        """Search, and read an answer in the passages found.

        Args:
            questions: one question, or many, or what was found for one. Many are answered in order, as a
                stream.
            reader: folder of a reader, or `starter`; by default the workspace's, else the starter.
            **settings: fields of ReadConfig, such as `depth=20` passages for each question.

        Returns:
            The prediction of one question, or an iterator of predictions.
        """
        from densecli.reader.read import read
        from densecli.reader.tuned import selection_for

        config = resolve_config(ReadConfig, "read", None, settings)
        single = isinstance(questions, str | Question | RankedList)
        place = reader_place(self.workspace, self.observer, reader)
        selection, depth = selection_for(Path(place), config)
        model = self._reader(place, config, single)
        ranked: Iterator[RankedList]
        if isinstance(questions, RankedList):
            ranked = iter([questions])
        elif isinstance(questions, str | Question):
            ranked = self._search([questions], depth, 1)
        else:
            ranked = self._search(questions, depth, None)
        found = read(ranked, model, config, Counter(), selection=selection, depth=depth)
        return next(found) if single else found

    def _reader(self, place: str, config: ReadConfig, single: bool) -> "Reader":
        from densecli.encoders.engines import EngineRequest  # not for a search
        from densecli.reader.engines import open_reader

        request = EngineRequest.of(config)
        key = f"{place} {single} {request} {config.batch_tokens}"
        if key not in self._readers:
            opened = open_reader(Path(place), request, single, config.batch_tokens, self.observer)
            self._readers[key] = opened
        return self._readers[key]

    def _search(
        self,
        questions: Iterable[str | Question],
        k: int | None,
        batch_size: int | None,
        has_arrived: Callable[[], bool] | None = None,
    ) -> Iterator[RankedList]:
        given = {"k": k, "batch_size": batch_size}
        named = {name: value for name, value in given.items() if value is not None}
        config = resolve_config(SearchConfig, "search", self.config, named)
        counts: Counter[str] = Counter()
        k = config.k or DEFAULT_K
        cut = _questions_cut(self.engine)
        yield from search_questions(
            as_questions(questions),
            self.engine,
            self.store,
            k,
            batch_size or usual_batch_size(self.engine, config, k),
            counts,
            has_arrived,
        )
        if counts["without_result"]:
            self.observer.warning(
                f"{counts['without_result']:,} of {counts['questions']:,} questions found nothing"
            )
        cut = _questions_cut(self.engine) - cut
        if cut:
            self.observer.message(
                "longer than the encoder's limit, so searched without their ends:"
                f" {cut:,} of {counts['questions']:,} questions"
            )


def _questions_cut(engine: Engine) -> int:
    """Return how many questions the encoder of an engine has cut so far, 0 where it has none."""
    encoder = getattr(getattr(engine, "dense", engine), "encoder", None)
    return int(getattr(encoder, "cut", 0))


def as_questions(questions: Iterable[str | Question]) -> Iterator[Question]:
    """Yield records; a plain text gets its place, counted from 1, as its id.

    Raises:
        FieldError: a question is empty.
    """
    for number, question in enumerate(questions, 1):
        if isinstance(question, Question):
            yield question
        else:
            yield Question.from_json({"question": question}, str(number))


def open_collection(
    workspace: Workspace | Path | str | None = None,
    *,
    passages: Path | None = None,
    index: Path | None = None,
    bm25: Path | None = None,
    retriever: str | CustomRetriever | None = None,
    single: bool = True,
    sample: bool = True,
    config: SearchConfig | None = None,
    observer: Observer = SILENT,
    **settings: Any,
) -> Collection:
    """Open a collection to search, and keep it warm.

    Args:
        workspace: its folder; by default the nearest `.densecli`.
        passages: passage store, in place of the workspace's.
        index: dense or BM25 index, in place of the workspace's.
        bm25: BM25 index, in place of the workspace's.
        retriever: folder, Hub name, `starter`, or a `CustomRetriever`.
        single: questions will come one at a time: they are encoded by the engine that starts fastest.
        sample: open the sample that ships with densecli where nothing is prepared and nothing is named.
        config: how to search.
        observer: receives messages, such as which kind of search it is.
        **settings: fields of SearchConfig, such as `mode="bm25"`.

    Raises:
        ArtifactError: something is missing, or the parts do not belong together.
        UsageError: a setting has no effect on such a search.

    Example:
        >>> collection = open_collection()
        >>> collection.search("who voiced Meg", k=3).ctxs[0].passage.title
        'Meg Griffin'
    """
    config = resolve_config(SearchConfig, "search", config, settings)
    parts = Parts(retriever, index, bm25, passages)
    home = find_workspace(workspace)
    place, store = open_place(home, parts, observer, sample)
    kind = _kind(place, config, parts, settings)
    engine: Engine
    if kind == "hybrid":
        hybrid, pair = open_hybrid(home, config, parts, place, store, observer, single)
        weight, about = fusion_weight(config, pair)
        engine = replace(hybrid, weight=weight)
        rule = str(weight), config.fusion, config.missing, str(config.candidates)
        made_of = [_index_fingerprint(pair.index), pair.retriever, pair.bm25, *rule]
    elif kind == "dense":
        engine, about = open_dense(home, parts, place, store, observer, config.engine, single), kind
        made_of = [_index_fingerprint(parts.index or place.index), engine.encoder.fingerprint]
    else:
        folder = parts.bm25 or parts.index or place.bm25
        engine, about = open_bm25(folder, store), kind
        made_of = [_index_fingerprint(folder)]
    observer.message(f"searching {len(store):,} passages, {about}")
    fingerprint = digest_texts([kind, store.fingerprint, *made_of])
    return Collection(store, engine, config, home, fingerprint, observer)


def _index_fingerprint(index: Path) -> str:
    """Return the fingerprint of an index."""
    made: Manifest = read_manifest(index, IndexManifest, Bm25Manifest)
    return made.fingerprint


def _kind(place: Workspace, config: SearchConfig, parts: Parts, chosen: Iterable[str]) -> str:
    """Return `hybrid`, `dense` or `bm25`: what was asked for, else what the indexes named or at hand allow.

    Raises:
        UsageError: an option that was chosen for this search has no effect on it.
    """
    index = _index_kind(parts.index)
    words = parts.bm25 is not None or index == "bm25" or (index is None and place.bm25.exists())
    dense = index == "dense" or (index is None and place.index.exists())
    kind = config.mode or ("hybrid" if words and dense else "bm25" if words else "dense")
    if index is not None and kind != index and (index, kind) != ("dense", "hybrid"):
        raise UsageError(f"`index` {parts.index} is for {index} search, `mode` is {kind}")
    if parts.bm25 is not None and (kind == "dense" or index == "bm25"):
        raise UsageError(f"`bm25` has no effect on a {kind} search{' in `index`' if index == 'bm25' else ''}")
    if parts.retriever is not None and kind == "bm25":
        raise UsageError("`retriever` has no effect on a search by bm25; leave it out or use `mode=dense`")
    check_effect(replace(config, mode=kind), chosen)
    return kind


def _index_kind(folder: Path | None) -> str | None:
    if folder is None:
        return None
    made: Manifest = read_manifest(folder, IndexManifest, Bm25Manifest)
    return "bm25" if isinstance(made, Bm25Manifest) else "dense"
