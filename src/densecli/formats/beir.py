"""Rows of BEIR's `corpus.jsonl` and `queries.jsonl`."""

from typing import Any

from densecli.fields import Json, id_field, text_field, texts_field
from densecli.records import Passage, Question


def question(row: Json, _line: str = "") -> Question:
    """Build a question from `{_id, text, metadata?: {answers?, answer_type?}}`."""
    metadata = row.get("metadata")
    known = metadata if isinstance(metadata, dict) else {}
    answers = {"answers": texts_field(known, "answers"), "answer_type": known.get("answer_type")}
    return Question.from_json({"question": text_field(row, "text"), **answers}, id_field(row, "_id"))


def question_row(question: Question) -> dict[str, Any]:
    """Return `{_id, text, metadata}`; answers go to the metadata."""
    metadata: dict[str, Any] = {"answers": list(question.answers)}
    if question.answer_type != "string":
        metadata["answer_type"] = question.answer_type
    return {"_id": question.id, "text": question.question, "metadata": metadata}


def passage(row: Json, _line: str = "") -> Passage:
    """Build a passage from `{_id, title?, text}`."""
    return Passage(id_field(row, "_id"), text_field(row, "title", ""), text_field(row, "text"))


def passage_row(passage: Passage) -> dict[str, Any]:
    """Return `{_id, title, text, metadata}`."""
    return {"_id": passage.id, "title": passage.title, "text": passage.text, "metadata": {}}
