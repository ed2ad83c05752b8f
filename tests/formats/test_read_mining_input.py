import json

import pytest

from densecli.errors import InputError
from densecli.formats.read_mining_input import read_mining_input
from densecli.records import Passage, Question, TrainingExample

EXAMPLE = {
    "question": "who",
    "answers": ["A"],
    "positive_ctxs": [{"title": "T", "text": "t", "passage_id": "1"}],
}
SQUAD = {
    "data": [
        {
            "title": "The_T",
            "paragraphs": [
                {"context": "A did it.", "qas": [{"id": "s", "question": "who", "answers": [{"text": "A"}]}]}
            ],
        }
    ]
}


def asked(folder, name, content, **options):
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return list(read_mining_input(str(path), **options))


def test_questions_are_read_without_passages(tmp_path):
    for name, content in (("q.qa.csv", "who\t['A']\n"), ("q.jsonl", '{"question": "who", "answer": "A"}\n')):
        assert asked(tmp_path, name, content) == [TrainingExample(Question("1", "who", ("A",)), ())]


def test_examples_and_gold_data_keep_their_passages(tmp_path):
    for content in (json.dumps(EXAMPLE) + "\n", json.dumps([EXAMPLE], indent=1)):
        (found,) = asked(tmp_path, "e.json", content)
        assert found.positives == (Passage("1", "T", "t"),)
    (found,) = asked(tmp_path, "squad.json", json.dumps(SQUAD))
    assert (found.question.answers, found.positives[0].text) == (("A",), "A did it.")
    assert found.positives[0].title == "The T"


def test_the_answer_type_can_be_set(tmp_path):
    (found,) = asked(tmp_path, "e.jsonl", json.dumps(EXAMPLE), answer_type="regex")
    assert found.question == Question("1", "who", ("A",), "regex")


def test_a_folder_of_mined_examples_is_read(tmp_path):
    (tmp_path / "set").mkdir()
    asked(tmp_path / "set", "examples.jsonl", json.dumps(EXAMPLE))
    (found,) = read_mining_input(str(tmp_path / "set"))
    assert found.positives == (Passage("1", "T", "t"),)


def test_search_results_are_read_as_questions(tmp_path):
    row = {"question": "who", "answers": ["A"], "ctxs": [{"id": "1", "text": "t", "score": 1}]}
    assert asked(tmp_path, "r.jsonl", json.dumps(row)) == [TrainingExample(Question("1", "who", ("A",)), ())]


def test_input_without_questions_is_refused(tmp_path):
    with pytest.raises(InputError, match="q.tsv"):
        asked(tmp_path, "q.tsv", "1 Q0 2 3\n")
