import ast
import csv
import gzip
import json
from pathlib import Path

import pytest

from densecli.errors import InputError
from densecli.formats.read_questions import read_questions
from densecli.registry.local import find_examples, find_questions
from densecli.registry.sets import QuestionSet, members, registry

QUESTION = '{"question": "who", "answers": ["A"]}\n'
EXAMPLE = '{"question": "who", "answers": ["A"], "positive_ctxs": [{"title": "", "text": "A"}]}\n'
TEVATRON = '{"query_id": "1", "query": "who", "positive_passages": [], "negative_passages": []}\n'
DATA = Path(__file__).parents[2] / ".." / "shared" / "data" / "questions"
HERE = {
    ("nq", "dev"): ("nq-dev.qa.csv", 8757),
    ("nq", "test"): ("nq-test.qa.csv", 3610),
    ("trivia", "dev"): ("trivia-dev.qa.csv", 8837),
    ("trivia", "test"): ("trivia-test.qa.csv", 11313),
    ("webq", "train"): ("webquestions-train.jsonl", 3478),
    ("webq", "dev"): ("webquestions-dev.jsonl", 300),
    ("webq", "test"): ("webquestions-test.jsonl", 2032),
    ("trec", "train"): ("curatedtrec-train.jsonl", 1778),
    ("trec", "test"): ("curatedtrec-test.jsonl", 694),
    ("squad", "test"): ("squad-test.jsonl", 3031),
}


def only(name: str) -> QuestionSet:
    return members(name)[0][0]


def put(folder: Path, name: str, text: str = QUESTION) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def questions(folder: Path, name: str, split: str) -> Path | None:
    return find_questions([folder], only(name), only(name).splits[split])


def examples(folder: Path, name: str, split: str) -> Path | None:
    return find_examples([folder], only(name), only(name).splits[split])


@pytest.mark.parametrize(
    ("file", "name", "split"),
    [
        ("nq-train.qa.csv", "nq", "train"), ("nq-dev.qa.csv", "nq", "dev"), ("nq-test.jsonl", "nq", "test"),
        ("nq-open-dev.jsonl", "nq", "test"), ("NQ-open.dev.jsonl", "nq", "test"),
        ("trivia-test.qa.csv.gz", "trivia", "test"), ("triviaqa-dev.jsonl", "trivia", "dev"),
        ("webquestions-train.jsonl", "webq", "train"), ("webq-dev.jsonl.gz", "webq", "dev"),
        ("wq-test.jsonl", "webq", "test"), ("curatedtrec-test.qa.csv", "trec", "test"),
        ("trec-train.jsonl", "trec", "train"), ("squad1-test.qa.csv", "squad", "test"),
        ("squad-test.jsonl", "squad", "test"), ("dev-v1.1.json", "squad", "test"),
        ("data/retriever/qas/nq-train.csv", "nq", "train"),
        ("downloads/data/retriever/qas/webq-test.csv", "webq", "test"),
    ],
)  # fmt: skip
def test_questions_are_found_under_common_file_names(
    tmp_path: Path, file: str, name: str, split: str
) -> None:
    path = put(tmp_path, file)
    found = {
        (one.name, part.name): find_questions([tmp_path], one, part)
        for one in registry().sets.values()
        for part in one.splits.values()
    }
    assert {key for key, there in found.items() if there} == {(name, split)}
    assert found[name, split] == path


@pytest.mark.parametrize(
    ("file", "name", "split"),
    [
        ("biencoder-nq-train.json.gz", "nq", "train"), ("biencoder-nq-dev.json", "nq", "dev"),
        ("biencoder-webquestions-train.json", "webq", "train"),
        ("biencoder-curatedtrec-dev.json.gz", "trec", "dev"),
        ("biencoder-squad1-train.json", "squad", "train"),
        ("nq-train.jsonl.gz", "nq", "train"), ("downloads/data/retriever/nq-train.json", "nq", "train"),
        ("data/retriever/webq-dev.json", "webq", "dev"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("text", [EXAMPLE, f"[{EXAMPLE}]", TEVATRON])
def test_examples_are_found_under_common_file_names(
    tmp_path: Path, file: str, name: str, split: str, text: str
) -> None:
    path = put(tmp_path, file, text)
    assert examples(tmp_path, name, split) == path
    other = "dev" if split == "train" else "train"
    assert examples(tmp_path, name, other) is None
    assert questions(tmp_path, name, split) == (path if name == "trec" else None)


def test_question_files_are_not_taken_as_examples(tmp_path: Path) -> None:
    put(tmp_path, "nq-train.jsonl")
    assert examples(tmp_path, "nq", "train") is None


def test_the_named_folder_and_the_names_of_the_authors_have_priority(tmp_path: Path) -> None:
    folders = [tmp_path / "named", tmp_path / "workspace"]
    for name in ("nq-dev.cut.jsonl", "nq-dev.jsonl", "nq-dev.qa.csv"):
        path = put(folders[1], name)
        assert find_questions(folders, only("nq"), only("nq").splits["dev"]) == path
    path = put(folders[0], "nq-dev.jsonl")
    assert find_questions(folders, only("nq"), only("nq").splits["dev"]) == path


def test_a_folder_is_not_taken_for_a_file(tmp_path: Path) -> None:
    (tmp_path / "nq-dev.qa.csv").mkdir()
    assert questions(tmp_path, "nq", "dev") is None
    assert questions(tmp_path / "nowhere", "nq", "dev") is None


def test_a_broken_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "nq-dev.jsonl.gz").write_bytes(b"no gzip")
    with pytest.raises(InputError, match="nq-dev.jsonl.gz"):
        questions(tmp_path, "nq", "dev")


@pytest.mark.skipif(not DATA.exists(), reason="../shared absent")
def test_real_files_are_found_for_the_right_split() -> None:
    found = {
        (one.name, split.name): path.name
        for one in registry().sets.values()
        for split in one.splits.values()
        if (path := find_questions([DATA], one, split))
    }
    assert found == {key: name for key, (name, _) in HERE.items()}
    assert not any(
        find_examples([DATA], one, split) for one in registry().sets.values() for split in one.splits.values()
    )


@pytest.mark.skipif(not DATA.exists(), reason="../shared absent")
@pytest.mark.parametrize(("name", "count"), [*HERE.values(), ("nq-open-dev.jsonl", 3610)])
def test_real_files_keep_every_question_and_answer(name: str, count: int) -> None:
    read = [(question.question, list(question.answers)) for question in read_questions(str(DATA / name))]
    with open(DATA / name, encoding="utf-8", newline="") as stream:
        if name.endswith(".csv"):
            csv.field_size_limit(1 << 30)
            expected = [(row[0], ast.literal_eval(row[1])) for row in csv.reader(stream, delimiter="\t")]
        else:
            rows = [json.loads(line) for line in stream]
            expected = [(row["question"], row["answer"]) for row in rows]
    assert len(read) == count
    assert read == expected
    assert all(answers for _, answers in read)
