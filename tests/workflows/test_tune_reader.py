"""Tuning how a reader's answers are chosen, and reading with what was tuned."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

import densecli
from densecli import Passage, Question, RankedList, ScoredPassage
from densecli.configs.asking import ReadConfig
from densecli.errors import InputError, UsageError
from densecli.reader.torch_folder import open_reader_base, save_reader
from densecli.reader.tuned import selection_for
from densecli.workflows.models import STARTER
from densecli.workflows.texts import Texts
from stores import write_store

TEXTS = ("the song of the sea", "a king was born in the city", "the river and the king", "a film of a king")
PASSAGES = tuple(ScoredPassage(Passage(str(n), "sea", text), 9.0 - n) for n, text in enumerate(TEXTS))
DEV = [
    RankedList(Question(str(n), "who was born in the city", ("king", "the king")), PASSAGES) for n in range(6)
]


@pytest.fixture
def reader(tiny_base: Path, tmp_path: Path) -> Path:
    save_reader(open_reader_base(str(tiny_base), 64, 4, seed=3), tmp_path / "reader")
    return tmp_path / "reader"


def test_read_takes_the_tuned_depth_and_rule(reader, tmp_path):
    tuned = densecli.tune_reader(DEV, reader=str(reader), workspace=tmp_path, engine="onnxruntime")
    row = json.loads((reader / "selection.json").read_text())
    assert (row["rule"], row["depth"], row["questions"]) == (tuned.selection.rule, tuned.depth, 6)
    row["depth"] = 2
    (reader / "selection.json").write_text(json.dumps(row))

    def passages_read(**settings):
        (one,) = densecli.read(
            results=DEV[:1],
            reader=str(reader),
            workspace=tmp_path,
            alternatives=99,
            engine="onnxruntime",
            **settings,
        )
        return {span.passage_id for span in one.spans}

    assert passages_read() == {"0", "1"}
    assert passages_read(depth=3) == {"0", "1", "2"}
    row["reader"] = "another reader"
    (reader / "selection.json").write_text(json.dumps(row))
    assert len(passages_read()) == 4


def test_results_in_memory_get_their_texts_from_a_store(reader, tmp_path):
    write_store(tmp_path / "store", [hit.passage for hit in PASSAGES])
    bare = [replace(hit, passage=Passage(hit.passage.id, "", "")) for hit in PASSAGES]
    answers = [
        next(
            densecli.read(
                results=[RankedList(DEV[0].question, tuple(hits))],
                reader=str(reader),
                workspace=tmp_path,
                engine="onnxruntime",
                texts=texts,
            )
        ).spans[0]
        for hits, texts in ((PASSAGES, None), (bare, Texts(passages=tmp_path / "store")))
    ]
    assert answers[0] == answers[1]


def test_answers_below_the_minimum_score_are_not_returned(reader, tmp_path):
    (one,) = densecli.read(
        results=DEV[:1],
        reader=str(reader),
        workspace=tmp_path,
        min_score=0.5,
        engine="onnxruntime",
    )
    assert one.answer == ""
    assert one.to_json()["answer"] == ""


def test_a_file_of_results_can_be_used_for_tuning(reader, tmp_path):
    path = tmp_path / "dev.jsonl"
    path.write_text("".join(json.dumps(one.to_json()) + "\n" for one in DEV))
    densecli.tune_reader(path, reader=str(reader), workspace=tmp_path, engine="onnxruntime")
    row = json.loads((reader / "selection.json").read_text())
    assert row["source"] == "dev.jsonl"
    assert row["sha256"]


def test_questions_without_answers_cannot_tune(reader, tmp_path):
    unknown = [RankedList(Question("1", "who"), PASSAGES)]
    with pytest.raises(InputError, match="no question has answers"):
        densecli.tune_reader(unknown, reader=str(reader), workspace=tmp_path, engine="onnxruntime")


def test_the_starter_reader_is_tuned():
    """A selection that was tuned for other weights would be ignored without a word."""
    selection, depth = selection_for(STARTER / "reader", ReadConfig())
    assert (selection.rule, depth) == ("joint", 10)


def test_the_starter_reader_is_not_changed(tmp_path):
    before = (STARTER / "reader" / "selection.json").read_bytes()
    with pytest.raises(UsageError, match="starter reader cannot be tuned"):
        densecli.tune_reader(DEV, reader="starter", workspace=tmp_path)
    assert (STARTER / "reader" / "selection.json").read_bytes() == before
