from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from densecli.errors import FieldError
from densecli.fields import id_field, number_field, rows_field, text_field, texts_field
from densecli.files.jsonl import encode_line, parse_row
from densecli.records import (
    ANSWER_TYPES,
    Article,
    Context,
    Passage,
    Prediction,
    Question,
    RankedList,
    ScoredPassage,
    Span,
    TrainingExample,
)
from made_records import ASKED, NUMBERS, PLACES, TEXT, many

PASSAGES = st.builds(Passage, TEXT, TEXT, TEXT)
QUESTIONS = st.builds(Question, TEXT, ASKED, many(TEXT), st.sampled_from(ANSWER_TYPES))
SCORED = st.builds(ScoredPassage, PASSAGES, NUMBERS, st.sampled_from([None, True, False]))
RANKED = st.builds(RankedList, QUESTIONS, many(SCORED))
SPANS = st.builds(Span, TEXT.filter(bool), TEXT, TEXT, PLACES, PLACES, NUMBERS, NUMBERS)
PREDICTIONS = st.builds(Prediction, RANKED, many(SPANS))
RANKS = st.none() | st.integers(1, 100)
FOUND = st.builds(Context, TEXT, TEXT, TEXT, score=NUMBERS, rank=RANKS, source=TEXT)
TAUGHT = st.builds(Context, TEXT, TEXT, TEXT, teacher_score=NUMBERS)
DRAWN = st.builds(Context, TEXT, TEXT, TEXT, source=TEXT.filter(bool))
MANY = many(PASSAGES | FOUND | DRAWN | TAUGHT, most=2)
EXAMPLES = st.builds(TrainingExample, QUESTIONS, MANY, MANY, MANY, TEXT)


def again(record, **options):
    """Write a record as a line and read it."""
    return type(record).from_json(parse_row(encode_line(record.to_json(**options))))


@given(st.one_of(PASSAGES, QUESTIONS, SCORED, RANKED, SPANS, EXAMPLES))
def test_a_record_survives_a_round_trip(record):
    assert again(record) == record


@given(PREDICTIONS)
def test_a_prediction_survives_a_round_trip(prediction):
    assert again(prediction, with_text=True) == prediction


@given(RANKED)
def test_ids_and_scores_survive_a_round_trip_without_text(ranked):
    assert [(ctx.passage.id, ctx.score, ctx.has_answer) for ctx in again(ranked, with_text=False).ctxs] == [
        (ctx.passage.id, ctx.score, ctx.has_answer) for ctx in ranked.ctxs
    ]


@given(st.dictionaries(st.sampled_from(["id", "question", "answers", "ctxs", "score", "start"]), st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2), max_leaves=5,
)))  # fmt: skip
def test_any_json_object_is_read_or_refused(row):
    for record in (Article, Passage, Question, ScoredPassage, RankedList, Prediction, TrainingExample):
        with suppress(FieldError):
            record.from_json({"text": "t", "positive_ctxs": [row], "answer": "a"} | row)


def test_the_formats_of_dpr_are_read():
    row = {
        "question": "who",
        "answers": ["A"],
        "ctxs": [{"id": "wiki:1", "title": "T", "text": "t", "score": "79.5", "has_answer": False}],
    }
    ctx = RankedList.from_json(row, "7").ctxs[0]
    assert ctx == ScoredPassage(Passage("wiki:1", "T", "t"), 79.5, False)
    example = TrainingExample.from_json(
        {
            "dataset": "nq",
            "question": "who",
            "answers": ["A"],
            "positive_ctxs": [{"title": "T", "text": "t", "score": 1000, "title_score": 1, "passage_id": 5}],
            "hard_negative_ctxs": [{"title": None, "text": "n"}],
        },
        "7",
    )
    assert example.question.id == "7"
    assert example.positives == (Context("5", "T", "t", score=1000),)
    assert example.hard_negatives == (Passage("7.hard_negative_ctxs.0", "", "n"),)
    assert example.negatives == ()


def test_a_missing_or_null_id_is_the_line_number():
    assert Question.from_json({"id": None, "question": "q", "answer_type": None}, "3") == Question("3", "q")
    assert Article.from_json({"id": 5, "title": None, "text": "t"}) == Article("5", "", "t")


def test_a_prediction_without_spans_has_no_answer():
    nothing = Prediction(RankedList(Question("1", "q"), ()), ())
    assert nothing.answer == ""
    assert nothing.to_json()["answer"] == ""
    assert again(nothing) == nothing


@pytest.mark.parametrize(
    ("read", "value", "message"),
    [
        (text_field, 5, "'x' is int 5; expected a string"),
        (text_field, None, "'x' is null; expected an object with 'x'"),
        (text_field, "a\0", "'x' holds a NUL"),
        (text_field, "\udcff", "'x' holds a lone surrogate"),
        (text_field, ["x" * 10_000], r"^.{1,80}; expected a string$"),
        (id_field, {}, "'x' is dict"),
        (id_field, False, "'x' is bool"),
        (id_field, None, "'x' is null"),
        (texts_field, "text", "'x' is str 'text'; expected a list of strings"),
        (texts_field, [1], "'x' holds int 1; expected a list of strings"),
        (texts_field, ["a", None], "'x' holds null; expected a list of strings"),
        (texts_field, {"a": 1}, "'x' is dict"),
        (number_field, "high", "'x' is 'high'; expected a number"),
        (number_field, "nan", "expected a number"),
        (number_field, float("inf"), "expected a number"),
        (number_field, True, "expected a number"),
        (number_field, [], "expected a number"),
        (rows_field, {}, "'x' is not a list of objects"),
        (rows_field, [[]], "'x' is not a list of objects"),
    ],
)
def test_a_field_of_another_type_is_refused(read, value, message):
    with pytest.raises(FieldError, match=message):
        read({"x": value}, "x")


def test_fields_are_read_with_their_defaults():
    row = {"n": "1.5", "id": 3, "t": "ü", "ts": ["a", "b"], "rs": [{}]}
    assert number_field(row, "n") == 1.5
    assert number_field(row, "none") == 0
    assert id_field(row, "other", "id") == "3"
    assert text_field(row, "t") == "ü"
    assert text_field(row, "none", "d") == "d"
    assert texts_field(row, "ts") == ("a", "b")
    assert texts_field(row, "none") == ()
    assert rows_field(row, "rs") == [{}]
    assert rows_field(row, "none") == []


@pytest.mark.parametrize("given_id", [None, ""])
def test_null_and_empty_fields_count_as_missing(given_id):
    row = {"id": given_id, "question": "who", "answers": None}
    assert Question.from_json(row, "7") == Question("7", "who")
