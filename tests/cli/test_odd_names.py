"""Files and folders whose names are not UTF-8, as Linux allows them: used, or refused in one line."""

import json
import os
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ODD = os.fsdecode(b"b\xffd")
TOLD = r"b\xffd"


@pytest.fixture
def odd(prepared):
    """A place with questions and results under such names."""
    for name in ("questions", "found"):
        shutil.copy(prepared.folder / f"{name}.jsonl", prepared.folder / f"{ODD}-{name}.jsonl")
    return prepared


def test_files_with_unusual_names_are_read_and_written(odd):
    questions, found = f"{ODD}-questions.jsonl", f"{ODD}-found.jsonl"
    for line, output in (
        (("search", questions, "--mode", "bm25", "-k", 5), f"{ODD}-1"),
        (("convert", questions, "--to", "dpr"), f"{ODD}-2"),
        (("evaluate", found), f"{ODD}-3"),
    ):
        odd.call(*line, "-o", output).well()
        assert (odd.folder / output).stat().st_size
    odd.call("mine-negatives", questions, "-o", "mined").well()
    odd.call("preprocess", found, "--text-column", "question", "--make-ids", "-w", "new").well()


def test_unusual_file_names_in_data_are_escaped(odd):
    rows = odd.call("evaluate", f"{ODD}-found.jsonl", f"{ODD}={ODD}-found.jsonl", "-q").well().rows
    assert [row["results"] for row in rows if "results" in row][:2] == [f"{TOLD}-found.jsonl", TOLD]
    (odd.folder / ODD).mkdir()
    shutil.copy(odd.folder / "questions.jsonl", odd.folder / ODD / "nq-test.qa.jsonl")
    rows = odd.call("datasets", "nq", "--data-dir", ODD, "-q").well().rows
    assert not {row["questions_here"] for row in rows} - {None, f"{TOLD}/nq-test.qa.jsonl"}
    odd.call("search", "--tune-lambda", f"{ODD}-questions.jsonl", "-q").well()
    kept = json.loads((odd.workspace / "index" / "fusion.json").read_text())
    assert TOLD in kept["source"]


def test_artifact_folders_with_names_that_are_not_utf8_are_refused(odd):
    shutil.copytree(odd.workspace, odd.folder / ODD)
    shutil.copytree(odd.workspace / "retriever", odd.folder / f"{ODD}-model")
    with open(odd.folder / f"{ODD}.parquet", "wb") as stream:
        pq.write_table(pa.table({"id": ["1"], "text": ["the sea"]}), stream)
    for line in (
        ("search", "who", "-w", ODD),
        ("search", "who", "--mode", "bm25", "--passages", f"{ODD}/passages"),
        ("preprocess", "articles.jsonl", "-w", f"{ODD}-new"),
        ("mine-negatives", "questions.jsonl", "-o", ODD),
        ("index", "--vectors", f"{ODD}/vectors", "-o", "index"),
        ("embed", "--retriever", f"{ODD}-model", "--force"),
        ("convert", ".densecli/retriever", "--to", "sentence-transformers", "-o", f"{ODD}-st"),
        ("preprocess", f"{ODD}.parquet", "-w", "new"),
    ):
        ended = odd.call(*line)
        assert (ended.status, "is not UTF-8" in ended.error, TOLD in ended.error) == (2, True, True), line


def test_a_document_with_a_name_that_is_not_utf8_is_skipped(program):
    (program.folder / "docs").mkdir()
    for name in ("a.txt", f"{ODD}.txt"):
        (program.folder / "docs" / name).write_text("The sea.")
    ended = program.call("preprocess", "docs")
    assert (ended.status, f"docs/{TOLD}.txt: the name is not UTF-8" in ended.error) == (3, True)
    said = program.call("preprocess", "docs", "--on-error", "skip").well().stderr
    assert f"skipped docs/{TOLD}.txt: the name is not UTF-8" in said
    assert "passages 1" in said
