import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "starter_questions.py"
FILES = {
    "nq-dev.qa.csv": "who is king\t['A']\nwho 's the queen\t['B']\nwho voiced meg on family guy\t['C']\n",
    "trivia-dev.qa.csv": "Which sea?\t['The Irish Sea']\nWho is the KING?\t['A']\n",
    "webquestions-train.jsonl": '{"id": "9", "question": "what is new", "answer": ["D"]}\n',
    "webquestions-dev.jsonl": '{"id": "4", "question": "where was einstein born", "answer": ["Ulm"]}\n',
    "curatedtrec-train.jsonl": '{"question": "When?", "answer": ["19\\\\d\\\\d"]}\n',
    "nq-open-dev.jsonl": '{"question": "Who\'s queen?", "answer": ["B"]}\n',
    "webquestions-test.jsonl": '{"question": "other", "answer": ["E"]}\n',
}
SQUAD = {"squad-train-36-articles.json": "What is read?", "mlqa-en-dev.json": "who's queen"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("starter")
    (root / "questions").mkdir()
    for name, content in FILES.items():
        (root / "questions" / name).write_text(content, encoding="utf-8")
    (root / "squad").mkdir()
    for name, question in SQUAD.items():
        row = {"id": "s1", "question": question, "answers": [{"text": "F"}, {"text": "F"}]}
        data = {"data": [{"title": "T", "paragraphs": [{"context": "F", "qas": [row]}]}]}
        (root / "squad" / name).write_text(json.dumps(data), encoding="utf-8")
    command = [sys.executable, str(SCRIPT), "--data", str(root), "--output", str(root / "out"), "--dev", "1"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = {
        name: [json.loads(line) for line in (root / "out" / f"{name}-questions.jsonl").open(encoding="utf-8")]
        for name in ("train", "dev", "squad")
    }
    return rows, run.stdout


def test_test_questions_demonstrations_and_repetitions_are_left_out(made):
    rows, _ = made
    kept = {row["id"]: row for row in rows["train"] + rows["dev"]}
    assert set(kept) == {"nq-dev-1", "webquestions-train-9", "curatedtrec-train-1"}
    assert kept["curatedtrec-train-1"]["answer_type"] == "regex"
    assert kept["webquestions-train-9"]["answers"] == ["D"]


def test_the_development_questions_are_split_off(made):
    rows, _ = made
    assert len(rows["dev"]) == 1
    assert not {row["id"] for row in rows["train"]} & {row["id"] for row in rows["dev"]}


def test_dropped_questions_are_reported(made):
    _, told = made
    for line in (
        "nq-dev: dropped, test questions: 1",
        "nq-dev: dropped, near the demonstrations: 1",
        "trivia-dev: dropped, near the demonstrations: 1",
        "trivia-dev: dropped, repeated: 1",
        "webquestions-dev: dropped, near the demonstrations: 1",
    ):
        assert line in told


def test_reading_questions_have_each_answer_once(made):
    rows, _ = made
    assert [(row["id"], row["answers"]) for row in rows["squad"]] == [("squad-train-s1", ["F"])]
