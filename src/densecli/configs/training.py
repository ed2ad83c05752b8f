"""Defaults of the stages that make training data and train models."""

from dataclasses import dataclass

from densecli.configs.setting import setting


@dataclass(frozen=True)
class MineConfig:
    """Questions with answers to training examples (paper, section 4.2 and appendix A)."""

    depth: int = setting(
        100, "BM25 passages looked at for each question.", min=1, max=10_000, source="section 4.2"
    )
    hard_negatives: int = setting(
        10, "Best-ranked passages without an answer kept as hard negatives.", min=0, max=1000
    )
    answer_type: str | None = setting(
        None,
        "How answers are matched; by default as the file says, else string.",
        choices=("string", "regex"),
    )


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
