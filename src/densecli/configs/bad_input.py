"""The setting that every command has that reads records: what one that cannot be used does."""

from typing import Any

from densecli.configs.setting import Condition, setting


def on_error_setting(when: Condition | None = None) -> Any:
    """Declare `on_error`, with the same words and the same default in every config."""
    return setting(
        "stop",
        "What a record that cannot be used does: stop ends the run, skip counts it by reason and goes on.",
        choices=("stop", "skip"),
        when=when,
    )
