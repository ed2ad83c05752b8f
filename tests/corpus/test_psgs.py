import gzip
import io
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus_files import records, write
from densecli.corpus.psgs import psgs_source, write_psgs
from densecli.errors import InputError
from densecli.records import Passage

HEADER = "id\ttext\ttitle\n"
REAL = Path(__file__).parents[3] / "shared/data/wiki/psgs_main_w100.tsv.gz"


def written(passages):
    stream = io.BytesIO()
    count = write_psgs(passages, stream)
    return stream.getvalue(), count


@pytest.mark.parametrize("name", ["x.tsv", "x.tsv.gz", "x.tsv.bz2"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_psgs_files_are_read(tmp_path, name, end):
    text = '\ufeffid\ttext\ttitle\n1\t"say ""hi"", then"\tA\n2\tb\t"two ""q"""\n\n3\tx, y\tC\u200f\n'
    path = write(tmp_path, name, text.replace("\n", end))
    assert records(psgs_source(path)) == [
        Passage("1", "A", 'say "hi", then'),
        Passage("2", 'two "q"', "b"),
        Passage("3", "C\u200f", "x, y"),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", ": is empty; expected a header and at least one passage"),
        ("id\ttitle\ttext\n1\ta\tb\n", r":1: the header is 'id\|title\|text'"),
        ('{"id": 1, "text": "b"}\n', ":1: the header is"),
    ],
)
def test_another_header_is_refused(tmp_path, content, message):
    path = write(tmp_path, "x.tsv", content)
    with pytest.raises(InputError, match=rf"^{path}{message}"):
        psgs_source(path)


def test_quotes_at_both_ends_are_kept(tmp_path):
    """As in DPR's first version; its 1.0 takes them off when it reads."""
    path = write(tmp_path, "x.tsv", HEADER + '3\t"""Quoted start"" and end ""here"""\t"A ""Title"""\n')
    assert records(psgs_source(path)) == [Passage("3", 'A "Title"', '"Quoted start" and end "here"')]


def test_passages_are_written_in_the_canonical_form():
    data, count = written([Passage("1", 'a "b"', "x, 'y'"), Passage("2", "", " tab\there\nand\rthere ")])
    assert data.decode() == HEADER + '1\tx, \'y\'\t"a ""b"""\n2\t" tab\there\nand\rthere "\t\n'
    assert count == 2


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.builds(
            Passage,
            st.text(st.characters(codec="utf-8", exclude_characters="\0")).filter(str.strip),
            *[st.text(st.characters(codec="utf-8", exclude_characters="\0"))] * 2,
        ),
        min_size=1,
        max_size=4,
    )
)
def test_passages_survive_a_round_trip(tmp_path_factory, passages):
    data, _ = written(passages)
    path = tmp_path_factory.getbasetemp() / "there-and-back.tsv"
    path.write_bytes(data)
    again = records(psgs_source(str(path)))
    assert again == passages
    assert written(again)[0] == data


@pytest.mark.skipif(not REAL.exists(), reason="../shared absent")
def test_real_passages_survive_a_round_trip():
    with gzip.open(REAL) as stream:
        before = b"".join(islice(stream, 20_001))
    source = psgs_source(str(REAL))
    data, count = written(source.parse(payload) for _, payload in islice(source.raw, 20_000))
    assert count == 20_000
    assert data == before
