import bz2
import gzip
import io
import json
import os
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus_files import records, write
from densecli.configs.corpus import FORMATS, PreprocessConfig
from densecli.corpus.detect import READERS, open_sources, sniff
from densecli.errors import InputError, UsageError
from densecli.records import Article, Passage

PSGS = "id\ttext\ttitle\n"
CONTENT = {
    "jsonl": '{"id": 1, "text": "t"}\n',
    "beir": '{"_id": "1", "title": "", "text": "t"}\n',
    "tevatron": ' {"docid": "1", "title": "", "text": "t"}\n',
    "wikiextractor": '{"id": "12", "revid": "3", "url": "https://x.org/?curid=12", "title": "T", "text": ""}',
    "json": '\n[ {"id": 1, "text": "t"}]',
    "psgs": PSGS + "1\tt\tT\n",
    "tsv": "id\ttitle\ttext\n1\tT\tt\n",
    "collection": "7\tsome text\n",
    "kilt": '{"_id": "1", "wikipedia_title": "T", "text": ["t"]}\n',
    "csv": '"id","text"\n1,t\n',
    "wiki-dump": '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.10/">\n',
}


def read(*paths, **config):
    return [one for source in open_sources(paths, PreprocessConfig(**config)) for one in records(source)]


@pytest.mark.parametrize("form", CONTENT)
@pytest.mark.parametrize("ending", ["", ".gz", ".bz2"])
def test_the_format_is_detected_from_the_content(tmp_path, form, ending):
    assert sniff(write(tmp_path, "x" + ending, CONTENT[form])) == form
    assert sniff(write(tmp_path, "y" + ending, "\ufeff" + CONTENT[form])) == form


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("x.jsonl", "jsonl"), ("x.jsonl", "beir"), ("x.JSONL", "tevatron"), ("x.json", "json"),
        ("x.json", "jsonl"), ("x.tsv", "psgs"), ("x.tsv", "tsv"), ("x.csv", "csv"),
        ("wiki.txt", "wikiextractor"), ("wiki_00", "wikiextractor"), ("x.jsonl.gz", "wikiextractor"),
        ("wiki.xml.bz2", "wiki-dump"),
    ],
)  # fmt: skip
def test_names_that_agree_with_the_content_are_accepted(tmp_path, name, form):
    assert sniff(write(tmp_path, name, CONTENT[form])) == form


@pytest.mark.parametrize(
    ("name", "form"), [("x.tsv", "jsonl"), ("x.jsonl", "json"), ("x.csv", "psgs"), ("x.xml", "jsonl")]
)
def test_a_name_that_disagrees_with_the_content_is_refused(tmp_path, name, form):
    path = write(tmp_path, name, CONTENT[form])
    says = name[2:]
    with pytest.raises(
        InputError, match=rf"^{path}:1: the name says {says}, the content {form}; expected `input_format`"
    ):
        sniff(path)
    named = write(tmp_path, "table.jsonl", CONTENT["psgs"])
    assert read(named, input_format="psgs") == [Passage("1", "T", "t")]


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("x.jsonl", "%PDF-1.7", "jsonl"),
        ("x.jsonl", "", "jsonl"),
        ("x.json", "5", "json"),
        ("x.tsv", "a\tb\n", "tsv"),
        ("x.parquet", "PAR2", "parquet"),
        ("x.md", "[a link](there)", "folder"),
        ("x.pdf", "{", "folder"),
        ("x", "", "jsonl"),
    ],
)
def test_the_name_decides_when_the_content_is_ambiguous(tmp_path, name, content, form):
    assert sniff(write(tmp_path, name, content)) == form


@pytest.mark.parametrize("content", ["hello", b"\xff\xfe{\0", "a\tb\n", "text,title\n", b"\x89PNG"])
def test_an_unclear_format_is_an_error_that_names_the_setting(tmp_path, content):
    path = write(tmp_path, "x", content)
    with pytest.raises(InputError, match=rf"^{path}:1: its form is not clear, .*`input_format` to say"):
        sniff(path)


