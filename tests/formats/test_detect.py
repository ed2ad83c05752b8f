"""Which form each kind of file is taken for, and what comes out of it at each door."""

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from densecli.errors import InputError, UsageError
from densecli.formats.detect import detect_format
from densecli.formats.documents import open_document
from densecli.formats.known import MARKED
from densecli.formats.read_any import open_records
from densecli.formats.read_examples import read_examples
from densecli.formats.read_questions import read_questions
from densecli.formats.read_results import read_ranked, read_results

CTX = {"title": "T", "text": "in Ulm", "passage_id": "7", "score": 1.5}
FOUND = {"id": "7", "title": "T", "text": "in Ulm", "score": "1.5", "has_answer": True}
PLACE = {"passage_id": "7", "title": "T", "start": 3, "end": 6, "span_score": 1, "passage_score": 2}
READ = {"answer": "Ulm", "alternatives": [], **PLACE}
FORMS = {
    ("dpr", "examples"): {"question": "who", "answers": ["Ulm"], "positive_ctxs": [CTX]},
    ("tevatron", "examples"): {
        "query_id": 3, "query": "who", "answers": ["Ulm"], "negative_passages": [],
        "positive_passages": [{"docid": "7", "text": "in Ulm"}],
    },
    ("tevatron-ids", "examples"): {"query_id": "3", "query_text": "who", "positive_document_ids": ["7"]},
    ("flag-embedding", "examples"): {"query": "who", "pos": ["in Ulm"], "neg": [], "prompt": "Search: "},
    ("squad", "examples"): {
        "title": "T", "paragraphs": [{"context": "in Ulm", "qas": [
            {"id": "3", "question": "who", "answers": [{"text": "Ulm", "answer_start": 3}]}]}],
    },
    ("squad", "rows"): {
        "id": "3", "title": "T", "context": "in Ulm", "question": "who",
        "answers": {"text": ["Ulm", "Ulm"], "answer_start": [3, 3]},
    },
    ("pyserini", "results"): {
        "question": "who", "answers": ["Ulm"],
        "contexts": [{"docid": "7", "score": "1.5", "text": '"T"\nin Ulm', "has_answer": True}],
    },
    ("trivia-qa", "questions"): {
        "question": "who", "question_id": "tc_1",
        "answer": {"value": "Ulm", "aliases": ["Ulm", "Ulm (city)"], "normalized_value": "ulm"},
    },
    ("dpr-gold", "examples"): {"question": "who", "example_id": 3, "title": "T", "context": "in Ulm"},
    ("oracle", "examples"): {
        "question": "who", "answers": ["Ulm"], "ctxs": [CTX | {"isgold": True, "hasanswer": True}],
        "nq_annotated_gold": {},
    },
    ("jsonl", "predictions"): {"question": "who", "answers": ["Ulm"], "ctxs": [FOUND], **READ},
    ("dpr", "predictions"): {
        "question": "who", "gold_answers": ["Ulm"], "predictions": [
            {"top_k": 1, "prediction": {"text": "Ulm", "score": 1, "relevance_score": 2, "passage_idx": 0,
                                        "passage": "in Ulm"}}],
    },
    ("dpr", "results"): {"question": "who", "answers": ["Ulm"], "ctxs": [FOUND]},
    ("kilt", "questions"): {"id": "3", "input": "who", "output": [{"answer": "Ulm"}, {"provenance": []}]},
    ("beir", "questions"): {"_id": "3", "text": "who", "metadata": {}},
    ("tevatron", "questions"): {"query_id": "3", "query": "who"},
    ("jsonl", "questions"): {"question": "who", "answer": ["Ulm"]},
}  # fmt: skip
LINES = {
    ("trec", "results"): "q Q0 p7 1 12.5 tag\n",
    ("msmarco", "results"): "q\tp7\t1\n",
    ("tevatron", "results"): "q\tp7\t81.25\n",
    ("trec", "qrels"): "q 0 p7 1\n",
    ("dpr", "questions"): "who\t['Ulm']\n",
}
BARE = {("tevatron-ids", "examples"), ("trec", "results"), ("msmarco", "results"), ("tevatron", "results")}


def write(folder, text, name="x.json"):
    path = folder / name
    path.write_text(text)
    return str(path)


