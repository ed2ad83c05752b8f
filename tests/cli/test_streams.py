"""A program that asks through a pipe, waits for the answer and asks again."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cli.program import PATIENCE, Program, _read

RECORD = {
    "question": "who was born in Rome", "answers": [],
    "ctxs": [{"id": "Rome", "title": "Rome", "text": "The film Rome was born in the river."}],
}  # fmt: skip


class Dialogue:
    """Lines into a run and out of it."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self.rest = b""

    def ask(self, *lines: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(b"".join(lines))
        self._process.stdin.flush()

    def line(self) -> bytes:
        """Return the next line of output, which must come by itself."""
        assert self._process.stdout is not None
        while b"\n" not in self.rest:
            part = _read(self._process.stdout.fileno(), PATIENCE / 4)
            assert part, "no answer came"
            self.rest += part
        line, _, self.rest = self.rest.partition(b"\n")
        return line


@contextmanager
def dialogue(program: Program, *arguments: object) -> Iterator[Dialogue]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(
        program.line(*arguments), cwd=program.folder, env=program.environment(), **pipes
    ) as process:
        try:
            yield Dialogue(process)
            out, err = process.communicate(timeout=PATIENCE)
            assert (process.returncode, out) == (0, b""), err
        finally:
            process.kill()


def question(city: str) -> bytes:
    return json.dumps({"question": f"who was born in {city}"}).encode()


@pytest.mark.parametrize("form", [(), ("-o", "-"), ("--format", "trec")])
def test_a_question_is_answered_before_the_next_comes(prepared, form):
    with dialogue(prepared, "search", "-", "--mode", "bm25", "-k", 1, *form) as other:
        for city, end in (("Rome", b"\n"), ("Oslo", b"\r\n"), ("Lima", b"\n\n"), ("Riga", b"\n")):
            other.ask(question(city), end)
            assert city.encode() in other.line()


def test_an_incomplete_question_does_not_delay_earlier_answers(prepared):
    with dialogue(prepared, "search", "-", "--mode", "bm25", "-k", 1) as other:
        whole = question("Oslo") + b"\n"
        other.ask(question("Rome"), b"\n", whole[:10])
        assert b"Rome" in other.line()
        other.ask(whole[10:])
        assert b"Oslo" in other.line()


def test_what_arrives_together_is_answered_together(prepared):
    cities = ["Rome", "Oslo", "Lima"] * 50
    with dialogue(prepared, "search", "-", "--mode", "bm25", "-k", 1) as other:
        for _ in range(2):
            other.ask(*(question(city) + b"\n" for city in cities))
            assert [json.loads(other.line())["ctxs"][0]["title"] for _ in cities] == cities


def test_results_are_streamed_to_the_reader(prepared):
    with dialogue(prepared, "read", "-", "-o", "-", "--precision", "fp32", "--device", "cpu") as other:
        for number in range(3):
            other.ask(json.dumps(RECORD | {"id": str(number)}).encode(), b"\n")
            assert json.loads(other.line())["id"] == str(number)


def test_a_named_pipe_is_read_as_a_stream(prepared):
    os.mkfifo(prepared.folder / "asked")
    with (
        dialogue(prepared, "search", "asked", "--mode", "bm25", "-k", 1) as other,
        open(prepared.folder / "asked", "wb", buffering=0) as pipe,
    ):
        for city in ("Rome", "Oslo"):
            pipe.write(question(city) + b"\n")
            assert city.encode() in other.line()


def test_a_chain_of_commands_passes_each_question_on(prepared):
    line = "python -m densecli search - --mode bm25 -q | python -m densecli read - -q --precision fp32"
    with subprocess.Popen(
        ["sh", "-c", line.replace("python", prepared.line()[0])], cwd=prepared.folder,
        env=prepared.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        other = Dialogue(process)
        for city in ("Rome", "Oslo"):
            other.ask(question(city), b"\n")
            assert json.loads(other.line())["question"] == f"who was born in {city}"
        process.communicate(timeout=PATIENCE)


def test_a_json_array_in_a_pipe_is_searched_in_batches(prepared):
    rows = [{"question": f"who was born in {city}"} for city in ["Rome", "Oslo"] * 40]
    ended = prepared.run("search", "-", "--mode", "bm25", "-k", 1, stdin=json.dumps(rows).encode()).well()
    assert len(ended.rows) == 80


def test_an_empty_pipe_that_stays_open_is_reported(prepared):
    line = prepared.line("evaluate", "--questions", "questions.jsonl", "--top-k", 1)
    with subprocess.Popen(
        line, cwd=prepared.folder, env=prepared.environment(),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stderr is not None
        try:
            said = _read(process.stderr.fileno(), PATIENCE)
            assert said is not None
            assert b"waiting for standard input; close it" in said
            out, err = process.communicate(timeout=PATIENCE)  # it closes the pipe
        finally:
            process.kill()
    assert b"searching the questions instead" in err
    assert json.loads(out)["questions"] == 12


def test_questions_from_a_pipe_are_searched_and_evaluated(prepared):
    line = ("evaluate", "--top-k", 1, "--questions")
    data = (prepared.folder / "questions.jsonl").read_bytes()
    (named,) = prepared.run(*line, "questions.jsonl", "--json").well().rows
    (piped,) = prepared.run(*line, "-", "--json", stdin=data).well().rows
    assert (named["results"], piped["results"]) == ("questions.jsonl", "stdin")
    assert piped["top_k"] == named["top_k"]
    assert piped["questions"] == named["questions"] == 12


def test_questions_with_one_id_are_refused_before_they_are_searched(prepared):
    rows = [
        {"id": "1", "question": f"who was born in {city}", "answers": [city]} for city in ("Rome", "Oslo")
    ]
    data = "\n".join(map(json.dumps, rows))
    ended = prepared.call("evaluate", "--questions", "-", stdin=data)
    assert (ended.status, "question id '1' occurs twice" in ended.error) == (3, True)
    ended = prepared.call("evaluate", "--questions", "-", "--on-error", "skip", "--json", stdin=data).well()
    assert ended.rows[0]["questions"] == 1
    assert "skipped" in ended.stderr


def test_standard_input_is_not_read_twice(prepared):
    for line in (
        ("evaluate", "-", "--questions", "-"),
        ("evaluate", "ours=-", "--qrels", "-"),
        ("convert", "-", "--questions", "-", "--to", "dpr"),
        ("train", "-", "--dev", "-"),
        ("read", "--questions", "-"),
        ("train-reader", "--dev", "-", "--encoder", "base"),
    ):
        ended = prepared.call(*line, stdin=json.dumps(RECORD))
        assert ended.status == 2, line
        assert "can be read only once" in ended.error, line
