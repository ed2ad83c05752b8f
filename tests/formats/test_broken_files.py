"""Files that are broken in every way, at every door: one line that says where, or counts by reason."""

import bz2
import gzip
import json
from contextlib import contextmanager

import pytest

from densecli.errors import InputError
from densecli.files.bad_records import BadRecords
from densecli.formats import documents
from densecli.formats.read_any import lookup_from, open_records
from densecli.formats.read_examples import read_examples
from densecli.formats.read_mining_input import read_mining_input
from densecli.formats.read_questions import read_questions
from densecli.formats.read_results import read_results

ASKED = {"question": "who is it", "answers": ["Ulm"]}
EXAMPLE = ASKED | {"positive_ctxs": [{"title": "", "text": "in Ulm"}]}
RESULT = ASKED | {"ctxs": [{"id": 1, "title": "", "text": "in Ulm", "score": 1.0}]}
BARE = {"answers": [], "positive_ctxs": [], "ctxs": []}


def every(path, bad):
    """Whatever `convert` reads."""
    with open_records(path, None, bad) as (records, _):
        yield from records


DOORS = {
    "questions": (lambda path, bad: read_questions(path, None, bad), ASKED),
    "asked": (lambda path, bad: read_mining_input(path, None, bad), EXAMPLE),
    "examples": (read_examples, EXAMPLE),
    "results": (read_results, RESULT),
    "records": (every, RESULT),
}
BROKEN_LINES = {
    "not JSON": (b"{'question': 1}", "broken JSON", "broken_json"),
    "cut off": (b'{"question": "who', "broken JSON", "broken_json"),
    "another encoding": (b'{"question": "caf\xe9"}', "not UTF-8", "wrong_encoding"),
    "no object": (b"[1]", "a JSON list", "wrong_type"),
    "a stray tab": (b'{"question": "a\tb"}', "broken JSON", "broken_json"),
    "no question": (json.dumps(BARE).encode(), "no field 'question'", "missing_field"),
    "no text": (json.dumps(BARE | {"question": 5}).encode(), "'question' is int", "wrong_type"),
    "odd answers": (
        json.dumps(BARE | {"question": "a", "answers": 5}).encode(),
        "'answers' is int",
        "wrong_type",
    ),
}


def lines(good, *broken):
    """Three good lines with broken ones among them, from line 2 on; a mark, and the line ends of Windows."""
    rows = [json.dumps(good).encode()]
    return b"\xef\xbb\xbf" + b"\r\n".join([*rows, *broken, *rows, *rows]) + b"\r\n"


@contextmanager
def stopped(*told):
    with pytest.raises(InputError) as error:
        yield
    for one in told:
        assert one in str(error.value)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("fault", BROKEN_LINES)
def test_a_broken_line_stops_or_is_skipped(tmp_path, door, fault):
    read, good = DOORS[door]
    line, reason, code = BROKEN_LINES[fault]
    path = tmp_path / "x.jsonl"
    path.write_bytes(lines(good, line, b"", line))
    with stopped(f"{path}:2: ", "; expected "):
        list(read(str(path), BadRecords()))
    told = []
    bad = BadRecords(True, told.append)
    assert len(list(read(str(path), bad))) == 3
    assert bad.counts == {f"skipped_{code}": 2}
    assert all(one.startswith(f"{path}:{number}: {reason}") for one, number in zip(told, (2, 4), strict=True))


@pytest.mark.parametrize("door", DOORS)
def test_a_broken_first_line_does_not_prevent_format_detection(tmp_path, door):
    read, good = DOORS[door]
    path = tmp_path / "x.jsonl"
    for first in (b"garbage", b'{"some": "thing"}'):
        path.write_bytes(first + b"\n" + lines(good)[3:])
        with stopped(f"{path}:1: ", "; expected "):
            list(read(str(path), BadRecords()))
        bad = BadRecords(True)
        assert len(list(read(str(path), bad))) == 3
        assert bad.counts.total() == 1


@pytest.mark.parametrize("door", DOORS)
def test_a_broken_object_of_an_array_stops_or_is_skipped(tmp_path, door):
    read, good = DOORS[door]
    path = tmp_path / "x.json"
    path.write_text(json.dumps([good, {**good, "question": 5}, good], indent=1))
    with stopped(f"{path}:", ": object 2: 'question' is int 5; expected a string"):
        list(read(str(path), BadRecords()))
    bad = BadRecords(True)
    assert len(list(read(str(path), bad))) == 2
    assert bad.counts == {"skipped_wrong_type": 1}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", ["x.json", "x.jsonl.gz", "x.jsonl.bz2"])
