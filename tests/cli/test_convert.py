"""`densecli convert` from end to end, on what the tiny place holds."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[1] / "golden"
RESULTS = {
    "question": "who was born in Ulm",
    "answers": ["Ulm"],
    "ctxs": [{"id": "a b", "text": "in Ulm", "score": 1}],
}


def line(program, *arguments, **more):
    """The one line about what is wrong."""
    ended = program.call("convert", *arguments, **more)
    assert ended.status in (2, 3, 4), ended.stderr
    return ended.error


def test_results_survive_a_round_trip_in_every_format(prepared):
    """Our results as a run, and the run with questions and passages as our results."""
    found = prepared.call("convert", "found.jsonl", "--to", "jsonl").well().stdout
    texts = ("--questions", "found.jsonl", "--passages", ".densecli/passages", "--to", "dpr")
    whole = prepared.call("convert", "found.jsonl", "--to", "dpr").well().stdout
    for to in ("trec", "tevatron"):
        run = prepared.call("convert", "found.jsonl", "--to", to).well().stdout
        prepared.write("one.run", run.encode())
        assert json.loads(prepared.call("convert", "one.run", *texts).well().stdout) == json.loads(whole)
    prepared.write("found.json", whole.encode())
    assert prepared.call("convert", "found.json", "--to", "jsonl").well().stdout == found
    measured = [prepared.call("evaluate", name).well().rows[0] for name in ("found.jsonl", "found.json")]
    same = {"results": "", "input": {}}
    assert measured[0] | same == measured[1] | same


def test_commands_read_the_formats_of_other_programs(prepared):
    prepared.call("convert", ".densecli/examples/questions", "--to", "dpr", "-o", "biencoder.json.gz").well()
    assert isinstance(json.loads(gzip.decompress((prepared.folder / "biencoder.json.gz").read_bytes())), list)
    small = ("--encoder", "base", "--epochs", 1, "--batch-size", 4, "--max-passage-tokens", 64)
    prepared.call("train", "biencoder.json.gz", *small, "-o", "again").well()
    weights = [
        sorted(folder.rglob("weights.safetensors"))
        for folder in (prepared.folder / "again", prepared.workspace / "retriever")
    ]
    assert weights[0]
    for one, other in zip(*weights, strict=True):
        assert one.read_bytes() == other.read_bytes()
    prepared.call("convert", "found.jsonl", "--to", "dpr", "-o", "found.json").well()
    assert (
        prepared.call("read", "found.json").well().stdout
        == prepared.call("read", "found.jsonl").well().stdout
    )


def test_passages_are_exported(prepared):
    rows = {
        to: prepared.call("convert", ".densecli/passages", "--to", to).well().stdout
        for to in ("psgs", "beir", "tevatron", "jsonl")
    }
    for to, text in rows.items():
        name = f"{to}.tsv" if to == "psgs" else f"{to}.jsonl"
        prepared.write(name, text.encode())
        prepared.call("preprocess", name, "--no-split", "-o", to).well()
        assert prepared.call("convert", to, "--to", "psgs").well().stdout == rows["psgs"]


def test_a_question_without_a_positive_is_counted_in_a_beir_folder(prepared):
    row = {
        "question": "who",
        "positive_ctxs": [],
        "hard_negative_ctxs": [{"id": "1", "title": "", "text": "x"}],
    }
    prepared.write("e.jsonl", json.dumps(row).encode())
    ended = prepared.call("convert", "e.jsonl", "--to", "beir", "-o", "set").well()
    assert "questions without a judgment 1" in ended.stderr
    assert (prepared.folder / "set/qrels/train.tsv").read_text().count("\n") == 1


def test_a_beir_folder_is_written(prepared):
    folder = ("--to", "beir", "-o", "set", "--qrels-split", "dev")
    prepared.call("convert", ".densecli/examples/questions", *folder).well()
    assert "up to date" in prepared.call("convert", ".densecli/examples/questions", *folder).well().stderr
    names = {str(path.relative_to(prepared.folder / "set")) for path in (prepared.folder / "set").rglob("*")}
    assert names == {"corpus.jsonl", "queries.jsonl", "qrels", "qrels/dev.tsv", "manifest.json"}
    assert "--from has an effect only on a file" in line(prepared, "set", "--to", "jsonl", "--from", "beir")
    judged = prepared.call("convert", "set/qrels/dev.tsv", "--to", "trec").well().stdout
    assert judged == prepared.call("convert", "set", "--take", "qrels", "--to", "trec").well().stdout
    one = prepared.call("convert", "set", "--to", "jsonl").well().stdout
    assert (
        prepared.call("convert", "set/qrels/dev.tsv", "--take", "examples", "--to", "jsonl").well().stdout
        == one
    )
    prepared.call("mine-negatives", "set/queries.jsonl", "-o", "mined").well()
    (prepared.folder / "set" / "qrels" / "test.tsv").write_text(judged)
    assert (
        "set: 2 files in set/qrels; expected the path of one: set/qrels/dev.tsv, set/qrels/test.tsv"
        in line(prepared, "set", "--to", "jsonl")
    )


def test_settings_of_the_environment_may_have_no_effect(program):
    program.write("q.csv", "who\t['a']\n")
    settings = {"DENSECLI_QRELS_SPLIT": "dev", "DENSECLI_TRAILING_SEP": "yes"}
    assert program.call("convert", "q.csv", "--to", "jsonl", **settings).well().rows


@pytest.mark.parametrize("name", ["tiny_results.json", "tiny.qa.csv"])
def test_files_of_the_reference_are_reproduced(program, name):
    data = (GOLDEN / name).read_bytes()
    program.write(name, data)
    again = program.call("convert", name, "--to", "dpr").well().stdout
    if name.endswith("json"):
        assert again.encode() == data
    else:
        program.write("again.qa.csv", again.encode())
        rows = [program.call("convert", one, "--to", "jsonl").well().rows for one in (name, "again.qa.csv")]
        assert rows[0] == rows[1]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["q.csv"], "the input gives questions: --to is missing; expected jsonl, dpr or beir"),
        (["q.csv", "--to", "trec"], "--to is trec; expected jsonl, dpr or beir"),
        (["q.csv", "--to", "dpr", "--from", "nope"], "--from is 'nope'; expected one of"),
        (
            ["q.csv", "--to", "dpr", "--questions", "q.csv"],
            "--questions has no effect when questions are written",
        ),
        (["q.csv", "--to", "dpr", "--force"], "--force has an effect only on a folder"),
        (["q.csv", "--to", "dpr", "--qrels-split", "dev"], "--qrels-split has an effect only with --to beir"),
        (
            ["q.csv", "--to", "beir", "--qrels-split", "dev"],
            "--qrels-split has an effect only on a BEIR folder of training examples",
        ),
        (
            ["e.json", "--to", "beir", "--qrels-split", "../../x", "-o", "out"],
            "--qrels-split is '../../x'; expected a name such as train or test",
        ),
        (
            ["e.json", "--to", "jsonl", "--questions", "q.csv"],
            "--questions has no effect when examples are written from examples",
        ),
        (["q.csv", "--to", "dpr", "--take", "examples"], "the input holds questions: --take is examples"),
        (["e.json", "--to", "beir"], "--to beir makes a folder of training examples: name it with --output"),
        (["nowhere", "--to", "dpr"], "nowhere: no such file"),
        (["r.jsonl", "--to", "trec"], "r.jsonl: record 1: id 'a b' is empty or holds a space; expected ids"),
        (
            ["x.run", "--to", "jsonl"],
            "x.run: record 1: the question's text is not known; expected a file of questions",
        ),
        (
            ["x.run", "--to", "dpr", "--questions", "q.csv"],
            "record 1: question 'q' is not among the questions; expected one of the 1 ids",
        ),
        (["x.run", "--to", "dpr", "--passages", "nowhere"], "nowhere: the passage store does not exist"),
        (
            ["evil.qa.csv", "--to", "jsonl"],
            "evil.qa.csv:2: no list of answers: \"__import__('os').system('touch pwned')\"",
        ),
        (["notes", "--to", "jsonl"], "notes: is a folder; expected a file"),
    ],
)
def test_impossible_conversions_are_refused(program, arguments, told):
    program.write("q.csv", "who\t['Ulm']")
    program.write("e.json", {"question": "who", "answers": [], "positive_ctxs": [{"text": "a"}]})
    program.write("r.jsonl", RESULTS)
    program.write("x.run", "q Q0 p 1 1.5 t")
    program.write("evil.qa.csv", "who\t['a']", "what\t__import__('os').system('touch pwned')")
    (program.folder / "notes").mkdir()
    assert told in line(program, *arguments)
    assert not (program.folder / "pwned").exists()


def test_a_failed_conversion_leaves_nothing(program):
    program.write("r.jsonl", RESULTS | {"ctxs": []}, RESULTS)
    line(program, "r.jsonl", "--to", "trec", "-o", "x.run")
    line(program, "r.jsonl", "--to", "tevatron", "--take", "questions", "-o", "x.run")
    assert sorted(path.name for path in program.folder.iterdir()) == ["r.jsonl"]


def test_a_long_array_is_converted_in_bounded_memory(program):
    """128 MiB go through in the memory that one example takes, give or take a few MiB."""
    one = {
        "question": "who",
        "answers": ["a"],
        "positive_ctxs": [{"title": "t", "text": "some words " * 6000}],
    }
    text = json.dumps(one)
    peaks = []
    for copies in (1, (128 << 20) // len(text)):
        with open(program.folder / "x.json", "w") as stream:
            stream.write("[" + text)
            stream.writelines(f", {text}" for _ in range(copies - 1))
            stream.write("]")
        code = (
            "import resource, sys; from densecli.cli.main import app\n"
            "try: app(['convert', 'x.json', '--to', 'tevatron', '-o', 'y.jsonl'])\n"
            "except SystemExit: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=program.folder, capture_output=True, text=True
        )
        assert done.stderr.endswith(f"records {copies:,}\n"), done.stderr
        peaks.append(int(done.stdout))
    assert (program.folder / "y.jsonl").stat().st_size > 120 << 20
    assert peaks[1] - peaks[0] < 12 << 10
