import json
from pathlib import Path

import pytest

from densecli.errors import InputError
from densecli.formats.beir_folder import write_folder
from densecli.formats.read_examples import read_examples
from densecli.records import Passage, Question, TrainingExample

GOLDEN = Path(__file__).parents[1] / "golden"
ULM = Passage("p1", "Ulm", "Ulm lies on the Danube.")
RIGA = Passage("p2", "Riga", "Riga lies by the sea.")
EXAMPLES = [
    TrainingExample(Question("1", "where is Ulm", ("Danube",)), (ULM,)),
    TrainingExample(Question("2", "where is Riga"), (RIGA,)),
]


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "set"
    place.mkdir()
    write_folder(place, EXAMPLES, None, "train")
    return place


def test_training_files_of_the_reference_are_read():
    path = GOLDEN / "tiny_train.json"
    found = list(read_examples(str(path)))
    rows = json.loads(path.read_text())
    assert [one.question.question for one in found] == [row["question"] for row in rows]
    for one, row in zip(found, rows, strict=True):
        for passages, name in (
            (one.positives, "positive_ctxs"),
            (one.negatives, "negative_ctxs"),
            (one.hard_negatives, "hard_negative_ctxs"),
        ):
            assert [(p.title, p.text) for p in passages] == [(ctx["title"], ctx["text"]) for ctx in row[name]]
    ids = [passage.id for one in found for passage in (*one.positives, *one.negatives, *one.hard_negatives)]
    assert len(set(ids)) == len(ids)


def test_a_mined_folder_is_read(tmp_path):
    lines = "".join(json.dumps(one.to_json()) + "\n" for one in EXAMPLES)
    (tmp_path / "examples.jsonl").write_text(lines)
    assert list(read_examples(str(tmp_path))) == EXAMPLES


def test_a_beir_folder_is_read(folder):
    assert list(read_examples(str(folder))) == EXAMPLES
    with open(folder / "qrels" / "train.tsv", "a") as qrels:
        qrels.write("2\tp1\t0\n")
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n1\tp1\t1\n")
    with pytest.raises(
        InputError, match=r"set: 2 files in .*qrels; expected the path of one: .*test.tsv, .*train"
    ):
        list(read_examples(str(folder)))
    train, test = (list(read_examples(str(folder / "qrels" / name))) for name in ("train.tsv", "test.tsv"))
    assert train == [EXAMPLES[0], TrainingExample(EXAMPLES[1].question, (RIGA,), (ULM,))]
    assert test == EXAMPLES[:1]


@pytest.mark.parametrize(
    ("file", "line", "told"),
    [
        ("qrels/train.tsv", "2\tp9\t1", "train.tsv: passage 'p9' is not in the passage store"),
        (
            "qrels/train.tsv",
            "9\tp1\t1",
            "train.tsv: question '9' is not among the questions; expected one of the 2",
        ),
        ("qrels/train.tsv", "2\tp1", "train.tsv:4: another number of columns (2); expected 3"),
        ("corpus.jsonl", '{"_id": "p1", "text": "again"}', "corpus.jsonl: id 'p1' occurs twice"),
        ("corpus.jsonl", '{"text": "again"}', "corpus.jsonl:3: no field '_id'"),
        ("corpus.jsonl", '{"_id": "p3"}', "corpus.jsonl:3: no field 'text'"),
        ("queries.jsonl", '{"_id": "1", "text": "again"}', "queries.jsonl: question id '1' occurs twice"),
        ("queries.jsonl", '{"_id": "3", "text": ""}', "queries.jsonl:3: 'question' is empty"),
        ("queries.jsonl", '{"_id": "3", "te', "queries.jsonl:3: broken JSON"),
    ],
)
def test_a_broken_beir_folder_is_refused(folder, file, line, told):
    with open(folder / file, "a") as stream:
        stream.write(line + "\n")
    with pytest.raises(InputError) as error:
        list(read_examples(str(folder)))
    assert told in str(error.value)


def test_a_beir_folder_without_judgments_is_refused(folder):
    (folder / "qrels" / "train.tsv").unlink()
    with pytest.raises(InputError, match="no qrels/\\*.tsv in it; expected judgments"):
        list(read_examples(str(folder)))


def test_a_folder_of_another_kind_is_refused(tmp_path):
    with pytest.raises(InputError, match="is a folder; expected a file"):
        list(read_examples(str(tmp_path)))
