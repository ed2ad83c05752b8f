"""How well the towers do on held-out examples."""

from collections.abc import Iterable, Iterator

import torch

from densecli.configs.training import TrainConfig
from densecli.encoders.torch_base import Retriever
from densecli.models.tokens import Tokens
from densecli.training.batches import Batch, lay_out
from densecli.training.examples import ExampleSpool
from densecli.training.filtering import no_examples_error
from densecli.training.forward import vectors_of
from densecli.training.objective import Objective
from densecli.training.pool import DevPool
from densecli.training.question_batches import KnownExamples
from densecli.training.ranks import ALONE, ProcessGroup
from densecli.training.stored import Stored
from densecli.training.update import compare


class Validator:
    """Held-out examples and how they are scored."""

    def __init__(
        self,
        dev: ExampleSpool,
        config: TrainConfig,
        precision: torch.dtype,
        ranks: ProcessGroup = ALONE,
        known: KnownExamples | None = None,
        stored: Stored | None = None,
    ) -> None:
        """Prepare to score `dev` after each epoch; each of several `ranks` encodes a part of it.

        `known` has the vectors of its passages, where the passage tower stays as it is, and `stored` those of
        a collection.

        Raises:
            UsageError: there is no dev example.
        """
        if not len(dev):
            raise no_examples_error("no dev example is left to validate on", dev.dropped)
        self._dev = dev
        self._config = config
        self._precision = precision
        self._ranks = ranks
        self._known = known
        self._pool = None
        if config.validate_by != "nll":
            self._pool = DevPool(
                dev, config.dev_questions, config.dev_negatives, config.dev_negatives, stored
            )

    def validate(self, retriever: Retriever) -> tuple[dict[str, float], tuple[float, ...]]:
        """Return the measures by name, and their rank among others: higher is better.

        `loss` and `accuracy` are those of the dev batches. With a pool, `average_rank` is how many of its
        passages score above a question's positive, and `top_K` the share of questions with an answer
        among the best K of them.
        """
        config = self._config
        for tower in (retriever.question, retriever.passage):
            tower.eval()
        objective = Objective.of(config, retriever.model_config.similarity)
        batches = self._batches(retriever.tokens)
        measures = dev_loss(retriever, batches, objective, self._precision, self._ranks)
        if self._pool is None:
            return measures, (-measures["loss"],)
        k = config.validate_k
        places, hits = self._pool.rank(retriever, objective, k, self._precision, self._ranks)
        rank, top = sum(places) / len(places), sum(hits) / len(hits)
        measures |= {"average_rank": rank, f"top_{k}": top, "pool": len(self._pool)}
        return measures, (-rank,) if config.validate_by == "average-rank" else (top, -rank)

    def _batches(self, tokens: Tokens) -> Iterator[Batch]:
        config, known = self._config, self._known
        if known is None:
            negatives = config.other_negatives, config.hard_negatives
            return dev_batches(self._dev, tokens, config.batch_size, *negatives, self._ranks)
        rows = dev_rows(len(self._dev), config.batch_size, self._ranks)
        return (known.lay_out(known.first(part), tokens) for part in rows)


def dev_rows(count: int, batch_size: int, ranks: ProcessGroup = ALONE) -> Iterator[range]:
    """Yield the rows of each batch in file order; each of several `ranks` has its own batches."""
    for start in ranks.select_own(range(0, count, batch_size)):
        yield range(start, min(start + batch_size, count))


def dev_batches(
    dev: ExampleSpool, tokens: Tokens, batch_size: int, other: int, hard: int, ranks: ProcessGroup = ALONE
) -> Iterator[Batch]:
    """Yield batches in file order, each question with its first negatives; the last may be smaller.

    Each of several `ranks` has its own of them.
    """
    for rows in dev_rows(len(dev), batch_size, ranks):
        yield lay_out([dev.first(row, other, hard) for row in rows], tokens)


def dev_loss(
    retriever: Retriever,
    batches: Iterable[Batch],
    objective: Objective,
    precision: torch.dtype,
    ranks: ProcessGroup = ALONE,
) -> dict[str, float]:
    """Return mean loss and accuracy; questions have the same weight in batches of any size.

    `batches` are those of one of the `ranks`; the measures are of all.
    """
    pad = retriever.tokens.pad
    found = []
    for batch in batches:
        questions = vectors_of(retriever.question, batch.questions, pad, precision)
        passages = batch.vectors
        if passages is None:
            passages = vectors_of(retriever.passage, batch.passages, pad, precision)
        scores, positives = compare(objective, batch, objective.similarities(questions, passages))
        loss = float(objective.losses(scores, positives).sum())
        correct = int((scores.argmax(dim=1) == positives).sum())
        # sums and not means of batches: the last batch may be smaller, which the authors' DPR drops
        found.append((loss, correct, len(batch.ids)))
    total, right, count = ranks.sum_rows(found, 3)
    return {"loss": total / count, "accuracy": right / count, "questions": int(count)}
