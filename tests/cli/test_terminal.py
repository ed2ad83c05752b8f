"""What people see, and what programs get instead."""

import json
import re

import pytest

from cli import program as runs
from densecli import observer
from densecli.cli.terminal import Terminal

CTRL_C, CTRL_D = "\x03", "\x04"


def plain(shown):
    return re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", shown)


def test_questions_are_answered_one_by_one_on_a_terminal(prepared):
    typed = ["who was born in Rome\n", "\n", "who was born in Oslo\n", CTRL_D]
    status, shown = prepared.talk("search", "--mode", "bm25", "-k", 2, typed=typed)
    assert status == 0
    assert "type a question; Ctrl-D ends" in shown
    assert shown.count("search> ") == 4
    assert plain(shown).count(" 1. Rome") == plain(shown).count(" 1. Oslo") == 1
    assert " 3. " not in shown


def test_ctrl_c_ends_an_interactive_session(prepared):
    status, shown = prepared.talk("read", typed=[CTRL_C])
    assert status == 130
    assert "error: interrupted" in shown
    assert "Traceback" not in shown


def test_a_terminal_gets_colors_and_tables_unless_disabled(prepared):
    status, shown = prepared.talk("search", "who was born in Rome", "--mode", "bm25")
    assert (status, "\x1b[1mborn\x1b[0m" in shown, plain(shown).count(". Rome")) == (0, True, 3)
    for line in (["search", "who", "--no-text"], ["read", "who", "--text"]):
        assert "has an effect only on JSON lines" in prepared.talk(*line)[1]
    status, shown = prepared.talk("evaluate", "read.jsonl", NO_COLOR="1")
    assert (status, "\x1b[3" in shown) == (0, False)
    assert re.search(r"results +questions +top-1 +top-5 +EM", plain(shown))
    status, shown = prepared.talk("evaluate", "--json", "read.jsonl", "-q")
    assert json.loads(shown)["questions"] == 12


def test_a_pipe_gets_json_lines(prepared):
    ended = prepared.call("search", "questions.jsonl", "--mode", "bm25", "-q").well()
    assert len(ended.rows) == 12
    assert ended.stderr == ""
    ended = prepared.call("evaluate", "read.jsonl").well()
    assert ended.rows[0]["results"] == "read.jsonl"
    ended = prepared.call("evaluate", "--table", "mine=read.jsonl").well()
    assert ended.stdout.splitlines()[1].split()[:2] == ["mine", "12"]


def test_a_pipe_gets_the_terminal_output_on_request(prepared):
    asked = "who was born in Rome"
    for line in (("search", asked, "--mode", "bm25"), ("read", asked), ("evaluate", "read.jsonl")):
        shown = prepared.talk(*line, "-q", NO_COLOR="1")[1]
        in_a_pipe = prepared.run(*line, "-q", "--format", "text").well().stdout
        assert "\x1b" not in in_a_pipe
        assert in_a_pipe.splitlines() == shown.splitlines()
    for line in (("search", asked), ("read", asked), ("evaluate", "read.jsonl")):
        for option in (("--json",), ("-o", "x")):
            ended = prepared.call(*line, "--format", "text", *option)
            assert (ended.status, "contradict each other" in ended.error) == (2, True)
    ended = prepared.call("evaluate", "read.jsonl", "--table", "--format", "jsonl")
    assert (ended.status, ended.error) == (2, "--table and --format jsonl contradict each other")
    assert (
        "--no-text has an effect only"
        in prepared.call("search", asked, "--format", "text", "--no-text").error
    )


def test_ask_treats_a_file_name_as_a_question(prepared):
    prepared.write("Rome", "no question")
    prepared.write("oslo.txt", "no question")
    for name, option in (("Rome", ()), ("oslo.txt", ()), ("Rome", ("--mode", "bm25"))):
        rows = prepared.call("search", name, "--ask", "-k", 1, "-q", *option).well().rows
        assert [row["question"] for row in rows] == [name]
    assert prepared.call("read", "Rome", "--ask", "-q").well().rows[0]["question"] == "Rome"
    for line in (("search", "--ask"), ("read", "--ask"), ("search", "--ask", "--dataset", "nq")):
        ended = prepared.call(*line)
        assert (ended.status, ended.error) == (2, "--ask has an effect only on a question in the argument")


def test_a_terminal_shows_that_a_question_is_being_read(prepared):
    status, shown = prepared.talk("read", "who was born in Rome")
    assert (status, "read" in plain(shown), "0/1" in plain(shown)) == (0, True, True)
    assert "0/1" not in prepared.talk("read", "who was born in Rome", "-q")[1]


