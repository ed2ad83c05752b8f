"""Defaults of the stages that train models."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from densecli.configs.bad_input import on_error_setting
from densecli.configs.setting import setting
from densecli.errors import UsageError


@dataclass(frozen=True)
class FittingConfig:
    """What every training has: where it starts, how long it lasts, how it optimizes."""

    USUAL_EPOCHS: ClassVar[int] = 1
    SMALL: ClassVar[int] = 10_000
    MOST_RATE: ClassVar[int] = 1000

    preset: str | None = setting(
        None,
        "Settings of the paper, or of the authors' release for NQ (dpr-nq). Prints the values it "
        "sets; options you give override it.",
        choices=("paper", "dpr-nq"),
    )
    encoder: str = setting(
        "google-bert/bert-base-uncased",
        "Model to start from: a folder, a Hub name, or `starter`.",
        source="sections 5 and 6.1",
        names_input=True,
    )
    epochs: int | None = setting(
        None, f"Passes over the questions. By default {USUAL_EPOCHS}.", min=1, max=10_000
    )
    learning_rate: float = setting(1e-5, "Peak learning rate.", min=0, max=1e4, source="sections 5 and 6.1")
    warmup_steps: int | None = setting(
        None, "Steps of linear warm-up. By default a tenth of all steps.", min=0
    )
    dropout: float = setting(0.1, "Dropout during training.", min=0, max=0.9, source="section 5")
    weight_decay: float = setting(0.0, "AdamW weight decay.", min=0, max=1)
    max_grad_norm: float = setting(2.0, "Largest gradient norm.", min=1e-6, max=1e6)
    freeze_embeddings: bool = setting(False, "Do not train the word embeddings.")
    precision: str = setting(
        "auto",
        "Number format of the computation. auto uses bf16 if the hardware supports it; weights stay fp32.",
        choices=("auto", "fp32", "bf16", "fp16"),
    )
    device: str = setting("auto", "auto, cpu, cuda or cuda:N.", affects_result=False)
    seed: int = setting(12345, "Seed of order, sampling and dropout.", min=0, max=1 << 31)
    validate_every: int | None = setting(
        None, "Also validate on `dev` after this many updates. By default after each epoch.", min=1
    )
    early_stop: int | None = setting(
        None, "Stop after this many validations in a row without improvement.", min=1
    )
    on_error: str = on_error_setting()

    @property
    def rates(self) -> tuple[float, ...]:
        """The sampling rates as numbers; empty where none are given.

        Raises:
            UsageError: `sampling_rates` is not a list of numbers above 0, or one is larger than 1,000.
        """
        given: str | None = self.sampling_rates  # type: ignore[attr-defined]  # of the classes below
        try:
            rates = tuple(map(float, given.split(","))) if given else ()
        except ValueError:
            rates = (0.0,)
        if not all(0 < rate <= self.MOST_RATE for rate in rates) or given == "":
            raise UsageError(
                f"`sampling_rates` is {given!r}; expected numbers above 0 and up to"
                f" {self.MOST_RATE:,}, one for each set, such as 1,4"
            )
        return rates

    def passes(self, examples: int) -> int:
        """Return how often a training goes through this many examples."""
        return self.USUAL_EPOCHS if self.epochs is None else self.epochs

    def check_warmup(self, steps: int, warn: Callable[[str], object]) -> None:
        """Warn if the warm-up does not end within a training of `steps` updates."""
        if self.warmup_steps is not None and 0 < steps <= self.warmup_steps:
            warn(
                f"`warmup_steps` {self.warmup_steps:,} is not below the {steps:,} updates of the training:"
                " the learning rate never reaches its peak"
            )


@dataclass(frozen=True)
class TrainConfig(FittingConfig):
    """Training of the two encoders (paper, sections 3.2 and 5)."""

    USUAL_EPOCHS: ClassVar[int] = 3
    PAPER_EPOCHS: ClassVar[int] = 40
    PAPER_EPOCHS_SMALL: ClassVar[int] = 100
    MOST_NEGATIVES: ClassVar[int] = 100_000

    batch_size: int = setting(
        32, "Questions per batch. The paper uses 128.", min=1, max=65_536, source="section 5"
    )
    epochs: int | None = setting(
        None,
        f"Passes over the examples. By default {USUAL_EPOCHS}; with `preset=paper` {PAPER_EPOCHS}, or "
        f"{PAPER_EPOCHS_SMALL} for fewer than {FittingConfig.SMALL:,} examples.",
        min=1,
        max=10_000,
        source="section 5",
    )
    examples: int | None = setting(
        None,
        "Train on a random subset of this size. A smaller subset is contained in a larger one with "
        "the same seed.",
        min=1,
        source="section 5.2",
    )
    sampling_rates: str | None = setting(
        None,
        "How often an epoch repeats each of several sets, such as 1,4. By default once; in "
        "`dataset=multi` webq and trec four times.",
        source="section 5",
    )
    shuffle_positives: bool = setting(
        False, "Draw a random positive in each epoch. Otherwise the first one is used."
    )
    learning_rate: float = setting(
        2e-5, "Peak learning rate. The paper uses 1e-5.", min=0, max=1e4, source="section 5"
    )
    freeze_embeddings: bool = setting(False, "Do not train the word embeddings. Both towers share one table.")
    hard_negatives: int = setting(1, "Hard negatives per question.", min=0, max=1000, source="section 5.2")
    other_negatives: int = setting(
        0, "Random or gold negatives per question, from negative_ctxs.", min=0, max=1000, source="section 5.2"
    )
    in_batch: bool = setting(
        True,
        "Use all passages of a batch as negatives for every question, except those that equal a positive "
        "of it (or of the same question in another example) but for case, punctuation and spaces.",
        source="section 3.2",
    )
    similarity: str = setting(
        "auto",
        "Similarity of vectors in training and search, stored in the model. auto uses what the "
        "encoder was trained with: cosine if it normalizes its vectors, else dot, as in the paper.",
        choices=("auto", "dot", "cosine", "l2"),
        source="appendix B",
    )
    temperature: float = setting(
        0.05,
        "Temperature: cosines are divided by it.",
        min=1e-3,
        max=1e3,
        when=("similarity", ("auto", "cosine")),
    )
    loss: str = setting(
        "nll",
        "nll: negative log likelihood of the positive. triplet: triplets of question, positive and negative.",
        choices=("nll", "triplet"),
        source="appendix B",
    )
    triplet_margin: float = setting(
        1.0,
        "Margin of the triplet loss.",
        min=0,
        max=1e6,
        source="appendix B",
        when=("loss", ("triplet",)),
    )
    distill: float | None = setting(
        None,
        "Weight of distillation in the loss: the KL divergence between the model's and the "
        "teacher's probabilities of a question's own passages (teacher_score in the examples). By "
        "default 0.",
        min=0,
        max=1,
    )
    teacher_temperature: float = setting(
        1.0, "Temperature of the teacher: its scores are divided by it.", min=1e-3, max=1e3
    )
    pooling: str | None = setting(
        None,
        "cls or mean. By default what the base model was trained with, else cls.",
        choices=("cls", "mean"),
        source="section 3.1",
    )
    projection: int | None = setting(
        None, "Add a linear layer that projects vectors to this length.", min=2, max=65_536
    )
    shared_encoder: bool = setting(False, "Use one encoder for questions and passages.")
    fixed_passage_encoder: bool = setting(
        False, "Train only the question encoder. Existing passage vectors stay valid.", source="appendix D"
    )
    max_positives: int = setting(
        1,
        "Positives per question. Training maximizes the sum of their probabilities.",
        min=1,
        max=1000,
        when=("fixed_passage_encoder", (True,)),
    )
    index_negatives: str | None = setting(
        None,
        "Negatives from all stored passages, searched again in every update: all, or the number of "
        "best passages per question.",
        when=("fixed_passage_encoder", (True,)),
    )
    check_depth: int = setting(
        100,
        "Best stored passages per question that are checked for an answer. Those with an answer are "
        "not used as negatives.",
        min=0,
        max=10_000,
        when=("index_negatives", ()),
    )
    question_prefix: str | None = setting(None, "Text before each question, stored in the model.")
    passage_prefix: str | None = setting(None, "Text before the title of each passage, stored in the model.")
    max_question_tokens: int = setting(
        64,
        "Maximum word pieces of a question. A retriever that is trained further keeps its own.",
        min=8,
        max=32_768,
    )
    max_passage_tokens: int = setting(
        256,
        "Maximum word pieces of title and passage. A retriever that is trained further keeps its own.",
        min=16,
        max=32_768,
    )
    trailing_sep: str = setting(
        "auto",
        "Put a [SEP] at the last position of each input, as DPR 1.0 does. auto: as the base model.",
        choices=("auto", "yes", "no"),
    )
    token_types: str = setting(
        "auto",
        "Token types: zeros as in DPR, or 1 after the first [SEP] (segments). auto: as the base model.",
        choices=("auto", "zeros", "segments"),
    )
    activation_memory: float | None = setting(
        None,
        "GiB of activations to keep for the backward pass. A larger batch is computed twice (cached "
        "gradients) with the same result. By default 4 on a CPU, half of the memory of a GPU.",
        min=0,
        max=1e6,
        affects_result=False,
    )
    gradient_checkpointing: bool = setting(
        False,
        "Keep only the inputs of each layer for the backward pass: less memory, more time.",
        affects_result=False,
    )
    average_gradients: bool = setting(
        False,
        "With several processes, divide gradients by their number before clipping, as DPR does.",
    )
    validate_by: str = setting(
        "nll",
        "Measure that selects the best model: nll; average-rank or top-k accuracy in a pool of dev "
        "passages; or search: top-k accuracy among all stored passages (with "
        "`fixed_passage_encoder`).",
        choices=("nll", "average-rank", "top-k", "search"),
    )
    validate_k: int = setting(
        20,
        "k of top-k accuracy.",
        min=1,
        max=10_000,
        when=("validate_by", ("average-rank", "top-k", "search")),
    )
    dev_questions: int = setting(
        1000,
        "Dev questions to rank. The passages of their examples are the pool.",
        min=1,
        max=100_000,
        when=("validate_by", ("average-rank", "top-k", "search")),
    )
    dev_negatives: int = setting(
        30,
        "Hard negatives, and as many other negatives, of each dev question in the pool.",
        min=0,
        max=1000,
        when=("validate_by", ("average-rank", "top-k")),
    )

    def __post_init__(self) -> None:
        """Refuse invalid rates, and negatives that cannot be had.

        Raises:
            UsageError: names the option.
        """
        _ = self.rates
        _ = self.index_depth
        several = [name for name in ("index_negatives", "max_positives") if self._differs(name)]
        if several and self.fixed_passage_encoder and self.loss != "nll":
            raise UsageError(f"`{several[0]}` is for `loss=nll`, not {self.loss}")
        if self.validate_by == "search" and not self.fixed_passage_encoder:
            raise UsageError(
                "`validate_by=search` needs `fixed_passage_encoder`: else the vectors of all passages change"
            )

    def _differs(self, name: str) -> bool:
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
                f"`index_negatives` is {asked!r}; expected all, or a number up to {self.MOST_NEGATIVES:,}"
            )
        return int(asked)

    def passes(self, examples: int) -> int:
        """Return how often a training goes through this many examples."""
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
        f"Questions per batch. By default {USUAL_BATCH}; with `preset=paper` {PAPER_BATCH_SMALL} for fewer "
        f"than {FittingConfig.SMALL:,} questions.",
        min=1,
        max=4096,
        source="section 6.1",
    )
    learning_rate: float = setting(
        5e-5, "Peak learning rate. The paper uses 1e-5.", min=0, max=1e4, source="section 6.1"
    )
    seed: int = setting(42, "Seed of order, sampling and dropout.", min=0, max=1 << 31)
    passages: int = setting(
        24,
        "Passages per question: one positive, the rest negatives.",
        min=1,
        max=200,
        source="section 6.1",
    )
    depth: int = setting(100, "Retrieved passages to sample from.", min=1, max=10_000, source="section 6.1")
    choice: str = setting(
        "all",
        "Passages to sample from: all, or as the authors' release (dpr): positives of the gold page if "
        "`gold` names it, else at most 20; ten negatives for each positive, but 50 to 150.",
        choices=("all", "dpr"),
    )
    sampling_rates: str | None = setting(
        None,
        "How often an epoch repeats each of several sets, such as 1,4. By default once.",
        source="section 5",
    )
    max_tokens: int = setting(
        350, "Maximum word pieces of question, title and passage together.", min=32, max=32_768
    )
    token_types: str = setting(
        "auto",
        "Token types: zeros, or 1 after the question as in DPR 1.0 (segments). auto: as the base model.",
        choices=("auto", "zeros", "segments"),
    )
    reader_loss: str = setting(
        "masked",
        "Softmaxes over the passages alone, and the mean of a batch (masked); or as in the authors' release: "
        "also over question, title, padding and empty rows, and the sum (dpr).",
        choices=("masked", "dpr"),
    )
    max_spans: int = setting(10, "Maximum answer spans used per passage.", min=1, max=1000)
    max_answer_tokens: int = setting(10, "Maximum word pieces of an answer.", min=2, max=100)
    dev_questions: int = setting(200, "Dev questions to read at each validation.", min=1, max=100_000)
    dev_depth: int = setting(10, "Retrieved passages to read per dev question.", min=1, max=10_000)

    def __post_init__(self) -> None:
        """Refuse invalid rates.

        Raises:
            UsageError: names the option.
        """
        _ = self.rates

    def batch(self, questions: int) -> int:
        """Return how many questions a batch has when this many are trained on."""
        if self.batch_size is not None:
            return self.batch_size
        small = self.preset == "paper" and questions < self.SMALL
        return self.PAPER_BATCH_SMALL if small else self.USUAL_BATCH
