"""The question tower's part in joint training with a reader (paper, appendix D)."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from densecli.configs.training import TrainReaderConfig
from densecli.encoders.torch_base import Retriever, open_retriever
from densecli.encoders.torch_dropout import seeded_dropout
from densecli.errors import ArtifactError, UsageError
from densecli.models.folder import RetrieverConfig, is_model_folder, read_model_config
from densecli.models.tokens import Tokens
from densecli.records import Passage, TrainingExample
from densecli.text.answers import AnswerMatcher
from densecli.text.prepared import PreparedText
from densecli.training.examples import ExampleSpool
from densecli.training.forward import TowerPass, bytes_to_keep, vectors_of
from densecli.training.loss import marginal_nll
from densecli.training.objective import Objective
from densecli.training.pool import DevPool
from densecli.training.prepare import prepare
from densecli.training.report import Measures, refuse_infinite

VALIDATE_K = 20


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The questions of a batch, and all passages retrieved for any of them, as word-piece ids.

    Attributes:
        questions: B questions.
        passages: M passages; those of the same title and text count once.
        positives: the positives of the question itself, (B, M) bool.
        compared: its positives and negatives, (B, M) bool. Other passages with an answer are neither: those
            retrieved for another question, or whose answers the reader's length cuts off.
    """

    questions: list[list[int]]
    passages: list[list[int]]
    positives: Tensor
    compared: Tensor


def lay_out_retrieved(examples: Sequence[TrainingExample], tokens: Tokens) -> Retrieved:
    """Return the batch of `examples`: every passage of one is a negative for the others."""
    columns: dict[tuple[str, str], int] = {}
    passages: list[Passage] = []
    for example in examples:
        for passage in (*example.positives, *example.hard_negatives):
            if columns.setdefault((passage.title, passage.text), len(passages)) == len(passages):
                passages.append(passage)
    texts = [PreparedText(passage.text) for passage in passages]
    positives = torch.zeros(len(examples), len(passages), dtype=torch.bool)
    compared = torch.zeros_like(positives)
    for row, example in enumerate(examples):
        matcher = AnswerMatcher(example.question.answers, example.question.answer_type)
        own = {columns[passage.title, passage.text] for passage in example.hard_negatives}
        # its own negatives were checked for answers when the examples were prepared
        compared[row] = torch.tensor(
            [column in own or not matcher.found_in(text) for column, text in enumerate(texts)]
        )
        for passage in example.positives:
            positives[row, columns[passage.title, passage.text]] = True
    questions = tokens.questions([example.question.question for example in examples])
    return Retrieved(questions, tokens.passages(passages), positives, compared | positives)


def open_joint(folder: Path) -> Retriever:
    """Open a retriever to train together with a reader.

    Raises:
        ArtifactError: it is no densecli retriever, or incomplete or damaged.
        UsageError: it has one encoder for questions and passages.
    """
    if folder.is_dir() and not is_model_folder(folder):
        raise ArtifactError(
            f"{folder}: not a densecli retriever; run `densecli convert {folder} --to retriever`, or"
            " `densecli train`"
        )
    if read_model_config(folder, RetrieverConfig).shared_encoder:
        raise UsageError(
            f"`joint` {folder}: it has one encoder for questions and passages, so the passages' vectors would"
            " change, too; train one of two encoders with `shared_encoder` off"
        )
    return open_retriever(str(folder))


class JointRetriever:
    """A retriever whose question tower is trained with a reader, while its passage tower stays as it is.

    So the vectors of its passages and their index stay valid.
    """

    def __init__(
        self,
        retriever: Retriever,
        temperature: float,
        config: TrainReaderConfig,
        device: torch.device,
        precision: torch.dtype,
    ) -> None:
        """Prepare a retriever for training, in place.

        Args:
            retriever: a retriever with two towers.
            temperature: the divisor of cosines in the retriever's own training.
            config: the settings of the reader's training.
            device: where to train.
            precision: the type of matrix products.
        """
        prepare(retriever, config.dropout, config.freeze_embeddings, device, fixed_passage_encoder=True)
        retriever.passage.eval()
        self.question = retriever.question
        self._retriever = retriever
        similarity = "cosine" if retriever.model_config.normalize else retriever.model_config.similarity
        self._objective = Objective(similarity, temperature if similarity == "cosine" else 1.0)
        self._tokens = retriever.tokens
        self._device = device
        self._precision = precision
        self._keep_bytes = bytes_to_keep(None, device)

    def accumulate_gradients(
        self,
        examples: Sequence[TrainingExample],
        seed: int,
        scaled: Callable[[Tensor], Tensor] = lambda loss: loss,
    ) -> float:
        """Add the gradient of the mean loss over `examples`, `scaled`, to the question tower's; return it.

        A question loses -log of the probability of its positives, together, among all passages retrieved
        for any question of the batch. `seed` decides the dropout; torch's global generator is left as it was.

        Raises:
            DivergedError: the loss is not finite.
        """
        batch, pad = lay_out_retrieved(examples, self._tokens), self._tokens.pad
        device = self._device
        # outside of the fork: the fixed tower has no dropout, so its vectors take nothing from the generator
        passages = vectors_of(self._retriever.passage, batch.passages, pad, self._precision)
        with seeded_dropout(device, seed):
            tower = self.question.train()
            asked = TowerPass(tower, batch.questions, pad, self._precision, self._keep_bytes)
            scores = self._objective.similarities(asked.vectors, passages)
            scores = scores.masked_fill(~batch.compared.to(device), -torch.inf)
            loss = marginal_nll(scores, batch.positives.to(device)).mean()
            value = float(loss.detach())
            refuse_infinite(value, "loss", [example.question.id for example in examples])
            # to the vectors first, then from those through the tower, chunk by chunk
            scaled(loss).backward()  # type: ignore[no-untyped-call]
            asked.backward()
        return value

    def validation(self, examples: Sequence[TrainingExample]) -> Callable[[], Measures]:
        """Return what measures retrieval: each question against the passages of all of `examples`.

        `average_rank` is how many passages score above a question's first positive, and `top_K` the share of
        questions with an answer among the best K. Without examples there is nothing to measure.
        """
        if not examples:
            return dict
        negatives = max(len(example.hard_negatives) for example in examples)
        pool = DevPool(ExampleSpool(examples, Counter()), len(examples), negatives, 0)

        def measure() -> Measures:
            self.question.eval()
            ranks, hits = pool.rank(self._retriever, self._objective, VALIDATE_K, self._precision)
            return {
                "average_rank": sum(ranks) / len(ranks),
                f"top_{VALIDATE_K}": sum(hits) / len(hits),
                "pool": len(pool),
            }

        return measure
