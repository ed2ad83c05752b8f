"""Writes a reader as DPR's own checkpoint (`.cp`), in the form of its first release."""

from pathlib import Path

from densecli.encoders.torch_checkpoint import BASE, with_pooler, write_checkpoint
from densecli.reader.bert_reader import CHECKPOINT_PREFIX, BertReader


def write_reader_checkpoint(reader: BertReader, path: Path, base: str = BASE) -> None:
    """Write encoder and heads; `torch.load(weights_only=True)` and every DPR read the file.

    Args:
        reader: a BERT with heads.
        path: the file.
        base: Hub name or folder of the BERT whose tokenizer and config DPR is to take: the file has neither.
    """
    weights = with_pooler(reader.tower, CHECKPOINT_PREFIX) | dict(reader.tower.heads)
    params = {"pretrained_model_cfg": base, "sequence_length": reader.card.max_tokens}
    write_checkpoint(path, weights, reader.tokenizer, params)
