"""Input that cannot be used: one line that says where, exit code 3, and earlier results untouched."""

import gzip
import json

import pytest

from densecli.artifacts.passages.store import PassageStore

GOOD = {
    "preprocess": {"id": "a", "title": "T", "text": "some words"},
    "mine-negatives": {"question": "who", "answers": ["Ulm"]},
    "train": {
        "question": "who",
        "answers": [],
        "positive_ctxs": [{"text": "a"}],
        "hard_negative_ctxs": [{"text": "b"}],
    },
    "train-reader": {
        "question": "who",
        "answers": ["Ulm"],
        "ctxs": [{"id": 1, "text": "Ulm", "has_answer": True}],
    },
    "search": {"question": "who", "answers": ["Ulm"]},
    "read": {"question": "who", "ctxs": [{"id": 1, "text": "in Ulm"}]},
    "evaluate": {"question": "who", "answers": ["Ulm"], "ctxs": [{"id": 1, "has_answer": True}]},
}
NEEDED = {
    "preprocess": "text",
    "mine-negatives": "question",
    "train": "positive_ctxs",
    "train-reader": "ctxs",
    "search": "question",
    "read": "ctxs",
    "evaluate": "question",
}
FORCED = ("preprocess", "mine-negatives", "train", "train-reader")


def fails(program, command, *arguments, status=3, **options):
    """Run a command that must fail; return its one line."""
    more = ["--force"] if command in FORCED else []
    if command.startswith("train") and "--encoder" not in arguments:
        more += ["--encoder", "base"]
    with program.unchanged():
        ended = program.call(command, *arguments, *more, **options)
    assert ended.status == status, ended.stderr
    return ended.error


@pytest.fixture(scope="module")
def place(tiny_place, tmp_path_factory):
    """One place for all of these, since none of them may change it."""
    import shutil

    from cli.program import Program

    own = tmp_path_factory.mktemp("bad")
    shutil.copytree(tiny_place, own / "place")
    return Program(own / "place", own)


@pytest.mark.parametrize("command", GOOD)
def test_a_missing_file_is_reported(place, command):
    assert fails(place, command, "nowhere.jsonl").startswith("nowhere.jsonl: no such file")


@pytest.mark.parametrize("command", GOOD)
def test_an_empty_file_is_refused(place, command):
    place.write("x.jsonl")
    assert fails(place, command, "x.jsonl") == "x.jsonl: is empty; expected at least one record"
    assert fails(place, command, "-", stdin="") == "stdin: is empty; expected at least one record"


@pytest.mark.parametrize("command", GOOD)
def test_a_file_whose_content_does_not_match_its_name_is_refused(place, command):
    place.write("x.jsonl.gz", GOOD[command])
    assert fails(place, command, "x.jsonl.gz").startswith("x.jsonl.gz: not gzip data")
    place.write("x.jsonl.gz", gzip.compress(json.dumps(GOOD[command]).encode() * 99)[:-20])
    assert (
        fails(place, command, "x.jsonl.gz")
        == "x.jsonl.gz: the gzip stream is cut off or broken; expected the whole file"
    )
    place.write("x.jsonl", gzip.compress(b"some text"))
    assert fails(place, command, "x.jsonl").startswith("x.jsonl:1: ")
    place.write("x.jsonl", "%PDF-1.7", b"\xff\x00\n")
    assert fails(place, command, "x.jsonl").startswith("x.jsonl:1: ")


@pytest.mark.parametrize("command", GOOD)
@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"id": "cut off', "broken JSON"),
        ("[1, 2]", "a JSON list; expected one JSON object per line"),
        ("5", "a JSON int"),
        (b'{"text": "\xff"}\n', "not UTF-8"),
        (r'{"question": "\ud800", "text": "\udfff"}', "broken JSON"),
    ],
)
def test_a_broken_line_is_reported_with_its_number(place, command, line, told):
    place.write("x.jsonl", GOOD[command], "", line)
    assert fails(place, command, "x.jsonl").startswith(f"x.jsonl:3: {told}")
    given = place.write("x.jsonl", GOOD[command], "", line).read_bytes()
    assert fails(place, command, "-", stdin=given).startswith(f"stdin:3: {told}")


