"""Losses of questions with their passages, computed in small chunks of like length."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from densecli.configs.training import TrainReaderConfig
from densecli.encoders.length_batches import length_batches, pad
from densecli.encoders.torch_hardware import arithmetic
from densecli.reader.examples import Sample
from densecli.reader.torch_loss import relevance_loss, span_loss
from densecli.reader.torch_model import Logits, ReaderModel

# on a CPU, as in training.forward
CHUNK_TOKENS = {"cpu": 1024, "cuda": 8192}
GROUP_TOKENS = {"cpu": 4096, "cuda": 8192}


@dataclass(frozen=True, slots=True)
class FullShape:
    """The shape of a question in the authors' release, (passages, tokens), which its softmaxes run over.

    Rows are padded to `tokens` positions, and empty rows are added up to `passages` rows.
    """

    passages: int
    tokens: int

    @classmethod
    def of(cls, config: TrainReaderConfig) -> Self | None:
        """Return the shape that the loss of a training asks for, if it asks for one."""
        return cls(config.passages, config.max_tokens) if config.reader_loss == "dpr" else None


def groups(samples: Sequence[Sample], budget: int, full: FullShape | None = None) -> Iterator[list[Sample]]:
    """Yield the questions in groups of at most `budget` word pieces, but at least one question.

    Questions do not share passages here, so the gradient of a group adds to that of the others exactly.
    """
    group: list[Sample] = []
    size = 0
    for one in samples:
        length = full.passages * full.tokens if full else sum(map(len, one.rows))
        if group and size + length > budget:
            yield group
            group, size = [], 0
        group.append(one)
        size += length
    if group:
        yield group


def losses(
    model: ReaderModel,
    samples: Sequence[Sample],
    pad_id: int,
    precision: torch.dtype,
    full: FullShape | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the loss of each question and whether its positive passage is the most relevant, both (Q,).

    The softmaxes run over the passages; with `full`, as in the authors' release, also over question, title,
    padding and empty rows. A question without a span (its pattern took too long this time) is trained on
    relevance alone.
    """
    device = model.device
    rows = [row for one in samples for row in one.rows]
    sizes = [len(one.rows) for one in samples]
    firsts = np.cumsum([0, *sizes[:-1]])
    # only the first passage of a question has a span loss; the others are told apart by relevance
    positives = {int(first): one for first, one in zip(firsts, samples, strict=True) if one.spans}
    if full:
        # all empty rows are alike but for their dropout, so one is computed for them all
        rows.append([])
    padded = [range(full.tokens)] * len(rows) if full else rows
    chunks = length_batches(padded, CHUNK_TOKENS[device.type])
    relevance: list[Tensor] = []
    span_losses: dict[int, Tensor] = {}
    with arithmetic(device, precision):
        for chunk in chunks:
            sequences = [rows[row] for row in chunk]
            ids, mask = (
                torch.from_numpy(array).to(device)
                for array in pad(sequences, pad_id, full.tokens if full else 0)
            )
            # the release adds one number to the attention scores of all masked positions: in a row of
            # padding alone it cancels out, and they attend to each other
            mask[mask.sum(1) == 0] = 1
            logits = model(ids, mask)
            relevance.append(logits.relevance)
            here = {place: positives[row] for place, row in enumerate(chunk.tolist()) if row in positives}
            if here:
                found = _span_losses(logits, mask, list(here), list(here.values()), everywhere=bool(full))
                span_losses |= {int(chunk[place]): loss for place, loss in zip(here, found, strict=True)}
    order = torch.from_numpy(np.concatenate(chunks)).to(device).argsort()
    # back in the order of the questions, and padded to the most passages of any
    in_order = torch.cat(relevance)[order]
    by_question = list(in_order[: sum(sizes)].split(sizes))  # type: ignore[no-untyped-call]
    scores = pad_sequence(by_question, batch_first=True)
    real = torch.arange(max(sizes), device=device) < torch.tensor(sizes, device=device)[:, None]
    best = scores.masked_fill(~real, float("-inf")).argmax(dim=1) == 0
    # a constant: it adds no gradient
    none = scores.new_zeros(())
    spans = torch.stack([span_losses.get(int(first), none) for first in firsts])
    if full:
        missing = in_order[-1].expand(len(samples), full.passages - scores.shape[1])
        scores = torch.cat([torch.where(real, scores, in_order[-1]), missing], dim=1)
        real = torch.ones_like(scores, dtype=torch.bool)
    return spans + relevance_loss(scores, real), best


def _span_losses(
    logits: Logits, mask: Tensor, places: list[int], samples: list[Sample], everywhere: bool
) -> Tensor:
    """Return the span losses of the rows `places` of a chunk, the positive passages of `samples`."""
    offsets = torch.tensor([one.offset for one in samples], device=mask.device)[:, None]
    readable = mask[places].bool() & (torch.arange(mask.shape[1], device=mask.device) >= offsets)
    if everywhere:
        readable = torch.ones_like(readable)
    most = max(len(one.spans) for one in samples)
    spans = torch.zeros(len(samples), most, 2, dtype=torch.int64)
    valid = torch.zeros(len(samples), most, dtype=torch.bool)
    for row, one in enumerate(samples):
        spans[row, : len(one.spans)] = torch.tensor(one.spans)
        valid[row, : len(one.spans)] = True
    return span_loss(
        logits.start[places], logits.end[places], readable, spans.to(mask.device), valid.to(mask.device)
    )
