"""The run behind docs/runs/reader.md, over a few passages: killed twice, resumed, and then in one go."""

import csv
import gzip
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import densecli
from densecli.artifacts.passages.store import PassageStore
from densecli.text.normalize import exact_match
from densecli.workflows.texts import Texts

ROOT = Path(__file__).parents[2]
SAMPLE = Path(densecli.__file__).parent / "sample"
PASSAGES, QUESTIONS, DEV = 24, 2, 4
CUTS = (1, 5, 10, 20, 50)
MODES = ("hybrid", "dense", "bm25")
SETS = ("nq", "trivia", "webq", "trec", "squad")
TEST_FILES = (
    "nq-open-dev.jsonl",
    "trivia-test.qa.csv",
    "webquestions-test.jsonl",
    "curatedtrec-test.jsonl",
    "squad-test.jsonl",
)
LONGEST_WAIT = 600


@dataclass
class Made:
    """Where a run lies, and where the same passages were read without an interruption.

    Attributes:
        kept: the lines that were written when the reading was killed.
    """

    data: Path
    resumed: Path
    whole: Path
    kept: bytes = b""

    @property
    def dev(self) -> Path:
        return self.data / "dev.jsonl"

    def start(self, work: Path) -> subprocess.Popen[bytes]:
        script = [sys.executable, ROOT / "benchmarks" / "reader_run.py", self.data, self.dev, work]
        sizes = ["--pool", str(PASSAGES), "--questions", str(QUESTIONS)]
        return subprocess.Popen([*script, *sizes], stderr=subprocess.PIPE, stdout=subprocess.PIPE)

    def finish(self, work: Path) -> None:
        with self.start(work) as run:
            _, said = run.communicate(timeout=LONGEST_WAIT)
        assert run.returncode == 0, said.decode()

    def kill(self, work: Path, happened: Callable[[], bool]) -> None:
        with self.start(work) as run:
            deadline = time.monotonic() + LONGEST_WAIT
            while not happened() and run.poll() is None and time.monotonic() < deadline:
                time.sleep(0.002)
            run.kill()
            assert run.wait() == -signal.SIGKILL


def write_questions(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    with open(path, "w", encoding="utf-8") as stream:
        for row in rows:
            if path.suffix == ".csv":
                stream.write(f"{row['question']}\t{row['answers']!r}\n")
            else:
                stream.write(json.dumps({"question": row["question"], "answer": row["answers"]}) + "\n")


def write_data(data: Path) -> None:
    """Write the files that a run reads: passages of the sample and questions about them."""
    for folder in ("wiki", "questions"):
        (data / folder).mkdir(parents=True)
    passages = list(PassageStore.open(SAMPLE / "workspace" / "passages"))[:PASSAGES]
    with gzip.open(data / "wiki" / "psgs_main_w100.tsv.gz", "wt", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, delimiter="\t", lineterminator="\n")
        table.writerow(["id", "text", "title"])
        table.writerows([number, one.text, one.title] for number, one in enumerate(passages, 1))
    articles = {one.id.partition("#")[0] for one in passages}

    def about_them(*parts: str) -> list[dict[str, Any]]:
        rows = [row for part in parts for row in lines_of(SAMPLE / f"questions.{part}.jsonl")]
        return [row for row in rows if row["article"] in articles]

    for place, name in enumerate(TEST_FILES):
        write_questions(data / "questions" / name, about_them("test", "dev")[place :: len(TEST_FILES)])
    write_questions(data / "dev.jsonl", about_them("train")[:DEV])


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    root = tmp_path_factory.mktemp("reader-run")
    made = Made(root / "data", root / "resumed", root / "whole")
    write_data(made.data)
    begun, answers = made.resumed / "begun", made.resumed / "answers.jsonl"
    made.kill(made.resumed, lambda: begun.exists() and begun.read_text().startswith("embed"))
    made.kill(made.resumed, lambda: answers.exists() and answers.read_bytes().count(b"\n") > 0)
    assert 0 < len(lines_of(answers)) < QUESTIONS * len(SETS)
    made.kept = answers.read_bytes()
    with open(answers, "ab") as stream:
        stream.write(b'{"id": "half a li')
    made.finish(made.resumed)
    made.finish(made.whole)
    return made


@pytest.fixture(scope="module")
def figures(made: Made) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((made.resumed / "reader-run.json").read_text())
    return found


@pytest.fixture(scope="module")
def rows(made: Made) -> list[dict[str, Any]]:
    return lines_of(made.resumed / "answers.jsonl")


def without_times(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: row[name] for name in row if not name.endswith("seconds")} for row in rows]


def test_what_was_read_is_not_read_again(made):
    assert (made.resumed / "answers.jsonl").read_bytes().startswith(made.kept)


