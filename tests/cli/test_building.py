import json
import shutil
from dataclasses import asdict

import pytest

from cli.program import Feed, Program
from densecli.configs.corpus import PreprocessConfig
from densecli.files.atomic import partial_of
from densecli.files.lock import locked, scratch_of

MANIFEST = "passages/manifest.json"


@pytest.fixture
def place(program):
    """A folder with two articles, preprocessed."""
    program.write("a.jsonl", {"id": 1, "text": "one two three"}, {"id": 2, "text": "four"})
    program.call("preprocess", "a.jsonl").well()
    return program


def manifest(program, name="passages"):
    return json.loads((program.workspace / name / "manifest.json").read_text())


def test_the_manifest_has_kind_settings_and_inputs(place):
    told = manifest(place)
    assert told["command"] == "preprocess"
    assert told["config"] == asdict(PreprocessConfig())
    assert told["counts"] == {"records": 2, "passages": 2, "passages_without_title": 2}
    assert [row["path"] for row in told["inputs"]] == ["a.jsonl"]
    assert told["timing"]["seconds"] >= 0


def test_repeating_a_command_is_up_to_date(place):
    with place.unchanged():
        ended = place.call("preprocess", "a.jsonl").well()
    assert ended.stderr == f"{place.workspace / 'passages'}: up to date\n"
    assert place.call("preprocess", "a.jsonl", "-q").well().stderr == ""


def test_a_renamed_input_is_up_to_date(place):
    (place.folder / "a.jsonl").rename(place.folder / "b.jsonl")
    assert "up to date" in place.call("preprocess", "b.jsonl").well().stderr


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        ("", ["--words", 50], "built differently (words was 100, now 50); rebuild with --force"),
        ("x", [], "built differently (its input was a.jsonl, sha256 "),
    ],
)
def test_a_change_needs_force(place, change, arguments, message):
    if change:
        place.write("a.jsonl", {"id": 1, "text": "changed"})
    with place.unchanged():
        ended = place.call("preprocess", "a.jsonl", *arguments)
    assert (ended.status, message in ended.error) == (4, True)
    before = place.results()
    place.call("preprocess", "a.jsonl", *arguments, "--force").well()
    assert place.results() != before
    assert "up to date" in place.call("preprocess", "a.jsonl", *arguments).well().stderr


def test_input_from_a_pipe_is_never_up_to_date(program):
    row = '{"id": 1, "text": "one"}'
    program.call("preprocess", "-", stdin=row).well()
    ended = program.call("preprocess", "-", stdin=row)
    assert (ended.status, "cannot be read twice" in ended.error) == (4, True)
    program.call("preprocess", "-", "--force", stdin=row).well()


def test_a_named_pipe_is_read_once(program):
    """As in `densecli preprocess <(zcat wiki.gz)`."""
    feed = Feed(program.folder / "pipe")
    running = program.start("preprocess", "pipe")
    feed.write('{"id": 1, "text": "one"}\n')
    feed.close()
    running.wait().well()
    assert manifest(program)["counts"]["passages"] == 1


@pytest.mark.parametrize("foreign", ["file", "folder", "web page", "broken"])
@pytest.mark.parametrize("force", [[], ["--force"]])
def test_files_of_the_user_are_never_replaced(program, foreign, force):
    program.write("a.jsonl", {"id": 1, "text": "one"})
    target = program.folder / "precious"
    if foreign != "file":
        target.mkdir()
    inside = target if foreign == "file" else target / ("data" if foreign == "folder" else "manifest.json")
    inside.write_text({"web page": '{"name": "app", "icons": []}', "broken": "{"}.get(foreign, "data"))
    before = inside.read_text()
    ended = program.call("preprocess", "a.jsonl", "-o", "precious", *force)
    assert (ended.status, ended.error) == (
        4,
        "precious: exists and is not a result of densecli; choose another --output",
    )
    assert inside.read_text() == before
    assert {path.name for path in program.folder.iterdir()} == {"a.jsonl", "precious"}


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_the_result_of_another_command_is_never_replaced(place, force):
    place.call("index", "--kind", "bm25").well()
    with place.unchanged():
        ended = place.call("index", "--kind", "bm25", "-o", place.workspace / "passages", *force)
    assert (ended.status, "is a workspace's own, and not for index" in ended.error) == (2, True)


def test_an_empty_folder_may_be_filled(program):
    program.write("a.jsonl", {"id": 1, "text": "one"})
    (program.folder / "out").mkdir()
    program.call("preprocess", "a.jsonl", "-o", "out").well()
    assert (program.folder / "out" / "manifest.json").exists()


def test_a_result_of_another_version_is_replaced_only_with_force(place):
    path = place.workspace / MANIFEST
    path.write_text(path.read_text().replace('"format_version": 2', '"format_version": 9'))
    ended = place.call("preprocess", "a.jsonl")
    assert (ended.status, "rebuild it with `densecli preprocess --force`" in ended.error) == (4, True)
    place.call("preprocess", "a.jsonl", "--force").well()
    assert manifest(place)["format_version"] == 2


def test_a_failure_keeps_the_earlier_result(place):
    place.write("a.jsonl", {"id": 1, "text": "new"}, "broken")
    with place.unchanged():
        assert place.call("preprocess", "a.jsonl", "--force").status == 3


