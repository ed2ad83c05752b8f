"""`preprocess` as people run it: bad records, many processes, and resuming after a kill."""

import bz2
import gzip
import json
import signal

import pytest

from cli.program import Program, until
from densecli.artifacts.passages.store import PassageStore
from densecli.corpus.wikipedia import dump as wikipedia_dump
from densecli.corpus.wikipedia import wikitext

GOOD = {"id": "a", "title": "T", "text": "some words"}


def manifest(program, name="passages"):
    return json.loads((program.workspace / name / "manifest.json").read_text())


def passages(program):
    return list(PassageStore.open(program.workspace / "passages"))


def test_bad_records_are_skipped_counted_and_shown(program):
    program.write(
        "x.jsonl", GOOD, '{"id": ', {"id": "b"}, {"text": "no id"}, b'{"id": "c", "text": "\xff"}\n', GOOD,
        {"id": "d", "text": "last"}, {"id": 1.5, "text": "t"},
    )  # fmt: skip
    ended = program.call("preprocess", "x.jsonl", "--on-error", "skip").well()
    assert [one.id for one in passages(program)] == ["a#0", "d#0"]
    assert manifest(program)["counts"] == {
        "records": 8,
        "skipped_broken_json": 1,
        "skipped_wrong_encoding": 1,
        "skipped_missing_field": 2,
        "skipped_wrong_type": 1,
        "skipped_duplicate_id": 1,
        "passages_without_title": 1,
        "passages": 2,
    }
    first, second, third, last = ended.stderr.splitlines()
    assert first.startswith("warning: skipped x.jsonl:2: broken JSON")
    assert second.startswith("warning: skipped x.jsonl:3: no field 'text'; expected")
    assert third.startswith("warning: skipped x.jsonl:4: no field 'id'; expected")
    assert "records 8, skipped: broken JSON 1" in last


def test_a_bad_document_of_a_folder_is_reported_with_its_path(program):
    (program.folder / "notes" / "deep").mkdir(parents=True)
    for name, data in (("good.txt", b"some words"), ("deep/bad.txt", b"\xff"), ("picture.png", b"\x89PNG")):
        (program.folder / "notes" / name).write_bytes(data)
    ended = program.call("preprocess", "notes")
    assert ended.status == 3
    assert ended.error.startswith("notes/deep/bad.txt: not UTF-8 (0xFF is byte 1); expected UTF-8 text")
    program.call("preprocess", "notes", "--on-error", "skip").well()
    assert manifest(program)["counts"] == {
        "records": 3,
        "dropped_of_another_kind": 1,
        "skipped_wrong_encoding": 1,
        "passages": 1,
    }


def test_the_reasons_are_shown_when_no_record_is_left(program):
    program.write("x.jsonl", '{"id": ', {"id": "b"})
    program.write("y.jsonl.gz", b"<html>404</html>")
    ended = program.call("preprocess", "x.jsonl", "y.jsonl.gz", "--on-error", "skip")
    first, second, third, last = ended.stderr.splitlines()
    assert first.startswith("warning: skipped x.jsonl:1: broken JSON")
    assert second.startswith("warning: skipped x.jsonl:2: no field 'text'; expected")
    assert third.startswith("warning: skipped y.jsonl.gz: not gzip data")
    assert last.startswith("error: x.jsonl, y.jsonl.gz: no passage in it")
    assert ended.status == 3


