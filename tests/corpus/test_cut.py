import gzip
import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from densecli.configs.corpus import PreprocessConfig
from densecli.corpus import cut as stage
from densecli.corpus import source as source_module
from densecli.corpus.columns import Columns
from densecli.corpus.cut import preprocess
from densecli.corpus.json_records import jsonl_source
from densecli.corpus.source import Dropped, Source
from densecli.errors import FieldError, InputError
from densecli.records import Article, Passage


def given_record(payload):
    """Payloads that are the records already; a text alone is one that cannot be parsed, `code: what`."""
    if isinstance(payload, str):
        code, _, what = payload.partition(": ")
        raise FieldError(what, "better", code=code)
    return payload


def source(*records, name="x", broken=None):
    def raw():
        yield from enumerate(records, 1)
        if broken:
            raise InputError(name, None, broken)

    return Source(name, raw(), given_record, size=lambda payload: 16)


def columns(cut):
    return [column.to_pylist() for column in cut.passages.rows.columns]


def run(*sources, workers=1, done=0, **config):
    cuts = list(preprocess(sources, PreprocessConfig(**config), workers, done))
    counts = sum((cut.counts for cut in cuts), Counter())
    errors = [error for cut in cuts for error in cut.errors]
    passages = [Passage(*row) for cut in cuts for row in zip(*columns(cut)[:3], strict=True)]
    return passages, counts, errors


def ids(passages):
    return [passage.id for passage in passages]


def test_articles_become_disjoint_blocks():
    passages, counts, errors = run(
        source(Article("a", "T", "one two\nthree\u00a0four  five"), Article("b", "", "six")), words=2
    )
    assert passages == [
        Passage("a#0", "T", "one two"),
        Passage("a#1", "T", "three four"),
        Passage("a#2", "T", "five"),
        Passage("b#0", "", "six"),
    ]
    assert counts == {"records": 2, "passages_without_title": 1}
    assert not errors


def test_every_passage_has_its_article_offset_and_line():
    records = source(Article("a", "T", "1 2 3 4 5"), Passage("p", "", "x"), Article("b", "", "6"))
    (cut,) = preprocess([records], PreprocessConfig(words=3, stride=2, keep_offsets=True))
    assert columns(cut) == [
        ["a#0", "a#1", "p", "b#0"],
        ["T", "T", "", ""],
        ["1 2 3", "3 4 5", "x", "6"],
        ["a", "a", "p", "b"],
        [0, 2, 0, 0],
    ]
    assert (cut.name, cut.passages.places.tolist(), cut.records) == ("x", [1, 1, 2, 3], 3)


@pytest.mark.parametrize(
    ("config", "texts", "dropped"),
    [
        ({}, ["1 2 3", "4 5", "6"], 0),
        ({"tail": "drop"}, ["1 2 3"], 2),
        ({"tail": "wrap"}, ["1 2 3", "4 5 1", "6"], 0),
        ({"min_words": 2}, ["1 2 3", "4 5"], 1),
        ({"min_words": 3}, ["1 2 3"], 2),
        ({"tail": "wrap", "min_words": 3}, ["1 2 3", "4 5 1"], 1),
    ],
)
def test_the_short_last_passage_follows_the_setting(config, texts, dropped):
    articles = Article("a", "T", "1 2 3 4 5"), Article("b", "T", "6")
    passages, counts, _ = run(source(*articles), words=3, **config)
    assert [passage.text for passage in passages] == texts
    assert counts == {"records": 2} | ({"dropped_too_short": dropped} if dropped else {})


def test_passages_are_kept_as_they_are():
    text = " two  spaces and more than two words "
    assert run(source(Passage("1", "T", text)), words=2, tail="drop")[0] == [Passage("1", "T", text)]
    assert run(source(Article("1", "T", text)), words=2, split=False)[0] == [Passage("1", "T", text)]


def test_dropped_articles_are_counted_by_reason():
    passages, counts, _ = run(
        source(
            Article("a", "T", ""), Passage("b", "T", " \n\u2003"), Dropped("redirect"), Article("c", "T", "x")
        )
    )
    assert ids(passages) == ["c#0"]
    assert counts == {"records": 4, "dropped_without_text": 2, "dropped_redirect": 1}


def test_records_without_id_are_numbered_over_all_sources():
    first = [source(Article("", "", "a"), Article("mine", "", "b")), source(Passage("", "", "c"), name="y")]
    assert ids(run(*first, make_ids=True)[0]) == ["1#0", "mine#0", "3"]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_bad_record_stops_the_run_after_earlier_records(monkeypatch, workers):
    monkeypatch.setattr(source_module, "BATCH_RECORDS", 2)
    records = [Article(str(number), "", "t") for number in range(20)]
    cuts = preprocess([jsonl(records, bad=17)], PreprocessConfig(), workers)
    assert [columns(next(cuts))[0] for _ in range(8)] == [[f"{n}#0", f"{n + 1}#0"] for n in range(0, 16, 2)]
    with pytest.raises(
        InputError, match=r"^x:18: no field 'text'; expected an object with 'text' \(`text_column`"
    ):
        next(cuts)


