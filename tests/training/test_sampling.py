"""Batches of one or several sets, against the reference's own and by their rules."""

import json
from collections import Counter
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from densecli.training.sampling import Source, epoch_batches, first_examples

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "batching.json").read_text())


def sources_of(sizes: list[int], rates: list[float]) -> list[Source]:
    starts = [sum(sizes[:place]) for place in range(len(sizes))]
    return [
        Source(range(start, start + size), rate, f"set{place}")
        for place, (start, size, rate) in enumerate(zip(starts, sizes, rates, strict=True))
    ]


def test_batches_match_the_reference() -> None:
    traces = [trace for trace in GOLDEN["iterators"] if trace["world"] == 1]
    assert traces
    for trace in traces:
        sources = sources_of(trace["sizes"], trace["sampling_rates"])
        names = [f"{'ab'[place]}{row}" for place, size in enumerate(trace["sizes"]) for row in range(size)]
        assert [source.batches(trace["batch"]) for source in sources] == trace["per_set"]
        for epoch in (0, 1):
            batches = epoch_batches(sources, trace["batch"], trace["seed"], epoch)
            expected = [rows for rows, _ in trace[f"epoch{epoch}"]]
            assert [[names[row] for row in rows] for rows in batches] == expected


@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=4),
    rate=st.floats(0.1, 5),
    batch_size=st.integers(1, 12),
    epoch=st.integers(0, 3),
)
def test_a_batch_comes_from_one_set_without_duplicates(
    sizes: list[int], rate: float, batch_size: int, epoch: int
) -> None:
    sources = sources_of(sizes, [rate] + [1.0] * (len(sizes) - 1))
    seen: Counter[int] = Counter()
    batches = Counter[str]()
    for rows in epoch_batches(sources, batch_size, 7, epoch):
        (source,) = [source for source in sources if set(rows) <= set(source.rows)]
        assert len(set(rows)) == len(rows) == min(batch_size, len(source.rows))
        seen.update(rows)
        batches[source.name] += 1
    for source in sources:
        size = min(batch_size, len(source.rows))
        assert batches[source.name] == int(len(source.rows) // size * source.rate)
        times = [seen[row] for row in source.rows]
        assert max(times) - min(times) <= 1, "it is gone through in turn"


def test_an_epoch_uses_each_example_once_in_its_own_order() -> None:
    sources = sources_of([12], [1.0])
    epochs = [list(epoch_batches(sources, 4, 1, epoch)) for epoch in (0, 1, 0)]
    assert all(sorted(row for rows in epoch for row in rows) == list(range(12)) for epoch in epochs)
    assert epochs[0] == epochs[2] != epochs[1]


def test_a_set_without_examples_or_with_too_low_a_rate_gives_no_batch() -> None:
    assert Source(range(0)).batches(4) == 0
    assert Source(range(9), 0.4).batches(4) == 0
    assert Source(range(9), 0.5).batches(4) == 1


@given(sizes=st.lists(st.integers(1, 30), min_size=1, max_size=3), seed=st.integers(0, 9))
def test_a_smaller_selection_is_part_of_a_larger_one(sizes: list[int], seed: int) -> None:
    sources = sources_of(sizes, [2.0] * len(sizes))
    before: set[int] = set()
    for count in range(sum(sizes) + 1):
        chosen = first_examples(sources, count, seed)
        rows = [row for source in chosen for row in source.rows]
        assert len(rows) == count
        assert before <= set(rows)
        assert all(set(few.rows) <= set(all_of.rows) for few, all_of in zip(chosen, sources, strict=True))
        assert [(one.rate, one.name) for one in chosen] == [(one.rate, one.name) for one in sources]
        before = set(rows)


def test_the_selection_depends_on_the_seed() -> None:
    chosen = {tuple(first_examples([Source(range(100))], 10, seed)[0].rows) for seed in range(5)}
    assert len(chosen) == 5
    assert tuple(range(10)) not in chosen
