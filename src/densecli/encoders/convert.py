"""Models to and from the files of other programs, without torch; `torch_convert` has the rest."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from densecli.models.foreign.bert_reader import (
    BertReader,
    read_dpr_reader,
    read_reader_checkpoint,
    write_dpr_reader,
)
from densecli.models.foreign.bert_tower import BertRetriever
from densecli.models.foreign.dpr_checkpoint import read_retriever_checkpoint
from densecli.models.foreign.dpr_folder import FOLDERS, is_dpr_pair, read_dpr_pair, write_dpr_pair
from densecli.models.foreign.sentence_transformers_folder import (
    is_sentence_transformers_pair,
    read_sentence_transformers_pair,
    write_sentence_transformers,
)
from densecli.models.reader_heads import ENCODER


@dataclass(frozen=True)
class ModelOptions:
    """What a model's file does not say.

    `base` is the folder of tokenizer and config for reading a DPR checkpoint, and its name for writing one;
    `trailing_sep` whether inputs end in a `[SEP]` at the last position, `token_types` whether they mark
    segments; None if the file says so.
    """

    base: str | None = None
    trailing_sep: bool | None = None
    token_types: str | None = None


def take_retriever(source: Path, target: Path, options: ModelOptions) -> None:
    """Write a retriever folder of a DPR checkpoint, or of a pair of DPR or sentence-transformers folders.

    Raises:
        ArtifactError: the model is not whole, damaged, or not supported.
    """
    if source.is_file():
        base = None if options.base is None else Path(options.base)
        read_retriever_checkpoint(source, base, options.trailing_sep).write(target)
    elif is_dpr_pair(source):
        read_dpr_pair(*(source / name for name in FOLDERS.values())).write(target)
    else:
        read_sentence_transformers_pair(source).write(target)


def take_reader(source: Path, target: Path, options: ModelOptions) -> None:
    """Write a reader folder of a DPR checkpoint or of a Hugging Face `DPRReader`.

    Raises:
        ArtifactError: the model is not whole, damaged, or not supported.
    """
    if source.is_file():
        base = None if options.base is None else Path(options.base)
        read_reader_checkpoint(source, base, options.token_types).write(target)
    else:
        read_dpr_reader(source).write(target)


def give_dpr_folder(source: Path, target: Path, _: ModelOptions) -> None:
    """Write the Hugging Face DPR folders of a retriever, or the one of a reader."""
    if (source / ENCODER).is_dir():
        write_dpr_reader(BertReader.read(source), target)
    else:
        write_dpr_pair(BertRetriever.read(source), target)


def give_sentence_transformers(source: Path, target: Path, _: ModelOptions) -> None:
    """Write the two sentence-transformers folders of a retriever."""
    write_sentence_transformers(BertRetriever.read(source), target)


def needs_torch(form: str, source: Path) -> bool:
    """Whether `torch_convert` makes that form of a model: a checkpoint, or a retriever of any encoder."""
    read_here = source.is_file() or is_dpr_pair(source) or is_sentence_transformers_pair(source)
    return form == "dpr-checkpoint" or (form == "retriever" and not read_here)


Convert = Callable[[Path, Path, ModelOptions], None]
CONVERSIONS: dict[str, Convert] = {
    "retriever": take_retriever,
    "reader": take_reader,
    "dpr-hf": give_dpr_folder,
    "sentence-transformers": give_sentence_transformers,
}
"""What `--to` writes of a model."""