def test_a_file_that_cannot_be_opened_is_skipped_in_order(tmp_path):
    paths = [write(tmp_path, "a.jsonl", CONTENT["jsonl"]), write(tmp_path, "b", "hello")]
    paths.append(write(tmp_path, "c.jsonl", CONTENT["beir"]))
    first, broken, last = open_sources(paths, PreprocessConfig(on_error="skip"))
    assert (first.name, broken.name, last.name) == tuple(paths)
    with pytest.raises(InputError, match=rf"^{paths[1]}:1: its form is not clear"):
        records(broken)
    assert records(last) == [Passage("1", "", "t")]
    with pytest.raises(InputError, match="its form is not clear"):
        list(open_sources(paths, PreprocessConfig()))


def test_the_format_of_a_folder_is_detected(tmp_path):
    write(tmp_path, "notes/n.txt", "t")
    write(tmp_path, "beir/corpus.jsonl", CONTENT["beir"])
    write(tmp_path, "beir/queries.jsonl", "")
    write(tmp_path, "extracted/AA/wiki_00", CONTENT["wikiextractor"])
    assert [sniff(str(tmp_path / name)) for name in ("notes", "beir", "extracted")] == [
        "folder", "beir", "wikiextractor"
    ]  # fmt: skip
    assert read(str(tmp_path / "beir"), str(tmp_path / "notes")) == [
        Passage("1", "", "t"),
        Article("n.txt", "n", "t"),
    ]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress])
@pytest.mark.parametrize("form", ["jsonl", "psgs", "json"])
def test_the_format_of_standard_input_is_detected(monkeypatch, pack, form):
    data = io.BufferedReader(io.BytesIO(pack(CONTENT[form].encode())))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(data))
    assert sniff("-") == form
    assert len(read("-")) == 1


def test_a_named_pipe_is_not_read_for_detection(tmp_path):
    os.mkfifo(tmp_path / "pipe.tsv")
    assert sniff(str(tmp_path / "pipe.tsv")) == "tsv"


def test_every_format_has_a_reader():
    assert set(READERS) == set(FORMATS)


@pytest.mark.parametrize("form", ["jsonl", "json", "tsv", "csv", "parquet", "beir", "tevatron", "psgs"])
def test_the_format_setting_overrides_detection(tmp_path, form):
    if form == "parquet":
        path = str(tmp_path / "x")
        pq.write_table(pa.table({"id": ["1"], "text": ["t"]}), path)
        assert sniff(path) == "parquet"
    else:
        path = write(tmp_path, "x", CONTENT[form])
    (found,) = read(path, input_format=form)
    assert (found.id, found.text) == ("1", "t")
    assert isinstance(found, Passage if form in ("beir", "tevatron", "psgs") else Article)
    assert read(path) == [found]


def test_column_settings_are_used(tmp_path):
    named = PreprocessConfig(id_column="key", title_column="name", text_column="abstract")
    row = {"id": 0, "key": "k", "name": "N", "abstract": "a", "text": "t"}
    path = write(tmp_path, "x.jsonl", json.dumps(row))
    (source,) = open_sources([path], named)
    assert records(source) == [Article("k", "N", "a")]
    path = write(tmp_path, "x.csv", "key,name,abstract\nk,N,a\n")
    (source,) = open_sources([path], replace(named, input_format="csv"))
    assert records(source) == [Article("k", "N", "a")]
    with pytest.raises(UsageError, match="has the form psgs: `id_column` has no effect"):
        list(open_sources([write(tmp_path, "x.tsv", CONTENT["psgs"])], named))


@pytest.mark.parametrize("form", ["psgs", "beir", "tevatron"])
def test_passages_are_not_split_again(tmp_path, form):
    path = write(tmp_path, "x", CONTENT[form])
    for option, value in (("words", 50), ("stride", 50), ("tail", "drop"), ("min_words", 2)):
        config = PreprocessConfig(input_format=form, **{option: value})
        with pytest.raises(UsageError, match=rf"{form} holds passages.*: `{option}` has no"):
            next(open_sources([path], config))
        with pytest.raises(UsageError, match=f"`{option}` has no"):
            next(open_sources([path, path], config))
        # of the environment, not of this command
        assert records(next(open_sources([path], config, asked=())))
        article = write(tmp_path, "articles.jsonl", CONTENT["jsonl"])
        assert len(list(open_sources([article, path], replace(config, input_format="auto")))) == 2


