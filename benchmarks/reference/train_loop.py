"""The plain loop that `densecli train` is measured against: it works as the reference implementation does.

    python train_loop.py EXAMPLES.json MODEL BATCH_SIZE LEARNING_RATE WARMUP_STEPS

Two encoders by `AutoModel` in float32; one positive and one hard negative for each question; every text
padded to 256 tokens, a batch in one forward pass; the first token's state, dot products, softmax over all
passages of the batch; AdamW, linear warm-up and decay, gradients clipped at norm 2. One epoch; prints loss
and seconds of each batch as JSON lines.
"""

import json
import random
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from transformers import AutoModel, AutoTokenizer, get_linear_schedule_with_warmup

LENGTH = 256
MAX_NORM = 2.0
SEED = 12345


def batches(examples: list[Any], size: int) -> list[list[Any]]:
    """Return an epoch's batches: a shuffle of all examples, and a shuffle of each one's hard negatives."""
    order = list(range(len(examples)))
    random.Random(SEED).shuffle(order)
    drawn = []
    for number in range(len(order) // size):
        random.seed(SEED + number + 1)
        drawn.append([])
        for row in order[number * size : (number + 1) * size]:
            example = examples[row]
            others, hard = list(example["negative_ctxs"]), list(example["hard_negative_ctxs"])
            random.shuffle(others)
            random.shuffle(hard)
            drawn[-1].append((example["question"], [example["positive_ctxs"][0], *hard[:1]]))
    return drawn


def main(source: str, folder: str, size: int, learning_rate: float, warmup_steps: int) -> None:
    examples = json.loads(Path(source).read_bytes())
    torch.manual_seed(SEED)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    questions, passages = (AutoModel.from_pretrained(folder).train() for _ in range(2))
    weights = [weight for model in (questions, passages) for weight in model.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=learning_rate, eps=1e-8, weight_decay=0.0)
    epoch = batches(examples, size)
    schedule = get_linear_schedule_with_warmup(optimizer, warmup_steps, len(epoch))

    def vectors(model: Any, *texts: list[str]) -> torch.Tensor:
        inputs = tokenizer(
            *texts, padding="max_length", truncation=True, max_length=LENGTH, return_tensors="pt"
        )
        return model(inputs["input_ids"], attention_mask=inputs["attention_mask"]).last_hidden_state[:, 0]

    for batch in epoch:
        begun = time.perf_counter()
        shown = [passage for _, its in batch for passage in its]
        positives = [0]
        for _, its in batch[:-1]:
            positives.append(positives[-1] + len(its))
        asked = vectors(questions, [question for question, _ in batch])
        told = vectors(passages, [one["title"] for one in shown], [one["text"] for one in shown])
        loss = cross_entropy(asked @ told.T, torch.tensor(positives))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, MAX_NORM)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        print(json.dumps({"loss": loss.item(), "seconds": time.perf_counter() - begun}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:3], int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]))
