"""Defaults of the stages that train models."""

from dataclasses import dataclass
from typing import ClassVar

from densecli.configs.bad_input import on_error_setting
from densecli.configs.setting import setting
from densecli.errors import UsageError


@dataclass(frozen=True)
class FittingConfig:
    """What every training has: where it starts, how long it goes on, how it optimises."""

    USUAL_EPOCHS: ClassVar[int] = 1
    SMALL: ClassVar[int] = 10_000

    preset: str | None = setting(
        None,
        "paper, or dpr-nq, what the authors' release is set to for Natural Questions; what it sets is told, "
        "and options beside it come first.",
        choices=("paper", "dpr-nq"),
    )
    encoder: str = setting(
        "google-bert/bert-base-uncased",
        "Model to start from: a folder, a Hub name, or `starter`.",
        source="sections 5 and 6.1",
    )
    epochs: int | None = setting(
        None, f"Passes over the questions; by default {USUAL_EPOCHS}.", min=1, max=10_000
    )
    learning_rate: float = setting(1e-5, "Peak learning rate.", min=0, max=1e4, source="sections 5 and 6.1")
    warmup_steps: int | None = setting(None, "Steps of linear warm-up; by default a tenth of all.", min=0)
    dropout: float = setting(0.1, "Dropout while training.", min=0, max=0.9, source="section 5")
    weight_decay: float = setting(0.0, "AdamW weight decay.", min=0, max=1)
    max_grad_norm: float = setting(2.0, "Largest gradient norm.", min=1e-6, max=1e6)
    freeze_embeddings: bool = setting(False, "Keep the word embeddings as they are.")
    precision: str = setting(
        "auto",
        "Arithmetic: auto takes bf16 where the hardware has it; weights stay fp32.",
        choices=("auto", "fp32", "bf16", "fp16"),
    )
    device: str = setting("auto", "auto, cpu, cuda or cuda:N.")
    seed: int = setting(12345, "Seed of order, sampling and dropout.", min=0, max=1 << 31)
    validate_every: int | None = setting(
        None, "Look at --dev every so many updates, too; by default after each epoch.", min=1
    )
    early_stop: int | None = setting(
        None, "End after so many looks at --dev in turn that found nothing better.", min=1
    )
    on_error: str = on_error_setting()

    def passes(self, examples: int) -> int:
        """Return how often a training goes through so many examples."""
        return self.USUAL_EPOCHS if self.epochs is None else self.epochs


