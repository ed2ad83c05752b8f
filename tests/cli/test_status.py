import json

import pytest

from densecli.workflows import status


@pytest.fixture
def place(program):
    program.write("a.jsonl", {"id": 1, "text": "one two three"}, {"id": 2, "text": "four"})
    program.call("preprocess", "a.jsonl").well()
    program.call("index", "--kind", "bm25").well()
    return program


def test_artifacts_and_the_next_command_are_listed(place):
    ended = place.call("status").well()
    assert [(row["name"], row["state"], row["items"]) for row in ended.rows] == [
        ("passages", "up to date", 2),
        ("bm25", "up to date", 2),
    ]
    assert ended.stderr.endswith("next: densecli embed\n")
    assert place.call("status", "--json", "-q").well().stderr == ""


def test_a_terminal_shows_a_table(place):
    status, shown = place.talk("status")
    assert status == 0
    assert "artifact" in shown
    assert "up to date" in shown


def test_a_verification_that_finds_damage_exits_with_4(place):
    assert place.call("status", "--verify").well().rows[0]["unverified"] == 0
    path = place.workspace / "passages" / "passages.arrow"
    path.write_bytes(path.read_bytes().replace(b"three", b"threa"))
    place.call("status").well()
    ended = place.call("status", "--verify")
    assert ended.status == 4
    assert "damaged: passages; run `densecli preprocess CORPUS --force`" in ended.error
    assert "passages.arrow is damaged" in json.loads(ended.stdout.splitlines()[0])["reason"]


def test_a_missing_workspace_is_named(program):
    ended = program.call("status", "-w", "nowhere")
    assert (ended.status, "nowhere: no such workspace" in ended.error) == (4, True)
    assert "next: densecli preprocess CORPUS" in program.call("status").well().stderr


def test_an_artifact_that_is_replaced_meanwhile_is_not_damaged(place, monkeypatch):
    """Another command rebuilds the passages, and makes more, while they are looked at."""
    read, begun = status.read_any_manifest, []

    def replace_after_reading(folder):
        found = read(folder)
        if not begun and folder.name == "passages":
            begun.append(folder)
            place.write("a.jsonl", {"id": 1, "text": "other words, and more of them"})
            place.call("preprocess", "a.jsonl", "--force").well()
            place.call("index", "--kind", "bm25", "-o", ".densecli/more").well()
        return found

    monkeypatch.setattr(status, "read_any_manifest", replace_after_reading)
    found = {one.name: one.state for one in status.status(place.workspace, verify=True).artifacts}
    assert begun
    assert found["passages"] == "up to date"
