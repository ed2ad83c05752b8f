"""Settings of `convert`."""

from dataclasses import dataclass

from densecli.configs.bad_input import on_error_setting
from densecli.configs.setting import setting

MODEL_FORMS = ("retriever", "reader", "dpr-checkpoint", "dpr-hf", "sentence-transformers")
TAKEN_VECTORS = ("vectors", "index")
GIVEN_VECTORS = ("dpr-vectors", "dpr-index", "pyserini-vectors", "pyserini-index")
RECORD_FORMS = (
    "jsonl", "dpr", "psgs", "tevatron", "tevatron-ids", "beir", "flag-embedding", "trec", "msmarco",
)  # fmt: skip
ARTEFACT_FORMS = (*MODEL_FORMS, *TAKEN_VECTORS, *GIVEN_VECTORS)


@dataclass(frozen=True)
class ConvertConfig:
    """From the form of one program to that of another."""

    to: str | None = setting(
        None,
        "Form to write; what it is depends on what the input holds (docs/formats.md).",
        choices=(*RECORD_FORMS, *ARTEFACT_FORMS),
    )
    take: str | None = setting(
        None,
        "What to take from the input; by default all that it holds.",
        choices=("questions", "examples", "results", "qrels"),
    )
    qrels_split: str = setting(
        "train", "Name of the judgements in a BEIR folder: qrels/NAME.tsv.", when=("to", ("beir",))
    )
    base: str | None = setting(
        None,
        "DPR checkpoints: folder with the tokenizer and config.json of the BERT they began with.",
        when=("to", ("retriever", "reader", "dpr-checkpoint")),
    )
    trailing_sep: str = setting(
        "auto",
        "Whether inputs end in a [SEP] at the last position; auto: as the DPR checkpoint says.",
        choices=("auto", "yes", "no"),
        when=("to", ("retriever",)),
    )
    token_types: str = setting(
        "auto",
        "DPR's readers: zeros, or type 1 behind the question (segments); auto: as the checkpoint says.",
        choices=("auto", "zeros", "segments"),
        when=("to", ("reader",)),
    )
    allow_missing: bool = setting(
        False, "Give passages without a vector one of zeros.", when=("to", TAKEN_VECTORS)
    )
    id_prefix: str | None = setting(
        None,
        "What other programs put before passage ids; by default wiki: when read, nothing when written.",
        when=("to", (*TAKEN_VECTORS, *GIVEN_VECTORS)),
    )
    on_error: str = on_error_setting(when=("to", (*RECORD_FORMS, None)))
