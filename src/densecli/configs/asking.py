"""Defaults of the stages that answer questions and measure the answers."""

from dataclasses import dataclass

from densecli.configs.setting import setting


@dataclass(frozen=True)
class SearchConfig:
    """Retrieval of passages for questions (paper, section 3.1)."""

    mode: str | None = setting(
        None, "dense or bm25; by default dense where there is a dense index.", choices=("dense", "bm25")
    )
    k: int | None = setting(
        None,
        "Passages per question; by default 5 on a terminal, 100 in a pipe.",
        min=1,
        max=100_000,
        short="-k",
    )
    batch_size: int = setting(64, "Questions encoded and searched together.", min=1, max=65_536)
    answer_type: str | None = setting(
        None,
        "How answers are matched; by default as the file says, else string.",
        choices=("string", "regex"),
    )


@dataclass(frozen=True)
class ReadConfig:
    """Reading of answers in retrieved passages (paper, section 6.1)."""

    depth: int = setting(
        50,
        "Retrieved passages that are read for a question.",
        min=1,
        max=10_000,
        short="-k",
        source="section 6.2",
    )
    alternatives: int = setting(4, "Further answers kept beside the best.", min=0, max=100)
    batch_tokens: int = setting(4096, "Word pieces in one forward pass.", min=16, max=1 << 20)


@dataclass(frozen=True)
class EvaluateConfig:
    """Top-k accuracy and exact match (paper, sections 5.1 and 6.2)."""

    answer_type: str | None = setting(
        None, "How answers are matched; by default as each question says.", choices=("string", "regex")
    )
    fail_under: float | None = setting(
        None,
        "End with exit code 6 when exact match (without predictions: top-20) is below this per cent.",
        min=0,
        max=100,
    )
