"""Questions with the passage that answers them (SQuAD, DPR's, oracle files), and KILT's without."""

import hashlib
from collections.abc import Iterator
from urllib.parse import unquote

from densecli.errors import FieldError
from densecli.fields import Json, id_field, row_field, rows_field, text_field, texts_field
from densecli.records import (
    Context,
    Passage,
    Question,
    RankedList,
    ScoredPassage,
    TrainingExample,
    context_from_json,
)


def squad_examples(article: Json, default_id: str) -> Iterator[TrainingExample]:
    """Yield an example for each question of an article `{title?, paragraphs}` in SQuAD's form.

    The paragraph is the positive; that of an unanswerable question (SQuAD 2) is a hard negative. Paragraphs
    are numbered within their article, and articles within the file, since two may have one title.
    """
    # SQuAD's titles are from URLs: Beyonc%C3%A9, New_York
    title = unquote(text_field(article, "title", "")).replace("_", " ")
    name = "_".join([*title.split(), default_id])
    for number, paragraph in enumerate(rows_field(article, "paragraphs")):
        passage = Passage(f"{name}#{number}", title, text_field(paragraph, "context"))
        for place, row in enumerate(rows_field(paragraph, "qas")):
            question = _squad_question(row, f"{default_id}.{number}.{place}")
            if question.answers:
                yield TrainingExample(question, (passage,))
            else:
                yield TrainingExample(question, (), (passage,))


def squad_results(article: Json, default_id: str) -> Iterator[RankedList]:
    """Yield each question of an article with its own paragraph, with the answers at their offsets.

    An offset at which the text has another word is ignored; a question without any good offset is matched by
    its words.
    """
    rows = [row for paragraph in rows_field(article, "paragraphs") for row in rows_field(paragraph, "qas")]
    for row, example in zip(rows, squad_examples(article, default_id), strict=True):
        (paragraph,) = example.positives or example.hard_negatives
        spans = _squad_spans(row, paragraph.text) if example.positives else ()
        known = Context(paragraph.id, paragraph.title, paragraph.text, answer_spans=spans or None)
        yield RankedList(example.question, (ScoredPassage(known, 0.0, bool(example.positives)),))


def _squad_spans(row: Json, text: str) -> tuple[tuple[int, int], ...]:
    spans = set()
    for answer in rows_field(row, "answers"):
        words, start = text_field(answer, "text"), answer.get("answer_start")
        if isinstance(start, int) and words and text[start : start + len(words)] == words:
            spans.add((start, start + len(words)))
    return tuple(sorted(spans))


def squad_questions(article: Json, default_id: str) -> Iterator[Question]:
    """Yield the questions of an article."""
    return (example.question for example in squad_examples(article, default_id))


def _squad_question(row: Json, default_id: str) -> Question:
    # SQuAD 2 gives such questions plausible answers, which are wrong
    given = [] if row.get("is_impossible") is True else rows_field(row, "answers")
    answers = list(dict.fromkeys(text_field(one, "text") for one in given))
    question_id = default_id if row.get("id") is None else id_field(row, "id")
    return Question.from_json({"question": text_field(row, "question"), "answers": answers}, question_id)


def is_squad_row(row: Json) -> bool:
    """Whether a row has one text as its context, as those of the Hugging Face Hub have."""
    return isinstance(row.get("context"), str) and isinstance(row.get("answers"), dict | list)


def squad_row_question(row: Json, default_id: str) -> Question:
    """Build the question of a row: `answers` is `{text: [...], answer_start}` there, or a list."""
    answers = row.get("answers")
    texts = texts_field(answers, "text") if isinstance(answers, dict) else texts_field(row, "answers")
    return Question.from_json({**row, "answers": list(dict.fromkeys(texts))}, default_id)


def squad_row_example(row: Json, default_id: str) -> TrainingExample:
    """Build an example from a row `{id?, title?, context, question, answers}` of the Hugging Face Hub.

    Its context is the positive, or where there is no answer (SQuAD 2) a hard negative. Rows with the same
    context give passages with the same id: a digest of it.
    """
    question = squad_row_question(row, default_id)
    title, context = text_field(row, "title", "").replace("_", " "), text_field(row, "context")
    number = hashlib.sha256(f"{title}\n{context}".encode()).hexdigest()[:16]
    passage = Passage("_".join([*title.split(), number]), title, context)
    held = (passage,) if context.strip() else ()
    return TrainingExample(question, held, ()) if question.answers else TrainingExample(question, (), held)


def is_trivia_row(row: Json) -> bool:
    """Whether a row has an answer with aliases, as those of the Hugging Face Hub have."""
    answer = row.get("answer")
    return isinstance(answer, dict) and not answer.keys().isdisjoint(("value", "aliases"))


def trivia_question(row: Json, default_id: str) -> Question:
    """Build a question from `{question, question_id?, answer: {value, aliases}}`; all of these answer it."""
    answer = row_field(row, "answer")
    value = () if answer.get("value") is None else (text_field(answer, "value"),)
    answers = list(dict.fromkeys([*value, *texts_field(answer, "aliases")]))
    number = row.get("question_id") or default_id
    return Question.from_json({"id": number, "question": text_field(row, "question"), "answers": answers})


def dpr_gold_question(row: Json, default_id: str) -> Question:
    """Build the question of an entry of DPR's gold passages."""
    example_id = default_id if row.get("example_id") is None else id_field(row, "example_id")
    return Question.from_json({"question": text_field(row, "question")}, example_id)


def dpr_gold_example(row: Json, default_id: str) -> TrainingExample:
    """Build an example from an entry of DPR's gold passages: `{question, example_id, title, context}`."""
    question = dpr_gold_question(row, default_id)
    context = text_field(row, "context", "")
    passage = Passage(f"{question.id}.gold", text_field(row, "title", ""), context)
    return TrainingExample(question, (passage,) if context.strip() else ())


def oracle_example(row: Json, default_id: str) -> TrainingExample:
    """Build an example from `{question, answers, ctxs: [{title, text, isgold, hasanswer}]}`.

    The passages marked gold are positive; of the others, those that hold no answer are hard negatives.
    """
    positives, negatives = [], []
    for number, ctx in enumerate(rows_field(row, "ctxs")):
        passage = context_from_json(ctx, f"{default_id}.{number}")
        if ctx.get("isgold") is True:
            positives.append(passage)
        elif ctx.get("hasanswer") is not True:
            negatives.append(passage)
    return TrainingExample(Question.from_json(row, default_id), tuple(positives), tuple(negatives))


def kilt_question(row: Json, default_id: str) -> Question:
    """Build a question from KILT's `{id, input, output: [{answer?, provenance?}]}`."""
    outputs = rows_field(row, "output")
    answers = dict.fromkeys(text_field(one, "answer") for one in outputs if one.get("answer") is not None)
    question_id = default_id if row.get("id") is None else id_field(row, "id")
    if not isinstance(row.get("input"), str):
        raise FieldError("no field 'input'", "a question as KILT's files hold", code="missing_field")
    return Question.from_json({"question": row["input"], "answers": list(answers)}, question_id)
