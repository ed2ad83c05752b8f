"""`preprocess` from Python: articles in memory, resuming, and reports through an observer."""

import errno
import json
import os
from pathlib import Path

import pytest

from densecli.artifacts import recipe
from densecli.artifacts.passages.store import PassageStore
from densecli.corpus import documents
from densecli.errors import ArtifactError, InputError, UsageError
from densecli.records import Article, Passage
from densecli.workflows.preprocess import preprocess

pytestmark = pytest.mark.usefixtures("silence")
ARTICLES = [Article("a", "Ulm", "one two three"), Article("b", "", "four")]


def rows(artifact):
    return [(one.id, one.title, one.text) for one in PassageStore.open(artifact.folder)]


def manifest(artifact):
    return json.loads((artifact.folder / "manifest.json").read_text())


def test_articles_in_memory_give_the_passages_of_a_file(tmp_path):
    path = tmp_path / "articles.jsonl"
    path.write_text("".join(json.dumps(one.to_json()) + "\n" for one in ARTICLES))
    of_records = preprocess(ARTICLES, workspace=tmp_path / "records", words=2)
    of_a_file = preprocess(path, workspace=tmp_path / "file", words=2)
    assert rows(of_records) == [("a#0", "Ulm", "one two"), ("a#1", "Ulm", "three"), ("b#0", "", "four")]
    assert rows(of_a_file) == rows(of_records)
    assert manifest(of_a_file)["fingerprint"] == manifest(of_records)["fingerprint"]
    assert not of_records.up_to_date


def test_several_paths_are_one_corpus(tmp_path):
    for name in ("x", "y"):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps({"id": name, "text": name}))
    made = preprocess([tmp_path / "x.jsonl", str(tmp_path / "y.jsonl")], workspace=tmp_path / "w")
    assert [row[0] for row in rows(made)] == ["x#0", "y#0"]


def test_passages_in_memory_are_not_split(tmp_path):
    made = preprocess([Passage("p1", "T", "one two three")], output=tmp_path / "store", words=2)
    assert rows(made) == [("p1", "T", "one two three")]


def test_the_same_articles_are_up_to_date_and_others_need_force(tmp_path, observer):
    preprocess(ARTICLES, workspace=tmp_path)
    again = preprocess([*ARTICLES], workspace=tmp_path, observer=observer)
    assert again.up_to_date
    assert observer.messages == [f"{tmp_path / 'passages'}: up to date"]
    with pytest.raises(ArtifactError, match="its input was records in memory"):
        preprocess(ARTICLES[:1], workspace=tmp_path)
    assert len(rows(preprocess(ARTICLES[:1], workspace=tmp_path, force=True))) == 1


def test_an_iterator_is_read_once_and_never_up_to_date(tmp_path):
    given = iter(ARTICLES)
    made = preprocess(given, workspace=tmp_path)
    assert [row[0] for row in rows(made)] == ["a#0", "b#0"]
    assert list(given) == []
    with pytest.raises(ArtifactError, match="cannot be read twice"):
        preprocess(iter(ARTICLES), workspace=tmp_path)


class LongCorpus:
    """Very many articles that can be read again, and a place where reading them fails once it exists."""

    def __init__(self, note):
        self.note = note

    def __iter__(self):
        for number in range(140):
            if self.note.exists():
                raise KeyboardInterrupt
            yield Article(str(number), "T", f"w{number} e t " * 6000)


def test_an_interrupted_run_over_records_resumes(tmp_path, observer):
    corpus = LongCorpus(tmp_path / ".made.partial" / "work" / "progress.json")
    with pytest.raises(KeyboardInterrupt):
        preprocess(corpus, output=tmp_path / "made", words=15, workers=1)
    done = json.loads(corpus.note.read_text())["records"]
    corpus.note = tmp_path / "nowhere"
    made = preprocess(corpus, output=tmp_path / "made", words=15, workers=1, observer=observer)
    assert observer.messages[0] == f"resuming at record {done + 1:,}"
    whole = preprocess(corpus, output=tmp_path / "whole", words=15, workers=1)
    for name in ("passages.arrow", "ids.npy"):
        assert (made.folder / name).read_bytes() == (whole.folder / name).read_bytes()


