"""The sample answers a question that is asked by hand with nothing prepared, and never for what was named."""

import pytest

MEG = "who voiced Meg"


def test_without_a_workspace_a_question_is_answered_from_the_sample(program):
    ended = program.call("search", MEG, "-k", 1).well()
    assert "answering from the sample" in ended.stderr
    assert ended.rows[0]["ctxs"][0]["title"] == "Meg Griffin"


@pytest.mark.parametrize("command", ["search", "read"])
@pytest.mark.parametrize("how", ["option", "environment"])
def test_a_named_workspace_that_is_missing_is_an_error(program, command, how):
    named = {"DENSECLI_WORKSPACE": "typo"} if how == "environment" else {}
    option = ["-w", "typo"] if how == "option" else []
    ended = program.call(command, MEG, *option, **named)
    assert (ended.status, "typo/passages" in ended.error, ended.stdout) == (4, True, "")


def test_questions_on_standard_input_are_answered_from_the_sample(program):
    ended = program.call("search", "-", "-k", 1, stdin=f'{{"question": "{MEG}"}}\n').well()
    assert "answering from the sample" in ended.stderr
    assert ended.rows[0]["ctxs"][0]["title"] == "Meg Griffin"


def test_a_file_of_questions_is_not_answered_from_the_sample(program):
    program.write("q.jsonl", {"question": MEG})
    ended = program.call("search", "q.jsonl", "-q", "-o", "found.jsonl")
    assert (ended.status, "run `densecli preprocess` first" in ended.error) == (4, True)
    assert not (program.folder / "found.jsonl").exists()


@pytest.mark.parametrize("part", ["bm25", "vectors", "index"])
def test_a_workspace_without_its_passages_is_damaged(program, part):
    (program.workspace / part).mkdir(parents=True)
    assert program.call("search", MEG).status == 4


@pytest.mark.parametrize("command", ["search", "read"])
def test_a_missing_file_of_questions_is_named_before_missing_passages(program, command):
    ended = program.call(command, "nowhere.jsonl", "-w", "typo")
    assert (ended.status, ended.error) == (
        3,
        "nowhere.jsonl: no such file; expected an existing file or - for stdin",
    )
