"""FlagEmbedding's training examples: a query with positive and negative texts."""

from collections.abc import Sequence
from typing import Any

from densecli.errors import FieldError
from densecli.fields import Json, id_field, number_field, text_field, texts_field
from densecli.records import Context, Passage, Question, TrainingExample


def question(row: Json, default_id: str) -> Question:
    """Build a question from `{query}`."""
    return Question.from_json({"question": text_field(row, "query")}, default_id)


def example(row: Json, default_id: str) -> TrainingExample:
    """Build an example from `{query, pos, neg?, pos_id?, neg_id?, pos_scores?, neg_scores?}`.

    Titles are part of the texts. The scores are those of a teacher.
    """
    return TrainingExample(
        question(row, default_id), _passages(row, "pos", default_id), _passages(row, "neg", default_id)
    )


def _passages(row: Json, name: str, default_id: str) -> tuple[Passage, ...]:
    texts = texts_field(row, name)
    numbers = _parallel_list(row, name, f"{name}_id", len(texts))
    scores = _parallel_list(row, name, f"{name}_scores", len(texts))
    ids = [f"{default_id}.{name}.{place}" for place in range(len(texts))]
    if numbers is not None:
        ids = [id_field({f"{name}_id": one}, f"{name}_id") for one in numbers]
    if scores is None:
        return tuple(Passage(one, "", text) for one, text in zip(ids, texts, strict=True))
    taught = [number_field({f"{name}_scores": one}, f"{name}_scores") for one in scores]
    return tuple(
        Context(one, "", text, teacher_score=score)
        for one, text, score in zip(ids, texts, taught, strict=True)
    )


def _parallel_list(row: Json, name: str, other: str, size: int) -> list[Any] | None:
    """Return a list that belongs to the texts, if there is one."""
    values = row.get(other)
    if values is not None and (not isinstance(values, list) or len(values) != size):
        raise FieldError(
            f"{other!r} does not fit {name!r}", f"{size} values, one for each text", code="wrong_value"
        )
    return values


def example_row(example: TrainingExample) -> dict[str, Any]:
    """Return `{query, pos, neg, pos_id, neg_id}`; a title goes before its text, with a space between.

    With teacher scores for all passages there are `pos_scores` and `neg_scores`, too.
    """
    row: dict[str, Any] = {
        "query": example.question.question,
        "pos": _texts(example.positives),
        "neg": _texts(example.hard_negatives),
        "pos_id": [one.id for one in example.positives],
        "neg_id": [one.id for one in example.hard_negatives],
    }
    if not is_taught(example):
        return row
    return row | {
        "pos_scores": [teacher_score(one) for one in example.positives],
        "neg_scores": [teacher_score(one) for one in example.hard_negatives],
    }


def is_taught(example: TrainingExample) -> bool:
    """Whether all positives and hard negatives have a teacher's score: a list has no place for some."""
    return None not in map(teacher_score, (*example.positives, *example.hard_negatives))


def teacher_score(passage: Passage) -> float | None:
    """Return the teacher's score of a passage, if it has one."""
    return passage.teacher_score if isinstance(passage, Context) else None


def _texts(passages: Sequence[Passage]) -> list[str]:
    return [f"{one.title} {one.text}" if one.title else one.text for one in passages]
