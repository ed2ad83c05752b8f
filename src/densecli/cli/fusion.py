"""Which weight λ a hybrid search uses (paper, section 5.1)."""

from dataclasses import dataclass
from pathlib import Path

from densecli.configs.asking import SearchConfig


@dataclass(frozen=True)
class Pair:
    """What a λ belongs to, by fingerprint, and the dense index whose folder keeps it."""

    index: Path
    retriever: str
    bm25: str


def chosen_weight(config: SearchConfig, pair: Pair) -> tuple[float | None, str]:
    """Return λ, or None for one by the spread of each question's scores, and say which it is.

    The user's comes first, then the one tuned for this pair and rule.

    Raises:
        ArtifactError: the file of the tuned one is damaged.
    """
    if config.fusion == "rrf":
        return None, "hybrid by reciprocal ranks"
    if config.fusion_weight is not None:
        return config.fusion_weight, f"hybrid, λ {config.fusion_weight:g}"
    from densecli.io.fusion_weight import FusionWeight

    tuned = FusionWeight.read(pair.index)
    if tuned and (tuned.retriever, tuned.bm25, tuned.missing) == (pair.retriever, pair.bm25, config.missing):
        return tuned.weight, f"hybrid, λ {tuned.weight:g} (tuned on {tuned.questions:,} questions)"
    why = "the tuned λ is for another retriever, BM25 index or --missing" if tuned else "no λ is tuned"
    return None, f"hybrid, λ by the spread of each question's scores ({why})"
