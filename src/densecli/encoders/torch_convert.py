"""Models to and from the files of other programs, where torch is needed: it takes seconds to load."""

from pathlib import Path

from densecli.encoders.convert import Convert, ModelOptions
from densecli.encoders.torch_base import open_retriever
from densecli.encoders.torch_save import save_retriever
from densecli.models.foreign.bert_reader import BertReader
from densecli.models.foreign.bert_tower import BertRetriever
from densecli.models.foreign.torch_checkpoint import BASE, write_reader_checkpoint, write_retriever_checkpoint
from densecli.models.reader_heads import ENCODER


def take_encoder(source: Path, target: Path, _: ModelOptions) -> None:
    """Write a retriever folder of any encoder, which becomes both towers.

    Raises:
        ArtifactError: the model is not whole, damaged, or not supported.
    """
    save_retriever(open_retriever(str(source)), target)


def give_checkpoint(source: Path, target: Path, options: ModelOptions) -> None:
    """Write the `.cp` file of a retriever or reader folder."""
    base = options.base or BASE
    if (source / ENCODER).is_dir():
        write_reader_checkpoint(BertReader.read(source), target, base)
    else:
        write_retriever_checkpoint(BertRetriever.read(source), target, base)


CONVERSIONS: dict[str, Convert] = {"retriever": take_encoder, "dpr-checkpoint": give_checkpoint}
"""What `--to` writes of a model."""