def cut_off(place, name="passages"):
    """Leave what a run leaves that is killed while it replaces a result, where folders can't be swapped."""
    target = place.workspace / name
    with locked(target):
        target.rename(scratch_of(target) / "old")


@pytest.mark.parametrize("next_command", [["preprocess", "a.jsonl"], ["search", "three", "--mode", "bm25"]])
def test_a_kill_between_the_renames_is_repaired_by_the_next_command(place, next_command):
    place.call("index", "--kind", "bm25").well()
    before = place.results()
    cut_off(place)
    cut_off(place, "bm25")
    ended = place.call(*next_command).well()
    if next_command[0] == "search":
        assert ended.rows[0]["ctxs"][0]["text"] == "one two three"
    else:
        assert "up to date" in ended.stderr
    assert place.results() == before
    assert place.leftovers() == set()


def test_a_complete_result_of_a_killed_run_is_moved_into_place(place):
    target = place.workspace / "passages"
    words = ("preprocess", "a.jsonl", "--words", 50, "--force")
    place.call(*words).well()
    made = place.results()
    with locked(target):
        target.rename(partial_of(target))
    place.call("preprocess", "a.jsonl").well()
    assert json.loads((target / "manifest.json").read_text())["config"]["words"] == 100
    assert not place.leftovers(), "it was another one"
    place.call(*words).well()
    with locked(target):
        shutil.copytree(target, partial_of(target))
    assert "put in place what an interrupted run had finished" in place.call(*words).well().stderr
    assert not place.leftovers()
    assert made.keys() == place.results().keys()


def test_a_path_with_dots_is_resolved_before_the_check(place):
    """`build` is not there: `build/../data` is `data`, which nobody has checked under that name."""
    (place.folder / "data").mkdir()
    (place.folder / "data" / "thesis.txt").write_text("precious")
    ended = place.call("preprocess", "a.jsonl", "-o", "build/../data")
    assert (ended.status, "exists and is not a result of densecli" in ended.error) == (4, True)
    assert (place.folder / "data" / "thesis.txt").read_text() == "precious"


def test_files_added_to_a_result_are_not_removed(place):
    target = place.workspace / "passages"
    (target / "notes").mkdir()
    (target / "notes" / "thesis.txt").write_text("precious")
    ended = place.call("preprocess", "a.jsonl", "--words", 50, "--force")
    assert (ended.status, "has files that densecli did not make (notes/thesis.txt)" in ended.error) == (
        4,
        True,
    )
    assert (target / "notes" / "thesis.txt").read_text() == "precious"
    (target / "notes" / "thesis.txt").unlink()
    (target / ".DS_Store").touch()
    place.call("preprocess", "a.jsonl", "--words", 50, "--force").well()


def test_from_a_subfolder_the_workspace_above_is_not_replaced(place):
    """The advice to use --force was the way to lose its passages."""
    (place.folder / "sub").mkdir()
    (place.folder / "sub" / "b.jsonl").write_text('{"id": 9, "text": "nine"}')
    above = Program(place.folder / "sub", place.folder)
    before = place.results()
    for force in ([], ["--force"]):
        ended = above.call("preprocess", "b.jsonl", *force)
        assert (ended.status, "in a folder above; name -w .densecli" in ended.error) == (4, True)
        assert place.results() == before
    assert "up to date" in above.call("preprocess", "../a.jsonl").well().stderr
    above.call("preprocess", "b.jsonl", "-w", ".densecli").well()
    assert place.results() == before
    above.call("preprocess", "b.jsonl", "-w", "../.densecli", "--force").well()
    assert place.results() != before


def test_bm25_made_by_mining_is_the_same_as_made_by_index(place):
    place.write("q.jsonl", {"question": "four", "answers": ["four"]})
    place.call("mine-negatives", "q.jsonl").well()
    assert "up to date" in place.call("index", "--kind", "bm25").well().stderr


def test_mining_checks_its_questions_before_it_builds_bm25(place):
    ended = place.call("mine-negatives", "nowhere.jsonl")
    assert (ended.status, ended.error) == (
        3,
        "nowhere.jsonl: no such file; expected an existing file, or - for stdin",
    )
    assert not (place.workspace / "bm25").exists()


def test_another_answer_type_makes_another_result(place):
    place.write("q.jsonl", {"question": "which four", "answers": ["fo.r"]})
    place.call("mine-negatives", "q.jsonl").well()
    assert manifest(place, "examples/q")["counts"].get("examples", 0) == 0
    ended = place.call("mine-negatives", "q.jsonl", "--answer-type", "regex")
    assert (ended.status, "answer_type was left to the default, now regex" in ended.error) == (4, True)
    place.call("mine-negatives", "q.jsonl", "--answer-type", "regex", "--force").well()
    assert manifest(place, "examples/q")["counts"].get("examples", 0) == 1


def test_an_option_that_an_older_version_did_not_have_means_its_default(place):
    path = place.workspace / MANIFEST
    row = json.loads(path.read_text())
    del row["config"]["tail"]
    path.write_text(json.dumps(row))
    assert place.call("preprocess", "a.jsonl").well().stderr.endswith("up to date\n")
    row["config"]["words"] = 50
    path.write_text(json.dumps(row))
    ended = place.call("preprocess", "a.jsonl")
    assert (ended.status, "words was 50, now 100" in ended.stderr) == (4, True)
