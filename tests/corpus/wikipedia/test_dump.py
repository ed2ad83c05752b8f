import bz2
import gzip
import io
import pickle
import sys
import tracemalloc

import pytest
from mwparserfromhell.parser import ParserError

from densecli.corpus.source import Dropped, Pruned
from densecli.corpus.wikipedia import dump
from densecli.corpus.wikipedia.dump import LONGEST_TEXT, Page, parse_page, read_dump
from densecli.errors import FieldError, InputError
from densecli.records import Article

HEAD = (
    '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" xml:lang="cy">\n'
    "<siteinfo><sitename>W</sitename><namespaces>"
    '<namespace key="0" /><namespace key="1">Sgwrs</namespace><namespace key="6">Delwedd</namespace>'
    '<namespace key="14">Categori</namespace></namespaces></siteinfo>\n'
)
END = "</mediawiki>\n"


def page(number, title, text, fields="<ns>0</ns>", revisions=1):
    body = "".join(
        f"<revision><id>9{one}</id><contributor><id>7</id></contributor><comment>text</comment>"
        f"<model>wikitext</model><text bytes='1'>{text if one == revisions - 1 else 'old'}</text></revision>"
        for one in range(revisions)
    )
    return f"<page><title>{title}</title>{fields}<id>{number}</id>{body}</page>\n"


DUMP = (
    HEAD
    + page(1, "A &amp; B", "'''A''' &lt;ref&gt;x&lt;/ref&gt;lived.", revisions=3)
    + page(2, "C", "#REDIRECT [[A]]", '<ns>0</ns><redirect title="A" />')
    + page(3, "Sgwrs:A", "talk", "<ns>1</ns>")
    + page(4, "Sgwrs:B", "talk", "")
    + page(5, "D", "D may be: {{Disambig}}")
    + page(6, "List of hills", "x")
    + page(7, "E", "[[Delwedd:x.jpg|y]] {{z}}")
    + page(8, "F: a film", "[[Categori:x]]F is a film.", "")
    + END
)
WANTED = [
    Article("1", "A & B", "A lived."),
    Dropped("redirect"),
    Dropped("not_an_article"),
    Dropped("not_an_article"),
    Dropped("disambiguation"),
    Dropped("list"),
    Dropped("without_text"),
    Article("8", "F: a film", "F is a film."),
]


def bare(parsed):
    """A page's article without what was counted beside it."""
    return parsed.article if isinstance(parsed, Pruned) else parsed


def many_streams(text):
    data = text.encode()
    return b"".join(bz2.compress(data[start : start + 300]) for start in range(0, len(data), 300))


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("d.xml", str.encode),
        ("d.xml.gz", lambda text: gzip.compress(text.encode())),
        ("d.xml.bz2", lambda text: bz2.compress(text.encode())),
        ("d-multistream.xml.bz2", many_streams),
        ("no-ending", many_streams),
        ("utf-16.xml", lambda text: ('<?xml version="1.0" encoding="utf-16"?>' + text).encode("utf-16")),
    ],
)
def test_pages_of_a_dump_are_read(tmp_path, name, pack):
    path = tmp_path / name
    path.write_bytes(pack(DUMP))
    source = read_dump(str(path))
    raw = list(source.raw)
    parse = pickle.loads(pickle.dumps(source.parse))
    assert [bare(parse(payload)) for _, payload in pickle.loads(pickle.dumps(raw))] == WANTED
    assert [place for place, _ in raw] == list(range(3, 11))
    assert source.name == str(path)


@pytest.mark.parametrize("pack", [str.encode, many_streams])
def test_a_dump_is_read_from_standard_input(monkeypatch, pack):
    stdin = io.TextIOWrapper(io.BufferedReader(io.BytesIO(pack(DUMP))))
    monkeypatch.setattr(sys, "stdin", stdin)
    source = read_dump("-")
    assert [bare(source.parse(payload)) for _, payload in source.raw] == WANTED
    assert source.name == "stdin"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", ": is empty; expected a MediaWiki export"),
        (DUMP.encode()[:-40], ":10: the XML is cut off; expected the whole file"),
        (bz2.compress(DUMP.encode())[:-30], ": the bzip2 stream is cut off or broken"),
        (gzip.compress(DUMP.encode(), mtime=0)[:-30], ": the gzip stream is cut off or broken"),
        (b"BZh9" + b"\0" * 40, ": not bzip2 data, or damaged"),
        (b"<html><body/></html>", ":1: the XML holds <html>; expected a MediaWiki export"),
        (b"not xml", ":1: broken XML"),
        ((HEAD + "<page><title>&nope;</title></page>").encode(), ":3: broken XML .undefined entity"),
        ((HEAD + "<page></title>").encode(), ":3: broken XML .mismatched tag"),
        (HEAD.encode() + b"<page>\xff", ":3: broken XML"),
        (b'<!DOCTYPE m [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><mediawiki>&b;', ":1: a document type"),
        ((HEAD + "<a>" * 100).encode(), ":3: tags nested"),
        ((HEAD + "<a b='" + "x" * (3 << 20)).encode(), ":3: a tag of more than 1 MiB"),
    ],
)
def test_an_unusable_dump_is_refused(tmp_path, data, message):
    path = tmp_path / "d.xml"
    path.write_bytes(data)
    with pytest.raises(InputError, match=rf"d\.xml{message}"):
        list(read_dump(str(path)).raw)


def test_wikitext_has_a_larger_work_size_than_other_text(tmp_path):
    path = tmp_path / "d.xml"
    path.write_text(HEAD + page(1, "A", "x" * 200_000) + END)
    source = read_dump(str(path))
    assert [source.size(payload) for _, payload in source.raw] == [1_600_000]


def test_pages_before_a_truncation_are_read(tmp_path):
    path = tmp_path / "d.xml"
    path.write_text(HEAD + page(1, "A", "x" * 200_000) + page(2, "B", "cut off")[:-30])
    raw = read_dump(str(path)).raw
    assert next(raw)[1].title == "A"
    with pytest.raises(InputError, match="cut off"):
        next(raw)


@pytest.mark.parametrize("change", [{"id": ""}, {"id": "x"}, {"title": ""}, {"namespace": "zero"}])
def test_a_page_without_required_fields_is_refused(change):
    whole = Page("1", "T", "0", False, "wikitext", "text", ())
    with pytest.raises(FieldError, match="a page without id, title or namespace"):
        parse_page(whole._replace(**change))


def test_a_page_above_the_limit_of_mediawiki_is_dropped(tmp_path):
    path = tmp_path / "d.xml"
    path.write_text(HEAD + page(1, "A", "word " * (LONGEST_TEXT // 3)) + END)
    [(_, found)] = read_dump(str(path)).raw
    assert LONGEST_TEXT < len(found.text) < LONGEST_TEXT + (1 << 17)
    assert parse_page(found) == Dropped("too_long")


def test_a_parser_failure_drops_one_page(monkeypatch):
    def fail(*_):
        raise ParserError("C tokenizer exited with BAD_ROUTE")

    monkeypatch.setattr(dump, "prose", fail)
    assert parse_page(Page("1", "T", "0", False, "wikitext", "text", ())) == Dropped("unparsable")


def test_memory_does_not_grow_with_the_dump(tmp_path):
    path = tmp_path / "d.xml.bz2"
    with bz2.open(path, "wt", 1) as stream:
        stream.write(HEAD)
        for number in range(1000):
            stream.write(page(number, f"T{number}", "word " * 2000))
        stream.write(END)
    tracemalloc.start()
    assert sum(1 for _ in read_dump(str(path)).raw) == 1000  # 10 MB of text
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 << 20
