"""Runs: ids of questions and of the passages found for them, as TREC, MS MARCO and Tevatron write them."""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, pairwise
from typing import NamedTuple

from densecli.errors import FieldError
from densecli.fields import number_field
from densecli.formats.columns import Columns, column, join_columns, table, whole_number
from densecli.formats.documents import Document
from densecli.records import Passage, Question, RankedList, ScoredPassage

TAG = "densecli"


class Entry(NamedTuple):
    """A passage found for a question."""

    question_id: str
    passage_id: str
    score: float


def read_run(
    document: Document, entry: Callable[[Columns], Entry], by_rank: bool = False
) -> Iterator[RankedList]:
    """Yield a ranked list for each question, without any text.

    Passages are ordered by score, not by rank (some programs write 0 everywhere); those with the
    same score stay in the order of the file. With `by_rank` the scores are ranks, each of which a question
    has once; judgments without a header look like such a run, and are recognized by their equal grades.

    Raises:
        InputError: a line has other columns, or the lines of a question are not consecutive.
    """
    seen: set[str] = set()
    for question_id, group in groupby(table(document, entry), lambda pair: pair[1].question_id):
        found: dict[str, float] = {}
        scores: set[float] = set()
        for line, one in group:
            if one.passage_id in found:
                what = f"passage {one.passage_id!r} again for question {question_id!r}"
                document.refuse(FieldError(what, "each once", code="duplicate"), line)
                continue
            if question_id in seen:
                what = f"question {question_id!r} again, after others"
                document.refuse(FieldError(what, "a run sorted by question", code="unsorted"), line)
                continue
            if by_rank and one.score in scores:
                what = f"rank {1 / one.score:.0f} again for question {question_id!r}"
                document.refuse(
                    FieldError(what, "each rank once (are these judgments?)", code="duplicate"), line
                )
                continue
            scores.add(one.score)
            found[one.passage_id] = one.score
        seen.add(question_id)
        if not found:
            continue
        # stable, so that equal scores stay in the order of the file
        best = sorted(found.items(), key=lambda pair: -pair[1])
        yield RankedList(
            Question(question_id, ""),
            tuple(ScoredPassage(Passage(passage_id, "", ""), score) for passage_id, score in best),
        )


def trec_entry(columns: Columns) -> Entry:
    """Take `qid Q0 docid rank score tag`."""
    whole_number(columns[3], "rank")
    return Entry(columns[0], columns[2], number_field({"score": columns[4]}, "score"))


def tevatron_entry(columns: Columns) -> Entry:
    """Take `qid docid score`."""
    return Entry(columns[0], columns[1], number_field({"score": columns[2]}, "score"))


def msmarco_entry(columns: Columns) -> Entry:
    """Take `qid docid rank`; the score is 1/rank, because the file has none."""
    rank = whole_number(columns[2], "rank")
    if rank < 1:
        raise FieldError(f"rank {columns[2]!r}", "ranks from 1", code="wrong_value")
    return Entry(columns[0], columns[1], 1 / rank)


def write_trec(results: Iterable[RankedList]) -> Iterator[bytes]:
    """Yield `qid Q0 docid rank score tag`; evaluation programs go by the score alone.

    Raises:
        FieldError: an id is empty or holds a space, which parts the columns.
    """
    for question_id, rank, passage_id, score in _ranks(results):
        yield f"{column(question_id)} Q0 {column(passage_id)} {rank} {score!r} {TAG}\n".encode()


def write_tevatron(results: Iterable[RankedList]) -> Iterator[bytes]:
    """Yield `qid docid score` with tabs between.

    Raises:
        FieldError: an id is empty or holds a tab or a line end.
    """
    for question_id, _, passage_id, score in _ranks(results):
        yield join_columns(question_id, passage_id, repr(score))


def write_msmarco(results: Iterable[RankedList]) -> Iterator[bytes]:
    """Yield `qid docid rank` with tabs between.

    Raises:
        FieldError: an id is empty or holds a tab or a line end.
    """
    for question_id, rank, passage_id, _ in _ranks(results):
        yield join_columns(question_id, passage_id, str(rank))


def scores_fit(ranked: RankedList) -> bool:
    """Return whether the scores of a list fall with its order; those of a reranked one may not."""
    scores = [ctx.score for ctx in ranked.ctxs]
    return all(one >= other for one, other in pairwise(scores))


def _ranks(results: Iterable[RankedList]) -> Iterator[tuple[str, int, str, float]]:
    """Yield question, rank, passage and score.

    Programs that read a run go by the scores alone. If these do not fit the order, the score is 1/rank.
    """
    for ranked in results:
        # of the whole list: scores of two kinds in one list would mix up its order
        fit = scores_fit(ranked)
        for rank, ctx in enumerate(ranked.ctxs, 1):
            yield ranked.question.id, rank, ctx.passage.id, ctx.score if fit else 1 / rank
