import random
from collections import Counter

import pytest

from densecli.artifacts.kinds import PassagesManifest
from densecli.artifacts.passages.arrow import BLOCK
from densecli.artifacts.passages.batch import make_batch
from densecli.artifacts.passages.journal import Progress
from densecli.artifacts.passages.store import FILE, PassageStore
from densecli.artifacts.passages.writer import PassageSink
from densecli.errors import InputError
from densecli.records import Passage


def columns(first, end):
    rows = range(first, end)
    return (
        [f"a{row // 3}#{row % 3}" for row in rows],
        [f"T{row % 7}" for row in rows],
        [f"text of {row}" for row in rows],
        [f"a{row // 3}" for row in rows],
        [row % 3 * 100 for row in rows],
    )


def fill(sink, end, step=1000, offsets=False):
    """Add rows up to `end`, one record a row, as a run that goes on would."""
    moment = sink.begun
    for start in range(moment.rows, end, step):
        size = min(step, end - start)
        moment = moment.after(size, size, Counter(records=size), [])
        places = range(start + 1, start + size + 1)
        sink.add(make_batch(columns(start, start + size)[: 5 if offsets else 3], places), "x", moment)
    return moment


def whole(folder, rows, **options):
    folder.mkdir()
    sink = PassageSink(folder, **options)
    fill(sink, rows, **options)
    return sink.finish("x")


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_bytes_do_not_depend_on_the_blocks_of_rows(tmp_path):
    for step in (1, 999, 40_000):
        (tmp_path / str(step)).mkdir()
        sink = PassageSink(tmp_path / str(step))
        fill(sink, 20_000, step)
        sink.finish("x")
    assert content(tmp_path / "1") == content(tmp_path / "999") == content(tmp_path / "40000")


def test_articles_and_offsets_are_stored_on_request(tmp_path):
    finished = whole(tmp_path / "with", BLOCK + 2, offsets=True)
    PassagesManifest(fingerprint=finished.fingerprint).write(tmp_path / "with")
    store = PassageStore.open(tmp_path / "with")
    expected = Passage("a1#1", "T4", "text of 4", {"article": "a1", "offset": 100})
    assert store[4] == expected
    assert list(store.blocks(4, 5)) == [(4, [expected])]
    assert store[4].to_json()["meta"] == {"article": "a1", "offset": 100}
    assert Passage.from_json(store[4].to_json()) == expected
    assert whole(tmp_path / "without", BLOCK + 2).fingerprint != finished.fingerprint


class Killed(BaseException):
    pass


def cut_off(folder, rows, plan="plan", error=Killed, **options):
    """What a run leaves that was ended after some rows."""
    with pytest.raises(error), PassageSink(folder, plan=plan, **options) as sink:
        fill(sink, rows, **options)
        raise error("x", None, "broken") if error is InputError else error


@pytest.mark.parametrize("offsets", [False, True])
@pytest.mark.parametrize(
    "rows", [[BLOCK + 1500], [2 * BLOCK + 1500, 2 * BLOCK + 1600], [BLOCK + 999, 40_000, 41_000]]
)
def test_an_interrupted_store_is_resumed(tmp_path, rows, offsets):
    finished = whole(tmp_path / "at-once", 60_000, offsets=offsets)
    folder = tmp_path / "in-steps"
    folder.mkdir()
    reached = 0
    for end in rows:
        cut_off(folder, end, offsets=offsets)
        with PassageSink(folder, plan="plan", offsets=offsets) as sink:
            assert reached <= sink.begun.rows <= end
            assert sink.begun.rows > end - BLOCK - 1000
            assert sink.begun.records == sink.begun.counts["records"] == sink.begun.rows
            reached = sink.begun.rows
    sink = PassageSink(folder, plan="plan", offsets=offsets)
    fill(sink, 60_000, offsets=offsets)
    assert sink.finish("x") == finished
    assert content(folder) == content(tmp_path / "at-once")


