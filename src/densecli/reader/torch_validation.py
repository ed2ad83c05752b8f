"""How well a reader in training does on held-out questions."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import torch

from densecli.configs.training import TrainReaderConfig
from densecli.errors import UsageError
from densecli.reader.examples import first, reader_examples, sample
from densecli.reader.retrieved import retrieved_passages
from densecli.reader.torch_folder import TorchReader
from densecli.reader.torch_forward import FullShape
from densecli.reader.torch_update import mean_loss
from densecli.records import RankedList
from densecli.text.normalize import exact_match


@dataclass(frozen=True, slots=True)
class DevScore:
    """Mean loss of the questions that have a positive passage, and exact match over all questions."""

    loss: float
    exact_match: float
    questions: int


class DevQuestions:
    """The first `config.dev_questions` search results, those without answers left out.

    Attributes:
        examples: those of them that have a positive passage.
    """

    def __init__(
        self,
        ranked: Iterable[RankedList],
        reader: TorchReader,
        config: TrainReaderConfig,
        precision: torch.dtype,
    ) -> None:
        """Keep the questions in memory.

        Raises:
            UsageError: none of them has answers.
            InputError: the passages have no text.
        """
        tokens = reader.tokens
        self._model, self._pad_id = reader.model, tokens.pad
        self._reading = reader.reading(precision)
        self._precision = precision
        self._full = FullShape.of(config)
        self._depth = config.dev_depth
        self._questions = [one for one in islice(ranked, config.dev_questions) if one.question.answers]
        if not self._questions:
            raise UsageError("no dev question has answers; give search results for questions with answers")
        found = reader_examples(self._questions, tokens, config.max_tokens, config.depth, Counter())
        self.examples = list(found)
        self._samples = [
            sample(one, first(one, config.passages), tokens, config.max_tokens, config.max_spans)
            for one in self.examples
        ]

    def read(self) -> DevScore:
        """Answer each question from its first `config.dev_depth` passages."""
        # no positive passage anywhere: nothing but exact match decides
        loss = math.inf
        if self._samples:
            loss = mean_loss(self._model, self._samples, self._pad_id, self._precision, self._full).loss
        right = 0
        asked = ((one.question.question, retrieved_passages(one, self._depth)) for one in self._questions)
        for one, spans in zip(self._questions, self._reading.read_all(asked, 1), strict=True):
            question = one.question
            right += exact_match(spans[0].text if spans else "", question.answers, question.answer_type)
        return DevScore(loss, right / len(self._questions), len(self._questions))
