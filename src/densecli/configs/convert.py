"""Settings of `convert`."""

import re
from dataclasses import dataclass

from densecli.configs.bad_input import on_error_setting
from densecli.configs.setting import setting
from densecli.errors import UsageError

MODEL_FORMS = ("retriever", "reader", "dpr-checkpoint", "dpr-hf", "sentence-transformers")
TAKEN_VECTORS = ("vectors", "index")
GIVEN_VECTORS = ("dpr-vectors", "dpr-index", "pyserini-vectors", "pyserini-index")
RECORD_FORMS = (
    "jsonl", "dpr", "psgs", "tevatron", "tevatron-ids", "beir", "flag-embedding", "trec", "msmarco",
)  # fmt: skip
ARTIFACT_FORMS = (*MODEL_FORMS, *TAKEN_VECTORS, *GIVEN_VECTORS)


@dataclass(frozen=True)
class ConvertConfig:
    """From the form of one program to that of another."""

    to: str | None = setting(
        None,
        "Format to write. The choices depend on the input (docs/formats.md).",
        choices=(*RECORD_FORMS, *ARTIFACT_FORMS),
    )
    take: str | None = setting(
        None,
        "What to take from the input. By default everything.",
        choices=("questions", "examples", "results", "qrels"),
    )
    qrels_split: str = setting(
        "train", "Name of the judgments in a BEIR folder: qrels/NAME.tsv.", when=("to", ("beir",))
    )
    base: str | None = setting(
        None,
        "DPR checkpoints: folder with the tokenizer and config.json of their BERT model.",
        when=("to", ("retriever", "reader", "dpr-checkpoint")),
        names_input=True,
    )
    trailing_sep: str = setting(
        "auto",
        "Put a [SEP] at the last position of each input. auto: as the DPR checkpoint says.",
        choices=("auto", "yes", "no"),
        when=("to", ("retriever",)),
    )
    token_types: str = setting(
        "auto",
        "DPR readers: zeros, or type 1 after the question (segments). auto: as the checkpoint says.",
        choices=("auto", "zeros", "segments"),
        when=("to", ("reader",)),
    )
    allow_missing: bool = setting(
        False, "Use a zero vector for passages without a vector.", when=("to", TAKEN_VECTORS)
    )
    id_prefix: str | None = setting(
        None,
        "Prefix of passage ids in other programs' files. By default wiki: when reading, none when writing.",
        when=("to", (*TAKEN_VECTORS, *GIVEN_VECTORS)),
    )
    on_error: str = on_error_setting(when=("to", (*RECORD_FORMS, None)))

    def __post_init__(self) -> None:
        """Refuse a name of judgments that is none.

        Raises:
            UsageError: it leads to another folder, or has odd characters.
        """
        if not re.fullmatch(r"\w[\w.-]*", self.qrels_split):
            raise UsageError(f"`qrels_split` is {self.qrels_split!r}; expected a name such as train or test")
