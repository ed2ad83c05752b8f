"""Damaged files at every reader: records, or one error that names the file; no traceback and no hang.

Each example is a sound file of some form, changed in a few places. FUZZ_EXAMPLES says how many each reader
gets: few in CI, where all take about a minute, and many by `just fuzz`.
"""

import bz2
import gzip
import json
import lzma
import os
import time
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from densecli.configs.corpus import PreprocessConfig
from densecli.corpus.cut import preprocess
from densecli.corpus.detect import open_source, sniff
from densecli.errors import DenseError
from densecli.files.bad_records import BadRecords
from densecli.formats.read_any import open_records
from densecli.formats.read_examples import read_examples
from densecli.formats.read_mining_input import read_mining_input
from densecli.formats.read_questions import read_questions
from densecli.formats.read_results import read_results
from pdf_files import pdf

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "30"))
SECONDS = 10
"""Processor time within which a file of some kB is read; a sound one takes a thousandth of it."""


def _parquet() -> bytes:
    sink = BytesIO()
    pq.write_table(pa.table({"id": ["1", "2"], "title": ["a", ""], "text": ["some words", "é"]}), sink)
    return sink.getvalue()


def _squad_rows() -> bytes:
    sink = BytesIO()
    answers = {"text": ["Ada"], "answer_start": [0]}
    row = {"id": "1", "title": "a", "context": "Ada of Ulm", "question": "who", "answers": answers}
    pq.write_table(pa.Table.from_pylist([row, row]), sink)
    return sink.getvalue()


def _lines(*rows: object) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


