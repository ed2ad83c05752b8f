from hypothesis import given
from hypothesis import strategies as st

from densecli.encoders.length_batches import length_batches, pad


@given(st.lists(st.integers(1, 40)), st.integers(1, 100))
def test_every_row_is_in_one_batch_within_the_budget(lengths: list[int], budget: int) -> None:
    batches = length_batches([[0] * length for length in lengths], budget)
    assert sorted(row for rows in batches for row in rows.tolist()) == list(range(len(lengths)))
    for rows in batches:
        assert len(rows) == 1 or len(rows) * max(lengths[row] for row in rows) <= budget
    padded = [max(lengths[row] for row in rows) for rows in batches]
    assert padded == sorted(padded, reverse=True)


def test_padding_is_masked() -> None:
    ids, mask = pad([[5, 6, 7], [8]], 9)
    assert ids.tolist() == [[5, 6, 7], [8, 9, 9]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]
