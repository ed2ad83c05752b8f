import json
from pathlib import Path

import pytest

from densecli.errors import InputError
from densecli.formats.read_examples import read_examples
from densecli.formats.read_questions import read_questions
from densecli.records import Context, Passage, Question, TrainingExample

GOLDEN = Path(__file__).parents[1] / "golden"
DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
ULM = Passage("Ulm_(city)_1#1", "Ulm (city)", "Ulm lies on the Danube.")
SQUAD = {
    "version": "v2.0",
    "data": [
        {
            "title": "Ulm_%28city%29",
            "paragraphs": [
                {"context": "Empty.", "qas": []},
                {
                    "context": ULM.text,
                    "qas": [
                        {"id": "a", "question": "which river", "is_impossible": False, "answers": [
                            {"text": "Danube", "answer_start": 16},
                            {"text": "the Danube", "answer_start": 12},
                            {"text": "Danube", "answer_start": 16}]},
                        {"id": "b", "question": "which sea", "is_impossible": True, "answers": []},
                        {"question": "which hill"},
                    ],
                },
            ],
        }
    ],
}  # fmt: skip


def write(folder, row, name="x.json"):
    path = folder / name
    path.write_text(row if isinstance(row, str) else json.dumps(row))
    return str(path)


@pytest.mark.parametrize("indent", [None, 1])
def test_squad_articles_are_read(tmp_path, indent):
    path = write(tmp_path, json.dumps(SQUAD, indent=indent))
    river = Question("a", "which river", ("Danube", "the Danube"))
    assert list(read_examples(path)) == [
        TrainingExample(river, (ULM,)),
        TrainingExample(Question("b", "which sea"), (), (ULM,)),
        TrainingExample(Question("1.1.2", "which hill"), (), (ULM,)),
    ]
    assert list(read_questions(path)) == [river, Question("b", "which sea"), Question("1.1.2", "which hill")]


def test_articles_with_the_same_title_have_separate_passages(tmp_path):
    def article(context):
        asked = {"id": context, "question": "what", "answers": [{"text": "a", "answer_start": 0}]}
        return {"title": "Mercury", "paragraphs": [{"context": context, "qas": [asked]}]}

    path = write(tmp_path, {"version": "1.1", "data": [article("a planet"), article("a metal")]})
    found = [(one.positives[0].id, one.positives[0].text) for one in read_examples(path)]
    assert found == [("Mercury_1#0", "a planet"), ("Mercury_2#0", "a metal")]


def test_gold_passages_of_the_reference_are_read():
    path = str(GOLDEN / "gold_info_example.json")
    passage = Passage("77.gold", "marie CURIE", "Marie Curie was born in Warsaw")
    assert list(read_examples(path)) == [TrainingExample(Question("77", "who is he ?"), (passage,))]


def test_an_oracle_file_is_read(tmp_path):
    ctxs = [
        {"title": "T", "text": "gold", "isgold": True, "hasanswer": True},
        {"id": "p", "title": "T", "text": "also", "isgold": False, "hasanswer": True},
        {"id": None, "title": "T", "text": "not", "isgold": False, "hasanswer": False, "score": "1.5"},
    ]
    path = write(tmp_path, {"question": "q", "answers": ["a"], "ctxs": ctxs, "nq_annotated_gold": {}})
    assert list(read_examples(path)) == [
        TrainingExample(
            Question("1", "q", ("a",)),
            (Passage("1.0", "T", "gold"),),
            (Context("1.2", "T", "not", score=1.5),),
        )
    ]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"data": [{"paragraphs": [{"qas": []}]}]}, "x.json:1: object 1: no field 'context'"),
        ({"data": [{"paragraphs": 5}]}, "'paragraphs' is not a list of objects"),
        ({"data": [{"paragraphs": [{"context": "a", "qas": [{"id": 1}]}]}]}, "no field 'question'"),
        (
            {"data": [{"paragraphs": [{"context": "a", "qas": [{"question": "q", "answers": ["a"]}]}]}]},
            "'answers' is",
        ),
        ({"input": 5, "output": []}, "x.json:1: no field 'input'"),
        ({"input": "q", "output": {}}, "'output' is not a list of objects"),
        ({"input": "q", "output": [{"answer": 5}]}, "'answer' is int 5"),
        ({"_id": "1", "text": "q", "metadata": {"answers": "a"}}, "'answers' is str 'a'"),
    ],
)
def test_unusable_gold_data_is_refused(tmp_path, row, told):
    with pytest.raises(InputError) as error:
        list(read_questions(write(tmp_path, row)))
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("name", "examples", "answers"),
    [
        ("squad/squad-test-12-articles.json", 3031, 3031),
        ("squad/squad-train-36-articles.json", 7539, 7539),
        ("squad/mlqa-en-dev.json", 1148, 1148),
        ("nq/nq-open-oracle.jsonl.gz", 2655, 2655),
        ("dpr-files/wq-train-1000.json", 1000, 1000),
        ("dpr-files/biencoder-nq-dev.sample.json", 5, 5),
    ],
)
def test_real_files_are_read_completely(name, examples, answers):
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"../shared absent: no {path.name}")
    found = list(read_examples(str(path)))
    assert (len(found), sum(bool(one.question.answers) for one in found)) == (examples, answers)
    assert all(one.positives and all(passage.text for passage in one.positives) for one in found)
    assert list(read_questions(str(path))) == [one.question for one in found]
