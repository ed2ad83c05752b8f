"""DPR's JSON files: training examples, search results, and the predictions of its reader."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from densecli.errors import FieldError
from densecli.fields import Json, number_field, rows_field, text_field
from densecli.files.jsonl import encode_line
from densecli.records import Prediction, Question, RankedList, ScoredPassage, Span, TrainingExample


def write_examples(examples: Iterable[TrainingExample]) -> Iterator[bytes]:
    """Yield a `biencoder-*.json`: an array with an example on each line."""
    opened = False
    for example in examples:
        yield b",\n" if opened else b"[\n"
        opened = True
        yield encode_line(example.to_json())[:-1]
    yield b"\n]\n" if opened else b"[]\n"


def write_results(results: Iterable[RankedList]) -> Iterator[bytes]:
    """Yield a results file as the reference writes it: scores are texts, and signs beyond ASCII escaped.

    A passage has exactly the five fields that the reference's reader takes. An id that is only the number
    of its question is left out, as the reference has none.
    """
    return _indent(_result(one, number) for number, one in enumerate(results, 1))


def _result(ranked: RankedList, number: int) -> dict[str, Any]:
    asked = ranked.question
    row = _id_fields(asked, number) | {"question": asked.question, "answers": list(asked.answers)}
    return row | {"ctxs": [_context(ctx) for ctx in ranked.ctxs]}


def _context(ctx: ScoredPassage) -> dict[str, Any]:
    named = {"id": ctx.passage.id, "title": ctx.passage.title, "text": ctx.passage.text}
    return named | {"score": str(ctx.score), "has_answer": bool(ctx.has_answer)}


def _id_fields(question: Question, number: int) -> dict[str, Any]:
    named = {} if question.id == str(number) else {"id": question.id}
    return named if question.answer_type == "string" else named | {"answer_type": question.answer_type}


def _indent(rows: Iterable[Json]) -> Iterator[bytes]:
    opened = False
    for row in rows:
        yield b"," if opened else b"["
        opened = True
        # json and not orjson, which neither indents by four nor escapes: the bytes are those of DPR
        yield json.dumps([row], indent=4)[1:-2].encode()
    yield b"\n]\n" if opened else b"[]\n"


def question(row: Json, default_id: str) -> Question:
    """Build the question of a row of the reference's reader."""
    return Question.from_json({**row, "answers": row.get("gold_answers", [])}, default_id)


def prediction(row: Json, default_id: str) -> Prediction:
    """Build a prediction from a row of the reference's reader.

    It holds an answer for each number of passages that were read; the one that read most is taken. Which
    passages these were is not stored: the offsets point into the passage text as it was decoded there.
    """
    rows = [one for one in rows_field(row, "predictions") if isinstance(one.get("prediction"), dict)]
    if not rows:
        raise FieldError(
            "no prediction in 'predictions'", "predictions as DPR's reader writes them", code="missing_field"
        )
    best = max(rows, key=lambda one: number_field(one, "top_k"))["prediction"]
    text = text_field(best, "text")
    # DPR stores no offsets; both texts were decoded from word pieces, so the answer is in the passage
    start = max(0, text_field(best, "passage", "").find(text))
    span = Span(
        text,
        "",
        "",
        start,
        start + len(text),
        number_field(best, "score"),
        number_field(best, "relevance_score"),
    )
    return Prediction(RankedList(question(row, default_id), ()), (span,) if text else ())


def pyserini_result(row: Json, default_id: str) -> RankedList:
    """Build a ranked list from `{question, answers, contexts: [{docid, score, text, title?, has_answer?}]}`.

    Where a passage has no field for it, the first line of its text is the title, often in quotes.
    """
    found = tuple(_pyserini_context(ctx) for ctx in rows_field(row, "contexts"))
    return RankedList(Question.from_json(row, default_id), found)


def _pyserini_context(ctx: Json) -> ScoredPassage:
    text, title = text_field(ctx, "text", ""), text_field(ctx, "title", "")
    if "title" not in ctx and "\n" in text:
        title, _, text = text.partition("\n")
        quoted = len(title) > 1 and title[0] == title[-1] == '"'
        title = title[1:-1].replace('""', '"') if quoted else title
    held = {**ctx, "id": ctx.get("docid"), "title": title, "text": text}
    return ScoredPassage.from_json(held)


def write_predictions(predictions: Iterable[Prediction]) -> Iterator[bytes]:
    """Yield a predictions file as the reference's reader writes it, for the number of passages read."""
    return _indent(_prediction(one, number) for number, one in enumerate(predictions, 1))


def _prediction(one: Prediction, number: int) -> dict[str, Any]:
    asked, ctxs = one.ranked.question, one.ranked.ctxs
    best = one.spans[0] if one.spans else Span("", "", "", 0, 0, 0.0, 0.0)
    places = {ctx.passage.id: place for place, ctx in reversed(list(enumerate(ctxs)))}
    place = places.get(best.passage_id, len(ctxs))
    passage = ctxs[place].passage.text if place < len(ctxs) else ""
    prediction = {
        "text": best.text,
        "score": best.span_score,
        "relevance_score": best.passage_score,
        "passage_idx": place if place < len(ctxs) else 0,
        "passage": passage or best.text,
    }
    row = _id_fields(asked, number) | {"question": asked.question, "gold_answers": list(asked.answers)}
    return row | {"predictions": [{"top_k": len(ctxs), "prediction": prediction}]}
