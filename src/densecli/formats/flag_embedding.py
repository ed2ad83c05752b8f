"""FlagEmbedding's training examples: a query with positive and negative texts."""

from collections.abc import Sequence
from typing import Any

from densecli.errors import FieldError
from densecli.fields import Json, id_field, text_field, texts_field
from densecli.records import Passage, Question, TrainingExample


def question(row: Json, default_id: str) -> Question:
    """Build a question from `{query}`."""
    return Question.from_json({"question": text_field(row, "query")}, default_id)


def example(row: Json, default_id: str) -> TrainingExample:
    """Build an example from `{query, pos, neg?, pos_id?, neg_id?}`; titles are part of the texts."""
    return TrainingExample(
        question(row, default_id), _passages(row, "pos", default_id), _passages(row, "neg", default_id)
    )


def _passages(row: Json, name: str, default_id: str) -> tuple[Passage, ...]:
    texts = texts_field(row, name)
    numbers = row.get(f"{name}_id")
    if numbers is None:
        return tuple(Passage(f"{default_id}.{name}.{place}", "", text) for place, text in enumerate(texts))
    if not isinstance(numbers, list) or len(numbers) != len(texts):
        raise FieldError(
            f"'{name}_id' does not fit {name!r}", f"{len(texts)} ids, one for each text", code="wrong_value"
        )
    ids = [id_field({f"{name}_id": one}, f"{name}_id") for one in numbers]
    return tuple(Passage(one, "", text) for one, text in zip(ids, texts, strict=True))


def example_row(example: TrainingExample) -> dict[str, Any]:
    """Return `{query, pos, neg, pos_id, neg_id}`; a title goes before its text, with a space between."""
    return {
        "query": example.question.question,
        "pos": _texts(example.positives),
        "neg": _texts(example.hard_negatives),
        "pos_id": [one.id for one in example.positives],
        "neg_id": [one.id for one in example.hard_negatives],
    }


def _texts(passages: Sequence[Passage]) -> list[str]:
    return [f"{one.title} {one.text}" if one.title else one.text for one in passages]
