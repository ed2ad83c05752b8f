"""Rows of BEIR's `corpus.jsonl` and `queries.jsonl`."""

from typing import Any

from densecli.fields import Json, id_field, text_field, texts_field
from densecli.records import Passage, Question


def question(row: Json, _line: str = "") -> Question:
    """Build a question from `{_id, text, metadata?: {answers?}}`."""
    metadata = row.get("metadata")
    answers = texts_field(metadata, "answers") if isinstance(metadata, dict) else ()
    return Question.from_json({"question": text_field(row, "text"), "answers": answers}, id_field(row, "_id"))


def question_row(question: Question) -> dict[str, Any]:
    """Return `{_id, text, metadata}`; answers go to the metadata."""
    return {"_id": question.id, "text": question.question, "metadata": {"answers": list(question.answers)}}


def passage(row: Json, _line: str = "") -> Passage:
    """Build a passage from `{_id, title?, text}`."""
    return Passage(id_field(row, "_id"), text_field(row, "title", ""), text_field(row, "text"))


def passage_row(passage: Passage) -> dict[str, Any]:
    """Return `{_id, title, text, metadata}`."""
    return {"_id": passage.id, "title": passage.title, "text": passage.text, "metadata": {}}