@pytest.mark.parametrize(
    ("rows", "plan", "error"),
    [(BLOCK - 1, "plan", Killed), (3 * BLOCK, None, Killed), (3 * BLOCK, "plan", InputError)],
)
def test_unfinished_work_that_cannot_be_resumed_is_removed(tmp_path, rows, plan, error):
    cut_off(tmp_path, rows, plan, error)
    assert list(tmp_path.iterdir()) == []


def test_another_plan_starts_over(tmp_path):
    cut_off(tmp_path, 3 * BLOCK)
    with PassageSink(tmp_path, plan="another") as sink:
        assert sink.begun == Progress()
        fill(sink, 10)
        assert sink.finish("x").rows == 10
    assert {path.name for path in tmp_path.iterdir()} == {FILE, "ids.npy"}


@pytest.mark.parametrize("keep", [0, 8, 5000, 300_000])
def test_damaged_unfinished_work_is_not_resumed(tmp_path, keep):
    cut_off(tmp_path, 3 * BLOCK)
    (tmp_path / FILE).write_bytes((tmp_path / FILE).read_bytes()[:keep])
    sink = PassageSink(tmp_path, plan="plan")
    assert sink.begun == Progress()
    fill(sink, BLOCK)
    (tmp_path / "other").mkdir()
    assert sink.finish("x").fingerprint == whole(tmp_path / "at-once", BLOCK).fingerprint


def add(sink, *rows, source="x"):
    ids, places = zip(*rows, strict=True)
    sink.add(make_batch([ids, ["T"] * len(ids), ids], places), source, Progress())


def test_a_duplicate_is_reported_with_its_line(tmp_path):
    sink = PassageSink(tmp_path)
    add(sink, ("a", 1), ("b", 2))
    add(sink, ("c", 1), ("b", 7), source="y")
    with pytest.raises(InputError, match=r"^y:7: id 'b' occurs twice \(first at x:2\); expected unique ids$"):
        sink.finish("all")


def test_a_duplicate_without_a_line_is_reported_with_its_number(tmp_path):
    sink = PassageSink(tmp_path)
    add(sink, ("a", None), ("a", 1 << 40))
    with pytest.raises(InputError, match=r"^x: id 'a' occurs twice \(passages 1 and 2\)"):
        sink.finish("all")


def test_later_duplicates_are_dropped_when_ids_are_made_unique(tmp_path):
    rng = random.Random(0)
    names = [f"p{rng.randrange(15_000)}" for _ in range(20_000)]
    sink = PassageSink(tmp_path)
    for start in range(0, len(names), 1000):
        add(sink, *((name, None) for name in names[start : start + 1000]))
    finished = sink.finish("all", unique=True)
    unique = list(dict.fromkeys(names))
    assert (finished.rows, finished.left_out) == (len(unique), len(names) - len(unique))
    assert len(finished.errors) == 3
    store = PassageStore(tmp_path, finished.fingerprint)
    assert [passage.id for passage in store] == unique
    assert [store.row_of(name) for name in unique[:5]] == list(range(5))
    (tmp_path / "same").mkdir()
    same = PassageSink(tmp_path / "same")
    add(same, *((name, None) for name in unique))
    assert same.finish("all").fingerprint == finished.fingerprint


def test_a_repeated_article_is_dropped_completely(tmp_path):
    names = ["a#0", "b#0", "b#1", "a#0", "a#1", "a#2", "c#0", "#0", "#0", "d"]
    sink = PassageSink(tmp_path)
    add(sink, *((name, None) for name in names))
    finished = sink.finish("all", unique=True)
    assert [one.id for one in PassageStore(tmp_path, "")] == ["a#0", "b#0", "b#1", "c#0", "#0", "d"]
    assert finished.left_out == 4


def test_a_store_without_passages_is_refused(tmp_path):
    with pytest.raises(InputError, match="^all: no passage in it"):
        PassageSink(tmp_path).finish("all")
