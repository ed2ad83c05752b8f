"""What comes from elsewhere does nothing to a terminal, and what a terminal cannot show ends no command."""

import io
import json
import os
import re
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.program import PATIENCE
from densecli.cli.terminal import Terminal
from densecli.report.text_table import TextTable
from densecli.text.foreign_text import ACTIVE, TerminalData, escape, mask

STYLE = re.compile(r"\x1b\[[\d;]*m")
HOSTILE = "\x1b]0;title\x07\x9b2J\u202egnp"


def row(*contexts: str, **more: object) -> dict[str, object]:
    return {
        "question": "q",
        "answers": ["a"],
        "ctxs": [{"id": "1", "text": text} for text in contexts],
    } | more


@given(st.text(st.characters(codec=None)))
def test_no_control_character_is_left(text):
    assert not ACTIVE.search(escape(text))
    assert not ACTIVE.search(mask(text))
    assert len(mask(text)) == len(text)
    escape(text).encode()


def test_an_escape_names_its_character():
    assert escape("a\x1b[2J\n\x9b\u202e\udcff\U000e0041 é \u200f𝄞") == (
        r"a\x1b[2J\n\x9b\u202e\xff\U000e0041 é " + "\u200f𝄞"
    )


@given(st.dictionaries(st.text(), st.text()), st.integers(1, 7))
def test_json_on_a_terminal_is_the_same_json(value, size):
    shown = io.BytesIO()
    stream = TerminalData(shown, "utf-8")
    data = json.dumps(value, ensure_ascii=False).encode() + b"\n"
    for start in range(0, len(data), size):
        assert stream.write(data[start : start + size]) == len(data[start : start + size])
    stream.flush()
    assert json.loads(shown.getvalue()) == value
    assert not ACTIVE.search(shown.getvalue().decode().removesuffix("\n"))


def test_json_with_control_characters_is_escaped_on_a_terminal(program):
    program.write("c.jsonl", {"id": "1", "text": f"bees {HOSTILE}\U000e0041"})
    program.call("preprocess", "c.jsonl", "--no-split").well()
    program.call("index", "--kind", "bm25").well()
    line = ("search", "bees", "--json", "-q")
    in_a_pipe = program.run(*line).well().rows
    status, shown = program.talk(*line)
    assert (status, json.loads(shown)) == (0, in_a_pipe[0])
    assert not ACTIVE.search(shown.removesuffix("\r\n"))


@pytest.mark.parametrize("skip", [False, True])
def test_a_file_name_cannot_control_the_terminal(program, skip):
    (program.folder / "docs").mkdir()
    (program.folder / "docs" / f"c{HOSTILE}.txt").write_bytes(b"\xff\xfa bad")
    ended = program.run("preprocess", "docs", *(["--on-error", "skip"] if skip else []))
    assert ended.status == 3
    assert r"docs/c\x1b]0;title\x07\x9b2J\u202egnp.txt: not UTF-8" in ended.stderr
    assert not ACTIVE.search(ended.stderr.replace("\n", ""))


def test_a_setting_of_a_model_cannot_control_the_terminal(program):
    (program.folder / "model").mkdir()
    (program.folder / "model" / "config.json").write_text(json.dumps({"model_type": HOSTILE}))
    program.write("q.jsonl", row("a"))
    program.write("c.jsonl", {"id": "1", "text": "bees"})
    program.call("preprocess", "c.jsonl").well()
    ended = program.call("embed", "--retriever", "model")
    assert ended.status == 4
    assert not ACTIVE.search(ended.stderr.replace("\n", ""))


def test_a_traceback_cannot_control_the_terminal(capsys):
    Terminal().traceback(ValueError(f"{HOSTILE}\nsecond line"))
    lines = capsys.readouterr().err.splitlines()
    assert lines == [r"ValueError: \x1b]0;title\x07\x9b2J\u202egnp", "second line"]


