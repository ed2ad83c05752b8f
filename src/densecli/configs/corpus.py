"""Defaults of the stages that turn text into a searchable collection."""

from dataclasses import dataclass

from densecli.configs.setting import setting


@dataclass(frozen=True)
class PreprocessConfig:
    """Splitting of articles into passages."""

    words: int = setting(100, "Words in a passage.", min=1, max=10_000, source="section 4.1")
    format: str = setting(
        "auto",
        "Form of the input: auto looks at the name and the first line.",
        choices=("auto", "jsonl", "psgs", "folder"),
    )
    split: bool = setting(True, "Cut articles into passages; --no-split takes each record as one passage.")


@dataclass(frozen=True)
class EmbedConfig:
    """Passages to vectors."""

    batch_tokens: int = setting(4096, "Word pieces in one forward pass.", min=16, max=1 << 20)
    shard_rows: int = setting(
        16_384,
        "Passages in one vector file; an interrupted run goes on after the last whole one.",
        min=256,
        max=1 << 24,
    )
    precision: str = setting(
        "auto",
        "Arithmetic: auto takes bf16 where the hardware has it.",
        choices=("auto", "fp32", "bf16"),
    )
    device: str = setting("auto", "auto, cpu, cuda or cuda:N.")


@dataclass(frozen=True)
class IndexConfig:
    """Vectors (or words) to an index."""

    kind: str = setting(
        "flat",
        "flat (exact), hnsw (approximate), or bm25 (words).",
        choices=("flat", "hnsw", "bm25"),
        source="sections 4.2 and 3.1",
    )
    hnsw_neighbors: int = setting(
        32,
        "Links per vector in the HNSW graph; the authors used 512.",
        min=2,
        max=512,
        when=("kind", ("hnsw",)),
    )
    hnsw_build_breadth: int = setting(
        200, "Candidates while building HNSW.", min=8, max=4096, when=("kind", ("hnsw",))
    )
    hnsw_search_breadth: int = setting(
        128, "Candidates while searching HNSW.", min=8, max=16384, when=("kind", ("hnsw",))
    )
    k1: float = setting(
        0.9,
        "BM25: saturation of term frequency.",
        min=0,
        max=10,
        source="section 4.2",
        when=("kind", ("bm25",)),
    )
    b: float = setting(
        0.4,
        "BM25: weight of passage length.",
        min=0,
        max=1,
        source="section 4.2",
        when=("kind", ("bm25",)),
    )