@dataclass(frozen=True)
class TrainConfig(FittingConfig):
    """Training of the two encoders (paper, sections 3.2 and 5)."""

    USUAL_EPOCHS: ClassVar[int] = 3
    PAPER_EPOCHS: ClassVar[int] = 40
    PAPER_EPOCHS_SMALL: ClassVar[int] = 100
    MOST_RATE: ClassVar[int] = 1000
    MOST_NEGATIVES: ClassVar[int] = 100_000

    batch_size: int = setting(
        32, "Questions in a batch; the paper uses 128.", min=1, max=65_536, source="section 5"
    )
    epochs: int | None = setting(
        None,
        f"Passes over the examples; by default {USUAL_EPOCHS}, with --preset paper {PAPER_EPOCHS}, or "
        f"{PAPER_EPOCHS_SMALL} where there are fewer than {FittingConfig.SMALL:,}.",
        min=1,
        max=10_000,
        source="section 5",
    )
    examples: int | None = setting(
        None,
        "Train on so many of the examples, chosen by the seed; fewer are part of more.",
        min=1,
        source="section 5.2",
    )
    sampling_rates: str | None = setting(
        None,
        "How often an epoch goes through each of several sets, such as 1,4; by default once, in --dataset "
        "multi webq and trec four times.",
        source="section 5",
    )
    shuffle_positives: bool = setting(
        False, "Draw the positive anew in each epoch; else it is the first of those given."
    )
    learning_rate: float = setting(
        2e-5, "Peak learning rate; the paper: 1e-5.", min=0, max=1e4, source="section 5"
    )
    freeze_embeddings: bool = setting(
        False, "Keep the word embeddings as they are, one table for both towers."
    )
    hard_negatives: int = setting(1, "Hard negatives per question.", min=0, max=1000, source="section 5.2")
    other_negatives: int = setting(
        0, "Random or gold negatives per question, from negative_ctxs.", min=0, max=1000, source="section 5.2"
    )
    in_batch: bool = setting(
        True,
        "All passages of a batch are negatives for every question; else only its own.",
        source="section 3.2",
    )
    similarity: str = setting(
        "auto",
        "What training and search compare vectors by, kept in the model; auto is what the encoder was trained"
        " by: cosine where it normalises, and dot where nothing is said, as in the paper.",
        choices=("auto", "dot", "cosine", "l2"),
        source="appendix B",
    )
    temperature: float = setting(
        0.05,
        "What cosines are divided by; the paper: 1.",
        min=1e-3,
        max=1e3,
        when=("similarity", ("auto", "cosine")),
    )
    loss: str = setting(
        "nll",
        "Negative log likelihood of the positive, or triplets of question, positive and negative.",
        choices=("nll", "triplet"),
        source="appendix B",
    )
    triplet_margin: float = setting(
        1.0,
        "By how much a positive should score above each negative.",
        min=0,
        max=1e6,
        source="appendix B",
        when=("loss", ("triplet",)),
    )
    distill: float | None = setting(
        None,
        "Share of the loss that is distillation: the KL divergence between the probabilities of a question's"
        " own passages and those of their teacher_score in the examples. By default 0.",
        min=0,
        max=1,
    )
    teacher_temperature: float = setting(1.0, "What teacher scores are divided by.", min=1e-3, max=1e3)
    pooling: str | None = setting(
        None,
        "cls or mean; by default what the base model was made with, else cls.",
        choices=("cls", "mean"),
        source="section 3.1",
    )
    projection: int | None = setting(
        None, "Length of vectors to which a linear layer projects the pooled ones.", min=2, max=65_536
    )
    shared_encoder: bool = setting(False, "One encoder for questions and passages.")
    fixed_passage_encoder: bool = setting(
        False, "Train the question encoder alone, over passage vectors that stay.", source="appendix D"
    )
    max_positives: int = setting(
        1,
        "Positives used of each question: training raises the sum of their probabilities.",
        min=1,
        max=1000,
        when=("fixed_passage_encoder", (True,)),
    )
    index_negatives: str | None = setting(
        None,
        "Negatives from all stored passages, found anew in every update: all, or how many of the best of each"
        " question.",
        when=("fixed_passage_encoder", (True,)),
    )
    check_depth: int = setting(
        100,
        "How many of a question's best stored passages are searched for its answers; those that hold one are"
        " no negatives.",
        min=0,
        max=10_000,
        when=("index_negatives", ()),
    )
    question_prefix: str | None = setting(None, "Text before each question, kept in the model.")
    passage_prefix: str | None = setting(None, "Text before each passage's title, kept in the model.")
    max_question_tokens: int = setting(64, "Word pieces of a question.", min=8, max=32_768)
    max_passage_tokens: int = setting(256, "Word pieces of title and passage.", min=16, max=32_768)
    trailing_sep: str = setting(
        "auto",
        "Whether inputs end in a [SEP] at the last position, as DPR 1.0's do; auto: as the base's.",
        choices=("auto", "yes", "no"),
    )
    token_types: str = setting(
        "auto",
        "Token types: zeros as DPR's, or 1 behind the first [SEP] (segments); auto: as the base's.",
        choices=("auto", "zeros", "segments"),
    )
    activation_memory: float | None = setting(
        None,
        "GiB of activations kept for the way back; what exceeds them is computed twice (cached gradients), "
        "with the same result. By default 4 on a CPU, half of a GPU's memory.",
        min=0,
        max=1e6,
    )
    gradient_checkpointing: bool = setting(
        False, "Keep only the inputs of each layer for the way back: less memory, more time."
    )
    average_gradients: bool = setting(
        False,
        "Divide gradients by the number of processes before they are clipped, as DPR does; of one process "
        "there is nothing to divide.",
    )
    validate_by: str = setting(
        "nll",
        "What tells the best model: nll; average-rank or top-k accuracy in a pool of dev passages; or search:"
        " top-k accuracy among all stored passages, with --fixed-passage-encoder.",
        choices=("nll", "average-rank", "top-k", "search"),
    )
    validate_k: int = setting(
        20,
        "The k of top-k accuracy.",
        min=1,
        max=10_000,
        when=("validate_by", ("average-rank", "top-k", "search")),
    )
    dev_questions: int = setting(
        1000,
        "Dev questions that are ranked; the passages of their examples are the pool.",
        min=1,
        max=100_000,
        when=("validate_by", ("average-rank", "top-k", "search")),
    )
    dev_negatives: int = setting(
        30,
        "At most so many hard and as many other negatives of each dev question in the pool.",
        min=0,
        max=1000,
        when=("validate_by", ("average-rank", "top-k")),
    )

    def __post_init__(self) -> None:
        """Refuse rates that are none, and negatives that cannot be had.

        Raises:
            UsageError: names the option.
        """
        _ = self.rates
        _ = self.index_depth
        several = [name for name in ("index_negatives", "max_positives") if self._chosen(name)]
        if several and self.fixed_passage_encoder and self.loss != "nll":
            raise UsageError(f"--{several[0].replace('_', '-')} is for --loss nll, not {self.loss}")
        if self.validate_by == "search" and not self.fixed_passage_encoder:
            raise UsageError(
                "--validate-by search needs --fixed-passage-encoder: else the vectors of all passages change"
            )

    def _chosen(self, name: str) -> bool:
        return bool(getattr(self, name) != getattr(type(self), name))

    @property
    def compares_index(self) -> bool:
        """Whether questions are compared with stored passages."""
        return self.fixed_passage_encoder and self.index_negatives is not None

    @property
    def index_depth(self) -> int | None:
        """How many of the best stored passages are a question's negatives; None where all or none are.

        Raises:
            UsageError: `index_negatives` is neither `all` nor such a number.
        """
        asked = self.index_negatives
        if asked in (None, "all"):
            return None
        if not (asked.isascii() and asked.isdigit() and 1 <= int(asked) <= self.MOST_NEGATIVES):
            raise UsageError(
                f"--index-negatives is {asked!r}; expected all, or a number up to {self.MOST_NEGATIVES:,}"
            )
        return int(asked)

    @property
    def rates(self) -> tuple[float, ...]:
        """The sampling rates as numbers; empty where none are given.

        Raises:
            UsageError: `sampling_rates` is not a list of numbers above 0, or one is larger than 1,000.
        """
        try:
            rates = tuple(map(float, self.sampling_rates.split(","))) if self.sampling_rates else ()
        except ValueError:
            rates = (0.0,)
        if not all(0 < rate <= self.MOST_RATE for rate in rates) or self.sampling_rates == "":
            raise UsageError(
                f"--sampling-rates is {self.sampling_rates!r}; expected numbers above 0 and up to"
                f" {self.MOST_RATE:,}, one for each set, such as 1,4"
            )
        return rates

    def passes(self, examples: int) -> int:
        """Return how often a training goes through so many examples."""
        if self.epochs is None and self.preset == "paper":
            return self.PAPER_EPOCHS_SMALL if examples < self.SMALL else self.PAPER_EPOCHS
        return super().passes(examples)


