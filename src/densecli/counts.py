"""Counts by reason, as people read them."""

from collections.abc import Mapping


def format_counts(counts: Mapping[str, int]) -> str:
    """Return counts in one line: `passages 1,200, dropped without text 3`."""
    return ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in counts.items())
