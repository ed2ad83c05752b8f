"""Why a search ranks as it does: the scores behind each hit, and kinds of search side by side."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from densecli.artifacts.workspace import Workspace, find_workspace
from densecli.configs.asking import SearchConfig
from densecli.configs.resolve import resolve_config
from densecli.configs.setting import check_effect
from densecli.errors import UsageError
from densecli.lexical.bm25 import Bm25
from densecli.observer import SILENT, Observer
from densecli.ranking.fusion import RANK_CONSTANT
from densecli.ranking.order import Rows
from densecli.records import Question, RankedList
from densecli.retrieval.hybrid import HybridEngine
from densecli.retrieval.search import DenseEngine
from densecli.workflows.collection import Collection, open_collection
from densecli.workflows.engines import CustomRetriever
from densecli.workflows.reporting import collect_bad_records, report_at_end
from densecli.workflows.search import Questions, is_named_file, open_questions

MODES = ("bm25", "dense", "hybrid")
SHOWN_TERMS = 6


@dataclass(frozen=True)
class Explanation:
    """Where the score of a hit comes from. What a kind of search does not have is None.

    Attributes:
        dense: inner product of the vectors.
        dense_rank: rank in dense search; None also where it is not among the candidates.
        bm25: BM25 score.
        bm25_rank: rank in the search by words; None also where it is not among the candidates.
        terms: what each term of the question adds to the BM25 score, the most first.
    """

    dense: float | None
    dense_rank: int | None
    bm25: float | None
    bm25_rank: int | None
    terms: Mapping[str, float]

    def __str__(self) -> str:
        """Return the scores, ranks and strongest terms in one line."""
        parts = []
        if self.dense is not None:
            parts.append(f"dense {self.dense:.2f} (rank {self.dense_rank or '-'})")
        if self.bm25 is not None:
            terms = ", ".join(
                f"{term} {value:.2f}" for term, value in islice(self.terms.items(), SHOWN_TERMS)
            )
            parts.append(f"BM25 {self.bm25:.2f} (rank {self.bm25_rank or '-'}){terms and ': ' + terms}")
        return " · ".join(parts)

    def to_json(self) -> dict[str, Any]:
        """Return `{dense, dense_rank, bm25, bm25_rank, terms}`."""
        return {
            "dense": self.dense,
            "dense_rank": self.dense_rank,
            "bm25": self.bm25,
            "bm25_rank": self.bm25_rank,
            "terms": dict(self.terms),
        }


@dataclass(frozen=True)
class ExplainedList:
    """A ranked list with an explanation of each hit.

    Attributes:
        ranked: the list, in the order of the fused scores.
        explanations: one for each of its passages.
        fusion: `linear` or `rrf`; None where only one side searched.
        weight: λ of linear fusion.
        missing: the rule for a passage that only one side found.
    """

    ranked: RankedList
    explanations: Sequence[Explanation]
    fusion: str | None
    weight: float | None
    missing: str = "score"

    @property
    def formula(self) -> str:
        """How the scores of both sides are fused; empty if only one side searched."""
        if self.weight is not None:
            lowest = ", with the lowest score of a side that did not find it" if self.missing == "min" else ""
            return f"fused = BM25 + {self.weight:.4g} dense{lowest}"
        return f"fused = sum of 1 / ({RANK_CONSTANT} + rank)" if self.fusion == "rrf" else ""

    def to_json(self, with_text: bool = True) -> dict[str, Any]:
        """Return DPR's result form with `explain` in each of `ctxs`, and `fusion` and `lambda`."""
        row = self.ranked.to_json(with_text)
        for ctx, one in zip(row["ctxs"], self.explanations, strict=True):
            ctx["explain"] = one.to_json()
        return {**row, "fusion": self.fusion, "lambda": self.weight}


def explain(
    questions: Questions,
    *,
    workspace: Workspace | Path | str | None = None,
    retriever: str | CustomRetriever | None = None,
    config: SearchConfig | None = None,
    observer: Observer = SILENT,
    **settings: Any,
) -> Iterator[ExplainedList]:
    """Search, and explain the score of each hit.

    Args:
        questions: a question, several, or the path of a file of them.
        workspace: folder of the collection; by default the nearest `.densecli`, else the sample.
        retriever: folder, Hub name, `starter`, or a `CustomRetriever`.
        config: how to search.
        observer: receives messages and warnings.
        **settings: fields of SearchConfig, and `passages`, `index` and `bm25` as `search` takes them.

    Returns:
        One explained list for each question, in order.

    Raises:
        ArtifactError: something is missing, or the parts do not belong together.
        InputError: a file cannot be read or is not a list of questions.
        UsageError: a setting has no effect.

    Example:
        >>> [explained] = explain("who voiced Meg", k=1)
        >>> print(explained.explanations[0])
        dense 15.91 (rank 1) · BM25 7.28 (rank 1): meg 4.16, voic 2.51, who 0.61
    """
    places = {name: settings.pop(name, None) for name in ("passages", "index", "bm25")}
    config = resolve_config(SearchConfig, "search", config, settings)
    home = find_workspace(workspace)
    bad = collect_bad_records(config.on_error, observer)
    asked = open_questions(questions, home, config, bad, observer)
    sample = not is_named_file(questions)
    collection = open_collection(
        home, retriever=retriever, sample=sample, config=config, observer=observer, **places, **settings
    )
    return report_at_end((explain_one(collection, question) for question in asked), bad, observer)


