from collections import Counter
from pathlib import Path

import pytest
import torch

from densecli.configs.training import TrainConfig
from densecli.encoders.torch_base import Retriever
from densecli.encoders.torch_start import open_base
from densecli.errors import UsageError
from densecli.records import Passage, Question, TrainingExample
from densecli.training.examples import ExampleSpool
from densecli.training.objective import Objective
from densecli.training.pool import DevPool
from densecli.training.validation import Validator

TEXTS = ["the river of a", "a king in the city", "sea and sea", "who wrote the song", "film of 7"]


def passage(number: int) -> Passage:
    return Passage(f"id{number}", "", TEXTS[number])


def example(
    text: str, answers: tuple[str, ...], *numbers: int, hard: tuple[int, ...] = ()
) -> TrainingExample:
    asked, hards = Question(text, text, answers), tuple(map(passage, hard))
    positive, *others = map(passage, numbers)
    return TrainingExample(asked, (positive,), hards, tuple(others))


EXAMPLES = [
    example("what is a", ("song",), 0, 1, 2, hard=(3,)),
    example("who is king", (), 1, 0, 4),
    example("where is the sea", ("nowhere",), 2, hard=(1,)),
]


@pytest.fixture
def retriever(tiny_base: Path) -> Retriever:
    found = open_base(str(tiny_base), None, 32, 32)
    found.question.eval()
    found.passage.eval()
    return found


def spool(given: list[TrainingExample] = EXAMPLES) -> ExampleSpool:
    return ExampleSpool(given, Counter())


def similarity(retriever: Retriever, question: str, text: str) -> float:
    def vector(tower, ids: list[int]) -> torch.Tensor:
        return tower.pool(torch.tensor([ids]), torch.ones(1, len(ids)))[0]

    asked = vector(retriever.question, retriever.tokens.questions([question])[0])
    told = vector(retriever.passage, retriever.tokens.passages([Passage("", "", text)])[0])
    return float(asked @ told)


@torch.no_grad()
@pytest.mark.parametrize("k", [1, 2, 3, 100])
def test_ranks_and_hits_match_a_loop(retriever: Retriever, k: int) -> None:
    """The second question has no hard negatives, so it brings its others twice."""
    collected = [0, 1, 2, 3, *(1, 0, 4), *(0, 4), *(2, 1)]
    pool = DevPool(spool(), 10, 30, 30)
    assert len(pool) == 5
    ranks, hits = pool.rank(retriever, Objective(), k, torch.float32)
    for number, one in enumerate(EXAMPLES):
        scores = [similarity(retriever, one.question.question, text) for text in TEXTS]
        gold = TEXTS.index(one.positives[0].text)
        assert ranks[number] == sum(scores[c] > scores[gold] and c != gold for c in collected)
        best = sorted(range(5), key=lambda row: -scores[row])[:k]
        expected = {0: 3 in best, 1: gold in best, 2: False}[number]
        assert hits[number] == expected


def test_the_pool_has_the_configured_numbers_of_questions_and_negatives() -> None:
    assert len(DevPool(spool(), 1, 0, 0)) == 1
    assert len(DevPool(spool(), 1, 1, 1)) == 3
    assert len(DevPool(spool(), 2, 0, 30)) == 4


@torch.no_grad()
@pytest.mark.parametrize("by", ["nll", "average-rank", "top-k"])
def test_the_best_model_is_ranked_by_the_configured_measure(retriever: Retriever, by: str) -> None:
    config = TrainConfig(validate_by=by, validate_k=2, batch_size=2)
    measures, rank = Validator(spool(), config, torch.float32).validate(retriever)
    assert measures["questions"] == 3
    if by == "nll":
        assert rank == (-measures["loss"],)
        assert "average_rank" not in measures
    else:
        key = {"average-rank": -measures["average_rank"], "top-k": measures["top_2"]}[by]
        assert rank[0] == key
        assert measures["pool"] == 5


def test_missing_dev_examples_are_reported() -> None:
    with pytest.raises(UsageError, match="no dev example is left to validate on$"):
        Validator(spool([]), TrainConfig(), torch.float32)