def test_pipes_give_the_same_results_as_files(prepared):
    found = prepared.call(
        "search", "-", "-k", 5, stdin=(prepared.folder / "questions.jsonl").read_bytes()
    ).well()
    assert found.stdout == (prepared.folder / "found.jsonl").read_text()
    answered = prepared.call("read", "-", stdin=found.stdout).well()
    assert answered.stdout == (prepared.folder / "read.jsonl").read_text()
    told = prepared.call("evaluate", "-", stdin=answered.stdout).well().rows[0]
    whole = prepared.call("evaluate", "read.jsonl").well().rows[0]
    assert told == whole | {"results": "stdin", "input": {"path": "-", "sha256": None}}


@pytest.mark.parametrize("command", ["search", "read", "evaluate", "train-reader"])
def test_a_command_without_any_input_is_refused(prepared, command):
    ended = prepared.run(command)
    assert (ended.status, "given; name a file, or pipe something in" in ended.error) == (2, True)


def test_help_is_shown_without_a_command():
    assert "Usage: densecli" in runs.Program(runs.Path.cwd(), runs.Path.cwd()).call().stderr


def test_a_missed_threshold_has_its_own_exit_code(prepared):
    ended = prepared.call("evaluate", "read.jsonl", "--fail-under", 100)
    assert (ended.status, "exact match is" in ended.error) == (6, True)
    assert ended.rows[0]["questions"] == 12
    prepared.call("evaluate", "read.jsonl", "--fail-under", 0).well()
    ended = prepared.call("evaluate", "found.jsonl", "--fail-under", 1)
    assert (ended.status, ended.error) == (
        2,
        "--fail-under needs predictions, or results with at least 20 passages",
    )


def test_progress_is_written_in_lines_without_a_terminal(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(observer, "BATCH_SECONDS", 60)
    monkeypatch.setattr(observer.time, "monotonic", lambda: now[0])

    def slowly():
        for item in range(4):
            now[0] += 6
            yield item

    told = Terminal().progress(slowly(), "work", 4, "things ", lambda item: f"at {item}")
    assert list(told) == [0, 1, 2, 3]
    assert capsys.readouterr().err.splitlines() == [
        "work: 2 of 4 things (0.2/s, 0:00:12 left) at 1",
        "work: 4 of 4 things (0.2/s, 0:00:00 left) at 3",
    ]
    assert list(Terminal(quiet=True).progress(slowly(), "work", 4)) == [0, 1, 2, 3]
    assert capsys.readouterr() == ("", "")


def test_progress_in_large_steps_is_reported(capsys, monkeypatch):
    monkeypatch.setattr(observer, "HEARTBEAT_SECONDS", 0)
    monkeypatch.setattr(observer, "BATCH_SECONDS", 60)
    now = [0.0]
    monkeypatch.setattr(observer.time, "monotonic", lambda: now[0])

    def steps():
        for reached in (700, 1000):
            now[0] += 10
            yield reached

    list(Terminal().progress(steps(), "work", 3000, "things ", done=lambda item: item, start=400))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "work: 700 of 3,000 things (30.0/s, 0:01:17 left)"
    assert lines[1].startswith("work: 1,000 of 3,000 things (")


def test_a_transfer_is_reported_without_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr(observer, "HEARTBEAT_SECONDS", 0)
    for quiet in (False, True):
        with Terminal(quiet).transfer("nq.gz") as show:
            show(1_000_000, 3_000_000)
            show(2_000_000, None)
    assert capsys.readouterr() == ("", "fetching nq.gz\nnq.gz: 1 of 3 MB\nnq.gz: 2 MB\n")


def test_quiet_hides_messages_and_warnings(capsys):
    for quiet in (False, True):
        Terminal(quiet).message("said")
        Terminal(quiet).warning("warned")
        Terminal(quiet).error("failed")
    assert capsys.readouterr() == ("", "said\nwarning: warned\nerror: failed\nerror: failed\n")


def test_a_terminal_shows_progress_for_questions_and_for_files(prepared):
    typed = ["who was born in Rome\n", "who was born in Oslo\n", CTRL_D]
    status, shown = prepared.talk("read", typed=typed)
    assert (status, shown.count("read> ")) == (0, 3)
    assert "reading" in plain(shown)
    status, shown = prepared.talk("read", "found.jsonl", "--format", "text")
    assert (status, "read: question 12" in plain(shown)) == (0, True)
