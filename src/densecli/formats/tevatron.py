"""Tevatron's training examples: with the passages (its first form), or with their ids (its second)."""

from collections.abc import Sequence
from typing import Any

from densecli.fields import Json, id_field, rows_field, text_field
from densecli.records import Passage, Question, TrainingExample


def question(row: Json, default_id: str) -> Question:
    """Build a question from `{query_id?, query | query_text, answers?}`."""
    name = "query_text" if row.get("query_text") is not None else "query"
    query_id = default_id if row.get("query_id") is None else id_field(row, "query_id")
    return Question.from_json(
        {"question": text_field(row, name), "answers": row.get("answers") or [], **_type(row)}, query_id
    )


def _type(row: Json) -> dict[str, Any]:
    return {"answer_type": row["answer_type"]} if "answer_type" in row else {}


def passage(row: Json) -> Passage:
    """Build a passage from `{docid, title?, text}`."""
    return Passage(id_field(row, "docid"), text_field(row, "title", ""), text_field(row, "text"))


def example(row: Json, default_id: str) -> TrainingExample:
    """Build an example from `{query_id, query, positive_passages, negative_passages}`."""
    return TrainingExample(
        question(row, default_id),
        tuple(passage(one) for one in rows_field(row, "positive_passages")),
        tuple(passage(one) for one in rows_field(row, "negative_passages")),
    )


def example_of_ids(row: Json, default_id: str) -> TrainingExample:
    """Build an example without texts from `{query_id, query_text, positive_document_ids, ...}`."""

    def passages(name: str) -> tuple[Passage, ...]:
        given = row.get(name) or []
        ids = given if isinstance(given, list) else [given]
        return tuple(Passage(id_field({name: one}, name), "", "") for one in ids)

    return TrainingExample(
        question(row, default_id), passages("positive_document_ids"), passages("negative_document_ids")
    )


def example_row(example: TrainingExample) -> dict[str, Any]:
    """Return the first form; hard negatives become its negatives, random ones have no place in it."""

    def rows(passages: Sequence[Passage]) -> list[dict[str, str]]:
        return [passage_row(one) for one in passages]

    return _query(example.question, "query") | {
        "positive_passages": rows(example.positives),
        "negative_passages": rows(example.hard_negatives),
    }


def example_row_of_ids(example: TrainingExample) -> dict[str, Any]:
    """Return the second form, for a corpus in a file of its own."""
    return _query(example.question, "query_text") | {
        "positive_document_ids": [one.id for one in example.positives],
        "negative_document_ids": [one.id for one in example.hard_negatives],
    }


def _query(question: Question, name: str) -> dict[str, Any]:
    row = {"query_id": question.id, name: question.question, "answers": list(question.answers)}
    return row if question.answer_type == "string" else row | {"answer_type": question.answer_type}


def passage_row(passage: Passage) -> dict[str, str]:
    """Return `{docid, title, text}`, a row of its corpus too."""
    return {"docid": passage.id, "title": passage.title, "text": passage.text}