@pytest.mark.parametrize("command", GOOD)
def test_a_missing_field_is_named(place, command):
    row = {name: value for name, value in GOOD[command].items() if name != NEEDED[command]}
    place.write("x.jsonl", GOOD[command], row)
    assert fails(place, command, "x.jsonl").startswith(f"x.jsonl:2: no field '{NEEDED[command]}'; expected")


@pytest.mark.parametrize(
    ("command", "changes", "told"),
    [
        ("preprocess", {"text": 5}, "'text' is int 5; expected a string"),
        ("preprocess", {"title": ["T"]}, "'title' is list ['T']; expected a string"),
        ("preprocess", {"id": 1.5}, "'id' is float 1.5; expected a string"),
        ("mine-negatives", {"question": 5}, "'question' is int 5; expected a string"),
        ("mine-negatives", {"answers": [5]}, "'answers' holds int 5; expected a list of strings"),
        ("mine-negatives", {"answers": 5}, "'answers' is int 5; expected a list of strings"),
        ("mine-negatives", {"answer_type": "glob"}, "answer_type 'glob'; expected string or regex"),
        ("train", {"positive_ctxs": [{"text": 5}]}, "'text' is int 5; expected a string"),
        ("train", {"positive_ctxs": 5}, "'positive_ctxs' is not a list of objects"),
        ("train-reader", {"ctxs": [{"id": 1, "text": 5}]}, "'text' is int 5; expected a string"),
        ("search", {"question": [5]}, "'question' is list [5]; expected a string"),
        ("search", {"question": ""}, "'question' is empty; expected a question"),
        ("read", {"ctxs": [{"id": 1, "text": "t", "score": "high"}]}, "'score' is 'high'; expected a number"),
        ("read", {"ctxs": ["text"]}, "'ctxs' is not a list of objects"),
        ("evaluate", {"alternatives": [], "answer": "a", "start": "x"}, "'start' is 'x'; expected a number"),
        (
            "evaluate",
            {"answer": "a", "alternatives": [{"answer": 5}]},
            "'answer' is int 5; expected a string",
        ),
    ],
)
def test_a_field_of_another_type_is_refused(place, command, changes, told):
    place.write("x.jsonl", GOOD[command], GOOD[command] | changes)
    assert fails(place, command, "x.jsonl").startswith(f"x.jsonl:2: {told}")


@pytest.mark.parametrize("command", GOOD)
def test_a_nul_character_is_refused(place, command):
    row = json.dumps(GOOD[command]).replace("who", r"wh\u0000o").replace("some", r"so\u0000me")
    place.write("x.jsonl", row)
    assert "holds a NUL character; expected text" in fails(place, command, "x.jsonl")


def test_a_duplicate_id_is_refused(place):
    place.write("x.jsonl", GOOD["preprocess"], {"id": "b", "text": "t"}, GOOD["preprocess"])
    assert (
        fails(place, "preprocess", "x.jsonl")
        == "x.jsonl:3: id 'a#0' occurs twice (first at x.jsonl:1); expected unique ids"
    )
    place.write("x.tsv", "id\ttext\ttitle", "7\ta\tT", "7\tb\tT")
    assert "id '7' occurs twice" in fails(place, "preprocess", "x.tsv")


def test_records_without_any_text_are_refused(place):
    place.write("x.jsonl", {"id": 1, "text": " "})
    assert (
        fails(place, "preprocess", "x.jsonl")
        == "x.jsonl: no passage in it (dropped without text 1); expected at least one record with text"
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["index", "--kind", "ivf"], "Invalid value for '--kind': 'ivf' is not one of"),
        (["index", "--hnsw-neighbors", "1", "--kind", "hnsw"], "Invalid value for '--hnsw-neighbors'"),
        (["index", "--hnsw-neighbors", "8"], "--hnsw-neighbors has an effect only with --kind hnsw"),
        (["index", "--kind", "bm25", "--vectors", "x"], "--vectors has no effect with --kind bm25"),
        (["index", "--passages", "x"], "--passages has an effect only with --kind bm25"),
        (["search", "who", "--mode", "magic"], "Invalid value for '--mode'"),
        (["search", "who", "-k", "many"], "Invalid value for '-k' / '--k'"),
        (
            ["search", "who", "--mode", "bm25", "--retriever", "starter"],
            "--retriever has no effect on a search by bm25",
        ),
        (["search", "who", "--answer-type", "regex"], "--answer-type has no effect on a single question"),
        (["search", "  "], "'question' is empty; ask something"),
        (["search", "\udcff\udcfe"], "'question' holds a lone surrogate"),
        (["search", "questions.jsonl", "-o", "."], "would take the place of its own input"),
        (["read", "who", "--nope"], "No such option: --nope"),
        (["read", "who", "-k", "0"], "Invalid value for '-k' / '--depth'"),
        (["evaluate", "--json", "--table", "read.jsonl"], "--json and --table contradict each other"),
        (["evaluate", "a=read.jsonl", "a=found.jsonl"], "two rows are named 'a'"),
        (["train", "--device", "abacus", "--force"], "abacus"),
        (["train", "--encoder", "base", "--pooling", "max"], "Invalid value for '--pooling'"),
        (["preprocess"], "no corpus given: name files or folders"),
        (["preprocess", "articles.jsonl", "--words", "0"], "Invalid value for '--words'"),
        (["unknown"], "No such command 'unknown'"),
    ],
)
def test_options_that_are_unknown_or_have_no_effect_are_refused(place, arguments, told):
    assert told in fails(place, *arguments, status=2)


