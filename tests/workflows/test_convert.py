"""`convert` from Python: into streams, files and folders, with counts as its result."""

import gzip
import io
import json

import pytest

from densecli.artifacts.passages.store import PassageStore
from densecli.artifacts.vectors import VectorStore
from densecli.errors import ArtifactError, InputError, UsageError
from densecli.models.folder import fingerprint
from densecli.records import Article
from densecli.workflows.convert import convert
from densecli.workflows.embed import embed
from densecli.workflows.preprocess import preprocess

pytestmark = pytest.mark.usefixtures("silence")
ROWS = [
    {"id": "q1", "question": "who", "answers": ["A"], "ctxs": [{"id": "p", "score": 2, "text": "A b"}]},
    {"id": "q2", "question": "what", "answers": ["B"], "ctxs": [{"id": "r s", "score": 1, "text": "c"}]},
]


@pytest.fixture
def results(tmp_path):
    path = tmp_path / "found.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


def test_records_are_written_to_a_stream_that_stays_open(results, observer):
    results.write_text(json.dumps(ROWS[0]) + '\n{"question": "no results"}\n')
    stream = io.BytesIO()
    found = convert(results, output=stream, to="trec", on_error="skip", observer=observer)
    assert stream.getvalue().split() == b"q1 Q0 p 1 2.0 densecli".split()
    assert found.counts == {"records": 1, "skipped_missing_field": 1}
    assert observer.work == ["convert"]
    assert observer.messages == ["output: records 1, skipped: missing field 1"]
    assert observer.warnings[0].startswith(f"skipped {results}:2: no field 'ctxs'")


def test_a_file_appears_only_when_complete(results, tmp_path):
    with pytest.raises(InputError, match=r"found.jsonl: record 2: id 'r s'"):
        convert(results, output=tmp_path / "x.run", to="trec")
    assert list(tmp_path.iterdir()) == [results]
    found = convert(str(results), output=tmp_path / "x.json.gz", to="dpr")
    assert len(json.loads(gzip.decompress((tmp_path / "x.json.gz").read_bytes()))) == 2
    assert (found.counts, found.up_to_date) == ({"records": 2}, False)


def test_ids_get_their_texts_from_questions_and_passages(tmp_path):
    preprocess([Article("p", "T", "A b")], workspace=tmp_path / "w")
    (tmp_path / "q.jsonl").write_text(json.dumps({"id": "q1", "question": "who", "answers": ["A"]}))
    (tmp_path / "x.run").write_text("q1 Q0 p#0 1 2 densecli\n")
    stream = io.BytesIO()
    parts = {"questions": tmp_path / "q.jsonl", "passages": tmp_path / "w" / "passages"}
    convert(tmp_path / "x.run", output=stream, form="trec", to="jsonl", **parts)
    row = json.loads(stream.getvalue())
    assert (row["question"], row["ctxs"][0]["text"]) == ("who", "A b")


EXAMPLE = {
    "question": "who",
    "answers": ["A"],
    "positive_ctxs": [{"passage_id": "p", "title": "", "text": "A b"}],
    "negative_ctxs": [{"passage_id": "n", "title": "", "text": "c"}],
}


def test_a_folder_is_up_to_date_or_needs_force(tmp_path):
    path, folder = tmp_path / "e.jsonl", tmp_path / "set"
    path.write_text(json.dumps(EXAMPLE))
    made = convert(path, output=folder, to="beir")
    assert (made.counts["records"], made.counts["passages"]) == (1, 2)
    again = convert(path, output=folder, to="beir")
    assert (again.up_to_date, again.counts) == (True, {})
    with pytest.raises(ArtifactError, match="qrels_split was train, now dev"):
        convert(path, output=folder, to="beir", qrels_split="dev")
    assert not convert(path, output=folder, to="beir", qrels_split="dev", force=True).up_to_date


def test_a_retriever_and_its_vectors_survive_a_round_trip(tiny_retriever, tmp_path):
    workspace = tmp_path / "w"
    preprocess([Article(city, city, f"a king in {city}") for city in ("Ulm", "Rome")], workspace=workspace)
    convert(tiny_retriever, output=tmp_path / "other", to="dpr-hf")
    convert(tmp_path / "other", output=workspace / "retriever", to="retriever")
    assert fingerprint(workspace / "retriever")
    vectors = embed(workspace=workspace, device="cpu").folder
    out = convert(vectors, output=tmp_path / "dpr", to="dpr-vectors", workspace=workspace)
    assert out.counts == {"vectors": 2}
    back = convert(tmp_path / "dpr", output=tmp_path / "back", to="vectors", workspace=workspace)
    assert not back.up_to_date
    assert convert(tmp_path / "dpr", output=tmp_path / "back", to="vectors", workspace=workspace).up_to_date
    ours, theirs = (VectorStore.open(folder) for folder in (vectors, tmp_path / "back"))
    for (_, one), (_, other) in zip(ours.shards(), theirs.shards(), strict=True):
        assert (one == other).all()
    assert theirs.manifest.passages == PassageStore.open(workspace / "passages").fingerprint


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({}, "the input gives results: `to` is missing"),
        ({"to": "dpr", "force": True}, "`force` has an effect only on a folder"),
        ({"to": "dpr", "retriever": "starter"}, "`retriever` has an effect only with `to` vectors or index"),
        ({"to": "retriever"}, "`to` retriever makes a file or folder: name it with `output`"),
        ({"to": "index", "form": "dpr"}, "`form` has no effect with `to` index"),
        ({"to": "reader", "take": "questions"}, "`take` has no effect with `to` reader"),
        ({"to": "dpr-index", "retriever": "x"}, "`retriever` has no effect with `to` dpr-index"),
        ({"to": "dpr", "base": "x"}, "`base` has an effect only with `to`"),
    ],
)
def test_a_wrong_call_is_refused_with_a_reason(results, settings, what):
    with pytest.raises(UsageError, match=what):
        convert(results, output=io.BytesIO(), **settings)


@pytest.mark.parametrize("setting", [{"trailing_sep": "yes"}, {"base": "x"}])
def test_what_a_folder_says_itself_cannot_be_set(tiny_retriever, tmp_path, setting):
    convert(tiny_retriever, output=tmp_path / "hf", to="dpr-hf")
    name = next(iter(setting))
    with pytest.raises(UsageError, match=f"`{name}` has an effect only on a DPR checkpoint"):
        convert(tmp_path / "hf", output=tmp_path / "out", to="retriever", **setting)
    assert not (tmp_path / "out").exists()


def test_an_id_that_the_format_cannot_store_drops_only_its_record(results):
    stream = io.BytesIO()
    found = convert(results, output=stream, to="trec", on_error="skip")
    assert stream.getvalue() == b"q1 Q0 p 1 2.0 densecli\n"
    assert found.counts == {"records": 2, "skipped_empty_field": 1}


def test_the_starter_is_converted_like_other_models(tmp_path):
    convert("starter", output=tmp_path / "out", to="sentence-transformers")
    assert (tmp_path / "out" / "question" / "modules.json").is_file()
