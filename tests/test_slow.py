"""The list of slow tests names what is there."""

import pytest

from slow import SLOW, TESTS


@pytest.mark.parametrize("entry", SLOW)
def test_every_entry_exists(entry: str) -> None:
    place, _, name = entry.partition("::")
    assert (TESTS / place).exists()
    assert not name or f"def {name}(" in (TESTS / place).read_text()
