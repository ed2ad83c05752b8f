"""Defaults of the command that lists and fetches datasets."""

from dataclasses import dataclass

from densecli.configs.setting import setting


@dataclass(frozen=True)
class DatasetsConfig:
    """The datasets of the paper (section 4.2)."""

    fetch: str | None = setting(
        None,
        "Download questions, examples or all of the named dataset, every split.",
        choices=("questions", "examples", "all"),
        source="section 4.2",
    )