def test_a_truncated_download_is_read_up_to_the_end(tmp_path, door, name):
    """What came before the break is used where that is wanted; all else is one broken file."""
    read, good = DOORS[door]
    words = "who was the king of it " * 25  # few long rows: more than one block of bzip2, in little time
    rows = [{**good, "question": f"{words}{number * number % 10007}"} for number in range(3_000)]
    whole = json.dumps(rows) if name == "x.json" else "".join(json.dumps(row) + "\n" for row in rows)
    pack = {"n": bytes, "z": gzip.compress, "2": bz2.compress}[name[-1]]
    data = pack(whole.encode())
    path = tmp_path / name
    path.write_bytes(data[: len(data) * 9 // 10])
    with stopped(str(path), "cut off", "; expected the whole file"):
        list(read(str(path), BadRecords()))
    told = []
    bad = BadRecords(True, told.append)
    found = list(read(str(path), bad))
    assert 100 < len(found) < 3_000
    assert bad.counts["skipped_rest_of_broken_file"] == 1
    assert "cut off" in told[-1]
    path.write_bytes(data[:12])
    with stopped(str(path)):
        list(read(str(path), BadRecords(True)))


@pytest.mark.parametrize("door", DOORS)
def test_a_file_without_usable_records_is_refused(tmp_path, door):
    read, _ = DOORS[door]
    path = tmp_path / "x.jsonl"
    broken = {
        b"": "is empty",
        b"x\n{x\n": "no JSON object",
        b"{\n{\n": "a JSON object is cut off",
        "{}".encode("utf-16"): "is UTF-16",
    }
    for data, told in broken.items():
        path.write_bytes(data)
        with stopped(f"{path}", told):
            list(read(str(path), BadRecords(True)))
    with stopped("no such file"):
        list(read(str(tmp_path / "nowhere"), BadRecords(True)))


@pytest.mark.parametrize("door", DOORS)
def test_a_line_of_ten_megabytes_is_read_and_a_far_longer_one_is_not(tmp_path, monkeypatch, door):
    read, good = DOORS[door]
    path = tmp_path / "x.jsonl"
    long = json.dumps({**good, "note": "x" * 10_000_000}).encode()
    for place in (0, 1):
        rows = [json.dumps(good).encode(), json.dumps(good).encode()]
        rows.insert(place, long)
        path.write_bytes(b"\n".join(rows))
        assert len(list(read(str(path), BadRecords()))) == 3
    monkeypatch.setattr(documents, "LINE_LIMIT", 1 << 20)
    with stopped(f"{path}:2: a line of more than 1 MiB; expected records in lines"):
        list(read(str(path), BadRecords()))
    bad = BadRecords(True)
    assert len(list(read(str(path), bad))) == 2
    assert bad.counts == {"skipped_too_large": 1}


def test_missing_and_duplicate_ids_are_reported(tmp_path):
    """The number of the line stands for an id; two questions with one id are an error where ids count."""
    path = tmp_path / "q.jsonl"
    path.write_bytes(b'{"question": "a"}\n\n{"question": "b", "id": 1}\n')
    assert [one.id for one in read_questions(str(path))] == ["1", "1"]
    with stopped("question id '1' occurs twice; expected unique ids"):
        lookup_from(str(path), None)
    told = []
    bad = BadRecords(True, told.append)
    assert lookup_from(str(path), None, bad).questions["1"].question == "a"
    assert bad.counts == {"skipped_duplicate_id": 1}
    assert len(told) == 1


def test_broken_rows_of_a_table_stop_or_are_skipped(tmp_path):
    """Rows with a tab too many, of another encoding, with code, without answers, without a question."""
    path = tmp_path / "x.qa.csv"
    broken = [b"who\tis\t['a']", b"caf\xe9\t['a']", b"who\t__import__('os')", b"who", b"\t['a']"]
    path.write_bytes(b"who\t['A']\r\n" + b"".join(line + b"\r\nwhat\t['B']\r\n" for line in broken))
    with stopped(f"{path}:2: no list of answers: 'is'"):
        list(read_questions(str(path)))
    told = []
    bad = BadRecords(True, told.append)
    found = [(one.id, one.question) for one in read_questions(str(path), None, bad)]
    assert found == [("1", "who"), *((str(number), "what") for number in (3, 5, 7, 9, 11))]
    assert bad.counts == {
        "skipped_missing_field": 3,
        "skipped_wrong_encoding": 1,
        "skipped_empty_field": 1,
    }
    assert [one.removeprefix(f"{path}:")[:1] for one in told] == ["2", "4", "6"]


def test_broken_plain_lines_are_skipped(tmp_path):
    path = tmp_path / "x.txt"
    path.write_bytes(b"who\n\xff\nwhat\n")
    bad = BadRecords(True)
    assert [one.question for one in read_questions(str(path), None, bad)] == ["who", "what"]
    assert bad.counts == {"skipped_wrong_encoding": 1}


RUN = b"""q1 Q0 a 1 2.5 t
q1 Q0 a 2 2.0 t
q1 Q0 b c 3 1.0 t
q1 Q0 d 4 high t
q1 Q0 e 5 0.5 t
q2 Q0 a 1 1.0 t
q1 Q0 f 6 0.1 t
q3 Q0 \xff 1 1.0 t
"""


def test_broken_lines_of_a_run_stop_or_are_skipped(tmp_path):
    path = tmp_path / "x.run"
    path.write_bytes(RUN)
    with stopped(f"{path}:2: passage 'a' again for question 'q1'; expected each once"):
        list(every(str(path), BadRecords()))
    bad = BadRecords(True)
    found = [(one.question.id, [ctx.passage.id for ctx in one.ctxs]) for one in every(str(path), bad)]
    assert found == [("q1", ["a", "e"]), ("q2", ["a"])]
    assert bad.counts == {
        "skipped_duplicate": 1,
        "skipped_wrong_number_of_columns": 1,
        "skipped_wrong_value": 1,
        "skipped_unsorted": 1,
        "skipped_wrong_encoding": 1,
    }


def test_broken_lines_of_a_beir_folder_stop_or_are_skipped(tmp_path):
    corpus = [
        {"_id": "p1", "text": "a"},
        {"_id": "p1", "text": "again"},
        {"_id": "p2"},
        {"_id": "p3", "text": "c"},
    ]
    queries = [{"_id": "1", "text": "who"}, {"_id": "1", "text": "again"}, {"_id": "2", "text": ""}]
    queries.append({"_id": "3", "text": "where"})
    (tmp_path / "qrels").mkdir()
    for name, rows in (("corpus.jsonl", corpus), ("queries.jsonl", queries)):
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    judged = "query-id\tcorpus-id\tscore\n1\tp1\t1\n1\tp3\thigh\n2\tp3\t1\n3\tp9\t1\n"
    (tmp_path / "qrels" / "test.tsv").write_text(judged)
    with stopped("queries.jsonl: question id '1' occurs twice"):
        list(read_examples(str(tmp_path)))
    bad = BadRecords(True)
    [found] = read_examples(str(tmp_path), bad)
    assert (found.question.question, [one.text for one in found.positives]) == ("who", ["a"])
    assert bad.counts == {
        "skipped_duplicate_id": 2,
        "skipped_missing_field": 1,
        "skipped_empty_field": 1,
        "skipped_wrong_value": 1,
        "skipped_unknown_id": 2,
    }


def test_judgments_of_a_question_need_not_follow_each_other(tmp_path):
    rows = {"corpus.jsonl": [{"_id": f"p{n}", "text": f"text {n}"} for n in range(3)]}
    rows["queries.jsonl"] = [{"_id": "1", "text": "who"}, {"_id": "2", "text": "where"}]
    for name, records in rows.items():
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in records))
    (tmp_path / "qrels").mkdir()
    judged = "query-id\tcorpus-id\tscore\n1\tp0\t1\n2\tp1\t1\n1\tp2\t1\n"
    (tmp_path / "qrels" / "test.tsv").write_text(judged)
    found = {one.question.id: [two.id for two in one.positives] for one in read_examples(str(tmp_path))}
    assert found == {"1": ["p0", "p2"], "2": ["p1"]}


def test_files_behind_a_broken_one_of_a_folder_are_read(tmp_path):
    for name, text in (("a", "who"), ("b", None), ("c", "where")):
        row = json.dumps({"question": text, "answers": ["x"]}) if text else '{"question": '
        (tmp_path / f"{name}.jsonl").write_text(row + "\n" if text else "")
    bad = BadRecords(True)
    assert [one.question for one in read_questions(str(tmp_path), bad=bad)] == ["who", "where"]
    assert bad.counts.total() == 1