def test_progress_does_not_interpret_names_as_markup(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    list(terminal.progress([1], "[/x]", note=lambda _: f"[/y] :bee: {HOSTILE}"))
    with terminal.transfer(f"[/z] {HOSTILE}") as show:
        show(1, 2)
    said = capsys.readouterr().err
    assert "[/x]" in said
    assert "[/z]" in said
    assert "\x1b]0;" not in said
    assert "\x9b" not in said


def test_rows_of_a_table_have_the_names_of_their_files(program):
    for name, answer in (("run[a].jsonl", "a"), ("run[b].jsonl", "b"), (f"z{HOSTILE}.jsonl", "a")):
        program.write(name, row(answer))
    ended = program.call("evaluate", "run[a].jsonl", "run[b].jsonl", "[/x]=run[a].jsonl", "--table", "-q")
    shown = [line.split() for line in ended.well().stdout.splitlines()]
    assert [line for line in shown if line[0] not in ("95", "difference")] == [
        ["results", "questions", "top-1"],
        ["run[a].jsonl", "1", "100.0"],
        ["run[b].jsonl", "1", "0.0"],
        ["[/x]", "1", "100.0"],
    ]
    for names in ((f"z{HOSTILE}.jsonl",), (f":bee: {HOSTILE}=run[a].jsonl",)):
        shown = program.call("evaluate", *names, "--table", "-q").well().stdout
        assert r"\x1b]0;title\x07\x9b2J\u202egnp" in shown
        assert not ACTIVE.search(shown.replace("\n", ""))


def test_an_audit_cannot_control_the_terminal(program):
    program.write(
        "c.jsonl", *({"id": n, "title": f"bees {HOSTILE}", "text": f"bees {n} {HOSTILE}"} for n in "abc")
    )
    program.call("preprocess", "c.jsonl", "--no-split").well()
    program.call("index", "--kind", "bm25").well()
    program.write("q.jsonl", {"question": f"which bees {HOSTILE}", "answers": ["a", HOSTILE]})
    said = program.call("mine-negatives", "q.jsonl", "--audit", 3).well().stderr
    assert "which bees" in said
    assert not ACTIVE.search(said.replace("\n", ""))


@pytest.mark.parametrize("columns", ["1", "10", "40", "60", "80", "1000"])
def test_numbers_in_a_table_are_never_truncated(capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    figures = ["1,234,567", "100.0", "37.5", "-", "9.2"]
    Terminal().show(TextTable(["results", *"abcde"], [["a-long-name-of-results.jsonl", *figures]]))
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[1:] == figures
    assert "".join(line.split()[0] for line in lines[1:]) == "a-long-name-of-results.jsonl"
    assert max(map(len, lines)) <= max(int(columns), 12 + 2 * 5 + sum(map(len, figures)))


@pytest.mark.parametrize("size", ["0", "²", "-3", "x", "9" * 20])
def test_an_invalid_terminal_size_is_ignored(prepared, size):
    line = ("search", "who was born in Rome", "--mode", "bm25", "-q")
    status, shown = prepared.talk(*line, COLUMNS=size, LINES=size)
    assert (status, STYLE.sub("", shown).count(". ")) == (
        0,
        STYLE.sub("", prepared.talk(*line)[1]).count(". "),
    )
    assert max(map(len, shown.splitlines())) < 200


def test_lines_are_not_padded(prepared):
    for line in (
        ("search", "who was born in Rome", "--mode", "bm25", "-q"),
        ("read", "who was born in Rome", "-q"),
        ("evaluate", "read.jsonl", "found.jsonl", "-q"),
        ("datasets",),
    ):
        _, shown = prepared.talk(*line)
        padded = [text for text in STYLE.sub("", shown).splitlines() if text != text.rstrip()]
        assert padded == [], line


def test_without_color_there_are_no_styles(prepared):
    for line in (("search", "who was born in Rome", "--mode", "bm25"), ("evaluate", "read.jsonl")):
        assert "\x1b" in prepared.talk(*line, "-q")[1]
        assert "\x1b" not in prepared.talk(*line, "-q", NO_COLOR="1")[1]
        assert "\x1b" in prepared.talk(*line, "-q", NO_COLOR="")[1]


def test_characters_missing_in_the_encoding_are_replaced(program):
    program.write("c.jsonl", {"id": "1", "title": "Żółć", "text": "bees and “honey” in Łódź"})
    program.call("preprocess", "c.jsonl", "--no-split").well()
    program.call("index", "--kind", "bm25").well()
    ascii_terminal = {"PYTHONIOENCODING": "ascii"}
    status, shown = program.talk("search", "bees", "-q", fresh=True, **ascii_terminal)
    assert (status, "bees and ?honey? in ?" in STYLE.sub("", shown)) == (0, True)
    status, shown = program.talk("search", "bees", "-q", "--json", fresh=True, **ascii_terminal)
    assert (status, json.loads(shown)["ctxs"][0]["title"]) == (0, "Żółć")
    status, shown = program.talk("search", "--help", fresh=True, PYTHONIOENCODING="latin-1")
    assert (status, "Find ? for hybrid search" in " ".join(shown.split())) == (0, True)
    ended = program.run("preprocess", "Żółć.txt", **ascii_terminal)
    assert (ended.status, r"\u017b\xf3\u0142\u0107.txt" in ended.stderr) == (3, True)


def written_to_full(program, *arguments, stream):
    """Run with one of the standard streams on a full device; return status and what the other one got."""
    with open("/dev/full", "wb") as full:
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | {stream: full}
        done = subprocess.run(
            program.line(*arguments), cwd=program.folder, env=program.environment(), timeout=PATIENCE,
            stdin=subprocess.DEVNULL, **streams,
        )  # fmt: skip
    return done.returncode, (done.stdout or b"") + (done.stderr or b"")


@pytest.mark.parametrize(
    "line", [["--help"], ["--version"], ["search", "--help"], ["evaluate", "read.jsonl"]]
)
def test_a_full_device_at_stdout_is_reported(prepared, line):
    status, said = written_to_full(prepared, *line, stream="stdout")
    assert (status, said.count(b"\n"), b"no space left" in said) == (5, 1, True), said


def test_a_full_device_at_stderr_does_not_stop_the_result(prepared):
    status, rows = written_to_full(prepared, "search", "questions.jsonl", "--mode", "bm25", stream="stderr")
    assert (status, len(rows.splitlines())) == (0, 12)
    status, said = written_to_full(prepared, "search", "questions.jsonl", "--mode", "nope", stream="stderr")
    assert (status, said) == (2, b"")


def test_a_closed_stderr_does_not_stop_the_result(prepared):
    ours, theirs = os.pipe()
    os.close(ours)
    done = subprocess.run(
        prepared.line("search", "questions.jsonl", "--mode", "bm25"), cwd=prepared.folder,
        env=prepared.environment(), stdout=subprocess.PIPE, stderr=theirs, timeout=PATIENCE,
    )  # fmt: skip
    os.close(theirs)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 12)