def explain_one(collection: Collection, question: Question) -> ExplainedList:
    """Search one question in an open collection, and explain its hits."""
    ranked = collection.search(question)
    found = [collection.store.row_of(ctx.passage.id) for ctx in ranked.ctxs]
    rows = np.array([[-1 if row is None else row for row in found]], dtype=np.int64)
    text = [question.question]
    engine = collection.engine
    hybrid = engine if isinstance(engine, HybridEngine) else None
    dense = hybrid.dense if hybrid else engine if isinstance(engine, DenseEngine) else None
    words = hybrid.words if hybrid else engine
    depth = (
        hybrid.depth(rows.size)
        if hybrid
        else min(len(collection), max(collection.config.candidates, rows.size))
    )
    sides: dict[str, tuple[list[float], dict[int, int]]] = {}
    for name, side in (("dense", dense), ("bm25", words if isinstance(words, Bm25) else None)):
        if side is not None and rows.size:
            sides[name] = side.score(text, rows)[0].tolist(), _ranks(side.search(text, depth)[0])
    terms = words.term_scores(question.question, rows[0]) if isinstance(words, Bm25) and rows.size else {}
    explanations = []
    for place, row in enumerate(rows[0].tolist()):
        scores_and_ranks: dict[str, Any] = {}
        for name in ("dense", "bm25"):
            scores, ranks = sides.get(name, ([], {}))
            scores_and_ranks[name] = scores[place] if scores else None
            scores_and_ranks[f"{name}_rank"] = ranks.get(row)
        added = {term: float(values[place]) for term, values in terms.items() if values[place]}
        most_first = dict(sorted(added.items(), key=lambda one: -one[1]))
        explanations.append(Explanation(**scores_and_ranks, terms=most_first))
    linear = hybrid is not None and collection.config.fusion == "linear"
    return ExplainedList(
        ranked,
        explanations,
        collection.config.fusion if hybrid else None,
        hybrid.weight_of(question.question, rows.size) if hybrid and linear else None,
        collection.config.missing,
    )


def compare_modes(
    questions: Questions,
    modes: Sequence[str],
    *,
    workspace: Workspace | Path | str | None = None,
    retriever: str | CustomRetriever | None = None,
    config: SearchConfig | None = None,
    observer: Observer = SILENT,
    **settings: Any,
) -> Iterator[dict[str, RankedList]]:
    """Search in several ways (table 7 of the paper).

    Args:
        questions: a question, several, or the path of a file of them.
        modes: at least two of `bm25`, `dense` and `hybrid`.
        workspace: folder of the collection; by default the nearest `.densecli`, else the sample.
        retriever: folder, Hub name, `starter`, or a `CustomRetriever`.
        config: how to search.
        observer: receives messages and warnings.
        **settings: fields of SearchConfig, such as `k=5`.

    Returns:
        For each question, in order, what each kind of search found.

    Raises:
        ArtifactError: an index is missing.
        InputError: a file cannot be read or is not a list of questions.
        UsageError: a mode is not known, or there are not two of them.

    Example:
        >>> [sides] = compare_modes("who voiced Meg", ["bm25", "dense"], k=1)
        >>> sides["bm25"].ctxs[0].passage.title
        'Meg Griffin'
    """
    if len(modes) < 2 or len(set(modes)) < len(modes) or not set(modes) <= set(MODES):
        raise UsageError(
            f"`compare` is {','.join(modes)!r}; expected two or three of {', '.join(MODES)}, with commas"
        )
    for name in ("passages", "index", "bm25"):
        if settings.pop(name, None) is not None:
            raise UsageError(f"`{name}` has no effect with `compare`, which searches the workspace")
    config = resolve_config(SearchConfig, "search", config, settings)
    if settings.get("mode") is not None:
        raise UsageError("`mode` has no effect with `compare`, which names the modes")
    if "hybrid" not in modes:  # which settings of fusion need
        try:
            check_effect(replace(config, mode=modes[0]), settings)
        except UsageError as error:
            name = str(error).split("`")[1]
            raise UsageError(f"`{name}` has an effect only where `compare` names hybrid") from None
    home = find_workspace(workspace)
    bad = collect_bad_records(config.on_error, observer)
    asked = open_questions(questions, home, config, bad, observer)
    sample = not is_named_file(questions)
    collections = {
        mode: open_collection(
            home,
            retriever=None if mode == "bm25" else retriever,
            sample=sample,
            config=replace(config, mode=mode),
            observer=observer,
        )
        for mode in modes
    }
    found = ({mode: one.search(question) for mode, one in collections.items()} for question in asked)
    return report_at_end(found, bad, observer)


def comparison_to_json(sides: Mapping[str, RankedList], with_text: bool = True) -> dict[str, Any]:
    """Return what `compare_modes` found for one question as `{id, question, ..., sides: {mode: ctxs}}`."""
    question = next(iter(sides.values())).question
    found = {mode: one.to_json(with_text)["ctxs"] for mode, one in sides.items()}
    return {**question.to_json(), "sides": found}


def _ranks(rows: Rows) -> dict[int, int]:
    """Return the rank of each passage that one question found, from 1."""
    return {row: rank for rank, row in enumerate(rows[0].tolist(), 1) if row >= 0}