@dataclass(frozen=True)
class TrainReaderConfig(FittingConfig):
    """Training of the extractive reader (paper, section 6.1)."""

    USUAL_BATCH: ClassVar[int] = 16
    PAPER_BATCH_SMALL: ClassVar[int] = 4

    batch_size: int | None = setting(
        None,
        f"Questions in a batch; by default {USUAL_BATCH}, with --preset paper {PAPER_BATCH_SMALL} where "
        f"there are fewer than {FittingConfig.SMALL:,}.",
        min=1,
        max=4096,
        source="section 6.1",
    )
    learning_rate: float = setting(
        5e-5, "Peak learning rate; the paper: 1e-5.", min=0, max=1e4, source="section 6.1"
    )
    seed: int = setting(42, "Seed of order, sampling and dropout.", min=0, max=1 << 31)
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
    max_tokens: int = setting(350, "Word pieces of question, title and passage together.", min=32, max=32_768)
    token_types: str = setting(
        "auto",
        "Token types: zeros, or 1 behind the question as in DPR 1.0 (segments); auto: as the base's.",
        choices=("auto", "zeros", "segments"),
    )
    max_spans: int = setting(10, "Answer spans used in a passage.", min=1, max=1000)
    max_answer_tokens: int = setting(10, "Word pieces of the longest answer read.", min=2, max=100)
    dev_questions: int = setting(200, "Dev questions read after each epoch.", min=1, max=100_000)
    dev_depth: int = setting(10, "Retrieved passages read for a dev question.", min=1, max=10_000)

    def batch(self, questions: int) -> int:
        """Return how many questions a batch has when so many are trained on."""
        if self.batch_size is not None:
            return self.batch_size
        small = self.preset == "paper" and questions < self.SMALL
        return self.PAPER_BATCH_SMALL if small else self.USUAL_BATCH
