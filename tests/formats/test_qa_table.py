import subprocess
import sys
import time
from pathlib import Path

import pytest

from densecli.errors import InputError
from densecli.files.bad_records import BadRecords
from densecli.formats.qa_table import write_table
from densecli.formats.read_questions import read_questions

DATA = Path(__file__).parents[2] / ".." / "shared" / "data" / "questions"
CODE = (
    "import sys; from densecli.formats.read_questions import read_questions\n"
    "for _ in read_questions(sys.argv[1]): pass"
)


def write(folder, line):
    path = folder / "x.qa.csv"
    path.write_bytes(line if isinstance(line, bytes) else line.encode())
    return str(path)


@pytest.mark.parametrize(
    "answers",
    [
        "[" * 100_000,
        "[" + "1+" * 100_000 + "1]",
        "[" + "-" * 100_000 + "1]",
        "[" + "(" * 10_000 + ")" * 10_000 + "]",
        "[" + "9" * 100_000 + "]",
        "[9**9**9**9]",
        "['a' * 10**10]",
        "[{}]".format("{'a':" * 500 + "1" + "}" * 500),
        "[x for x in ().__class__.__base__.__subclasses__()]",
        "open('pwned','w')",
        "['\\N{NOTHING}']",
        "[b'a']",
        "[f'{1}']",
        "['a', ...]",
        "['\\ud800']",
        "['\0']",
        "\ud800".encode("utf-8", "surrogatepass"),
    ],
    ids=range(17),
)
def test_hostile_answers_are_neither_executed_nor_crash(tmp_path, answers):
    """In a process of its own, since some of these have crashed interpreters."""
    data = answers if isinstance(answers, bytes) else answers.encode()
    path = write(tmp_path, b"who\t['a']\nwhat\t" + data + b"\n")
    begun = time.monotonic()
    done = subprocess.run([sys.executable, "-c", CODE, path], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr[-300:]
    assert f"InputError: {path}:2: " in done.stderr
    assert time.monotonic() - begun < 30
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("who\tis\t['a']\n", ":1: no list of answers: 'is'; expected a list such as"),
        ("\t['a']\n", ":1: 'question' is empty"),
        ("who\t['a']\n\"what\t['b']\nwhen\t['c']\n", ":2: a quote is opened and not closed"),
        ("who\t['a']\nwhat\n", ":2: no list of answers; expected a question and a list"),
        ("who\t\n", ":1: no list of answers: ''"),
        (
            "who\t['Paris' 'Lutetia']\n",
            ":1: a list without commas: \"['Paris' 'Lutetia']\"; expected a list such",
        ),
        ("who\t['a']\nwhat\t\"['Ann Lee'\n 'Bo Ray']\"\n", ":2: a list without commas"),
        ("who\t['it''s']\n", ":1: a list without commas"),
        ('who\t"[\'a\', ""b""\'c\']"\n', ":1: a list without commas"),
        ("who\t\"['a', 'b']\"\nwhat\t\"\"\"['a', 'b']\"\"\"\n", ":2: 'answers' is the text of a list"),
    ],
)
def test_stray_tabs_and_quotes_are_handled(tmp_path, text, told):
    with pytest.raises(InputError) as error:
        list(read_questions(write(tmp_path, text)))
    assert told in str(error.value)


@pytest.mark.parametrize("stray", ["\"stray\t['x']", "stray\t\"['x']", "stray\t\"['x'"])
@pytest.mark.parametrize("after", ["who\t['a']", "\"who\"\t['a']", "who\t\"['a']\"", "w\"ho\t['a']"])
def test_a_stray_quote_damages_only_its_line(tmp_path, stray, after):
    told = []
    path = write(tmp_path, f"when\t['c']\n{stray}\n{after}\n\n{after}\nwhere\t['d']\n")
    found = list(read_questions(path, bad=BadRecords(True, told.append)))
    assert [one.id for one in found] == ["1", "3", "5", "6"]
    assert {one.answers for one in found[1:3]} == {("a",)}
    assert told == [f"{path}:2: a quote is opened and not closed; expected quotes as csv has them"]


def test_quotes_inside_answers_are_not_missing_commas(tmp_path):
    text = "who\t['', \"it's\", 'a\\' \\'b', 'say \"x\" \"y\"']\n"
    assert [one.answers for one in read_questions(write(tmp_path, text))] == [
        ("", "it's", "a' 'b", 'say "x" "y"')
    ]


def test_a_wrong_encoding_is_reported_and_not_an_open_quote(tmp_path):
    path = write(tmp_path, "who\t['a']\n\"two\nlines of caf\u00e9\"\t['b']\n".encode("cp1252"))
    with pytest.raises(InputError, match=r":2: not UTF-8 \(0xE9 is byte 18\); expected UTF-8 text \(iconv"):
        list(read_questions(path))


def test_line_ends_and_blank_lines_are_handled(tmp_path):
    text = "\ufeff\r\nwho\t['a']\r\n \r\n\"two\n\nlines\"\t['b']\r\n"
    found = [(one.id, one.question, one.answers) for one in read_questions(write(tmp_path, text))]
    assert found == [("2", "who", ("a",)), ("6", "two\n\nlines", ("b",))]


@pytest.mark.parametrize("name", ["nq-dev", "nq-test", "trivia-dev", "trivia-test"])
def test_a_published_file_is_written_as_it_was(name):
    path = DATA / f"{name}.qa.csv"
    if not path.is_file():
        pytest.skip(f"../shared absent: no {path.name}")
    assert b"".join(write_table(read_questions(str(path)))) == path.read_bytes()


def test_a_list_of_100_000_answers_is_read(tmp_path):
    names = [f"name {number}" for number in range(100_000)]
    [one] = read_questions(write(tmp_path, f"who\t{names}\n"))
    assert one.answers == tuple(names)