def form_of(path, **said):
    with open_document(path) as document:
        known = detect_format(document, **said)
        assert list(known.records())
        return known.form.name, known.form.kind


@pytest.mark.parametrize("key", FORMS, ids="-".join)
@pytest.mark.parametrize("layout", ["line", "array", "indented"])
def test_formats_of_objects_are_detected(tmp_path, key, layout):
    row = FORMS[key]
    text = {"line": json.dumps(row), "array": json.dumps([row, row]), "indented": json.dumps([row], indent=4)}
    path = write(tmp_path, text[layout])
    key = key[0], key[1].replace("rows", "examples")
    assert form_of(path) == key
    assert form_of(path, named=key[0]) == key
    questions = list(read_questions(path))
    assert [question.question for question in questions] == ["who"] * (2 if layout == "array" else 1)
    has_answers = "Ulm" in text["line"] and key not in (
        ("flag-embedding", "examples"),
        ("dpr-gold", "examples"),
    )
    aliases = ("Ulm (city)",) if key[0] == "trivia-qa" else ()
    assert questions[0].answers == (("Ulm", *aliases) if has_answers else ())
    if key in BARE:
        with pytest.raises(InputError, match=r"holds ids only .*; expected texts: `densecli convert"):
            list(read_examples(path))
        return
    doors = {"examples": read_examples, "results": read_results, "predictions": read_results}
    for kind, door in doors.items():
        if key[1] == kind:
            [one] = list(door(path))[:1]
        elif door is not doors.get(key[1]):
            with pytest.raises(InputError, match=r"x\.json:[12]: holds "):
                list(door(path))
    if key[1] == "examples":
        assert [passage.text for passage in one.positives] == ["in Ulm"]
        assert one.question.question == "who"
    if key[1] == "predictions":
        assert one.answer == "Ulm"
        assert (one.spans[0].start, one.spans[0].span_score, one.spans[0].passage_score) == (3, 1, 2)
        assert next(read_ranked(path)) == one.ranked
    if key[1] == "results":
        assert (one.ctxs[0].score, one.ctxs[0].has_answer) == (1.5, True)


@pytest.mark.parametrize("key", LINES, ids="-".join)
def test_formats_of_lines_are_detected(tmp_path, key):
    path = write(tmp_path, LINES[key])
    assert form_of(path) == key
    assert form_of(path, named=key[0]) == key
    if key in BARE:
        with pytest.raises(InputError, match=r"holds ids only \(an? .* run\)"):
            list(read_results(path))


def test_predictions_and_ranked_lists_may_be_mixed(tmp_path):
    rows = [FORMS["dpr", "results"], FORMS["jsonl", "predictions"], FORMS["dpr", "results"]]
    path = write(tmp_path, "".join(json.dumps(row) + "\n" for row in rows))
    kinds = [type(one).__name__ for one in read_results(path)]
    assert kinds == ["RankedList", "Prediction", "RankedList"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "q\tp7\t17\n",
            "x.json:1: no form that is known: 'q\\tp7\\t17'; expected a form of docs/formats.md, or",
        ),
        ("who voiced Meg\n", "x.json:1: no form that is known: 'who voiced Meg'"),
        ('\n{"a": 1}\n', "x.json:2: no form that is known: 'a'"),
        ("[]", "x.json: is empty"),
        ('{"_id": "1", "title": "", "text": "of a corpus"}', "x.json:1: no form that is known: '_id, title"),
        ('[{"text": "a"}]', "x.json:1: no form that is known: 'text'"),
    ],
)
def test_an_unclear_format_is_an_error_that_names_the_setting(tmp_path, text, told):
    with pytest.raises(InputError) as error:
        form_of(write(tmp_path, text))
    assert str(error.value).removeprefix(f"{tmp_path}/").startswith(told)


def test_the_format_can_be_set(tmp_path):
    path = write(tmp_path, "q\tp7\t17\n")
    assert form_of(path, named="tevatron") == ("tevatron", "results")
    with pytest.raises(InputError, match="no list of answers: 'p7'; expected a list"):
        form_of(path, named="dpr")
    assert form_of(path, named="lines") == ("lines", "questions")
    assert form_of(write(tmp_path, "q\tp7\t3\n"), named="msmarco") == ("msmarco", "results")
    with pytest.raises(InputError, match=r"x\.json:1: not in the form 'tevatron': 'question, answer'"):
        form_of(write(tmp_path, json.dumps(FORMS["jsonl", "questions"])), named="tevatron")
    with pytest.raises(UsageError, match="`form` is 'nope'; expected one of beir, dpr, dpr-gold"):
        form_of(path, named="nope")


