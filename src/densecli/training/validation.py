"""How well the towers do on held-out examples."""

from collections.abc import Iterable, Iterator

import torch

from densecli.configs.training import TrainConfig
from densecli.encoders.tokens import Tokens
from densecli.encoders.torch_base import Retriever
from densecli.training.batches import Batch, lay_out
from densecli.training.examples import ExampleSpool
from densecli.training.forward import vectors_of
from densecli.training.hygiene import nothing_left
from densecli.training.objective import Objective
from densecli.training.pool import DevPool
from densecli.training.ranks import ALONE, Ranks


class Validator:
    """Held-out examples and how they are scored."""

    def __init__(
        self, dev: ExampleSpool, config: TrainConfig, precision: torch.dtype, ranks: Ranks = ALONE
    ) -> None:
        """Prepare to score `dev` after each epoch; each of several `ranks` encodes a part of it.

        Raises:
            UsageError: there is no dev example.
        """
        if not len(dev):
            raise nothing_left("no dev example is left to validate on", dev.dropped)
        self._dev = dev
        self._config = config
        self._precision = precision
        self._ranks = ranks
        self._pool = None
        if config.validate_by != "nll":
            self._pool = DevPool(dev, config.dev_questions, config.dev_negatives, config.dev_negatives)

    def validate(self, retriever: Retriever) -> tuple[dict[str, float], tuple[float, ...]]:
        """Return the measures by name, and how they rank beside others: higher is better.

        `loss` and `accuracy` are those of the dev batches. With a pool, `average_rank` is how many of its
        passages score above a question's positive, and `top_K` the share of questions with an answer
        among the best K of them.
        """
        config = self._config
        for tower in (retriever.question, retriever.passage):
            tower.eval()
        objective = Objective.of(config, retriever.card.similarity)
        negatives = config.other_negatives, config.hard_negatives
        batches = dev_batches(self._dev, retriever.tokens, config.batch_size, *negatives, self._ranks)
        measures = dev_loss(retriever, batches, objective, self._precision, self._ranks)
        if self._pool is None:
            return measures, (-measures["loss"],)
        k = config.validate_k
        places, hits = self._pool.rank(retriever, objective, k, self._precision, self._ranks)
        rank, top = sum(places) / len(places), sum(hits) / len(hits)
        measures |= {"average_rank": rank, f"top_{k}": top, "pool": len(self._pool)}
        return measures, (-rank,) if config.validate_by == "average-rank" else (top, -rank)


def dev_batches(
    dev: ExampleSpool, tokens: Tokens, batch_size: int, other: int, hard: int, ranks: Ranks = ALONE
) -> Iterator[Batch]:
    """Yield batches in file order, each question with its first negatives; the last may be smaller.

    Each of several `ranks` has its own of them.
    """
    for start in ranks.dealt(range(0, len(dev), batch_size)):
        rows = range(start, min(start + batch_size, len(dev)))
        yield lay_out([dev.first(row, other, hard) for row in rows], tokens)


def dev_loss(
    retriever: Retriever,
    batches: Iterable[Batch],
    objective: Objective,
    precision: torch.dtype,
    ranks: Ranks = ALONE,
) -> dict[str, float]:
    """Return mean loss and accuracy, in which all questions count the same, whatever their batch's size.

    `batches` are those of one of the `ranks`; the measures are of all.
    """
    pad = retriever.tokens.pad
    found = []
    for batch in batches:
        questions = vectors_of(retriever.question, batch.questions, pad, precision)
        passages = vectors_of(retriever.passage, batch.passages, pad, precision)
        owners, positives = (
            torch.tensor(rows, device=questions.device) for rows in (batch.owners, batch.positives)
        )
        scores = objective.scores(questions, passages, owners)
        loss = float(objective.losses(scores, positives).sum())
        correct = int((scores.argmax(dim=1) == positives).sum())
        found.append((loss, correct, len(batch.ids)))
    total, right, count = ranks.summed(found, 3)
    return {"loss": total / count, "accuracy": right / count, "questions": int(count)}