def test_a_run_that_was_killed_reads_as_one_that_was_not(made, rows, figures):
    assert without_times(rows) == without_times(lines_of(made.whole / "answers.jsonl"))
    whole = json.loads((made.whole / "reader-run.json").read_text())
    assert (figures["sets"], figures["compared"]) == (whole["sets"], whole["compared"])


def test_the_command_that_was_cut_off_is_marked(figures):
    assert [name for name, step in figures["steps"].items() if step["resumed"]] == ["embed --retriever BASE"]


def test_every_set_has_its_questions_once(rows, figures):
    ids = [row["id"] for row in rows]
    assert len(ids) == len(set(ids)) == QUESTIONS * len(SETS)
    for name in SETS:
        assert (
            sum(one.startswith(f"{name}-") for one in ids) == figures["sets"][name]["questions"] == QUESTIONS
        )
    assert {row["answer_type"] for row in rows if row["id"].startswith("trec-")} == {"regex"}


def test_a_passage_that_several_searches_found_is_read_once(made, rows, figures):
    found: dict[str, set[str]] = {row["id"]: set() for row in rows}
    for mode in MODES:
        for one in lines_of(made.resumed / f"{mode}.jsonl"):
            found[one["id"]] |= {ctx["id"] for ctx in one["ctxs"]}
    assert {row["id"]: row["passages"] for row in rows} == {name: len(ids) for name, ids in found.items()}
    assert figures["reading"]["passages"] < figures["reading"]["found"]


@pytest.mark.parametrize(("mode", "k"), [("hybrid", 5), ("dense", 1), ("bm25", 50)])
def test_one_pass_gives_the_answers_that_a_reading_of_each_search_gives(made, rows, figures, mode, k):
    workspace = made.resumed / ".densecli"
    read = densecli.read(
        results=made.resumed / f"{mode}.jsonl",
        texts=Texts(passages=workspace / "passages"),
        workspace=workspace,
        reader="starter",
        depth=k,
    )
    by_id = {one.ranked.question.id: one for one in read}
    for row in rows:
        place = row["chosen"][mode][CUTS.index(k)]
        assert ("" if place is None else row["spans"][place]["answer"]) == by_id[row["id"]].answer
    for name in SETS:
        its = {one: found for one, found in by_id.items() if one.startswith(f"{name}-")}
        summary = densecli.evaluate(list(its.values())).measured["results"]
        values = [round(value, 4) for value in (summary.exact_match, *summary.intervals["EM"])]
        assert figures["sets"][name]["EM"][mode][CUTS.index(k)] == values


def test_answers_stand_in_their_sentences(rows):
    spans = [span for row in rows for span in row["spans"]]
    assert spans
    for span in spans:
        assert span["sentence"][span["at"] :].startswith(span["answer"])


def test_a_folder_is_left_alone_by_a_run_with_other_settings(made):
    script = [sys.executable, ROOT / "benchmarks" / "reader_run.py", made.data, made.dev, made.resumed]
    run = subprocess.run([*script, "--questions", "1"], capture_output=True, text=True)
    assert run.returncode == 1
    assert "holds a run with another questions, pool: name another folder" in run.stderr


def printed(made: Made, *options: str) -> str:
    script = [sys.executable, ROOT / "benchmarks" / "reader_page.py", made.resumed / "reader-run.json"]
    return subprocess.run([*script, *options], capture_output=True, text=True, check=True).stdout


def test_the_page_shows_every_score(made, figures):
    page = printed(made)
    for measure in ("EM", "F1"):
        for one in figures["sets"].values():
            for mode in MODES:
                cells = [f"{value:.1f} ({low:.1f}-{high:.1f})" for value, low, high in one[measure][mode]]
                assert f"| {mode if mode != 'bm25' else 'BM25'} | {' | '.join(cells)} |" in page
    assert f"{PASSAGES} passages; retriever starter" in page
    assert str(made.resumed.parent) not in page


def test_answers_to_check_are_told_apart_by_their_score(made, rows):
    listed = printed(made, "--check", "--mode", "dense", "-k", "5", "--number", "3")
    wrong, right = listed.split("# Scored right")
    chosen = [row["spans"][row["chosen"]["dense"][CUTS.index(5)]] for row in rows]
    scored = [
        exact_match(span["answer"], row["answers"], row["answer_type"])
        for row, span in zip(rows, chosen, strict=True)
    ]
    assert 0 < sum(scored) < len(scored)
    for part, score in ((wrong, False), (right, True)):
        expected = [row["question"] for row, its in zip(rows, scored, strict=True) if its is score]
        assert part.count("- read: ") == min(3, len(expected))
        assert sum(question in part for question in expected) == min(3, len(expected))
