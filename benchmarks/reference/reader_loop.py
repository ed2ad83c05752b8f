"""The plain loop that `densecli train-reader` is compared with: it works as the reference does.

    python reader_loop.py RESULTS.jsonl DEV.jsonl MODEL SEED CHECKPOINT [NAME=NUMBER ...]

One encoder by `AutoModel` in float32 and two linear heads; `passages` rows to a question, each padded to
`tokens` positions, the first with an answer and the others without, and rows of padding where there are too
few; softmaxes over all positions and all rows; the sum over a batch; AdamW, linear decay, gradients clipped
at norm 1. One epoch; prints the mean loss of each batch, and at the end that of the dev questions, as JSON
lines. CHECKPOINT gets the weights as the reference stores them.
"""

import json
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax
from transformers import AutoModel, AutoTokenizer

SETTINGS = {"batch": 16, "passages": 24, "tokens": 350, "learning_rate": 1e-5, "spans": 10}
DEPTH, POSITIVES, NEGATIVES = 200, 20, (50, 150)


@dataclass(frozen=True)
class Row:
    """Ids of question, title and passage; where the passage begins; first and last place of its answers."""

    ids: list[int]
    offset: int
    spans: list[tuple[int, int]]


@dataclass(frozen=True)
class Example:
    positives: list[Row]
    negatives: list[Row]


class Model(nn.Module):
    def __init__(self, folder: str) -> None:
        super().__init__()
        self.encoder = AutoModel.from_pretrained(folder)
        size = self.encoder.config.hidden_size
        self.qa_outputs, self.qa_classifier = nn.Linear(size, 2), nn.Linear(size, 1)
        for head in (self.qa_outputs, self.qa_classifier):
            nn.init.normal_(head.weight, std=0.02)
            nn.init.zeros_(head.bias)

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        # in a row of padding alone all positions attend to each other: all are masked by the same number
        mask = (ids != 0) | (ids == 0).all(1, keepdim=True)
        hidden = self.encoder(ids, attention_mask=mask.long()).last_hidden_state
        start, end = self.qa_outputs(hidden).unbind(-1)
        return start, end, self.qa_classifier(hidden[:, 0])[:, 0]


def read(path: str, tokenizer: Any, length: int) -> Iterator[Example]:
    """Yield the questions that have a passage with an answer in the first `length` word pieces."""
    for line in Path(path).read_bytes().split(b"\n"):
        if not line:
            continue
        found = json.loads(line)
        answers = [pieces(tokenizer, answer) for answer in found["answers"]]
        rows = [
            (
                one["has_answer"],
                row_of(tokenizer, found["question"], one, answers if one["has_answer"] else []),
            )
            for one in found["ctxs"][:DEPTH]
        ]
        positives = [row for holds, row in rows if holds and any(last < length for _, last in row.spans)]
        negatives = [row for holds, row in rows if not holds]
        if positives:
            most = min(max(10 * len(positives[:POSITIVES]), NEGATIVES[0]), NEGATIVES[1])
            yield Example(positives[:POSITIVES], negatives[:most])


def pieces(tokenizer: Any, text: str) -> list[int]:
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def row_of(tokenizer: Any, question: str, passage: dict[str, Any], answers: Sequence[list[int]]) -> Row:
    head = tokenizer(question, passage["title"])["input_ids"]
    body = pieces(tokenizer, passage["text"])
    spans = [
        (len(head) + place, len(head) + place + len(answer) - 1)
        for answer in answers
        for place in range(len(body) - len(answer) + 1)
        if answer and body[place : place + len(answer)] == answer
    ]
    return Row(head + body, len(head), spans)


def loss_of(model: Model, rows: Sequence[Row], passages: int, length: int, most: int) -> Tensor:
    ids = torch.zeros(passages, length, dtype=torch.int64)
    for place, row in enumerate(rows):
        kept = row.ids[:length]
        ids[place, : len(kept)] = torch.tensor(kept)
    start, end, relevance = model(ids)
    spans = torch.tensor([one for one in rows[0].spans if one[1] < length][:most])
    log_spans = log_softmax(start[0], 0)[spans[:, 0]] + log_softmax(end[0], 0)[spans[:, 1]]
    return -log_spans.logsumexp(0) - log_softmax(relevance, 0)[0]


def main(source: str, dev: str, folder: str, seed: int, target: str, **changed: float) -> None:
    settings = SETTINGS | changed
    size, passages, length, most = (int(settings[name]) for name in ("batch", "passages", "tokens", "spans"))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    examples = list(read(source, tokenizer, length))
    torch.manual_seed(seed)
    model = Model(folder).train()
    weights = list(model.parameters())
    optimizer = torch.optim.AdamW(weights, lr=settings["learning_rate"], eps=1e-8, weight_decay=0.0)
    order = list(range(len(examples)))
    random.Random(seed).shuffle(order)
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, len(batches))
    for number, batch in enumerate(batches):
        draw = random.Random(seed + number)
        total = 0.0
        # a question at a time takes less memory, and gives the gradient of the sum all the same
        for row in batch:
            one = examples[row]
            shown = [draw.choice(one.positives), *draw.sample(one.negatives, len(one.negatives))][:passages]
            loss = loss_of(model, shown, passages, length, most)
            loss.backward()
            total += loss.item()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        print(json.dumps({"loss": total / len(batch), "questions": len(batch)}), flush=True)
    model.eval()
    with torch.inference_mode():
        held_out = [
            loss_of(model, [*one.positives[:1], *one.negatives][:passages], passages, length, most).item()
            for one in read(dev, tokenizer, length)
        ]
    print(json.dumps({"dev_loss": sum(held_out) / len(held_out), "dev_questions": len(held_out)}))
    # as densecli expects of the reference's files: the weights of a BERT, and of the two heads
    torch.save({"model_dict": model.state_dict(), "encoder_params": {}}, target)


if __name__ == "__main__":
    pairs = dict(one.split("=") for one in sys.argv[6:])
    main(
        *sys.argv[1:4], int(sys.argv[4]), sys.argv[5], **{name: float(value) for name, value in pairs.items()}
    )