def test_a_setting_must_have_an_effect_on_a_corpus(tmp_path):
    psgs = write(tmp_path, "x.tsv", CONTENT["psgs"])
    rows = write(tmp_path, "x.jsonl", CONTENT["jsonl"])
    for option, value in (("make_ids", True), ("document_seconds", 5.0), ("text_column", "text")):
        config = PreprocessConfig(**{option: value})
        with pytest.raises(UsageError, match=f"has the form psgs: `{option}` has no effect"):
            list(open_sources([psgs], config))
        if option != "document_seconds":
            assert len(list(open_sources([rows, psgs], config))) == 2


def test_missing_ids_are_made_on_request(tmp_path):
    for form in ("jsonl", "beir"):
        path = write(tmp_path, "x", '{"title": "", "text": "t"}\n')
        assert read(path, input_format=form, make_ids=True)[0].id == ""


def test_several_sources_are_opened_one_after_another(tmp_path):
    first = write(tmp_path, "x.jsonl", CONTENT["jsonl"])
    sources = open_sources([first, str(tmp_path / "nowhere.jsonl")], PreprocessConfig())
    assert records(next(sources)) == [Article("1", "", "t")]
    with pytest.raises(InputError, match="no such file"):
        next(sources)
    with pytest.raises(InputError, match="is a folder"):
        list(open_sources([str(tmp_path)], PreprocessConfig(input_format="psgs")))


def shard(folder, name, *ids):
    return write(folder, name, "".join(json.dumps({"id": one, "text": "some words"}) + "\n" for one in ids))


def test_a_folder_of_records_is_read_file_by_file(tmp_path):
    shard(tmp_path, "data/train-00001-of-00002.jsonl", "c")
    shard(tmp_path, "data/train-00000-of-00002.jsonl.gz", "a", "b")
    write(tmp_path, "README.md", "What these data are.")
    assert [one.id for one in read(str(tmp_path))] == ["a", "b", "c"]
    assert [one.id for one in read(str(tmp_path / "data"), input_format="jsonl")] == ["a", "b", "c"]
    write(tmp_path, "notes.md", "A document.")
    assert sniff(str(tmp_path)) == "folder"


def test_a_folder_may_hold_json_lines_and_parquet(tmp_path):
    shard(tmp_path, "a.jsonl", "a")
    pq.write_table(pa.table({"id": ["b"], "text": ["text of b"]}), tmp_path / "b.parquet")
    shard(tmp_path, "c.jsonl.gz", "c")
    assert [one.id for one in read(str(tmp_path))] == ["a", "b", "c"]


def test_splits_in_a_folder_are_not_mixed(tmp_path):
    for split in ("train", "test"):
        shard(tmp_path, f"{split}-00000-of-00001.jsonl", split)
    with pytest.raises(InputError, match=r"holds files of several splits \(test, train\)"):
        read(str(tmp_path))


def test_hidden_files_and_artifacts_are_not_documents(tmp_path):
    write(tmp_path, "a.txt", "one")
    write(tmp_path, ".git/b.txt", "two")
    write(tmp_path, ".c.txt", "three")
    write(tmp_path, "results/passages/manifest.json", '{"schema": 1, "densecli": "1.0"}')
    write(tmp_path, "results/passages/d.txt", "four")
    write(tmp_path, "manifest.json", "{}")
    found = [one for one in read(str(tmp_path)) if isinstance(one, Article)]
    assert [one.id for one in found] == ["a.txt"]


def test_documents_with_the_same_name_in_two_folders_have_different_ids(tmp_path):
    for name in ("x/docs/a.txt", "y/docs/a.txt", "notes/a.txt"):
        write(tmp_path, name, name)
    paths = [str(tmp_path / name) for name in ("x/docs", "y/docs", "notes")]
    assert [one.id for one in read(*paths)] == ["x/docs/a.txt", "y/docs/a.txt", "notes/a.txt"]
    assert [one.id for one in read(paths[0])] == ["a.txt"]
    files = [f"{path}/a.txt" for path in paths]
    assert [one.id for one in read(*files)] == ["x/docs/a.txt", "y/docs/a.txt", "notes/a.txt"]
    write(tmp_path, "notes/b.txt", "b")
    assert [one.id for one in read(files[0], paths[2])] == ["a.txt", "notes/a.txt", "notes/b.txt"]
