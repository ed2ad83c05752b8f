"""Texts for records that hold ids only: questions from a file, passages from a store."""

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from densecli.errors import FieldError, InputError
from densecli.files.bad_records import DUPLICATE, STOP, BadRecords
from densecli.records import Passage, Prediction, Question, RankedList, TrainingExample

T = TypeVar("T")


class Store(Protocol):
    """A passage store."""

    def __len__(self) -> int:
        """Return the number of passages."""
        ...

    def __getitem__(self, row: int) -> Passage:
        """Return a row's passage."""
        ...

    def row_of(self, passage_id: str) -> int | None:
        """Return the row of an id, or None."""
        ...


@dataclass(frozen=True)
class Lookup:
    """Where texts come from; each of the two may be missing."""

    questions: Mapping[str, Question] = field(default_factory=dict)
    store: Store | None = None

    @property
    def whole(self) -> bool:
        """Whether it has the texts of questions and of passages."""
        return bool(self.questions) and self.store is not None

    def question(self, known: Question) -> Question:
        """Return the question of the same id, or the one given where no questions are known.

        Raises:
            FieldError: questions are known, and none has this id.
        """
        if not self.questions:
            return known
        found = self.questions.get(known.id)
        if found is None:
            ids = list(self.questions)
            expected = f"one of the {len(ids):,} ids of the questions ({ids[0]!r} to {ids[-1]!r})"
            raise FieldError(f"question {known.id!r} is not among the questions", expected, code="unknown_id")
        return found

    def list_unanswered(self, seen: Set[str]) -> Iterator[RankedList]:
        """Yield an empty list for each question that a run has no line for: nothing was found for it."""
        return (RankedList(one, ()) for one in self.questions.values() if one.id not in seen)

    def passage(self, known: Passage) -> Passage:
        """Return the passage of the same id, or the one given where it has a text or there is no store.

        Raises:
            FieldError: there is a store, and it has no such passage.
        """
        if known.text or self.store is None:
            return known
        row = self.store.row_of(known.id)
        if row is None:
            raise FieldError(
                f"passage {known.id!r} is not in the passage store",
                "the store it came from",
                code="unknown_id",
            )
        return self.store[row]

    def complete_ranked(self, known: RankedList) -> RankedList:
        """Return a ranked list with what is known of its question and passages.

        Whether a passage holds an answer is open again where the question found has other answers.
        """
        question, before = self.question(known.question), known.question
        answers = before.answers, before.answer_type
        same = not before.answers or (question.answers, question.answer_type) == answers
        return RankedList(
            question,
            tuple(
                replace(ctx, passage=self.passage(ctx.passage), has_answer=ctx.has_answer if same else None)
                for ctx in known.ctxs
            ),
        )

    def complete_all(self, records: Iterable[T], bad: BadRecords = STOP) -> Iterator[T]:
        """Yield records of any kind, which are in memory, with what is known of their texts.

        Raises:
            InputError: a question or passage is not among those known, and such records are not skipped.
        """
        for number, record in enumerate(records, 1):
            try:
                yield self.complete(record)
            except FieldError as error:
                where = f"record {number:,}: {error.what}"
                bad.refuse(error.code, InputError("results", None, where, error.expected))

    def complete(self, record: Any) -> Any:
        """Return a record of any kind with what is known of its texts.

        Raises:
            FieldError: a question or passage is not among those known.
        """
        if not self.questions and self.store is None:
            return record
        if isinstance(record, TrainingExample):
            return self.example(record)
        if isinstance(record, RankedList):
            return self.complete_ranked(record)
        if isinstance(record, Prediction):
            return replace(record, ranked=self.complete_ranked(record.ranked))
        return record

    def example(self, known: TrainingExample) -> TrainingExample:
        """Return an example with what is known of its passages, and of its question where it has no text."""

        def passages(given: Iterable[Passage]) -> tuple[Passage, ...]:
            return tuple(self.passage(one) for one in given)

        return replace(
            known,
            question=known.question if known.question.question else self.question(known.question),
            positives=passages(known.positives),
            hard_negatives=passages(known.hard_negatives),
            negatives=passages(known.negatives),
        )


def questions_by_id(
    questions: Iterable[Question], source: str, bad: BadRecords = STOP
) -> dict[str, Question]:
    """Return questions by their ids; of several with one id the first, where the others are skipped.

    Raises:
        InputError: an id occurs twice.
    """
    found: dict[str, Question] = {}
    for question in questions:
        if question.id in found:
            what = f"question id {question.id!r} occurs twice"
            bad.refuse(DUPLICATE, InputError(source, None, what, "unique ids"))
            continue
        found[question.id] = question
    return found
