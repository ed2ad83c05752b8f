"""Losses in chunks and groups, against one question at a time."""

import pytest
import torch

from densecli.reader import torch_forward
from densecli.reader.examples import Sample
from densecli.reader.torch_folder import open_reader
from densecli.reader.torch_forward import FullShape, groups, losses
from densecli.reader.torch_loss import relevance_loss, span_loss
from densecli.reader.torch_update import accumulate_gradients, mean_loss

PAD = 0


def row(length: int, salt: int) -> list[int]:
    return [2, *((7 * salt + 3 * place) % 90 + 5 for place in range(length - 1))]


SAMPLES = [
    Sample("a", [row(20, 1), row(31, 2), row(12, 3)], 6, [(8, 9), (11, 11)]),
    Sample("b", [row(33, 4)], 9, [(9, 32)]),
    Sample("c", [row(14, 5), row(40, 6)], 5, [(7, 7)]),
]


@pytest.fixture
def model(tiny_reader):
    model = open_reader(tiny_reader).model
    torch.nn.init.normal_(model.qa_outputs.weight, generator=torch.Generator().manual_seed(1))
    torch.nn.init.normal_(model.qa_classifier.weight, generator=torch.Generator().manual_seed(2))
    model.prepare(0.0, False, torch.device("cpu"))
    return model


def alone(model, one: Sample) -> torch.Tensor:
    """The loss of one question, a row at a time and without padding."""
    found = [model(torch.tensor([ids]), torch.ones(1, len(ids), dtype=torch.int64)) for ids in one.rows]
    readable = torch.arange(len(one.rows[0]))[None] >= one.offset
    spans, valid = torch.tensor([one.spans]), torch.ones(1, len(one.spans), dtype=torch.bool)
    relevance = torch.stack([logits.relevance[0] for logits in found])[None]
    real = torch.ones_like(relevance, dtype=torch.bool)
    return (
        span_loss(found[0].start, found[0].end, readable, spans, valid) + relevance_loss(relevance, real)
    )[0]


def test_chunks_and_padding_change_nothing(model, monkeypatch):
    expected = [alone(model, one).item() for one in SAMPLES]
    for chunk in (1, 70, 10_000):
        monkeypatch.setitem(torch_forward.CHUNK_TOKENS, "cpu", chunk)
        found, _ = losses(model, SAMPLES, PAD, torch.float32)
        assert found.tolist() == pytest.approx(expected, abs=1e-4)


def test_the_loss_of_the_release_is_that_of_one_padded_tensor(model, monkeypatch):
    """As the reference computes it: (questions, passages, tokens) ids, and softmaxes over all of it."""
    full = FullShape(passages=4, tokens=45)
    ids = torch.full((len(SAMPLES), full.passages, full.tokens), PAD)
    for question, one in enumerate(SAMPLES):
        for place, found in enumerate(one.rows):
            ids[question, place, : len(found)] = torch.tensor(found)
    rows = ids.flatten(0, 1)
    # the release adds -10,000 to masked scores, which changes nothing where all are masked
    logits = model(rows, (rows != PAD) | (rows == PAD).all(1, keepdim=True))
    relevance = logits.relevance.view(len(SAMPLES), full.passages)
    start, end = (part.view(*ids.shape)[:, 0] for part in (logits.start, logits.end))
    expected = [
        -torch.stack(
            [start[row].log_softmax(-1)[a] + end[row].log_softmax(-1)[b] for a, b in one.spans]
        ).logsumexp(0)
        - relevance[row].log_softmax(-1)[0]
        for row, one in enumerate(SAMPLES)
    ]
    masked, _ = losses(model, SAMPLES, PAD, torch.float32)
    for chunk in (1, 10_000):
        monkeypatch.setitem(torch_forward.CHUNK_TOKENS, "cpu", chunk)
        found, _ = losses(model, SAMPLES, PAD, torch.float32, full)
        assert found.tolist() == pytest.approx(torch.stack(expected).tolist(), abs=1e-4)
        assert (found > masked).all()
    torch.stack(expected).sum().backward()
    gradients = [weight.grad.clone() for weight in model.parameters()]
    model.zero_grad()
    done = accumulate_gradients(model, SAMPLES, PAD, torch.float32, 1, full=full)
    assert done.loss == pytest.approx(torch.stack(expected).mean().item(), abs=1e-4)
    for weight, gradient in zip(model.parameters(), gradients, strict=True):
        torch.testing.assert_close(weight.grad, gradient, atol=1e-4, rtol=1e-3)


def test_the_most_relevant_passage_is_returned(model):
    _, best = losses(model, SAMPLES, PAD, torch.float32)
    expected = []
    for one in SAMPLES:
        scores = [model(torch.tensor([ids]), torch.ones(1, len(ids))).relevance.item() for ids in one.rows]
        expected.append(scores[0] == max(scores))
    assert best.tolist() == expected
    assert expected[1]


def test_gradients_of_groups_sum_to_the_gradient_of_the_mean(model, monkeypatch):
    torch.stack([alone(model, one) for one in SAMPLES]).mean().backward()
    expected = [weight.grad.clone() for weight in model.parameters()]
    loss = mean_loss(model, SAMPLES, PAD, torch.float32).loss
    for budget in (1, 10_000):
        monkeypatch.setitem(torch_forward.GROUP_TOKENS, "cpu", budget)
        model.zero_grad()
        done = accumulate_gradients(model, SAMPLES, PAD, torch.float32, seed=1)
        assert done.loss == pytest.approx(loss, abs=1e-4)
        for weight, gradient in zip(model.parameters(), expected, strict=True):
            assert torch.allclose(weight.grad, gradient, atol=1e-4)


def test_a_question_without_a_span_is_trained_on_relevance(model):
    one = SAMPLES[0]
    found, _ = losses(model, [Sample("a", one.rows, one.offset, [])], PAD, torch.float32)
    relevance = torch.cat([model(torch.tensor([ids]), torch.ones(1, len(ids))).relevance for ids in one.rows])
    assert found.item() == pytest.approx(-relevance.log_softmax(0)[0].item(), abs=1e-4)


def test_groups_contain_whole_questions():
    sizes = [[one.id for one in group] for group in groups(SAMPLES, 100)]
    assert sizes == [["a", "b"], ["c"]]
    assert [len(group) for group in groups(SAMPLES, 1)] == [1, 1, 1]
    assert list(groups([], 100)) == []


def test_dropout_follows_the_seed_and_leaves_the_global_generator_unchanged(model):
    model.prepare(0.3, False, torch.device("cpu"))
    before = torch.random.get_rng_state()
    loss = [accumulate_gradients(model, SAMPLES, PAD, torch.float32, seed).loss for seed in (1, 1, 2)]
    assert loss[0] == loss[1] != loss[2]
    assert torch.equal(before, torch.random.get_rng_state())
    steady = [mean_loss(model, SAMPLES, PAD, torch.float32).loss for _ in range(2)]
    assert steady[0] == steady[1]


def test_frozen_words_get_no_gradient(model):
    model.prepare(0.0, True, torch.device("cpu"))
    accumulate_gradients(model, SAMPLES, PAD, torch.float32, seed=1)
    assert model.encoder.get_input_embeddings().weight.grad is None
    assert model.qa_outputs.weight.grad is not None