def test_settings_from_environment_and_file_are_checked(place):
    assert "--kind" in fails(place, "index", status=2, DENSECLI_KIND="ivf")
    place.write("x.toml", "kind = 'ivf'")
    assert "--kind is 'ivf'; expected one of flat, hnsw, bm25" in fails(
        place, "index", "--config", "x.toml", status=2
    )


def test_a_question_longer_than_a_file_name_is_answered(place):
    ended = place.call("search", "who was born in Rome " * 500, "-k", 1).well()
    assert len(ended.rows[0]["ctxs"]) == 1


def test_a_passage_of_a_million_words_is_processed(program, tiny_retriever):
    """Cut into blocks, and whole: everything goes on, in seconds."""
    words = "the king of Rome " * 250_000
    program.write(
        "x.jsonl", {"id": "long", "title": "T", "text": words}, {"id": "short", "text": "a song of the sea"}
    )
    program.call("preprocess", "x.jsonl").well()
    assert len(PassageStore.open(program.workspace / "passages")) == 10_001
    program.call("preprocess", "x.jsonl", "--no-split", "--force").well()
    program.call("index", "--kind", "bm25").well()
    program.call("embed", "--retriever", tiny_retriever).well()
    program.call("index").well()
    for line in (["--mode", "bm25"], ["--mode", "dense", "--retriever", tiny_retriever]):
        found = program.call("search", "king of Rome", *line).well().rows[0]["ctxs"]
        assert found[0]["text" if found[0]["id"] == "long" else "id"] in (words, "short")
    program.write("q.jsonl", {"question": "king of Rome", "answers": ["king of Rome"]})
    program.call("mine-negatives", "q.jsonl").well()


def test_a_word_of_100_000_letters_is_processed(program, tiny_retriever):
    program.write(
        "x.jsonl", *({"id": n, "text": sign * 100_000} for n, sign in enumerate(["x", "a.b,", "1,’", "é-"]))
    )
    program.call("preprocess", "x.jsonl").well()
    program.call("index", "--kind", "bm25").well()
    program.call("embed", "--retriever", tiny_retriever).well()
    assert (
        program.call("search", "x" * 100_000, "--mode", "bm25", "-k", 1).well().rows[0]["ctxs"][0]["id"]
        == "0#0"
    )


STRANGE = "\u200fשלום \u202eabc\u202c \u2066king\u2069 of \ufeff𝔘lm \x07\x1b[31m e\u0301 \u2028 end"


def test_unusual_but_valid_text_is_kept_unchanged(program, tiny_retriever):
    program.write("x.jsonl", {"id": STRANGE, "title": STRANGE, "text": STRANGE})
    program.call("preprocess", "x.jsonl", "--no-split").well()
    program.call("index", "--kind", "bm25").well()
    program.call("embed", "--retriever", tiny_retriever).well()
    program.call("index").well()
    for line in (["--mode", "bm25"], ["--mode", "dense", "--retriever", tiny_retriever]):
        row = program.call("search", STRANGE, *line).well().rows[0]
        assert row["question"] == STRANGE
        assert {name: row["ctxs"][0][name] for name in ("id", "title", "text")} == dict.fromkeys(
            ("id", "title", "text"), STRANGE
        )