def test_each_reader_reports_what_it_expects(tmp_path):
    path = write(tmp_path, '{"a": 1}\n')
    with pytest.raises(InputError, match=r"x\.json:1: no field 'question'"):
        list(read_questions(path))
    with pytest.raises(InputError, match=r"x\.json:1: no field 'positive_ctxs'; expected a training example"):
        list(read_examples(path))
    with pytest.raises(InputError, match=r"x\.json:1: no field 'ctxs'; expected search results"):
        list(read_results(path))
    path = write(tmp_path, "a b c\n")
    doors = {"questions": read_questions, "training examples": read_examples, "search results": read_results}
    for told, door in doors.items():
        with pytest.raises(InputError, match=rf"x\.json:1: no {told}"):
            list(door(path))


PIECES = [bytes([sign]) for sign in b'"{}[],:-\t\n\r\0\xff'] + [
    b"null",
    b"1e999",
    b"\xef\xbb\xbf",
    b"\\ud800",
]


def anything(path):
    """Whatever records a file holds."""
    with open_records(path) as (records, _):
        return list(records)


@settings(max_examples=400, deadline=None)
@given(
    text=st.sampled_from([json.dumps(row) + "\n" for row in FORMS.values()] + list(LINES.values())),
    copies=st.integers(1, 3),
    array=st.booleans(),
    cuts=st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 9), st.sampled_from(PIECES) | st.binary(max_size=3)),
        max_size=4,
    ),
    ending=st.sampled_from(["json", "tsv", "txt"]),
)
def test_a_damaged_file_gives_records_or_one_line(tmp_path_factory, text, copies, array, cuts, ending):
    """Bytes are taken out and put in anywhere; what comes of it is never another kind of error."""
    data = ("[" + ",".join([text] * copies) + "]" if array else text * copies).encode()
    for place, length, piece in cuts:
        at = int(place * len(data))
        data = data[:at] + piece + data[at + length :]
    path = tmp_path_factory.getbasetemp() / f"damaged.{ending}"
    path.write_bytes(data)
    for door in (read_questions, read_examples, read_results, anything):
        with suppress(InputError):
            list(door(str(path)))


@pytest.mark.parametrize("key", FORMS, ids="-".join)
def test_a_field_that_a_later_record_lacks_is_named_or_not_needed(tmp_path, key):
    row = FORMS[key]
    for field in row:
        for odd in ({}, {field: None}, {field: 7}, {field: [7]}, {field: {"a": 7}}):
            later = {name: value for name, value in row.items() if name != field} | odd
            path = write(tmp_path, f"{json.dumps(row)}\n{json.dumps(later)}\n", "x.jsonl")
            for door in (read_questions, read_examples, read_results, anything):
                with suppress(InputError):
                    list(door(path))


def test_a_run_is_detected_where_has_answer_is_also_accepted(tmp_path):
    path = write(tmp_path, LINES["trec", "results"])
    assert form_of(path, wanted=MARKED) == ("trec", "results")


def test_an_answer_beside_the_gold_answers_is_a_prediction(tmp_path):
    row = {"question": "who", "answers": ["Ulm"], "ctxs": [FOUND], "answer": "Bern"}
    (read,) = read_results(write(tmp_path, json.dumps(row)))
    assert (read.answer, read.ranked.question.answers) == ("Bern", ("Ulm",))
    del row["answers"]  # then it is the gold answer
    (found,) = read_results(write(tmp_path, json.dumps(row)))
    assert found.question.answers == ("Bern",)


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ({"question": "who", "positive_ctxs": []}, "examples"),
        ({"question": "who", "ctxs": []}, "results"),
        ({"question": "who", "ctxs": [], "answer": "x", "alternatives": []}, "predictions"),
        ({"question": "who"}, "questions"),
    ],
)
def test_all_kinds_of_our_own_form_have_its_name(tmp_path, row, kind):
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps(row) + "\n")
    with open_document(str(path)) as document:
        assert detect_format(document, None, "jsonl").form.kind == kind