def test_truncated_files_are_read_up_to_their_end(program):
    rows = [{"id": f"g{number}", "text": f"text {number * 7919 % 10007}"} for number in range(5000)]
    packed = gzip.compress(b"".join(json.dumps(row).encode() + b"\n" for row in rows))
    program.write("half.jsonl.gz", packed[: len(packed) // 2])
    program.write("y.jsonl", GOOD)
    line = ["preprocess", "half.jsonl.gz", "y.jsonl"]
    ended = program.call(*line)
    assert (ended.status, ended.error) == (
        3, "half.jsonl.gz: the gzip stream is cut off or broken; expected the whole file"
    )  # fmt: skip
    assert not program.leftovers()
    ended = program.call(*line, "--on-error", "skip").well()
    assert "warning: skipped half.jsonl.gz: the gzip stream is cut off" in ended.stderr
    found = [one.id for one in passages(program)]
    assert found[-1] == "a#0"
    assert 1000 < len(found) < 4000
    assert found[:-1] == [f"g{number}#0" for number in range(len(found) - 1)]


def test_ids_are_made_on_request(program):
    program.write("x.jsonl", {"text": "one"}, {"id": "own", "text": "two"}, {"text": "three"})
    assert "no field 'id'" in program.call("preprocess", "x.jsonl").error
    program.call("preprocess", "x.jsonl", "--make-ids").well()
    assert [one.id for one in passages(program)] == ["1#0", "own#0", "3#0"]


def test_articles_are_split_as_configured(program):
    program.write("x.jsonl", {"id": "a", "title": "T", "text": "1 2 3 4 5"})
    program.call("preprocess", "x.jsonl", "--words", 3, "--tail", "wrap", "--keep-offsets").well()
    assert [(one.text, one.meta) for one in passages(program)] == [
        ("1 2 3", {"article": "a", "offset": 0}),
        ("4 5 1", {"article": "a", "offset": 3}),
    ]
    program.call("preprocess", "x.jsonl", "--words", 3, "--stride", 1, "--force").well()
    assert [(one.text, one.meta) for one in passages(program)] == [
        ("1 2 3", None), ("2 3 4", None), ("3 4 5", None)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--stride", 101], "--stride 101 is more than --words 100: the words between are lost"),
        (["--tail", "drop", "--min-words", 5], "--min-words has an effect only with --tail keep or wrap"),
        (
            ["--input-format", "psgs", "--id-column", "x"],
            "--id-column has an effect only with --input-format auto",
        ),
        (["--workers", 0], "Invalid value for '--workers'"),
    ],
)
def test_options_without_effect_are_refused(program, arguments, told):
    program.write("x.jsonl", GOOD)
    ended = program.call("preprocess", "x.jsonl", *arguments)
    assert ended.status == 2
    assert told in ended.error


LINE = ("preprocess", "x.jsonl", "y.jsonl", "--words", 15)
STORE = ("passages.arrow", "ids.npy")


def write_long(program):
    """Write a corpus that takes a while, as it is cut into very many passages."""
    for name, number in (("x.jsonl", 110), ("y.jsonl", 30)):
        rows = ({"id": f"{name}{row}", "title": "T", "text": f"w{row} e t " * 6000} for row in range(number))
        program.write(name, *rows)


def store(folder):
    return {name: (folder / name).read_bytes() for name in STORE}


@pytest.fixture
def long(program):
    write_long(program)
    return program


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """The passages of the long corpus, made without a stop."""
    own = tmp_path_factory.mktemp("uninterrupted")
    program = Program(own, own)
    write_long(program)
    program.call(*LINE).well()
    return store(program.workspace / "passages")


def test_any_number_of_workers_gives_the_same_bytes(long):
    for workers in (1, 2, 3):
        long.call(*LINE, "--workers", workers, "-o", f"made-{workers}").well()
    made = [
        {path.name: path.read_bytes() for path in (long.folder / f"made-{workers}").iterdir()}
        for workers in (1, 2, 3)
    ]
    for one in made:
        one.pop("manifest.json")
    assert made[0] == made[1] == made[2]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupted_run_is_resumed(long, uninterrupted, number, workers):
    partial = long.workspace / ".passages.partial" / "work"
    running = long.start(*LINE, "--workers", workers)
    until((partial / "progress.json").exists)
    running.send(number)
    ended = running.wait()
    if number == signal.SIGINT:
        assert ended.status == 130
        assert ended.error == "interrupted; finished work is kept, run the same command to resume"
    assert not (long.workspace / "passages").exists(), "it was not in the middle"
    done = json.loads((partial / "progress.json").read_text())["records"]
    again = long.call(*LINE).well()
    assert f"resuming at record {done + 1:,}" in again.stderr
    assert not long.leftovers()
    assert store(long.workspace / "passages") == uninterrupted
    assert manifest(long)["counts"] == {"records": 140, "passages": 168_000}


PAGES = 30
PAGE = (
    "<page><title>T{0}</title><ns>0</ns><id>{0}</id><revision><model>wikitext</model>"
    "<text>{1}</text></revision></page>\n"
)


def dump(pages):
    yield "<mediawiki>\n"
    for page in range(pages):
        yield PAGE.format(page, (f"'''w{page}''' [[e]] t " + "u " * 20) * 1400)
    yield "</mediawiki>\n"


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("d.xml", lambda parts: "".join(parts).encode()),
        ("d-multistream.xml.bz2", lambda parts: b"".join(bz2.compress(part.encode(), 1) for part in parts)),
    ],
)
def test_an_interrupted_dump_is_resumed(program, monkeypatch, name, pack):
    (program.folder / name).write_bytes(pack(dump(PAGES)))
    line = ("preprocess", name, "--words", 10)
    partial = program.workspace / ".passages.partial" / "work"
    running = program.start(*line, "--workers", 2)
    until((partial / "progress.json").exists)
    running.send(signal.SIGKILL)
    running.wait()
    assert not (program.workspace / "passages").exists(), "it was not in the middle"
    done = json.loads((partial / "progress.json").read_text())["records"]
    assert 0 < done < PAGES
    parsed = []
    monkeypatch.setattr(
        wikipedia_dump, "prose", lambda text, *more: parsed.append(text) or wikitext.prose(text, *more)
    )
    assert f"resuming at record {done + 1:,}" in program.call(*line, "--workers", 1).well().stderr
    assert len(parsed) == PAGES - done
    assert f"w{done} " in parsed[0].replace("'", "")
    program.call(*line, "-o", "at-once").well()
    assert store(program.workspace / "passages") == store(program.folder / "at-once")
    assert manifest(program)["counts"]["records"] == PAGES


def test_other_settings_start_over(long):
    running = long.start(*LINE)
    until((long.workspace / ".passages.partial" / "work" / "progress.json").exists)
    running.send(signal.SIGKILL)
    running.wait()
    assert "resuming" not in long.call(*LINE[:-1], 100).well().stderr
