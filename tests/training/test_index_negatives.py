"""Negatives from all stored passages, against loops over them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from densecli.configs.training import TrainConfig
from densecli.encoders.torch_base import Retriever
from densecli.encoders.torch_save import save_retriever
from densecli.encoders.torch_start import Change, open_base
from densecli.records import Passage, Question, TrainingExample
from densecli.text.answers import AnswerMatcher
from densecli.training import exact_search
from densecli.training.exact_search import ExactSearch, best_columns
from densecli.training.examples import ExampleSpool
from densecli.training.index_negatives import IndexNegatives
from densecli.training.objective import Objective
from densecli.training.optimizer import Optimizer
from densecli.training.prepare import open_to_train, prepare
from densecli.training.question_batches import KnownExamples
from densecli.training.ranks import ALONE
from densecli.training.stored import Stored
from densecli.training.update import Update, update
from stores import write_store
from vector_stores import write_vectors

CPU = torch.device("cpu")
WORDS = ["river", "city", "king", "song", "film", "sea", "born", "wrote"]
STORED = [
    Passage(f"{n}", WORDS[n % 3], f"the {WORDS[n % 8]} of {n} was in {WORDS[(n * 5 + 1) % 7]}")
    for n in range(23)
]
OTHER = [Passage("x", "", "a king and a sea"), Passage("y", "song", "what is y")]
EXAMPLES = [
    TrainingExample(
        Question("q0", "who is it", ("king",)), (STORED[2], STORED[10], STORED[18]), (STORED[7],)
    ),
    TrainingExample(Question("q1", "where is it", ("film",)), (OTHER[0], STORED[4]), (STORED[7], STORED[9])),
    TrainingExample(Question("q2", "what was the sea"), (STORED[2],), (OTHER[1],)),
    TrainingExample(Question("q3", "when", ("born", "in sea")), (STORED[6],), (STORED[3],)),
]
BASE = TrainConfig(
    batch_size=4,
    dropout=0.0,
    precision="fp32",
    device="cpu",
    fixed_passage_encoder=True,
    max_question_tokens=32,
    max_passage_tokens=32,
    hard_negatives=2,
    max_positives=2,
    temperature=0.2,
    max_grad_norm=1e6,
)


@dataclass
class World:
    """A retriever, its stored vectors, and what a batch of all examples comes to."""

    retriever: Retriever
    stored: Stored

    def learn(self, config: TrainConfig) -> tuple[Update, list[torch.Tensor]]:
        """Make an update; return what it told, and the gradients of the question tower."""
        retriever, weights = self.retriever, list(self.retriever.question.parameters())
        objective = Objective.of(config, retriever.model_config.similarity)
        examples = ExampleSpool(EXAMPLES, Counter())
        batches = [(0, 0, range(4))]
        known = KnownExamples(examples, batches, config, retriever, self.stored, torch.float32)
        list(known.vectors.encode())
        index = IndexNegatives(
            self.stored, ExactSearch(self.stored.vectors, torch.device("cpu")), known.vectors,
            retriever.question, objective, config, ALONE,
        )  # fmt: skip
        picks = known.first(range(4)) if config.max_positives == 1 else known.draw(0, 0, range(4))
        optimizer = Optimizer.of([retriever.question], config, 10, torch.float32)
        found: list[torch.Tensor] = []
        optimizer.step = lambda: found.extend(w.grad.clone() for w in weights)  # type: ignore[method-assign]
        batch = known.lay_out_several(picks, retriever.tokens)
        done = update(
            retriever, batch, optimizer, torch.float32, 1, objective, 1e9,
            further=lambda questions: index.compare(questions, picks),
        )  # fmt: skip
        for weight in weights:
            weight.grad = None
        return done, found

    def vector(self, tower: torch.nn.Module, ids: Sequence[int]) -> torch.Tensor:
        return tower.eval().pool(torch.tensor([ids]), torch.ones(1, len(ids)))[0]


@pytest.fixture(params=[("dot", None), ("cosine", "mean"), ("l2", None)], ids=["dot", "cosine", "l2"])
def world(request: pytest.FixtureRequest, tiny_base: Path, tmp_path: Path) -> World:
    similarity, pooling = request.param
    change = Change(similarity=similarity)
    save_retriever(open_base(str(tiny_base), pooling, 32, 32, change), tmp_path / "base")
    store = write_store(tmp_path / "passages", STORED)
    write_vectors(tmp_path / "vectors", store, tmp_path / "base")
    stored = Stored.open(tmp_path / "passages", tmp_path / "vectors", tmp_path / "base", BASE)
    retriever = open_to_train(str(tmp_path / "base"), BASE)
    prepare(retriever, 0.0, False, CPU, fixed_passage_encoder=True)
    return World(retriever, stored)


def by_loops(world: World, config: TrainConfig) -> tuple[torch.Tensor, int]:
    """Return the mean loss by the definition, with its graph, and the questions that are right."""
    retriever = world.retriever
    cosine = retriever.model_config.similarity == "cosine"

    def alike(asked: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        if retriever.model_config.similarity == "l2":
            return -(asked - told).norm()
        return (asked / asked.norm()) @ (told / told.norm()) / config.temperature if cosine else asked @ told

    texts = [*STORED, *OTHER]
    pieces = retriever.tokens.passages(texts)
    with torch.no_grad():
        told = dict(zip(texts, (world.vector(retriever.passage, ids) for ids in pieces), strict=True))
    asked = [
        world.vector(retriever.question, retriever.tokens.questions([e.question.question])[0])
        for e in EXAMPLES
    ]
    picked = [
        (e.positives[: config.max_positives], e.hard_negatives[: config.hard_negatives]) for e in EXAMPLES
    ]
    depth = config.index_depth
    best, answered = [], []
    for example, question in zip(EXAMPLES, asked, strict=True):
        matcher = AnswerMatcher(example.question.answers)
        rest = [one for one in STORED if one not in example.positives]
        ranked = sorted(rest, key=lambda one: -alike(question, told[one]).item())
        checked = ranked[: config.check_depth if depth is None else min(depth, config.check_depth)]
        answered.append({one for one in checked if matcher.usable and matcher.found_in(one.text)})
        best.append(set(ranked if depth is None else ranked[:depth]) - answered[-1])
    losses, correct = [], 0
    for row, (example, question) in enumerate(zip(EXAMPLES, asked, strict=True)):
        if config.in_batch:
            negatives = {one for used, drawn in picked for one in (*used, *drawn)}.union(*best)
            if depth is None:
                negatives = best[row] | (negatives - set(STORED))
        else:
            negatives = best[row] | {one for one in picked[row][1] if depth or one not in STORED}
        positives = picked[row][0]
        negatives -= set(example.positives)
        negatives -= answered[row] - (set(picked[row][1]) if not config.in_batch and depth else set())
        if config.in_batch and depth:  # what the batch brings is not searched for answers
            negatives |= {one for used, drawn in picked for one in (*used, *drawn)} - set(example.positives)
        score = {one: alike(question, told[one]) for one in {*negatives, *positives}}
        likely = sum(score[one].exp() for one in positives)
        losses.append(-(likely / sum(value.exp() for value in score.values())).log())
        correct += max(score, key=lambda one: score[one].item()) in positives
    return sum(losses) / len(losses), correct


@pytest.mark.parametrize(
    "settings",
    [
        {"index_negatives": "all"},
        {"index_negatives": "all", "check_depth": 3, "max_positives": 1},
        {"index_negatives": "all", "check_depth": 0, "in_batch": False},
        {"index_negatives": "4"},
        {"index_negatives": "9", "check_depth": 2, "hard_negatives": 0},
        {"index_negatives": "5", "in_batch": False},
        {"index_negatives": "1000", "max_positives": 9},
    ],
    ids=str,
)
def test_loss_and_gradient_match_a_loop(
    world: World, settings: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(BASE, **settings)
    if world.retriever.model_config.similarity == "l2" and config.index_negatives == "all":
        config = replace(config, index_negatives="23")  # all are not to be had by l2
    expected, correct = by_loops(world, config)
    expected.backward()
    weights = list(world.retriever.question.parameters())
    gradients = [weight.grad.clone() for weight in weights]
    for weight in weights:
        weight.grad = None
    monkeypatch.setattr(exact_search, "SCORES_AT_ONCE", 3 * len(STORED))  # not all questions at once
    done, found = world.learn(config)
    assert done.loss == pytest.approx(expected.item(), rel=1e-4)
    assert done.correct == correct
    for ours, theirs in zip(found, gradients, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize(("columns", "count"), [(5, 9), (64, 3), (1000, 3), (1030, 7), (4096, 31)])
def test_the_best_columns_match_a_full_sort(columns: int, count: int) -> None:
    generator = torch.Generator().manual_seed(columns)
    scores = torch.randn(6, columns, generator=generator)
    scores[0, :] = -torch.inf
    scores[0, 4] = 1.0
    scores[1, 60:70] += 9
    found = best_columns(scores, count)
    expected = scores.sort(dim=1, descending=True).values[:, :count]
    torch.testing.assert_close(scores.gather(1, found), expected)
    assert all(len(set(row)) == min(count, columns) for row in found.tolist())


@pytest.mark.parametrize("settings", [{"index_negatives": "all"}, {"index_negatives": "24"}], ids=str)
def test_a_copy_of_a_positive_is_not_a_negative(
    tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict
) -> None:
    """Nor is the positive of another example that asks the same."""
    again = replace(EXAMPLES[2], question=Question("again", "What was  the sea?"), positives=(STORED[14],))
    given, config = [*EXAMPLES[:3], again], replace(BASE, max_positives=1, hard_negatives=0, **settings)
    monkeypatch.setitem(globals(), "EXAMPLES", given)
    louder = replace(STORED[2], id="23", text=STORED[2].text.upper())
    losses = []
    for number, passages in enumerate([STORED, [*STORED, louder]]):
        folder = tmp_path / str(number)
        folder.mkdir()
        save_retriever(open_base(str(tiny_base), None, 32, 32), folder / "base")
        write_vectors(folder / "vectors", write_store(folder / "passages", passages), folder / "base")
        stored = Stored.open(folder / "passages", folder / "vectors", folder / "base", BASE)
        retriever = open_to_train(str(folder / "base"), BASE)
        prepare(retriever, 0.0, False, CPU, fixed_passage_encoder=True)
        losses.append(World(retriever, stored).learn(config)[0].loss)
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
