"""An output is never an input, and what is in a workspace is written by its own command alone."""

import inspect
import os
import subprocess

import pytest
import typer

from densecli.artifacts.outputs import INPUTS, OUTPUTS
from densecli.cli.main import app

LINES = {
    "search": ("questions.jsonl", ["search", "questions.jsonl"]),
    "read": ("found.jsonl", ["read", "found.jsonl"]),
    "evaluate": ("read.jsonl", ["evaluate", "read.jsonl"]),
    "evaluate a named row": ("read.jsonl", ["evaluate", "ours=read.jsonl"]),
    "evaluate with questions": (
        "questions.jsonl",
        ["evaluate", "found.jsonl", "--questions", "questions.jsonl"],
    ),
    "convert": ("questions.jsonl", ["convert", "questions.jsonl", "--to", "dpr"]),
    "preprocess": ("articles.jsonl", ["preprocess", "articles.jsonl"]),
    "mine-negatives": ("questions.jsonl", ["mine-negatives", "questions.jsonl"]),
    "train": ("base", ["train", "questions", "--encoder", "base"]),
    "train-reader": ("found.jsonl", ["train-reader", "found.jsonl", "--encoder", "base"]),
    "a config": ("options.toml", ["search", "questions.jsonl", "--config", "options.toml"]),
    "tune": ("questions.jsonl", ["search", "--tune-lambda", "questions.jsonl"]),
}


def refused(program, *line):
    """Run a command that must be refused before it writes anything; return its error."""
    files = {path: path.read_bytes() for path in program.folder.rglob("*") if path.is_file()}
    ended = program.call(*line)
    assert ended.status == 2, ended.stderr
    assert {path: path.read_bytes() for path in program.folder.rglob("*") if path.is_file()} == files
    return ended.error


@pytest.mark.parametrize("way", ["itself", "a link", "another path", "a second name"])
@pytest.mark.parametrize("name", LINES)
def test_an_output_that_is_an_input_is_refused(prepared, name, way):
    source, line = LINES[name]
    prepared.write("options.toml", "k = 3")
    output = {"itself": source, "another path": f"../place/./{source}"}.get(way, "other")
    if way == "a link" or (way == "a second name" and source == "base"):  # which a folder can't have
        (prepared.folder / "other").symlink_to(source)
    elif way == "a second name":
        os.link(prepared.folder / source, prepared.folder / "other")
    assert "would take the place of its own input" in refused(prepared, *line, "-o", output)


def test_an_output_folder_that_contains_an_input_is_refused(prepared):
    line = ("mine-negatives", ".densecli/examples/questions/examples.jsonl")
    assert "own input" in refused(prepared, *line, "-o", ".densecli/examples/questions", "--force")


@pytest.mark.parametrize(
    "output",
    [
        ".densecli/passages/manifest.json",
        ".densecli/passages/new.jsonl",
        ".densecli/retriever",
        ".densecli/examples/new/examples.jsonl",
        ".densecli/.passages.partial",
        ".densecli",
    ],
)
@pytest.mark.parametrize("line", [["search", "who"], ["embed"], ["evaluate", "read.jsonl"]])
def test_an_output_inside_the_workspace_is_refused(prepared, line, output):
    refused(prepared, *line, "-o", output)


def test_a_dataset_file_in_the_workspace_is_not_overwritten(prepared):
    (prepared.workspace / "data").mkdir()
    prepared.call("convert", "questions.jsonl", "--to", "dpr", "-o", ".densecli/data/own.json").well()
    refused(prepared, "search", "who", "-o", ".densecli/data/own.json")


def test_redirected_input_and_output_are_compared(prepared):
    for line in (
        "search - -o questions.jsonl < questions.jsonl",
        "convert questions.jsonl --to dpr >> questions.jsonl",
    ):
        before = (prepared.folder / "questions.jsonl").read_bytes()
        program = " ".join(prepared.line())
        done = subprocess.run(
            ["sh", "-c", f"{program} {line}"],
            cwd=prepared.folder,
            env=prepared.environment(),
            capture_output=True,
        )
        assert done.returncode == 2, done.stderr
        assert (prepared.folder / "questions.jsonl").read_bytes() == before


def test_standard_output_that_is_a_file_keeps_what_is_there(prepared):
    """Linux names it /dev/stdout, and whatever is at that name's place could be replaced."""
    program = " ".join(prepared.line())
    convert = f"{program} convert questions.jsonl --to dpr -o"
    lines = f"(echo before; {convert} /dev/stdout; echo after) > all; {convert} /dev/fd/3 3>> all"
    done = subprocess.run(
        ["sh", "-c", lines], cwd=prepared.folder, env=prepared.environment(), capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "/dev/fd/3: is a file that is open already" in done.stderr
    first, *rows, last = (prepared.folder / "all").read_text().splitlines()
    assert (first, last) == ("before", "after")
    assert len(rows) == 12


def test_an_output_beside_its_input_is_written(prepared):
    prepared.call("search", "questions.jsonl", "-k", 3, "--mode", "bm25", "-o", "other.jsonl").well()
    prepared.call("search", "questions.jsonl", "-k", 3, "--mode", "bm25", "-o", os.devnull).well()


NO_FILES = {
    "answer_type", "compare", "data_dir", "dataset", "device", "fail_under", "form", "hf", "id_column",
    "id_prefix", "index_negatives", "measure", "name", "negatives", "passage_prefix", "qrels_split",
    "question_prefix", "sampling_rates", "split", "stop_words", "text_column", "title_column", "top_k",
    "workspace",
}  # fmt: skip
"""Options that take a text or a path and name no file that a command reads or writes as a whole."""


def test_every_path_option_is_listed_as_input_or_output():
    """A new option for a file must be named in one of the two lists; models are named by text."""
    for name, command in typer.main.get_command(app).commands.items():
        for parameter in inspect.signature(command.callback).parameters.values():
            kinds = str(parameter.annotation).partition("<typer")[0]
            if ("pathlib.Path" in kinds or "str" in kinds) and parameter.name not in NO_FILES:
                assert parameter.name in INPUTS + OUTPUTS, f"{name} {parameter.name}"


def test_a_reader_is_not_replaced_by_its_own_training(prepared):
    line = ("train-reader", "found.jsonl", "--init", ".densecli/reader", "--force")
    assert "would take the place of its own input" in refused(prepared, *line, "-o", ".densecli/reader")
