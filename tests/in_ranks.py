"""Functions for tests that run them in several processes that train together."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from densecli.configs.training import TrainConfig
from densecli.encoders.torch_start import open_base
from densecli.records import Passage, Question, TrainingExample
from densecli.training import forward, pool
from densecli.training.batches import lay_out
from densecli.training.examples import ExampleSpool
from densecli.training.objective import Objective
from densecli.training.optimizer import Optimizer
from densecli.training.prepare import open_to_train, prepare
from densecli.training.ranks import ProcessGroup
from densecli.training.retriever import train as train_towers
from densecli.training.stored import Stored
from densecli.training.update import update
from densecli.training.validation import Validator
from densecli.workflows.train import train
from memory_checkpointer import MemoryCheckpointer

WORDS = ["river", "city", "king", "song", "film", "sea", "born"]
EXAMPLES = [
    TrainingExample(
        Question(f"q{number}", f"who was {word}", (word,)),
        (Passage("", word if number % 2 else "", f"the {word} of a " * (number + 1)),),
        tuple(Passage("", "", f"no {word} in {times}") for times in range(number % 3)),
    )
    for number, word in enumerate(WORDS)
]
EXAMPLES[4] = replace(EXAMPLES[4], positives=(Passage("", "", EXAMPLES[2].positives[0].text.upper()),))


def exchange(ranks: ProcessGroup) -> dict[str, Any]:
    """Use everything that ranks can do, with parts of 0, 1 and 1 of two rows in three processes."""
    place = ranks.part(2)
    own = torch.full((len(place), 2), float(ranks.rank), requires_grad=True)
    whole = ranks.gather_rows(own, place.start, 2)
    (whole * torch.tensor([[1.0], [10.0]])).sum().backward()
    weights = [torch.zeros(2, requires_grad=True) for _ in range(3)]
    if ranks.rank == 1:
        weights[1].grad = torch.ones(2)
    weights[2].grad = torch.full((2,), float(ranks.rank))
    ranks.add_gradients(weights)
    summed = [weight.grad if weight.grad is None else weight.grad.tolist() for weight in weights]
    ranks.add_gradients(weights, average=True)
    copied = torch.tensor([ranks.rank])
    ranks.copy(copied)
    return {
        "part": list(place),
        "whole": whole.tolist(),
        "gradient": [] if own.grad is None else own.grad.tolist(),
        "summed": summed,
        "averaged": [weight.grad if weight.grad is None else weight.grad.tolist() for weight in weights],
        "copied": copied.tolist(),
        "shared": ranks.share(lambda: {"rank": ranks.rank, "text": "ü", "none": None}),
        "total": ranks.total([1, ranks.rank]),
        "dealt": ranks.sum_rows([(10.0**number, 1) for number in ranks.select_own(range(4))], 2),
        "turn": ranks.in_turn(lambda: ranks.rank),
        "seed": ranks.seed(7),
        "device": ranks.device("cpu"),
    }


def learn(ranks: ProcessGroup, base: str, sizes: list[int], schemes: list[dict[str, Any]]) -> list[Any]:
    """Make an update of some questions in each scheme; return what it found and its gradients."""
    forward.CHUNK_TOKENS["cpu"] = 30
    return [_learnt(ranks, base, size, scheme) for scheme in schemes for size in sizes]


def _learnt(ranks: ProcessGroup, base: str, size: int, scheme: dict[str, Any]) -> Any:
    config = TrainConfig(
        **{"dropout": 0.0, "max_question_tokens": 32, "max_passage_tokens": 32, "warmup_steps": 0, **scheme}
    )
    retriever = open_to_train(base, config)
    passes = config.freeze_embeddings, torch.device("cpu"), config.fixed_passage_encoder
    prepare(retriever, config.dropout, *passes, config.gradient_checkpointing)
    towers = retriever.question, retriever.passage
    optimizer = Optimizer.of(towers, config, 10, torch.float32, ranks, config.average_gradients)
    found: dict[str, Any] = {}

    def keep() -> None:
        for side, tower in zip(("question", "passage"), towers, strict=True):
            for name, weight in tower.named_parameters():
                found[f"{side}.{name}"] = None if weight.grad is None else weight.grad.numpy().copy()

    optimizer.step = keep  # type: ignore[method-assign]
    spool = ExampleSpool(EXAMPLES, Counter())
    picks = spool.draw(range(size), 0, 1, 1, 0, 0)
    batch = lay_out(picks, retriever.tokens, ranks.part(size))
    keep_bytes = float("inf") if config.activation_memory is None else config.activation_memory
    objective = Objective.of(config, retriever.model_config.similarity)
    done = update(retriever, batch, optimizer, torch.float32, 3, objective, keep_bytes, ranks)
    return (done.loss, done.correct, done.gradient_norm), found


def validate(ranks: ProcessGroup, base: str) -> Any:
    """Look at dev examples in batches of 3 and in a pool of which 4 passages are encoded at once."""
    pool.PASSAGES_AT_ONCE = 4
    config = TrainConfig(batch_size=3, validate_by="average-rank", validate_k=2)
    dev = ExampleSpool(EXAMPLES, Counter())
    return Validator(dev, config, torch.float32, ranks).validate(open_base(base, None, 32, 32))


def train_twice(
    ranks: ProcessGroup, base: str, workspace: Path, examples: list[TrainingExample]
) -> list[tuple[bool, bool]]:
    """Train the same twice; return whether the model was up to date, and whether it is complete."""
    settings = {"encoder": base, "epochs": 1, "batch_size": 4, "max_passage_tokens": 32, "device": "cpu"}
    found = []
    for _ in range(2):
        made = train(examples, workspace=workspace, ranks=ranks, **settings)
        found.append((made.up_to_date, (made.folder / "manifest.json").exists()))
    return found


def train_fixed(ranks: ProcessGroup, folder: str, schemes: list[dict[str, Any]]) -> list[Any]:
    """Train a question tower for three updates in each scheme, over the vectors in a folder."""
    return [_train_fixed(ranks, Path(folder), scheme) for scheme in schemes]


def _train_fixed(ranks: ProcessGroup, folder: Path, scheme: dict[str, Any]) -> Any:
    settings = {
        "batch_size": 7, "epochs": 3, "dropout": 0.0, "precision": "fp32", "device": "cpu",
        "fixed_passage_encoder": True, "max_question_tokens": 32, "max_passage_tokens": 32,
        "validate_by": "search", "validate_k": 2, "learning_rate": 1e-3,
    }  # fmt: skip
    config = TrainConfig(**{**settings, **scheme})
    base = folder / "base"
    stored = Stored.open(folder / "passages", folder / "vectors", base, config)
    retriever = open_to_train(str(base), config)
    dev = [example.question for example in EXAMPLES]
    spool, counts = ExampleSpool(EXAMPLES, Counter()), Counter[str]()
    reports = train_towers(
        spool, dev, retriever, config, counts, MemoryCheckpointer(), ranks=ranks, stored=stored
    )
    return [(one.loss, one.accuracy, one.gradient_norm, one.validation) for one in reports]