BAD = [
    Article("a", "", "good"),
    Article("b", "", "\ud800"),
    Article("", "", "no id"),
    Article("c", "", "x\0"),
]


def test_a_record_that_cannot_be_stored_is_named_by_its_number(tmp_path, observer):
    with pytest.raises(InputError, match="^records in memory:2: 'text' holds a lone surrogate"):
        preprocess(BAD, workspace=tmp_path)
    made = preprocess(BAD, workspace=tmp_path, on_error="skip", observer=observer)
    assert [row[0] for row in rows(made)] == ["a#0"]
    assert [text.split(";")[0] for text in observer.warnings] == [
        "skipped records in memory:2: 'text' holds a lone surrogate",
        "skipped records in memory:3: 'id' is empty",
        "skipped records in memory:4: 'text' holds a NUL character",
    ]
    assert observer.work == ["preprocess"]


def test_ids_can_be_made(tmp_path):
    made = preprocess([Article("", "", "one"), Article("own", "", "two")], workspace=tmp_path, make_ids=True)
    assert [row[0] for row in rows(made)] == ["1#0", "own#0"]


@pytest.mark.parametrize(
    ("corpus", "settings", "error", "what"),
    [
        ([], {}, UsageError, "no corpus given"),
        (ARTICLES, {"input_format": "jsonl"}, UsageError, "`input_format` has no effect on records"),
        (ARTICLES, {"text_column": "body"}, UsageError, "`text_column` has no effect on records"),
        (ARTICLES, {"words": 2, "stride": 3}, UsageError, "`stride` 3 is more than `words` 2"),
        (ARTICLES, {"word": 2}, TypeError, "'word' is not a setting of PreprocessConfig"),
        (["x.jsonl", ARTICLES[0]], {}, TypeError, "either paths, or Article and Passage records"),
        ([{"id": "a", "text": "t"}], {}, TypeError, "either paths, or Article and Passage records"),
    ],
)
def test_a_wrong_call_is_refused_with_a_reason(tmp_path, corpus, settings, error, what):
    with pytest.raises(error, match=what):
        preprocess(corpus, workspace=tmp_path / "w", **settings)
    assert not (tmp_path / "w").exists()


WIKIDATA = """<mediawiki><page><title>Q1</title><ns>0</ns><id>1</id><revision><id>2</id>
<model>wikibase-item</model><text>{}</text></revision></page></mediawiki>"""


def test_the_reason_for_no_passages_is_reported(tmp_path):
    (tmp_path / "d.xml").write_text(WIKIDATA)
    with pytest.raises(
        InputError, match=r"d\.xml: no passage in it \(pages dropped .* 1\); expected at least one"
    ):
        preprocess(tmp_path / "d.xml", workspace=tmp_path / "w")


def test_a_workspace_inside_the_corpus_folder_is_ignored(tmp_path):
    (tmp_path / "a.txt").write_text("some words")
    made = preprocess(tmp_path, workspace=tmp_path / ".densecli")
    (tmp_path / ".densecli" / "notes.txt").write_text("not a document")
    assert preprocess(tmp_path, workspace=tmp_path / ".densecli").up_to_date
    assert rows(made) == [("a.txt#0", "a", "some words")]


def test_a_file_that_cannot_be_read_is_skipped_or_named(tmp_path, monkeypatch):
    def failing(read):
        def call(file, *more):
            if Path(getattr(file, "path", file)).name == "b.txt":
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return read(file, *more)

        return call

    monkeypatch.setattr(recipe, "digest_file", failing(recipe.digest_file))
    monkeypatch.setattr(documents, "_read", failing(documents._read))
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "a.txt").write_text("some words")
    (folder / "b.txt").write_text("of a bad disk")
    with pytest.raises(InputError, match=r"b\.txt"):
        preprocess(folder, workspace=tmp_path / "w")
    made = preprocess(folder, workspace=tmp_path / "w", on_error="skip")
    assert rows(made) == [("a.txt#0", "a", "some words")]
    assert manifest(made)["counts"]["skipped_unreadable_file"] == 1
