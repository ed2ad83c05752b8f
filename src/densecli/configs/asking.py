"""Defaults of the stages that answer questions and measure the answers."""

from dataclasses import dataclass

from densecli.configs.bad_input import on_error_setting
from densecli.configs.engine import engine_setting
from densecli.configs.setting import setting

HYBRID = ("mode", (None, "hybrid"))
LINEAR = ("fusion", ("linear",))


@dataclass(frozen=True)
class SearchConfig:
    """Retrieval of passages for questions (paper, section 3.1)."""

    mode: str | None = setting(
        None,
        "hybrid, dense or bm25. By default hybrid if both indexes exist, else the one that exists.",
        choices=("hybrid", "dense", "bm25"),
    )
    k: int | None = setting(
        None,
        "Passages per question. By default 5 on a terminal, 100 in a pipe.",
        min=1,
        max=100_000,
        short="-k",
    )
    format: str | None = setting(
        None,
        "Format of the results. By default readable text on a terminal, else JSON lines.",
        choices=("jsonl", "text", "dpr", "trec", "msmarco", "tevatron"),
    )
    batch_size: int | None = setting(
        None,
        "Questions encoded and searched together. By default chosen from index size and memory.",
        min=1,
        max=65_536,
    )
    answer_type: str | None = setting(
        None,
        "How answers are matched. By default as the file says, else string.",
        choices=("string", "regex"),
    )
    fusion: str = setting(
        "linear",
        "Fusion of hybrid search: linear (BM25 + λ sim) or rrf (reciprocal ranks).",
        choices=("linear", "rrf"),
        source="section 5.1",
        when=HYBRID,
    )
    preset: str | None = setting(
        None,
        "paper: the authors' λ, which fits their encoders. dpr-nq is for training.",
        choices=("paper", "dpr-nq"),
        when=LINEAR,
    )
    fusion_weight: float | None = setting(
        None,
        "λ. By default the tuned value; if none is tuned, λ is set per question from the spread of "
        "its scores.",
        min=0,
        max=1e9,
        short="--lambda",
        when=LINEAR,
    )
    missing: str = setting(
        "score",
        "Score for a passage that only one side found: compute it (score), or use the lowest score "
        "of that side (min).",
        choices=("score", "min"),
        when=LINEAR,
    )
    candidates: int = setting(
        2000,
        "Passages that each side of hybrid search proposes, or -k if that is larger.",
        min=1,
        max=100_000,
        source="section 5.1",
        when=HYBRID,
    )
    engine: str = engine_setting("What encodes the questions")
    on_error: str = on_error_setting()


DEFAULT_DEPTH = 50
"""Passages that are read by default."""


@dataclass(frozen=True)
class ReadConfig:
    """Reading of answers in retrieved passages (paper, section 6.1)."""

    depth: int | None = setting(
        None,
        f"Retrieved passages to read per question. By default the tuned number; if none is tuned, "
        f"{DEFAULT_DEPTH}.",
        min=1,
        max=10_000,
        short="-k",
        source="section 6.2",
    )
    alternatives: int = setting(4, "Further answers to keep after the best one.", min=0, max=100)
    select: str | None = setting(
        None,
        "passage: the best span of the most relevant passage, as in the paper. joint: weigh span, passage "
        "and retrieval score, and add up equal answers. By default what `tune` chose, else passage.",
        choices=("passage", "joint"),
        source="section 6.1",
    )
    min_score: float | None = setting(
        None,
        "Give no answer if its score is lower. `tune` prints the precision at several scores.",
        min=-1e6,
        max=1e6,
    )
    decode: str = setting(
        "text",
        "Copy the answer from the passage (text), or join its word pieces as the authors' code does "
        "(reference).",
        choices=("text", "reference"),
    )
    batch_tokens: int | None = setting(
        None, "Word pieces per forward pass. By default what suits the engine.", min=16, max=1 << 20
    )
    precision: str = setting(
        "auto",
        "Number format of the computation. auto uses bf16 for many questions if the hardware supports it.",
        choices=("auto", "fp32", "bf16", "fp16"),
    )
    device: str = setting("auto", "auto, cpu, cuda or cuda:N. auto reads a single question on the CPU.")
    engine: str = engine_setting("What runs the reader")
    on_error: str = on_error_setting()


@dataclass(frozen=True)
class EvaluateConfig:
    """Top-k accuracy, exact match, F1 and measures of qrels (paper, sections 5.1 and 6.2)."""

    top_k: str = setting(
        "1,5,20,100", "Values of k for top-k accuracy, with commas between.", short="-k", source="section 5.1"
    )
    answer_type: str | None = setting(
        None, "How answers are matched. By default as each question says.", choices=("string", "regex")
    )
    resamples: int = setting(
        10_000,
        "Random resamples behind each confidence interval and each significance test.",
        min=100,
        max=10_000_000,
    )
    seed: int = setting(0, "Seed of the resamples.", min=0, max=2**32 - 1)
    fail_under: str | None = setting(
        None,
        "Exit with code 6 if a measure is below a value: top20=0.75, EM=40, nDCG@10=0.3, with commas "
        "between. A value up to 1 is a share, above 1 a percentage. Without a name it is for exact match, or "
        "for top-20 accuracy where nothing was read.",
    )
    on_error: str = on_error_setting()
