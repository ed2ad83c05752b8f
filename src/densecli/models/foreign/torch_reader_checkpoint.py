"""Writes a reader as DPR's own checkpoint (`.cp`), in the form of its first release."""

from pathlib import Path

from densecli.models.foreign.bert_reader import CHECKPOINT_PREFIX, BertReader
from densecli.models.foreign.torch_checkpoint import BASE, with_pooler, write_checkpoint


def write_reader_checkpoint(reader: BertReader, path: Path, base: str = BASE) -> None:
    """Write encoder and heads; `torch.load(weights_only=True)` and every DPR read the file.

    Args:
        reader: a BERT with heads. Its token types are noted among the parameters, where DPR does not look:
            the first release takes zeros, 1.0 segments.
        path: the file.
        base: Hub name or folder of the BERT whose tokenizer and config DPR is to take: the file has neither.
    """
    weights = with_pooler(reader.tower, CHECKPOINT_PREFIX) | dict(reader.tower.heads)
    card = reader.card
    params = {
        "pretrained_model_cfg": base, "sequence_length": card.max_tokens, "token_types": card.token_types
    }  # fmt: skip
    write_checkpoint(path, weights, reader.tokenizer, params)
