"""Defaults of the stage that makes training data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from densecli.configs.bad_input import on_error_setting
from densecli.configs.engine import engine_setting
from densecli.configs.setting import setting
from densecli.errors import UsageError

SOURCES = ("bm25", "dense", "random", "gold")
NEGATIVES = 10
MOST = 10_000


@dataclass(frozen=True)
class MineConfig:
    """Questions with answers to training examples (paper, sections 3.2 and 4.2, appendix A)."""

    positives: str = setting(
        "auto",
        "gold: the passage that overlaps most with the given one. distant: the best BM25 passage "
        "with an answer. keep: as given. auto: keep if the collection has it, gold if another "
        "passage is given, else distant.",
        choices=("auto", "gold", "distant", "keep"),
        source="section 4.2, appendix A",
    )
    max_positives: int = setting(
        1,
        "Positives per question. Further ones are the best passages with an answer in the results "
        "of BM25 and, with dense negatives, of the index, merged by rank.",
        min=1,
        max=1000,
    )
    distant_query: str = setting(
        "question",
        "BM25 query used to find a distant positive: the question, or the question plus its first answer.",
        choices=("question", "question+answer"),
        source="appendix A",
        when=("positives", ("auto", "distant")),
    )
    negatives: str = setting(
        "bm25",
        "Negatives per question: any of bm25, dense, random, gold (positives of other questions), each with "
        f"a count ({NEGATIVES} by default), such as bm25:30,random:50. none: only those that are given.",
        source="section 3.2",
    )
    keep_negatives: bool = setting(True, "Keep given negatives, before those that are found.")
    depth: int = setting(
        100, "Ranked passages to examine per question.", min=1, max=10_000, source="section 4.2"
    )
    margin: float | None = setting(
        None,
        "Drop BM25 and dense negatives that score above (1 - margin) x the score of the positive.",
        min=0,
        max=1,
    )
    answer_type: str | None = setting(
        None,
        "How answers are matched. By default as the file says, else string.",
        choices=("string", "regex"),
    )
    engine: str = engine_setting("What encodes questions for dense negatives")
    seed: int = setting(12345, "Seed of random and gold negatives, and of `audit`.", min=0, max=1 << 31)
    on_error: str = on_error_setting()

    def __post_init__(self) -> None:
        """Refuse negatives that cannot be had.

        Raises:
            UsageError: `negatives` is not a list of sources with counts, or wants more than `depth`.
        """
        for source, count in self.wanted.items():
            if source in ("bm25", "dense") and count > self.depth:
                raise UsageError(
                    f"`negatives` {source}:{count} needs more than `depth` {self.depth} passages"
                )

    def check_effects(self, settings: Mapping[str, Any]) -> None:
        """Refuse settings that were given and would change nothing but the recipe.

        Raises:
            UsageError: names the setting.
        """
        given = {name for name, value in settings.items() if value is not None}
        if "seed" in given and not {"random", "gold"} & set(self.wanted):
            raise UsageError("`seed` has an effect only on random and gold `negatives`, and on `audit`")
        if "margin" in given and not {"bm25", "dense"} & set(self.wanted):
            raise UsageError("`margin` has an effect only on bm25 and dense `negatives`")
        if "engine" in given and "dense" not in self.wanted:
            raise UsageError("`engine` has an effect only with `negatives=dense`")
        if "depth" in given and not self.uses_bm25 and "dense" not in self.wanted:
            raise UsageError("`depth` has an effect only where BM25 or vectors are searched")

    @property
    def uses_bm25(self) -> bool:
        """Whether BM25 is searched for anything."""
        return self.positives != "keep" or self.max_positives > 1 or "bm25" in self.wanted

    @property
    def wanted(self) -> dict[str, int]:
        """How many negatives each source gives, in the order asked for."""
        wanted: dict[str, int] = {}
        if self.negatives == "none":
            return wanted
        if not self.negatives.strip(" ,"):
            raise UsageError("`negatives` is empty; expected a list such as bm25:30,random:50, or none")
        for part in filter(None, self.negatives.replace(" ", "").split(",")):
            source, colon, count = part.partition(":")
            if source not in SOURCES or source in wanted or (colon and not _is_count(count)):
                raise UsageError(
                    f"`negatives` is {self.negatives!r}; expected each of {', '.join(SOURCES)} at most once, "
                    f"with a count up to {MOST}, such as bm25:30,random:50"
                )
            most = min(NEGATIVES, self.depth) if source in ("bm25", "dense") else NEGATIVES
            wanted[source] = int(count) if colon else most
        return wanted


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 9 and int(text) <= MOST
