"""Records of one kind to the form of another program."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from densecli.corpus.psgs import write_psgs
from densecli.errors import FieldError, InputError, UsageError
from densecli.evaluation.has_answer import mark_answers
from densecli.files.bad_records import STOP, BadRecords
from densecli.files.jsonl import encode_line
from densecli.formats import beir, dpr, flag_embedding, qrels, runs, tevatron
from densecli.formats.beir_folder import examples_of
from densecli.formats.columns import column, join_columns
from densecli.formats.detect import question_of
from densecli.formats.known import EXAMPLES, PASSAGES, PREDICTIONS, QRELS, QUESTIONS, RESULTS
from densecli.formats.lookup import Lookup
from densecli.formats.qa_table import write_table
from densecli.records import Passage, Prediction, Question, RankedList, TrainingExample
from densecli.text.identities import Identities

Records = Iterable[Any]


@dataclass(frozen=True)
class Target:
    """A form that can be written.

    Attributes:
        write: puts the records into a stream; None where they make a folder.
        asks: whether it holds the texts of questions.
        reads: whether it holds the texts of passages.
        judges: whether it says of each passage if it holds an answer.
        drawn: whether it has a place for random negatives.
        keyed: whether it knows questions by their ids alone.
        joined: whether it knows passages by their ids alone.
        holds: refuses an id that has no place in it.
        typed: whether it says how answers are matched.
        answered: whether it has a place for answers.
        keeps_scores: whether it has a place for the teacher's scores of an example.
    """

    write: Callable[[Records, BinaryIO], object] | None
    asks: bool = True
    reads: bool = True
    judges: bool = False
    drawn: bool = True
    keyed: bool = False
    joined: bool = False
    holds: Callable[[str], object] | None = None
    typed: bool = True
    answered: bool = True
    keeps_scores: Callable[[TrainingExample], bool] = lambda example: False


def _bytes(parts: Callable[[Records], Iterable[bytes]]) -> Callable[[Records, BinaryIO], None]:
    return lambda records, stream: stream.writelines(parts(records))


def _lines(row: Callable[[Any], Mapping[str, Any]]) -> Callable[[Records, BinaryIO], None]:
    return _bytes(lambda records: (encode_line(row(record)) for record in records))


def _own(record: Any) -> Mapping[str, Any]:
    row: Mapping[str, Any] = record.to_json()
    return row


def _result_row(ranked: RankedList) -> dict[str, Any]:
    return ranked.to_json(with_text=any(ctx.passage.text for ctx in ranked.ctxs))


def _prediction_row(prediction: Prediction) -> dict[str, Any]:
    return prediction.to_json(with_text=any(ctx.passage.text for ctx in prediction.ranked.ctxs))


TARGETS = {
    (QUESTIONS, "jsonl"): Target(_lines(_own)),
    (QUESTIONS, "dpr"): Target(_bytes(write_table), typed=False),
    (QUESTIONS, "beir"): Target(_lines(beir.question_row), keyed=True),
    (EXAMPLES, "jsonl"): Target(_lines(_own), keeps_scores=lambda example: True),
    (EXAMPLES, "dpr"): Target(_bytes(dpr.write_examples), keeps_scores=lambda example: True),
    (EXAMPLES, "tevatron"): Target(_lines(tevatron.example_row), drawn=False),
    (EXAMPLES, "tevatron-ids"): Target(
        _lines(tevatron.example_row_of_ids), reads=False, drawn=False, joined=True
    ),
    (EXAMPLES, "flag-embedding"): Target(
        _lines(flag_embedding.example_row), drawn=False, answered=False, keeps_scores=flag_embedding.is_taught
    ),
    (EXAMPLES, "beir"): Target(None, keyed=True, joined=True, holds=join_columns),
    (RESULTS, "jsonl"): Target(_lines(_result_row), reads=False),
    (RESULTS, "dpr"): Target(_bytes(dpr.write_results), judges=True),
    (RESULTS, "trec"): Target(
        _bytes(runs.write_trec), asks=False, reads=False, keyed=True, joined=True, holds=column
    ),
    (RESULTS, "msmarco"): Target(
        _bytes(runs.write_msmarco), asks=False, reads=False, keyed=True, joined=True, holds=join_columns
    ),
    (RESULTS, "tevatron"): Target(
        _bytes(runs.write_tevatron), asks=False, reads=False, keyed=True, joined=True, holds=join_columns
    ),
    (PREDICTIONS, "jsonl"): Target(_lines(_prediction_row), reads=False),
    (PREDICTIONS, "dpr"): Target(_bytes(dpr.write_predictions), reads=False),
    (QRELS, "trec"): Target(
        _bytes(qrels.write_trec), asks=False, reads=False, keyed=True, joined=True, holds=column
    ),
    (QRELS, "beir"): Target(
        _bytes(qrels.write_beir), asks=False, reads=False, keyed=True, joined=True, holds=join_columns
    ),
    (PASSAGES, "jsonl"): Target(_lines(_own)),
    (PASSAGES, "psgs"): Target(write_psgs),
    (PASSAGES, "tevatron"): Target(_lines(tevatron.passage_row)),
    (PASSAGES, "beir"): Target(_lines(beir.passage_row)),
}
"""What is written for each kind of records under each name of `--to`."""

TAKES: dict[tuple[str, str], Callable[[Any], Records]] = {
    (EXAMPLES, QUESTIONS): lambda one: (question_of(one),),
    (RESULTS, QUESTIONS): lambda one: (question_of(one),),
    (PREDICTIONS, QUESTIONS): lambda one: (question_of(one),),
    (PREDICTIONS, RESULTS): lambda one: (one.ranked,),
    (EXAMPLES, QRELS): lambda one: (
        qrels.Judgment(one.question.id, passage_id, 1)
        for passage_id in dict.fromkeys(passage.id for passage in one.positives)
    ),
    (RESULTS, QRELS): lambda one: (
        qrels.Judgment(one.question.id, ctx.passage.id, 1) for ctx in _judge(one).ctxs if ctx.has_answer
    ),
}
"""What one record gives when another kind is taken from it."""


def find_target(kind: str, config_to: str | None, take: str | None) -> tuple[str, Target]:
    """Return the kind that is written, and how.

    Raises:
        UsageError: that kind cannot be taken, or has no such form.
    """
    taken = take or kind
    if taken != kind and (kind, taken) not in {*TAKES, (QRELS, EXAMPLES)}:
        possible = [other for one, other in (*TAKES, (QRELS, EXAMPLES)) if one == kind]
        raise UsageError(f"the input holds {kind}: `take` is {taken}; expected {_join_names(possible)}")
    forms = [form for one, form in TARGETS if one == taken]
    if config_to not in forms:
        others = {other for one, other in TAKES if one == kind and (other, config_to) in TARGETS}
        hint = f", or `take` {_join_names(sorted(others))}" if others and take is None else ""
        given = f"`to` is {config_to}" if config_to else "`to` is missing"
        raise UsageError(f"the input gives {taken}: {given}; expected {_join_names(forms)}{hint}")
    return taken, TARGETS[taken, str(config_to)]


def idle(kind: str, taken: str) -> set[str]:
    """Return which of the options `questions` and `passages` have no effect on a conversion."""
    if kind in (QUESTIONS, PASSAGES) or (kind, taken) == (QRELS, QRELS):
        return {"questions", "passages"}
    # examples have the words of their questions
    useless = {"questions"} if kind == EXAMPLES else set()
    return useless | ({"passages"} if taken == QUESTIONS else set())


def _join_names(names: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(names[:-1]), *names[-1:]))) or "nothing"


@contextmanager
def locate_errors(
    name: str, counts: Counter[str], bad: BadRecords = STOP
) -> Iterator[Callable[[FieldError], None]]:
    """Add the name of the input and the record reached to what is wrong with one.

    Yields what `convert` brings the records to that it cannot convert.

    Raises:
        InputError: in place of a FieldError.
    """

    def locate(error: FieldError) -> InputError:
        return InputError(name, None, f"record {counts['records']:,}: {error.what}", error.expected)

    try:
        yield lambda error: bad.refuse(error.code, locate(error))
    except FieldError as error:
        raise locate(error) from None


def stop(error: FieldError) -> None:
    """Raise the error: the first ends the run."""
    raise error


def convert(
    records: Records,
    kind: str,
    taken: str,
    target: Target,
    lookup: Lookup,
    counts: Counter[str],
    refuse: Callable[[FieldError], None] = stop,
) -> Iterator[Any]:
    """Yield records as their target takes them.

    Args:
        records: of `kind`.
        kind: what they are.
        taken: the kind that is written, taken from each of them.
        target: how it is written.
        lookup: texts for what holds ids only.
        counts: filled with the records, and with what the form has no place for.
        refuse: receives the error of a record that lacks what the form needs or, where the form knows
            questions or passages by their ids, of one whose id came before with another text.

    Raises:
        FieldError: the first such record.
    """
    if (kind, taken) == (QRELS, EXAMPLES):
        records, kind = examples_of(records), taken
    take = TAKES.get((kind, taken), lambda one: (one,))
    seen: set[str] | None = set() if target.keyed and kind != QRELS else None
    # a file may hold both ranked lists and predictions
    records = (_as_kind(kind, one, counts) for one in records)
    if kind == RESULTS and lookup.questions:
        records = _with_unanswered(records, lookup)
    identities = Identities()
    for record in records:
        counts["records"] += 1
        try:
            if seen is not None:
                _once(record if isinstance(record, Question) else question_of(record), seen)
            complete = lookup.complete(record)
            if target.joined:
                identities.check(_passages_of(complete))
            if target.joined and isinstance(complete, RankedList):
                complete = _each_passage_once(complete, counts)
            if target.write is None:
                _check_judged(complete, lookup)
            whole = [_whole(one, target) for one in take(complete)]
        except FieldError as error:
            refuse(error)
            continue
        for one in whole:
            _count_losses(one, taken, target, counts)
            yield one


def _as_kind(kind: str, one: Any, counts: Counter[str]) -> Any:
    """Return a ranked list as a prediction without an answer, or the reverse, as the kind asks for."""
    if kind == RESULTS and isinstance(one, Prediction):
        counts["predicted_answers_left_out"] += bool(one.spans)
        return one.ranked
    return Prediction(one, ()) if kind == PREDICTIONS and isinstance(one, RankedList) else one


def _check_judged(example: TrainingExample, lookup: Lookup) -> None:
    """Refuse an example with a positive that the corpus, which is the whole store, does not have."""
    for passage in example.positives:
        if lookup.store is not None and lookup.store.row_of(passage.id) is None:
            raise FieldError(
                f"passage {passage.id!r} is not in the passage store",
                "the store it came from; without one, the passages of the examples are written",
                code="unknown_id",
            )


def _each_passage_once(ranked: RankedList, counts: Counter[str]) -> RankedList:
    """Return a ranked list without the later places of a passage: who reads a run refuses them."""
    best = {ctx.passage.id: ctx for ctx in reversed(ranked.ctxs)}
    if len(best) == len(ranked.ctxs):
        return ranked
    counts["repeated_passages_left_out"] += len(ranked.ctxs) - len(best)
    kept = {id(ctx) for ctx in best.values()}
    return replace(ranked, ctxs=tuple(ctx for ctx in ranked.ctxs if id(ctx) in kept))


def _count_losses(one: Any, taken: str, target: Target, counts: Counter[str]) -> None:
    """Count what the target has no place for."""
    if taken == RESULTS and target.joined and not runs.scores_fit(one):
        counts["lists_with_ranks_for_scores"] += 1
    if taken == QUESTIONS and not target.typed and one.answer_type != "string":
        counts["answer_types_left_out"] += 1
    if taken == EXAMPLES and not target.answered and one.question.answers:
        counts["questions_without_their_answers"] += 1
    if not target.drawn and one.negatives:
        counts["random_negatives_left_out"] += len(one.negatives)
    if taken == EXAMPLES and not target.keeps_scores(one):
        scores = map(flag_embedding.teacher_score, (*one.positives, *one.hard_negatives))
        if lost := sum(score is not None for score in scores):
            counts["teacher_scores_left_out"] += lost
    if target.write is None and not one.positives:
        counts["questions_without_a_judgment"] += 1
    if target.write is None and (negatives := len(one.hard_negatives) + len(one.negatives)):
        counts["negatives_without_a_judgment"] += negatives


def _with_unanswered(records: Records, lookup: Lookup) -> Iterator[RankedList]:
    """Yield ranked lists, and then an empty one for each known question that has none."""
    seen = set()
    for ranked in records:
        seen.add(ranked.question.id)
        yield ranked
    yield from lookup.list_unanswered(seen)


def _once(question: Question, seen: set[str]) -> None:
    """Refuse a second question of the same id, where a format identifies questions by their ids."""
    if question.id in seen:
        raise FieldError(
            f"question id {question.id!r} again", "unique ids: this form has no more", code="duplicate"
        )
    seen.add(question.id)


def _whole(record: Any, target: Target) -> Any:
    _check(record, target)
    return _judge(record) if target.judges else record


def _check(record: Any, target: Target) -> None:
    """Refuse a record without the texts that its target holds, or with an id that has no place in it."""
    if target.holds is not None:
        for name in _ids_of(record):
            target.holds(name)
    if target.asks and not isinstance(record, Passage) and hasattr(record, "question"):
        known = record.question if isinstance(record.question, str) else record.question.question
        if not known:
            raise FieldError(
                "the question's text is not known", "a file of questions as `questions`", code="unknown_text"
            )
    passages = _passages_of(record)
    if target.reads and passages and not any(passage.text for passage in passages):
        raise FieldError(
            "the texts of its passages are not known",
            "their passage store as `passages`",
            code="unknown_text",
        )


def _ids_of(record: Any) -> list[str]:
    """Return the ids of a record that a form of ids alone writes."""
    if isinstance(record, qrels.Judgment):
        return [record.question_id, record.passage_id]
    written = record.positives if isinstance(record, TrainingExample) else _passages_of(record)
    return [question_of(record).id, *(passage.id for passage in written)]


def _passages_of(record: Any) -> tuple[Passage, ...]:
    if isinstance(record, Prediction):
        record = record.ranked
    if isinstance(record, RankedList):
        return tuple(ctx.passage for ctx in record.ctxs)
    return record.passages if isinstance(record, TrainingExample) else ()


def _judge(ranked: RankedList) -> RankedList:
    """Return a ranked list that says of each passage whether it holds an answer.

    Beside others with texts an empty one holds none, as for `evaluate`.
    """
    textless = not any(ctx.passage.text for ctx in ranked.ctxs)
    for ctx in ranked.ctxs:
        if ctx.has_answer is None and textless:
            what = f"passage {ctx.passage.id!r} has neither has_answer nor a text to match"
            raise FieldError(what, "its passage store as `passages`", code="wrong_value")
    return mark_answers(ranked, Counter())
