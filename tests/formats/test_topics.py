"""Questions with ids in plain text: TREC topics, and queries in two columns."""

import io

import pytest

from densecli.errors import InputError
from densecli.files.bad_records import BadRecords
from densecli.formats.read_questions import read_questions

CLASSIC = """
<top>
<num> Number: 401
<title> foreign minorities,
 Germany

<desc> Description:
What languages do they speak?
<narr> Narrative:
Anything goes.
</top>

<top>
<num> Number: 402
<desc> Description: behavioral genetics
</top>
"""
XML = """<topics><topic number="7"><query>masks</query></topic><topic number="8">
<title>spread</title></topic></topics>"""


def write(folder, text, name="x.txt"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def pairs(path, **how):
    return [(one.id, one.question) for one in read_questions(path, **how)]


@pytest.mark.parametrize("name", ["topics.txt", "topics.401-450", "topics.xml"])
def test_the_title_of_a_topic_is_the_question(tmp_path, name):
    found = pairs(write(tmp_path, CLASSIC, name))
    assert found == [("401", "foreign minorities, Germany"), ("402", "behavioral genetics")]


def test_topics_in_xml_and_on_one_line_are_read(tmp_path):
    assert pairs(write(tmp_path, XML)) == [("7", "masks"), ("8", "spread")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<top>\n<num> 1\n<title> a\n", ":1: a topic is not closed; expected </top>"),
        ("<top>\n<num> 1\n<title> a\n<top>\n<num> 2\n<title> b\n</top>\n", ":1: a topic is not closed"),
        ("<top>\n<title> a\n</top>\n", ":1: a topic without a number; expected <num> and an id"),
        ("<top>\n<num> 1\n</top>\n", ":1: 'question' is empty"),
        (b"<top>\n<num> 1\n<title> caf\xe9\n</top>\n", ":1: not UTF-8 (0xE9 is byte 12)"),
    ],
)
def test_broken_topics_are_refused(tmp_path, text, told):
    path = write(tmp_path, text)
    with pytest.raises(InputError) as error:
        pairs(path)
    assert str(error.value).startswith(path + told)


def test_a_broken_topic_does_not_affect_others(tmp_path):
    text = "<top>\n<title> a\n</top>\n<top>\n<num> 2\n<title> b\n</top>\n"
    bad = BadRecords(True)
    assert pairs(write(tmp_path, text), bad=bad) == [("2", "b")]
    assert bad.counts == {"skipped_missing_field": 1}


@pytest.mark.parametrize("name", ["queries.tsv", "queries.dev.tsv", "queries.txt", "topics.csv"])
def test_tab_separated_ids_and_questions_are_read(tmp_path, name):
    text = '101\twhere is the tower\n102\t"quoted" words, and more\n103\tone"\n'
    assert pairs(write(tmp_path, text, name)) == [
        ("101", "where is the tower"),
        ("102", '"quoted" words, and more'),
        ("103", 'one"'),
    ]


def test_queries_are_read_from_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"101\twho\n")))
    assert pairs("-") == [("101", "who")]


def test_a_header_of_queries_is_not_a_question(tmp_path):
    path = write(tmp_path, "qid\tquery\nPLAIN-2\tdo statins help\n", "q.tsv")
    assert pairs(path) == [("PLAIN-2", "do statins help")]
    assert pairs(write(tmp_path, "PLAIN-2\tdo statins help\n", "q.tsv")) == [("PLAIN-2", "do statins help")]


@pytest.mark.parametrize(
    "text",
    [
        "who wrote it\tBo Ray\n",
        "who\tBo\n",
        "<html>\n<p>who</p>\n",
        "<?xml version='1.0'?>\n",
        "<!-- who -->\n",
    ],
)
def test_ambiguous_lines_are_not_read_as_questions(tmp_path, text):
    """Each of them could be read as a question on a line; none of them is meant so."""
    with pytest.raises(InputError, match=r"x\.txt:1: no "):
        pairs(write(tmp_path, text))


def test_another_number_of_columns_is_refused(tmp_path):
    with pytest.raises(InputError, match=r":2: another number of columns \(3\); expected an id, a tab"):
        pairs(write(tmp_path, "1\twho is it\n2\ta\tb\n", "q.tsv"))


def test_entities_of_a_topic_are_read(tmp_path):
    path = tmp_path / "topics.xml"
    path.write_text('<topics><topic number="7"><query>AT&amp;T history</query></topic></topics>')
    assert [one.question for one in read_questions(str(path))] == ["AT&T history"]


def test_a_topic_behind_one_that_is_not_closed_is_counted_once(tmp_path):
    path = tmp_path / "topics.txt"
    path.write_text(
        "<top>\n<num> 1\n<title> one\n<top>\n<num> 2\n<title> two\n</top>\n"
        "<top>\n<num> 3\n<title> three\n</top>\n"
    )
    bad = BadRecords(True)
    assert [one.id for one in read_questions(str(path), bad=bad)] == ["3"]
    assert bad.counts == {"skipped_broken_file": 1}
