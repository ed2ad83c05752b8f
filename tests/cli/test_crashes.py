"""Ctrl-C, kill -9, two runs at once, a closed pipe: in the middle of every stage, in real processes."""

import json
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

from cli.program import Feed, until
from densecli.artifacts.kinds import VectorsManifest
from densecli.artifacts.vectors import write_shard

SIGNALS = [signal.SIGINT, signal.SIGKILL]
ROWS = 40_000
PIPED = {
    "preprocess": ("articles.jsonl", ["-", "--force"]),
    "mine-negatives": ("questions.jsonl", ["-", "-o", ".densecli/examples/questions", "--force"]),
    "search": ("questions.jsonl", ["-", "-o", "found.jsonl", "--batch-size", 1]),
    "read": ("found.jsonl", ["-", "-o", "read.jsonl"]),
    "evaluate": ("read.jsonl", ["-", "-o", "scores.jsonl"]),
}


def cut_off(program, running, number):
    """End a run by a signal; check how it ended."""
    running.send(number)
    ended = running.wait()
    if number == signal.SIGINT:
        assert ended.status == 130, ended.stderr
        assert ended.error == "interrupted; finished work is kept, run the same command to resume"
    else:
        assert ended.status == -signal.SIGKILL
    return ended


@pytest.mark.parametrize("after", [0.03, 0.06, 0.1, 0.15])
def test_ctrl_c_while_the_program_loads_is_reported(tmp_path, after):
    begin = (
        "import signal; from densecli.__main__ import main;"
        "signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT));"
        f"signal.setitimer(signal.ITIMER_REAL, {after}); main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", begin, "search", "who voiced Meg"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 130
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: interrupted")


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("command", PIPED)
def test_a_stage_that_reads_a_pipe_can_be_killed_and_repeated(prepared, tmp_path, command, number):
    name, arguments = PIPED[command]
    before, files = (
        prepared.results(),
        {path.name: path.read_bytes() for path in prepared.folder.glob("*.jsonl")},
    )
    feed = Feed(tmp_path / "pipe")
    running = prepared.start(command, *arguments, stdin=feed.path)
    first, *rest = files[name].decode().splitlines(keepends=True)
    feed.write(first)
    cut_off(prepared, running, number)
    feed.close()
    assert prepared.results() == before
    now = {path.name: path.read_bytes() for path in prepared.folder.glob("*.jsonl")}
    assert now == files
    left = prepared.leftovers() | {
        path.name for path in prepared.folder.glob(".*") if path.name != ".densecli"
    }
    assert bool(left) == (number == signal.SIGKILL and command != "evaluate")  # which writes at its end
    prepared.call(command, *arguments, stdin=first + "".join(rest)).well()
    assert not prepared.leftovers()
    assert {path.name for path in prepared.folder.glob(".*")} == {".densecli"}


@pytest.fixture
def many(prepared):
    """The tiny place with 4,096 passages more, to embed for a while."""
    prepared.write(
        "many.jsonl",
        *({"id": f"m{row}", "text": f"the king of city {row} wrote a song"} for row in range(4096)),
    )
    prepared.call("preprocess", "articles.jsonl", "many.jsonl", "--words", 20, "--force").well()
    return prepared


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime", "torch"])
def test_embedding_resumes_where_it_was_stopped(many, engine):
    line = ["embed", "--shard-rows", 256, "--force", "--engine", engine]
    before = many.results()
    shards = many.workspace / ".vectors.partial" / "work"
    for number, shard in ((signal.SIGINT, 1), (signal.SIGKILL, 3)):
        running = many.start(*line)
        until(lambda: (shards / f"shard-{shard:05d}.npy").exists())  # noqa: B023 - used at once
        cut_off(many, running, number)
        assert many.results() == before
    whole = len(list(shards.glob("*.npy")))
    assert 4 <= whole < 17, "it was not in the middle"
    assert f"resuming at passage {whole * 256:,}" in many.call(*line).well().stderr
    assert not many.leftovers()
    gone_on = many.results()
    many.call(*line).well()
    changed = {name for name, digest in many.results().items() if gone_on[name] != digest}
    assert changed == {"vectors/manifest.json"}


def test_an_interrupted_embedding_with_other_shards_starts_over(many):
    running = many.start("embed", "--shard-rows", 512, "--force")
    until((many.workspace / ".vectors.partial" / "work" / "shard-00000.npy").exists)
    cut_off(many, running, signal.SIGKILL)
    told = many.call("embed", "--shard-rows", 256, "--force").well().stderr
    assert "starting over" in told
    assert "resuming" not in told
    many.call("index", "--force").well()


def test_an_interrupted_embedding_resumes_with_the_same_engine(many):
    """Vectors of two engines are never mixed, and nothing is lost when a faster one was installed since."""
    line = ["embed", "--shard-rows", 256, "--force"]
    for later, engine, said in (
        ([], "onnxruntime", "resuming at passage"),
        (["--engine", "torch", "--precision", "fp32"], "torch", "starting over"),
    ):
        running = many.start(*line, "--engine", "onnxruntime")
        until((many.workspace / ".vectors.partial" / "work" / "shard-00002.npy").exists)
        cut_off(many, running, signal.SIGKILL)
        ended = many.call(*line, *later).well()
        assert said in ended.stderr
        assert f"({engine} fp32" in ended.stderr
        resumed = many.results()
        many.call(*line, *(later or ["--engine", "onnxruntime"])).well()
        changed = {name for name, digest in many.results().items() if resumed[name] != digest}
        assert changed == {"vectors/manifest.json"}


@pytest.mark.parametrize("number", SIGNALS)
def test_a_killed_vector_index_keeps_the_old_one(program, number):
    vectors = np.random.default_rng(0).standard_normal((ROWS, 32)).astype(np.float32)
    folder = program.workspace / "vectors"
    folder.mkdir(parents=True)
    write_shard(folder, 0, vectors)
    manifest = VectorsManifest(
        fingerprint="v", retriever="r", passages="p", rows=ROWS, dimension=32, shards=1
    )
    manifest.write(folder)
    program.call("index").well()
    before = program.results()
    running = program.start("index", "--kind", "hnsw", "--force")
    until((program.workspace / ".index.partial" / "work").exists)
    cut_off(program, running, number)
    assert program.results() == before
    program.call("index", "--force").well()
    assert not program.leftovers()


@pytest.mark.parametrize("number", SIGNALS)
def test_a_killed_bm25_index_keeps_the_old_one(many, number):
    many.call("index", "--kind", "bm25", "--force").well()
    before = many.results()
    running = many.start("index", "--kind", "bm25", "--k1", 1.2, "--force")
    until((many.workspace / ".bm25.partial" / "work").exists)
    cut_off(many, running, number)
    assert many.results() == before
    many.call("index", "--kind", "bm25", "--k1", 1.2, "--force").well()
    assert not many.leftovers()


def test_a_second_run_on_one_artifact_is_refused(prepared, tmp_path):
    feed = Feed(tmp_path / "pipe")
    first = prepared.start("preprocess", "-", "--force", stdin=feed.path)
    feed.write('{"id": 1, "text": "one"}\n')
    ended = prepared.call("preprocess", "articles.jsonl", "--words", 20, "--force")
    assert ended.status == 5
    target = prepared.workspace / "passages"
    assert ended.error == f"{target}: another run (process {first.pid}) is writing it; wait for it or stop it"
    prepared.call("index", "--kind", "hnsw", "-o", "elsewhere").well()
    feed.write('{"id": 2, "text": "two"}\n')
    feed.close()
    first.wait().well()
    assert json.loads((target / "manifest.json").read_text())["counts"]["passages"] == 2
    assert not prepared.leftovers()


def test_a_second_run_into_one_file_is_refused(prepared, tmp_path):
    feed = Feed(tmp_path / "pipe")
    line = ("--mode", "bm25", "-o", "again.jsonl")
    first = prepared.start("search", "-", *line, stdin=feed.path)
    feed.write('{"question": "who was born in Rome"}\n')
    ended = prepared.call("search", "questions.jsonl", *line)
    assert (ended.status, f"again.jsonl: another run (process {first.pid})" in ended.error) == (5, True)
    feed.close()
    first.wait().well()
    assert json.loads((prepared.folder / "again.jsonl").read_text())["question"] == "who was born in Rome"


def test_a_search_continues_while_its_artifacts_are_replaced(prepared, tmp_path):
    """What a search has opened stays as it was."""
    feed = Feed(tmp_path / "pipe")
    questions = (prepared.folder / "questions.jsonl").read_text().splitlines(keepends=True)
    running = prepared.start("search", "-", "--batch-size", 1, "-k", 3, stdin=feed.path)
    feed.write(questions[0])
    until(lambda: os.path.getsize(feed.path.with_name("run-1.out")))
    prepared.write("new.jsonl", {"id": 1, "text": "all is new"})
    prepared.call("preprocess", "new.jsonl", "--force").well()
    prepared.call("embed", "--force").well()
    prepared.call("index", "--force").well()
    feed.write(questions[1])
    feed.close()
    rows = running.wait().well().rows
    assert [len(row["ctxs"]) for row in rows] == [3, 3]
    assert not any("new" in ctx["text"] for row in rows for ctx in row["ctxs"])


def test_pages_and_the_exit_code_do_not_need_a_reader_of_the_table(prepared):
    words = [*prepared.line(), "evaluate", "read.jsonl", "--fail-under", "EM=100", "--report", "report.html"]
    done = subprocess.run(
        [shutil.which("bash") or "sh", "-c", " ".join(words) + ' | true; echo "${PIPESTATUS[0]}"'],
        cwd=prepared.folder,
        env=prepared.environment(),
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["6"], done.stderr
    assert (prepared.folder / "report.html").stat().st_size > 1000


@pytest.mark.parametrize(
    "line",
    [
        "search questions.jsonl | head -1",
        "read found.jsonl | head -1",
        "search questions.jsonl | read - | head -1",
        "evaluate found.jsonl | true",
    ],
)
def test_a_closed_pipe_is_no_error(prepared, line):
    shell = shutil.which("bash") or "sh"
    words = " | ".join(
        " ".join([*prepared.line(), part]) if part.split()[0] in ("search", "read", "evaluate") else part
        for part in line.split(" | ")
    )
    many = prepared.folder / "questions.jsonl"
    many.write_text(many.read_text() * 40)
    found = prepared.folder / "found.jsonl"
    rows = [json.loads(row) for row in found.read_text().splitlines() * 40]
    found.write_text("".join(json.dumps({**row, "id": str(n)}) + "\n" for n, row in enumerate(rows)))
    environment = prepared.environment()
    done = subprocess.run(
        [shell, "-c", words + '; echo "${PIPESTATUS[@]}"'],
        cwd=prepared.folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    *rows, statuses = done.stdout.splitlines()
    assert set(statuses.split()) == {"0"}, done.stderr
    assert len(rows) == line.count("head")
    assert "error" not in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_closed_standard_streams_are_handled(prepared):
    """Nothing that the program opens may take the place of standard error."""
    words = " ".join(prepared.line("preprocess", "articles.jsonl", "--words", 21, "--force"))
    done = subprocess.run(
        ["sh", "-c", f"{words} <&- >&- 2>&-"], cwd=prepared.folder, env=prepared.environment()
    )
    assert done.returncode == 0
    ended = prepared.call("preprocess", "articles.jsonl", "--words", 21).well()
    assert "up to date" in ended.stderr
    words = " ".join(prepared.line("preprocess", "-", "--force"))
    done = subprocess.run(
        ["sh", "-c", f"{words} <&-"],
        cwd=prepared.folder,
        env=prepared.environment(),
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (3, "error: stdin: is empty; expected at least one record\n")
