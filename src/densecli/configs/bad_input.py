"""The setting that every command has that reads records: what one that cannot be used does."""

from typing import Any

from densecli.configs.setting import Condition, setting


def on_error_setting(when: Condition | None = None) -> Any:
    """Declare `on_error`, with the same words and the same default in every config."""
    return setting(
        "stop",
        "What to do with an invalid record: stop the run, or skip it and count it by reason.",
        choices=("stop", "skip"),
        when=when,
    )
