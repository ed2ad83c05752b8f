from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from densecli.encoders.torch_base import Retriever
from densecli.encoders.torch_dropout import set_dropout
from densecli.encoders.torch_start import open_base
from densecli.errors import DivergedError
from densecli.records import Context, Passage
from densecli.training import forward
from densecli.training.batches import Batch, lay_out
from densecli.training.examples import SampledExample
from densecli.training.objective import Objective
from densecli.training.optimizer import Optimizer
from densecli.training.update import Update, update

EVERYTHING = float("inf")
DOT = Objective()
PICKS = [
    SampledExample(
        "a", "who was born in a", Passage("1", "river", "the river of a"), (Passage("2", "", "a king"),)
    ),
    SampledExample("b", "what is b", Passage("3", "sea", "the sea and b b b b b b b b b b"), ()),
    SampledExample(
        "c", "where is c", Passage("4", "", "song c"), (Passage("5", "x", "film " * 9), Passage("6", "", "y"))
    ),
]


@pytest.fixture
def retriever(tiny_base: Path) -> Retriever:
    return open_base(str(tiny_base), None, 32, 32)


def learn(
    retriever: Retriever,
    picks: list[SampledExample] = PICKS,
    objective: Objective = DOT,
    keep_bytes: float = EVERYTHING,
) -> Update:
    towers = retriever.question, retriever.passage
    optimizer = Optimizer(towers, 1e-2, 0.0, 1e6, warmup_steps=0, steps=10)
    batch = lay_out(picks, retriever.tokens)
    return update(retriever, batch, optimizer, torch.float32, 5, objective, keep_bytes)


def in_one_piece(retriever: Retriever, batch: Batch, loss: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    def vectors(tower, rows: list[list[int]]) -> Tensor:
        return torch.cat([tower.eval().pool(torch.tensor([ids]), torch.ones(1, len(ids))) for ids in rows])

    return loss(vectors(retriever.question, batch.questions), vectors(retriever.passage, batch.passages))


@pytest.mark.parametrize("keep_bytes", [0, EVERYTHING], ids=["cached", "kept"])
@pytest.mark.parametrize(
    "objective",
    [
        Objective(),
        Objective("cosine", 0.05),
        Objective("l2"),
        Objective(loss="triplet"),
        Objective("l2", loss="triplet", margin=3.0, in_batch=False),
    ],
    ids=["dot", "cosine", "l2", "triplet", "1-of-N"],
)
def test_the_gradient_matches_the_whole_batch(
    retriever: Retriever, monkeypatch: pytest.MonkeyPatch, objective: Objective, keep_bytes: float
) -> None:
    set_dropout(retriever.question, 0.0)
    set_dropout(retriever.passage, 0.0)
    batch = lay_out(PICKS, retriever.tokens)

    def loss(questions: Tensor, passages: Tensor) -> Tensor:
        scores = objective.scores(questions, passages, torch.tensor(batch.owners))
        return objective.losses(scores, torch.tensor(batch.positives)).mean()

    expected = in_one_piece(retriever, batch, loss)
    expected.backward()  # type: ignore[no-untyped-call]
    weights = [*retriever.question.parameters(), *retriever.passage.parameters()]
    grads = [weight.grad for weight in weights]
    for weight in weights:
        weight.grad = None
    monkeypatch.setitem(forward.CHUNK_TOKENS, "cpu", 30)
    found: list[Tensor | None] = []
    monkeypatch.setattr(Optimizer, "step", lambda self: found.extend(weight.grad for weight in weights))
    done = learn(retriever, objective=objective, keep_bytes=keep_bytes)
    assert done.loss == pytest.approx(float(expected.detach()), abs=1e-4)
    near = 2e-3 if objective.similarity == "cosine" else 2e-4  # divided by the temperature
    for ours, theirs in zip(found, grads, strict=True):
        torch.testing.assert_close(ours, theirs, atol=near, rtol=1e-3)


def test_distillation_moves_probabilities_toward_the_teacher(retriever: Retriever) -> None:
    """The teacher prefers the negative, against the label."""
    taught = Context("1", "river", "the river of a", teacher_score=0.0)
    preferred = Context("2", "", "a king", teacher_score=2.0)
    pick = SampledExample("a", "who was born in a", taught, (preferred,))
    batch = lay_out([pick], retriever.tokens)
    assert batch.teacher == (0.0, 2.0)
    set_dropout(retriever.question, 0.0)
    set_dropout(retriever.passage, 0.0)
    towers = retriever.question, retriever.passage
    optimizer = Optimizer(towers, 1e-2, 0.0, 1e6, warmup_steps=0, steps=60)
    objective = Objective(distill=1.0)
    losses = [
        update(retriever, batch, optimizer, torch.float32, 5, objective, EVERYTHING).loss for _ in range(40)
    ]
    assert losses[0] > 0.3
    assert losses[-1] < 0.01


def test_dropout_follows_the_seed_and_leaves_the_global_generator_unchanged(tiny_base: Path) -> None:
    losses = []
    for global_seed in (1, 2):
        torch.manual_seed(global_seed)
        retriever = open_base(str(tiny_base), None, 32, 32)
        set_dropout(retriever.question, 0.3)
        before = torch.get_rng_state()
        losses.append(learn(retriever, keep_bytes=0).loss)
        assert torch.equal(torch.get_rng_state(), before)
    assert losses[0] == losses[1]


def test_a_fixed_passage_tower_keeps_its_weights_and_vectors(retriever: Retriever) -> None:
    retriever.passage.requires_grad_(False)
    before = [weight.clone() for weight in retriever.passage.parameters()]
    learn(retriever)
    assert not retriever.passage.training
    assert all(torch.equal(a, b) for a, b in zip(before, retriever.passage.parameters(), strict=True))


@pytest.mark.parametrize(("side", "piece", "name"), [("question", "what", "b"), ("passage", "film", "c")])
def test_a_question_with_a_loss_that_is_not_finite_is_named(
    retriever: Retriever, side: str, piece: str, name: str
) -> None:
    """Its vectors are broken, and by them the scores of the whole batch."""
    table = getattr(retriever, side).model.get_input_embeddings().weight
    with torch.no_grad():
        table[retriever.tokenizer.token_to_id(piece)] = torch.nan
    with pytest.raises(DivergedError, match=f"the loss is nan .*questions? {name}[;:]"):
        learn(retriever)


def test_a_batch_that_teaches_nothing_changes_nothing(retriever: Retriever) -> None:
    """Such as a question without a negative, or triplets beyond the margin: the run goes on."""
    far = [SampledExample("a", "the", Passage("1", "", "x"), (Passage("2", "", "x"),))]
    before = [weight.clone() for weight in retriever.question.parameters()]
    for picks, objective in (
        ([PICKS[1]], Objective()),
        ([PICKS[1], PICKS[1]], Objective(in_batch=False)),
        (far, Objective("dot", loss="triplet", margin=0.0)),
    ):
        done = learn(retriever, picks, objective)
        assert (done.loss, done.gradient_norm) == (0.0, 0.0)
    assert all(map(torch.equal, before, retriever.question.parameters()))


def test_several_threads_give_the_same_weights_every_time(tiny_base: Path) -> None:
    made, threads = [], torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        for _ in range(2):
            retriever = open_base(str(tiny_base), None, 32, 32)
            learn(retriever, PICKS * 16)
            made.append(retriever.question.state_dict() | retriever.passage.state_dict())
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(made[0][name], made[1][name]) for name in made[0])
