"""The options of `index --kind bm25`: each changes what a query finds, and goes with the index."""

import pytest

TEXTS = {
    "running": "The runners were running in Málaga",
    "case": "PIN codes and a pin",
    "stop": "to be or not to be",
    "wide": "Ｆｕｌｌ width",
}


@pytest.fixture
def lexical(program):
    program.write("texts.jsonl", *({"id": name, "text": text} for name, text in TEXTS.items()))
    program.call("preprocess", "texts.jsonl", "--no-split").well()
    return program


def found(program, query, *options):
    program.call("index", "--kind", "bm25", "--force", *options).well()
    rows = program.call("search", query, "--mode", "bm25", "-k", 4).well().rows
    return [ctx["id"] for ctx in rows[0]["ctxs"]]


@pytest.mark.parametrize(
    ("query", "options", "without", "with_them"),
    [
        ("run", ["--stemmer", "none"], ["running"], []),
        ("runner", ["--stemmer", "english"], ["running"], ["running"]),
        ("to be", ["--stop-words", "none"], [], ["stop"]),
        ("codes", ["--stop-words", "code codes"], ["case"], []),
        ("malaga", ["--unicode", "plain"], [], ["running"]),
        ("full", ["--unicode", "nfkc"], [], ["wide"]),
        ("CODES", ["--no-lower-case"], ["case"], []),
        ("PIN", ["--no-lower-case"], ["case"], ["case"]),
    ],
)
def test_a_query_is_analyzed_as_the_index(lexical, query, options, without, with_them):
    assert found(lexical, query) == without
    assert found(lexical, query, *options) == with_them


def test_another_analysis_makes_another_index(lexical):
    lexical.call("index", "--kind", "bm25").well()
    assert "up to date" in lexical.call("index", "--kind", "bm25").well().stderr
    ended = lexical.call("index", "--kind", "bm25", "--unicode", "plain")
    assert (ended.status, "unicode was nfc, now plain" in ended.error) == (4, True)


@pytest.mark.parametrize(
    "option", ["--stemmer=none", "--stop-words=none", "--unicode=nfc", "--no-lower-case"]
)
def test_bm25_options_have_no_effect_on_a_dense_index(lexical, option):
    ended = lexical.call("index", option)
    assert (ended.status, "has an effect only with --kind bm25" in ended.error) == (2, True)


def test_any_number_of_workers_gives_the_same_index(prepared, monkeypatch):
    monkeypatch.setattr("densecli.lexical.build.BLOCK", 8)
    before = {name: digest for name, digest in prepared.results().items() if name.startswith("bm25/")}
    for workers in (1, 2):
        line = ["index", "--kind", "bm25", "-o", f"words-{workers}", "--workers", workers]
        prepared.call(*line).well()
        for name, digest in before.items():
            if not name.endswith("manifest.json"):
                assert (prepared.folder / f"words-{workers}" / name[5:]).read_bytes() == (
                    prepared.workspace / name
                ).read_bytes(), digest


def test_workers_have_an_effect_only_on_bm25(prepared):
    ended = prepared.call("index", "--workers", 2, "--force")
    assert (ended.status, "--workers has an effect only with --kind bm25" in ended.error) == (2, True)
