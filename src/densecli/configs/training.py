"""Defaults of the stages that make training data and train models."""

from dataclasses import dataclass

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
        "gold: the passage that holds most of the given one; distant: BM25's first with an answer; keep: "
        "as given; auto: keep where the collection has it, gold where another is given, else distant.",
        choices=("auto", "gold", "distant", "keep"),
        source="section 4.2, appendix A",
    )
    distant_query: str = setting(
        "question",
        "What BM25 is asked for a distant positive; an answer is the first of its question.",
        choices=("question", "question+answer"),
        source="appendix A",
        when=("positives", ("auto", "distant")),
    )
    negatives: str = setting(
        "bm25",
        "Negatives for each question: any of bm25, dense (hard), random, gold (other questions' positives), "
        f"each with a count or {NEGATIVES}, such as bm25:30,random:50.",
        source="section 3.2",
    )
    keep_negatives: bool = setting(True, "Given negatives stay, before those that are found.")
    depth: int = setting(
        100, "Ranked passages looked at for each question.", min=1, max=10_000, source="section 4.2"
    )
    margin: float | None = setting(
        None,
        "Leave out bm25 and dense negatives whose score is not below the positive's by this share of it.",
        min=0,
        max=1,
    )
    answer_type: str | None = setting(
        None,
        "How answers are matched; by default as the file says, else string.",
        choices=("string", "regex"),
    )
    seed: int = setting(12345, "Seed of random and gold negatives.", min=0, max=1 << 31)

    def __post_init__(self) -> None:
        """Refuse negatives that cannot be had.

        Raises:
            UsageError: `negatives` is not a list of sources with counts, or wants more than `depth`, or none
                that `margin` has an effect on.
        """
        if self.margin is not None and not {"bm25", "dense"} & set(self.wanted):
            raise UsageError("--margin has an effect only on bm25 and dense --negatives")
        for source, count in self.wanted.items():
            if source in ("bm25", "dense") and count > self.depth:
                raise UsageError(
                    f"--negatives {source}:{count} wants more than --depth {self.depth} looks at"
                )

    @property
    def wanted(self) -> dict[str, int]:
        """How many negatives each source gives, in the order asked for."""
        wanted: dict[str, int] = {}
        for part in filter(None, self.negatives.replace(" ", "").split(",")):
            source, colon, count = part.partition(":")
            if source not in SOURCES or source in wanted or (colon and not _is_count(count)):
                raise UsageError(
                    f"--negatives is {self.negatives!r}; expected each of {', '.join(SOURCES)} at most once, "
                    f"with a count up to {MOST}, such as bm25:30,random:50"
                )
            wanted[source] = int(count) if colon else min(NEGATIVES, self.depth)
        return wanted


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 9 and int(text) <= MOST


@dataclass(frozen=True)
class TrainConfig:
    """Training of the two encoders (paper, sections 3.2 and 5)."""

    encoder: str = setting(
        "bert-base-uncased",
        "Model to start from: a folder, a Hub name, or `starter`.",
        source="section 5",
    )
    batch_size: int = setting(
        32, "Questions in a batch; the paper uses 128.", min=1, max=65_536, source="section 5"
    )
    hard_negatives: int = setting(
        1, "Hard negatives per question, shared by the batch.", min=0, max=100, source="section 5.2"
    )
    epochs: int = setting(
        3, "Passes over the examples; the paper: 40 (100 on small sets).", min=1, max=10_000
    )
    learning_rate: float = setting(
        2e-5, "Peak learning rate; the paper: 1e-5.", min=0, max=1e4, source="section 5"
    )
    warmup_steps: int | None = setting(None, "Steps of linear warm-up; by default a tenth of all.", min=0)
    dropout: float = setting(0.1, "Dropout while training.", min=0, max=0.9, source="section 5")
    weight_decay: float = setting(0.0, "AdamW weight decay.", min=0, max=1)
    max_grad_norm: float = setting(2.0, "Largest gradient norm.", min=1e-6, max=1e6)
    pooling: str | None = setting(
        None,
        "cls or mean; by default what the base model was made with, else cls.",
        choices=("cls", "mean"),
        source="section 3.1",
    )
    max_question_tokens: int = setting(64, "Word pieces of a question.", min=8, max=512)
    max_passage_tokens: int = setting(256, "Word pieces of title and passage.", min=16, max=512)
    freeze_embeddings: bool = setting(
        False, "Keep the word embeddings as they are, one table for both towers."
    )
    precision: str = setting(
        "auto",
        "Arithmetic: auto takes bf16 where the hardware has it; weights stay fp32.",
        choices=("auto", "fp32", "bf16"),
    )
    device: str = setting("auto", "auto, cpu, cuda or cuda:N.")
    seed: int = setting(12345, "Seed of order, negatives and dropout.", min=0, max=1 << 31)


@dataclass(frozen=True)
class TrainReaderConfig:
    """Training of the extractive reader (paper, section 6.1)."""

    encoder: str = setting(
        "bert-base-uncased",
        "Model to start from: a folder, a Hub name, or `starter`.",
        source="section 6.1",
    )
    batch_size: int = setting(16, "Questions in a batch.", min=1, max=4096, source="section 6.1")
    passages: int = setting(
        24,
        "Passages per question: one positive, the others negative.",
        min=1,
        max=200,
        source="section 6.1",
    )
    depth: int = setting(
        100, "Retrieved passages from which they are sampled.", min=1, max=10_000, source="section 6.1"
    )
    epochs: int = setting(1, "Passes over the questions.", min=1, max=10_000)
    learning_rate: float = setting(5e-5, "Peak learning rate; the paper: 1e-5.", min=0, max=1e4)
    warmup_steps: int | None = setting(None, "Steps of linear warm-up; by default a tenth of all.", min=0)
    dropout: float = setting(0.1, "Dropout while training.", min=0, max=0.9)
    weight_decay: float = setting(0.0, "AdamW weight decay.", min=0, max=1)
    max_grad_norm: float = setting(2.0, "Largest gradient norm.", min=1e-6, max=1e6)
    max_tokens: int = setting(350, "Word pieces of question, title and passage together.", min=32, max=512)
    max_spans: int = setting(10, "Answer spans used in a passage.", min=1, max=1000)
    max_answer_tokens: int = setting(10, "Word pieces of the longest answer read.", min=2, max=100)
    dev_questions: int = setting(200, "Dev questions read after each epoch.", min=1, max=100_000)
    dev_depth: int = setting(10, "Retrieved passages read for a dev question.", min=1, max=10_000)
    freeze_embeddings: bool = setting(False, "Keep the word embeddings as they are.")
    precision: str = setting(
        "auto",
        "Arithmetic: auto takes bf16 where the hardware has it; weights stay fp32.",
        choices=("auto", "fp32", "bf16"),
    )
    device: str = setting("auto", "auto, cpu, cuda or cuda:N.")
    seed: int = setting(42, "Seed of order, sampling and dropout.", min=0, max=1 << 31)
