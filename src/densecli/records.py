"""The nouns: what flows between stages, and how each looks as one line of JSON."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from densecli.errors import FieldError
from densecli.fields import (
    Json,
    id_field,
    number_field,
    rows_field,
    spans_field,
    text_field,
    texts_field,
)

ANSWER_TYPES = ("string", "regex")
ANSWERS = ("answers", "answer", "golden_answers")
"""What answers are called: by us and DPR, on the Hugging Face Hub, and by FlashRAG."""
LIST_AS_TEXT = re.compile(r"""\s*\[\s*((['"]).*\2\s*)?\]\s*""", re.DOTALL)
PLAUSIBLE = 0.75
"""Share of the best answer's probability from which another answer is worth showing."""
PASSAGE_IDS = ("id", "passage_id", "psg_id")
"""What an id is called: by us, in DPR's training files, and in those for TriviaQA."""


@dataclass(frozen=True, slots=True)
class Article:
    """A document before it is split: the unit that `preprocess` reads."""

    id: str
    title: str
    text: str

    @classmethod
    def from_json(cls, row: Json) -> "Article":
        """Build an article from `{id, title?, text}`."""
        return cls(id_field(row, "id"), text_field(row, "title", ""), text_field(row, "text"))

    def to_json(self) -> dict[str, Any]:
        """Return `{id, title, text}`."""
        return {"id": self.id, "title": self.title, "text": self.text}


@dataclass(frozen=True, slots=True)
class Passage:
    """A block of running words (paper, section 4.1) with the title of its article.

    Attributes:
        meta: what else is known of it, where the collection keeps that: the `article` it was cut from, and
            the `offset` of its first word there, in words.
    """

    id: str
    title: str
    text: str
    meta: Mapping[str, Any] | None = field(default=None, hash=False)

    @classmethod
    def from_json(cls, row: Json) -> "Passage":
        """Build a passage from `{id | passage_id | psg_id, title?, text, meta?}`."""
        meta = row.get("meta")
        return cls(
            id_field(row, *PASSAGE_IDS),
            text_field(row, "title", ""),
            text_field(row, "text"),
            meta if isinstance(meta, dict) else None,
        )

    def to_json(self) -> dict[str, Any]:
        """Return `{id, title, text, meta?}`."""
        row = {"id": self.id, "title": self.title, "text": self.text}
        return row if self.meta is None else {**row, "meta": dict(self.meta)}


@dataclass(frozen=True, slots=True)
class Question:
    """A question; `answers` may be empty, `answer_type` says how they are matched."""

    id: str
    question: str
    answers: tuple[str, ...] = ()
    answer_type: str = "string"

    @classmethod
    def from_json(cls, row: Json, default_id: str = "") -> "Question":
        """Build a question from `{id?, question, answers? | answer? | golden_answers?, answer_type?}`."""
        question_id = default_id if row.get("id") in (None, "") else id_field(row, "id")
        answers = answers_of(row)
        answer_type = text_field(row, "answer_type", "string")
        if answer_type not in ANSWER_TYPES:
            raise FieldError(f"answer_type {answer_type!r}", " or ".join(ANSWER_TYPES), code="wrong_value")
        question = text_field(row, "question")
        if not question.strip():
            raise FieldError("'question' is empty", "a question", code="empty_field")
        return cls(question_id, question, answers, answer_type)

    def to_json(self) -> dict[str, Any]:
        """Return `{id, question, answers, answer_type}`."""
        return {
            "id": self.id,
            "question": self.question,
            "answers": list(self.answers),
            "answer_type": self.answer_type,
        }


def answers_of(row: Json) -> tuple[str, ...]:
    """Return the answers of a question: those of the first name that has some; a single text is one answer.

    Raises:
        FieldError: they are not text, or the text of a list (`"['Paris', 'Lutetia']"`), which a program
            writes for a list by mistake. A real answer that looks so can stand in a list of one.
    """
    name = next((name for name in ANSWERS if row.get(name) is not None), ANSWERS[0])
    if not isinstance(row.get(name), str):
        return texts_field(row, name)
    text = text_field(row, name)
    if LIST_AS_TEXT.fullmatch(text):
        raise FieldError(
            f"{name!r} is the text of a list: {text!r:.40}", "a list of strings", code="wrong_type"
        )
    return (text,)


@dataclass(frozen=True, slots=True)
class ScoredPassage:
    """A retrieved passage. `score`: higher is better, same unit for every kind of index."""

    passage: Passage
    score: float
    has_answer: bool | None = None

    @classmethod
    def from_json(cls, row: Json) -> "ScoredPassage":
        """Build one from a `ctxs` entry; DPR's files hold the score as text."""
        score = number_field(row, "score")
        hit = row.get("has_answer")
        textless = {**row, "text": row.get("text", "")}
        return cls(Passage.from_json(textless), score, hit if isinstance(hit, bool) else None)

    def to_json(self, with_text: bool = True) -> dict[str, Any]:
        """Return `{id, title, text, score, has_answer?}`, or without title and text."""
        row: dict[str, Any] = self.passage.to_json() if with_text else {"id": self.passage.id}
        row["score"] = self.score
        if self.has_answer is not None:
            row["has_answer"] = self.has_answer
        return row


@dataclass(frozen=True, slots=True)
class RankedList:
    """A question with its retrieved passages, best first."""

    question: Question
    ctxs: tuple[ScoredPassage, ...]

    @classmethod
    def from_json(cls, row: Json, default_id: str = "") -> "RankedList":
        """Build one from DPR's result form."""
        if "ctxs" not in row:
            raise FieldError(
                "no field 'ctxs'",
                "search results: an object with 'question' and 'ctxs'",
                code="missing_field",
            )
        ctxs = tuple(ScoredPassage.from_json(ctx) for ctx in rows_field(row, "ctxs"))
        return cls(Question.from_json(row, default_id), ctxs)

    def to_json(self, with_text: bool = True) -> dict[str, Any]:
        """Return DPR's result form: the question's fields and `ctxs`."""
        return {**self.question.to_json(), "ctxs": [ctx.to_json(with_text) for ctx in self.ctxs]}


@dataclass(frozen=True, slots=True)
class Span:
    """An answer read in one passage.

    Attributes:
        text: of the answer.
        passage_id: the passage.
        title: of the passage.
        start: character offset into the passage's text.
        end: character offset behind the answer.
        span_score: start logit plus end logit.
        passage_score: relevance logit of the passage.
        score: of the answer among all that was read (`reader.selection`); None in files of other programs.
    """

    text: str
    passage_id: str
    title: str
    start: int
    end: int
    span_score: float
    passage_score: float
    score: float | None = None

    @classmethod
    def from_json(cls, row: Json) -> "Span":
        """Build one from its JSON form."""
        return cls(
            text_field(row, "answer"),
            text_field(row, "passage_id", ""),
            text_field(row, "title", ""),
            int(number_field(row, "start")),
            int(number_field(row, "end")),
            number_field(row, "span_score"),
            number_field(row, "passage_score"),
            None if row.get("answer_score") is None else number_field(row, "answer_score"),
        )

    def to_json(self) -> dict[str, Any]:
        """Return `{answer, passage_id, title, start, end, span_score, passage_score, answer_score?}`."""
        row: dict[str, Any] = {
            "answer": self.text,
            "passage_id": self.passage_id,
            "title": self.title,
            "start": self.start,
            "end": self.end,
            "span_score": self.span_score,
            "passage_score": self.passage_score,
        }
        return row if self.score is None else {**row, "answer_score": self.score}


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the reader says: spans best first (the first is the answer), and where it looked."""

    ranked: RankedList
    spans: tuple[Span, ...]

    @property
    def answer(self) -> str:
        """The best span's text, or an empty string when nothing could be read."""
        return self.spans[0].text if self.spans else ""

    @property
    def other_answers(self) -> tuple[str, ...]:
        """Texts of the other answers that are at least three quarters as probable as the best, best first."""
        if not self.spans:
            return ()
        best, *others = self.spans
        if best.score is None:
            return ()
        least = best.score + math.log(PLAUSIBLE)
        texts = dict.fromkeys(one.text for one in others if one.score is not None and one.score >= least)
        return tuple(text for text in texts if text != best.text)

    @classmethod
    def from_json(cls, row: Json, default_id: str = "") -> "Prediction":
        """Build one from its JSON form."""
        spans = [Span.from_json(row)] if row.get("answer") else []
        spans += [Span.from_json(other) for other in rows_field(row, "alternatives")]
        return cls(RankedList.from_json(row, default_id), tuple(spans))

    def to_json(self, with_text: bool = False) -> dict[str, Any]:
        """Return the ranked list's fields, the best span's fields and `alternatives`."""
        best = self.spans[0].to_json() if self.spans else {"answer": ""}
        others = [span.to_json() for span in self.spans[1:]]
        return {**self.ranked.to_json(with_text), **best, "alternatives": others}


def result_from_json(row: Json, default_id: str = "") -> RankedList | Prediction:
    """Build what `search` or `read` wrote: a prediction where the row holds an answer."""
    return (Prediction if holds_prediction(row) else RankedList).from_json(row, default_id)


def holds_prediction(row: Json) -> bool:
    """Whether the `answer` of a row is a prediction.

    Our rows have `alternatives`. Those of other programs have the gold `answers` beside it.
    """
    answer, gold = row.get("answer"), row.get("answers")
    return "answer" in row and ("alternatives" in row or (isinstance(answer, str) and isinstance(gold, list)))


Result = RankedList | Prediction
"""What was found for a question, and perhaps read in it."""


def ranked_of(result: Result) -> RankedList:
    """Return what was found for the question of a result."""
    return result.ranked if isinstance(result, Prediction) else result


@dataclass(frozen=True, slots=True)
class Context(Passage):
    """A passage of a training example, and where it came from.

    Attributes:
        score: of the search that found it, higher is better.
        rank: its place in that search, from 1.
        source: what found it, such as `bm25`, `dense` or `random`.
        teacher_score: how well it answers the question by a teacher (`train --distill`), higher is better.
        answer_spans: character offsets (start, end) of the answers in the text, where they are known; other
            occurrences of the same words are then no answers.
    """

    score: float | None = None
    rank: int | None = None
    source: str = ""
    teacher_score: float | None = None
    answer_spans: tuple[tuple[int, int], ...] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return `{id, title, text}` and what is known of the other fields."""
        known = {
            "score": self.score,
            "rank": self.rank,
            "source": self.source or None,
            "teacher_score": self.teacher_score,
            "answer_spans": None if self.answer_spans is None else [list(one) for one in self.answer_spans],
        }
        plain = Passage.to_json(self)
        return plain | {name: value for name, value in known.items() if value is not None}


def context_from_json(row: Json, default_id: str) -> Passage:
    """Build a passage of a training example: a `Context` where the row has a score or source."""
    named = any(row.get(name) is not None for name in PASSAGE_IDS)
    passage = Passage.from_json(row if named else {**row, "id": default_id})
    score, rank, teacher_score = (
        None if row.get(name) is None else number_field(row, name)
        for name in ("score", "rank", "teacher_score")
    )
    source = text_field(row, "source", "")
    answer_spans = spans_field(row, "answer_spans")
    if score is None and teacher_score is None and answer_spans is None and not source:
        return passage
    return Context(
        passage.id,
        passage.title,
        passage.text,
        score=score,
        rank=None if rank is None else int(rank),
        source=source,
        teacher_score=teacher_score,
        answer_spans=answer_spans,
    )


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """A question with its positive, random negative and hard negative passages (paper, 3.2)."""

    question: Question
    positives: tuple[Passage, ...]
    hard_negatives: tuple[Passage, ...] = ()
    negatives: tuple[Passage, ...] = ()
    dataset: str = field(default="")

    @property
    def passages(self) -> tuple[Passage, ...]:
        """Its positives, hard negatives and random negatives, in this order."""
        return self.positives + self.hard_negatives + self.negatives

    @classmethod
    def from_json(cls, row: Json, default_id: str = "") -> "TrainingExample":
        """Build one from DPR's training form."""
        if "positive_ctxs" not in row:
            raise FieldError(
                "no field 'positive_ctxs'", "a training example as DPR's files hold", code="missing_field"
            )

        def passages(name: str) -> tuple[Passage, ...]:
            rows = enumerate(rows_field(row, name))
            return tuple(context_from_json(ctx, f"{default_id}.{name}.{number}") for number, ctx in rows)

        return cls(
            Question.from_json(row, default_id),
            passages("positive_ctxs"),
            passages("hard_negative_ctxs"),
            passages("negative_ctxs"),
            text_field(row, "dataset", ""),
        )

    def to_json(self) -> dict[str, Any]:
        """Return DPR's training form, one object."""

        def rows(passages: tuple[Passage, ...]) -> list[dict[str, Any]]:
            return [_context_row(passage.to_json()) for passage in passages]

        return {
            **self.question.to_json(),
            "dataset": self.dataset,
            "positive_ctxs": rows(self.positives),
            "negative_ctxs": rows(self.negatives),
            "hard_negative_ctxs": rows(self.hard_negatives),
        }


def _context_row(row: dict[str, Any]) -> dict[str, Any]:
    """Return a passage's JSON form with its id where DPR's training files have it."""
    passage_id = row.pop("id")
    return {**row, "passage_id": passage_id}