PASSAGE = {"id": "1", "title": "a", "text": "some words", "score": "1.5", "has_answer": True}
QUESTION = {"id": "q", "question": "who is it", "answers": ["Ada", "A. L."], "answer_type": "string"}
CONTEXT = {"title": "a", "text": "words", "passage_id": "7", "score": 3, "title_score": 1}
TRAINING = QUESTION | {"positive_ctxs": [CONTEXT], "negative_ctxs": [], "hard_negative_ctxs": [CONTEXT]}
PREDICTION = {
    "answer": "Ada",
    "start": 0,
    "end": 3,
    "span_score": 1.0,
    "passage_score": 1.0,
    "alternatives": [],
}
ASKED = {"id": "1", "question": "who", "answers": [{"text": "Ada", "answer_start": 0}]}
SQUAD = {"version": "1", "data": [{"title": "a", "paragraphs": [{"context": "Ada of Ulm", "qas": [ASKED]}]}]}
TEVATRON = {
    "query_id": "1",
    "query": "who",
    "answers": ["Ada"],
    "positive_passages": [{"docid": "1", "title": "", "text": "Ada"}],
    "negative_passages": [],
}
FLAG = {"query": "who", "pos": ["Ada"], "neg": ["Ulm"], "pos_scores": [1.0], "prompt": "p"}
WIKI = b"""<mediawiki xml:lang="en"><siteinfo><namespaces><namespace key="0"/><namespace key="6">File
</namespace></namespaces></siteinfo><page><title>A &amp; B</title><ns>0</ns><id>1</id><revision>
<model>wikitext</model><text>'''Ada''' [[was|is]] {{convert|5|km}} {{frac|1|2}}<ref>x</ref>
{| class=x
|-
| b
|}
== See also ==
* c</text></revision></page></mediawiki>"""
HTML = (
    b"<!doctype html><html><head><meta charset=utf-8><title>T</title></head><body><nav>n</nav><main>"
    b"<h1 id=x>H</h1><p>a<br>b &eacute;</p><table><tr><td>c</table><ul><li>d</ul></main></body></html>"
)
MARKDOWN = b"""---
title: T
---
# H *a*

p `c` [l](u) ![i](u) <!-- x -->

- a

|a|b|
|-|-|
|1|2|

```
code
```
"""
CORPORA = {
    "jsonl": ("a.jsonl", _lines(PASSAGE, PASSAGE | {"id": "2", "text": "é ü"})),
    "json": ("a.json", json.dumps([PASSAGE, PASSAGE | {"id": 2}], indent=1).encode()),
    "beir": ("a.jsonl", _lines({"_id": "1", "title": "a", "text": "b", "metadata": {}})),
    "tevatron": ("a.jsonl", _lines({"docid": "1", "title": "a", "text": "b"})),
    "tsv": ("a.tsv", b'id\ttext\ttitle\n1\t"some\nwords"\ta\n2\tb\t""\n'),
    "csv": ("a.csv", b'id,text,title\r\n1,"some, ""words""",a\r\n2,b,\r\n'),
    "psgs": ("a.tsv", b'id\ttext\ttitle\n1\t"some ""words"""\ta\n'),
    "parquet": ("a.parquet", _parquet()),
    "collection": ("a.tsv", b'0\tsome "words" of text\ttitle\n1\tb\t\n'),
    "kilt": ("a.json", _lines({"_id": "1", "wikipedia_title": "a", "text": ["a\n", "Section::::b.\n", "c"]})),
    "jsonl.unspaced": (
        "a.jsonl",
        '{"id": 1, "text": "\u6771\u4eac\u306f20\u5e74\u3001\u0e44\u0e17\u0e22"}\n'.encode(),
    ),
    "jsonl.xz": ("a.jsonl.xz", lzma.compress(_lines(PASSAGE))),
    "jsonl.zst": ("a.jsonl.zst", pa.compress(_lines(PASSAGE), "zstd", asbytes=True)),
    "wiki-dump": ("a.xml", WIKI),
    "wiki-dump.bz2": ("a.xml.bz2", bz2.compress(WIKI)),
    "wikiextractor": ("a.txt", b'<doc id="1" url="u?curid=1" title="A">\nA\n\nwords &amp; more\n</doc>\n'),
    "folder.txt": ("a.txt", "some words\n\u00e9".encode()),
    "folder.md": ("a.md", MARKDOWN),
    "folder.html": ("a.html", HTML),
    "folder.pdf": ("a.pdf", pdf(["some words", "more"], title="T")),
}
RECORDS = {
    "questions": ("a.jsonl", _lines(QUESTION, QUESTION | {"answers": "Ada"})),
    "qa.csv": ("a.qa.csv", b'who is it\t[\'Ada\', "A.\'L"]\n"who\nis"\t["b"]\n'),
    "plain": ("a.txt", b"who is it\nwhat is it\n"),
    "dpr": ("a.json", json.dumps([TRAINING, TRAINING]).encode()),
    "examples.gz": ("a.jsonl.gz", gzip.compress(_lines(TRAINING, TRAINING))),
    "results": ("a.jsonl", _lines(QUESTION | {"ctxs": [PASSAGE]}, QUESTION | {"ctxs": []})),
    "predictions": ("a.jsonl", _lines(QUESTION | {"ctxs": [PASSAGE]} | PREDICTION)),
    "squad": ("a.json", json.dumps(SQUAD).encode()),
    "squad rows": ("a.parquet", _squad_rows()),
    "trivia": ("a.jsonl", _lines({"question": "who", "question_id": "1", "answer": {"value": "Ada"}})),
    "pyserini": ("a.json", json.dumps({"0": QUESTION | {"contexts": [PASSAGE | {"docid": "1"}]}}).encode()),
    "indented": ("a.json", json.dumps(QUESTION, indent=2).encode() * 2),
    "topics": ("a.txt", b"<top>\n<num> Number: 1\n<title> who is it\n</top>\n" * 2),
    "queries": ("a.tsv", b'1\twho is it\n2\twhat is "it"\n'),
    "tevatron": ("a.jsonl", _lines(TEVATRON)),
    "flag": ("a.jsonl", _lines(FLAG)),
    "beir": ("a.jsonl", _lines({"_id": "1", "text": "who"})),
    "trec": ("a.run", b"1 Q0 a 1 2.5 t\n1 Q0 b 2 1.5 t\n2 Q0 a 1 1 t\n"),
    "msmarco": ("a.run", b"1\ta\t1\n1\tb\t2\n"),
    "qrels": ("a.tsv", b"query-id\tcorpus-id\tscore\n1\ta\t1\n"),
}
READERS = {
    "questions": lambda path, bad: read_questions(path, None, bad),
    "asked": lambda path, bad: read_mining_input(path, None, bad),
    "examples": read_examples,
    "results": read_results,
}
WORDS = rb"""\ud800 \u0000 null true NaN Infinity 1e999 -1 0 [] {} "" "id": "text": "answers": <!-- --> {{ }}
[[ ]] {| |} <ref> </ref> <nowiki> <![CDATA[ &amp; &#0; &x; <div> </b> <table> <svg> ``` ]( ==== obj << >>
stream /Kids"""
TOKENS = [
    *(bytes([one]) for one in b"\0\t\n\r \"'<>[]{}(),:;|=*#&\\/-!`~_\x1a\x7f\x80\xff"),
    *(b"\xef\xbb\xbf", b"\xff\xfe", b"\xf0\x9f\x98\x80", b"\xed\xa0\x80", b"PAR1", b"\x1f\x8b\x08", b"BZh9"),
    *(b"<meta charset=undefined>", b"<!DOCTYPE x [", b"9" * 400),
    *WORDS.split(),
]
PLACE = st.integers(0, 4000)
CHANGE = st.one_of(
    st.tuples(st.just("insert"), PLACE, st.sampled_from(TOKENS)),
    st.tuples(st.just("insert"), PLACE, st.binary(max_size=8)),
    st.tuples(st.just("remove"), PLACE, st.integers(1, 40)),
    st.tuples(st.just("repeat"), PLACE, st.tuples(st.integers(1, 30), st.sampled_from([2, 50, 2000]))),
    st.tuples(st.just("replace"), PLACE, st.sampled_from(TOKENS)),
    st.tuples(st.just("flip"), PLACE, st.integers(0, 7)),
    st.tuples(st.just("cut"), PLACE, st.none()),
)
CHANGES = st.lists(CHANGE, max_size=6)