def test_bad_records_are_skipped_and_counted_by_reason():
    good = Article("a", "T", "t")
    bad = [
        "broken_json: broken JSON (at 3)",
        "broken_json: broken JSON (at 9)",
        "wrong_type: 'text' is int 5",
        "wrong_type: 'text' is int 6",
        "missing_field: no field 'id'",
    ]
    passages, counts, errors = run(source(good, *bad, good), on_error="skip")
    assert ids(passages) == ["a#0", "a#0"]
    assert counts == {
        "records": 7,
        "skipped_broken_json": 2,
        "skipped_wrong_type": 2,
        "skipped_missing_field": 1,
    }
    assert errors == [
        "x:2: broken JSON (at 3); expected better",
        "x:3: broken JSON (at 9); expected better",
        "x:4: 'text' is int 5; expected better",
    ]


def test_the_rest_of_a_broken_file_is_skipped_and_the_next_file_is_read():
    sources = (
        lambda: source(Article("a", "T", "t"), broken="cut off"),
        lambda: source(name="y", broken="no gzip"),
        lambda: source(Article("c", "T", "t"), name="z"),
    )
    passages, counts, errors = run(*(make() for make in sources), on_error="skip")
    assert ids(passages) == ["a#0", "c#0"]
    assert counts == {"records": 2, "skipped_rest_of_broken_file": 2}
    assert errors == ["x: cut off", "y: no gzip"]
    cuts = preprocess((make() for make in sources), PreprocessConfig())
    assert columns(next(cuts))[0] == ["a#0"]
    with pytest.raises(InputError, match="^x: cut off$"):
        next(cuts)


def test_input_is_read_one_block_at_a_time(monkeypatch):
    monkeypatch.setattr(source_module, "BATCH_RECORDS", 2)
    drawn = []

    def raw():
        for number in range(100):
            drawn.append(number)
            yield number, Article(str(number), "", "a b c")

    stream = preprocess([Source("x", raw(), given_record)], PreprocessConfig(words=1))
    assert columns(next(stream))[0] == ["0#0", "0#1", "0#2", "1#0", "1#1", "1#2"]
    assert len(drawn) == 5


def test_blocks_are_limited_by_size(monkeypatch):
    monkeypatch.setattr(source_module, "BATCH_SIZE", 100)
    records = [Article(str(number), "", "t") for number in range(10)]
    blocks = stage.raw_blocks([source(*records), source(*records[:1])], PreprocessConfig())
    assert [(block.first, len(block.records)) for block in blocks] == [(1, 7), (8, 3), (11, 1)]


def jsonl(records, bad=None):
    rows = [{"id": one.id, "title": one.title, "text": one.text} for one in records]
    if bad is not None:
        del rows[bad]["text"]
    made = jsonl_source("-", Columns())
    lines = enumerate((json.dumps(row).encode() for row in rows), 1)
    return Source("x", lines, made.parse)


@pytest.mark.parametrize("config", [{}, {"tail": "wrap", "stride": 2}, {"on_error": "skip"}])
def test_any_number_of_workers_gives_the_same_passages(monkeypatch, config):
    monkeypatch.setattr(source_module, "BATCH_RECORDS", 3)
    monkeypatch.setattr(stage, "ALONE", 1)
    records = [Article(str(number), f"T{number % 3}", "word " * (number % 11)) for number in range(50)]

    def made(workers):
        return run(jsonl(records, bad=7 if config else None), workers=workers, words=4, **config)

    config = {"on_error": "skip", **config}
    assert made(1) == made(2) == made(3)


@settings(max_examples=30, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 9), min_size=1, max_size=20),
    size=st.integers(1, 5),
    done=st.integers(0, 20),
)
def test_resuming_after_any_record_gives_the_rest(lengths, size, done):
    records = [Article(str(n), "", "w " * length) for n, length in enumerate(lengths)]
    half = len(records) // 2

    def made(**options):
        return run(source(*records[:half]), source(*records[half:], name="y"), words=2, **options)

    before, source_module.BATCH_RECORDS = source_module.BATCH_RECORDS, size
    try:
        whole, rest = made(), made(done=done)
    finally:
        source_module.BATCH_RECORDS = before
    later = {str(n) for n in range(done, len(records))}
    assert rest[0] == [passage for passage in whole[0] if passage.id.partition("#")[0] in later]
    assert rest[1]["records"] == max(0, len(records) - done)


def test_an_article_of_a_million_words_is_cut(tmp_path):
    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps({"id": "a", "text": "word " * 1_000_000}).encode()))
    passages, _, _ = run(jsonl_source(str(path), Columns()))
    assert len(passages) == 10_000
    assert passages[-1] == Passage("a#9999", "", " ".join(["word"] * 100))
