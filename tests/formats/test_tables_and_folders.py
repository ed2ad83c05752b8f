"""Records in Parquet files, and in folders of files."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from densecli.errors import InputError
from densecli.files.bad_records import BadRecords
from densecli.formats.read_any import open_records
from densecli.formats.read_examples import read_examples
from densecli.formats.read_questions import read_questions

ROWS = [
    {"question": "who", "answers": ["Ulm"]},
    {"question": None, "answers": []},
    {"question": "what", "answers": ["Rome", "Roma"]},
]


def parquet(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)
    return str(path)


def lines(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_questions_in_parquet_are_read(tmp_path):
    path = parquet(tmp_path / "q.parquet", ROWS)
    with pytest.raises(InputError, match=r"q\.parquet:2: 'question' is null"):
        list(read_questions(path))
    bad = BadRecords(True)
    assert [(one.id, one.answers) for one in read_questions(path, bad=bad)] == [
        ("1", ("Ulm",)),
        ("3", ("Rome", "Roma")),
    ]
    assert bad.counts == {"skipped_null_field": 1}


def test_examples_in_parquet_are_read_under_any_name(tmp_path):
    row = {
        "id": "5", "title": "The_T", "context": "in Ulm", "question": "where",
        "answers": {"text": ["Ulm"], "answer_start": [3]},
    }  # fmt: skip
    unanswered = {**row, "id": "6", "answers": {"text": [], "answer_start": []}}
    path = parquet(tmp_path / "squad", [row, unanswered])
    first, second = read_examples(path)
    assert [passage.title for passage in first.positives] == ["The T"]
    assert (second.positives, second.hard_negatives) == ((), first.positives)


def test_an_unreadable_parquet_file_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "x.parquet"
    path.write_bytes(b"PAR1" + bytes(100))
    with pytest.raises(InputError, match=r"x\.parquet: not a Parquet file, or damaged"):
        list(read_questions(str(path)))
    stream = io.BufferedReader(io.BytesIO(b"PAR1" + bytes(100)))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(stream))
    with pytest.raises(InputError, match="stdin: is a Parquet file; expected its name"):
        list(read_questions("-"))


def test_a_folder_of_files_is_read_in_order(tmp_path):
    folder = tmp_path / "data"
    parquet(folder / "b" / "train-00001-of-00002.parquet", ROWS[2:])
    lines(folder / "a" / "train-00000-of-00002.jsonl", [{"question": "first", "id": "x"}, ROWS[0]])
    (folder / "README.md").write_text("About these data.")
    lines(folder / ".cache" / "old.jsonl", [{"question": "hidden"}])
    found = [(one.id, one.question) for one in read_questions(str(folder))]
    assert found == [
        ("x", "first"),
        ("train-00000-of-00002.jsonl:2", "who"),
        ("train-00001-of-00002.parquet:1", "what"),
    ]
    with open_records(str(folder)) as (records, kind):
        assert (kind, len(list(records))) == ("questions", 3)


def test_an_error_in_a_folder_names_the_file(tmp_path):
    lines(tmp_path / "a.jsonl", ROWS[:1])
    lines(tmp_path / "b.jsonl", [{"question": 5}])
    with pytest.raises(InputError, match=r"b\.jsonl:1: 'question' is int 5"):
        list(read_questions(str(tmp_path)))


def test_splits_are_not_mixed(tmp_path):
    for name in ("train-00000-of-00001.jsonl", "test-00000-of-00001.jsonl"):
        lines(tmp_path / name, ROWS[:1])
    with pytest.raises(InputError, match=r"holds files of several splits \(test, train\); expected"):
        list(read_questions(str(tmp_path)))


def test_a_folder_without_records_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("who")
    with pytest.raises(InputError, match="is a folder; expected a file"):
        list(read_questions(str(tmp_path)))


@pytest.mark.parametrize(
    "names",
    [
        ("train-0.parquet", "test-0.parquet"),
        ("default/train/0.parquet", "default/test/0.parquet"),
        ("nq-train.parquet", "nq-dev.parquet"),
    ],
)
def test_files_of_several_splits_are_refused(tmp_path, names):
    for name in names:
        parquet(tmp_path / name, [{"question": "who", "answers": ["Ulm"]}])
    with pytest.raises(InputError, match=r"holds files of several splits \((dev|test), train\)"):
        list(read_questions(str(tmp_path)))


def test_files_of_one_split_are_read(tmp_path):
    for name in ("train/a.parquet", "train/latest.parquet"):
        parquet(tmp_path / name, [{"question": name, "answers": ["Ulm"]}])
    assert len(list(read_questions(str(tmp_path)))) == 2


def test_a_table_with_two_columns_of_one_name_is_refused(tmp_path):
    table = pa.table([["who"], ["what"]], names=["question", "question"])
    pq.write_table(table, tmp_path / "x.parquet")
    with pytest.raises(InputError, match="not a Parquet file, or damaged"):
        list(read_questions(str(tmp_path / "x.parquet")))