def damaged(data: bytes, changes: list) -> bytes:
    """Return the bytes after all changes."""
    for kind, where, what in changes:
        place = where % (len(data) + 1)
        before, after = data[:place], data[place:]
        if kind == "insert":
            data = before + what + after
        elif kind == "remove":
            data = before + after[what:]
        elif kind == "repeat":
            data = before + after[: what[0]] * what[1] + after[what[0] :]
        elif kind == "replace":
            data = before + what + after[len(what) :]
        elif kind == "flip" and after:
            data = before + bytes([after[0] ^ 1 << what]) + after[1:]
        elif kind == "cut":
            data = before
    return data


def fuzzed(test):
    """Run a test on many damages."""
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=checks)(given(CHANGES)(test))


def once(read, *arguments) -> None:
    """Call a reader; the only error is one line for users with the file's name, and it comes soon."""
    begin = time.process_time()
    try:
        read(*arguments)
    except DenseError as error:
        assert "a." in str(error)
        assert "\n" not in str(error)
    assert time.process_time() - begin < SECONDS


def cut(path: str, form: str, on_error: str) -> None:
    """Read a corpus to its end."""
    config = PreprocessConfig(on_error=on_error, document_seconds=SECONDS)
    for found in preprocess([open_source(path, form, config)], config):
        found.passages.rows.validate(full=True)


def each(path: str, bad: BadRecords) -> None:
    """Read what `convert` reads to its end."""
    with open_records(path, None, bad) as (found, _):
        for _ in found:
            pass


@pytest.mark.parametrize("form", CORPORA)
def test_damaged_corpora_give_records_or_one_error(tmp_path, form):
    name, sound = CORPORA[form]
    path = tmp_path / name

    @fuzzed
    def check(changes):
        path.write_bytes(damaged(sound, changes))
        for on_error in ("stop", "skip"):
            once(cut, str(path), form.partition(".")[0], on_error)
        once(sniff, str(path))

    check()


@pytest.mark.parametrize("form", RECORDS)
def test_damaged_records_give_records_or_one_error(tmp_path, form):
    name, sound = RECORDS[form]
    path = tmp_path / name

    @fuzzed
    def check(changes):
        path.write_bytes(damaged(sound, changes))
        for skip in (False, True):
            once(each, str(path), BadRecords(skip))
            for read in READERS.values():
                once(lambda read, bad: list(read(str(path), bad)), read, BadRecords(skip))

    check()


def test_the_undamaged_files_are_read(tmp_path):
    for name, data in CORPORA.values():
        path = tmp_path / name
        path.write_bytes(data)
        config = PreprocessConfig()
        cuts = list(preprocess([open_source(str(path), sniff(str(path)), config)], config))
        assert sum(len(cut.passages) for cut in cuts) > 0, name
    for name, data in RECORDS.values():
        path = tmp_path / name
        path.write_bytes(data)
        with open_records(str(path)) as (found, _):
            assert list(found), name
