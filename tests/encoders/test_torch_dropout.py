"""The masks that an update takes in place of torch's."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, scaled_dot_product_attention

from densecli.encoders import torch_dropout
from densecli.encoders.torch_dropout import seeded_dropout, set_dropout
from densecli.encoders.torch_start import open_base
from densecli.training.forward import vectors_of
from encoder_families import FAMILIES, SENTENCES, Family

CPU = torch.device("cpu")
NEXT_TO_NONE = 1e-9  # drops nothing, but takes the way of dropout


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_share_is_dropped_and_the_mean_stays(share: float) -> None:
    states = torch.ones(1000, 1000)
    with seeded_dropout(CPU, 1):
        found = dropout(states, share)
    # five standard errors
    assert abs(float((found == 0).float().mean()) - share) < 5 * (share * (1 - share) / 1e6) ** 0.5
    assert abs(float(found.mean()) - 1) < 5 * (share / (1 - share) / 1e6) ** 0.5
    assert found.unique().numel() == 2


def test_neighbors_are_dropped_independently() -> None:
    with seeded_dropout(CPU, 1):
        kept = (dropout(torch.ones(1_000_003), 0.5) > 0).float() - 0.5
    for distance in (1, 2, 3, 4, 8, 64):
        assert abs(float((kept[distance:] * kept[:-distance]).mean())) < 0.002


def test_every_mask_is_another_one_and_the_seed_repeats_all() -> None:
    states = torch.ones(64, 64)

    def masks(seed: int) -> list[Tensor]:
        with seeded_dropout(CPU, seed):
            return [dropout(states, 0.5) for _ in range(3)]

    first, again, other = masks(1), masks(1), masks(2)
    assert all(torch.equal(one, same) for one, same in zip(first, again, strict=True))
    different = [*first, *other]
    assert len({tuple(mask.flatten().tolist()) for mask in different}) == len(different)


def test_the_masks_are_not_those_of_torch() -> None:
    states = torch.ones(64, 64)
    with seeded_dropout(CPU, 1):
        ours = dropout(states, 0.5)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        assert not torch.equal(dropout(states, 0.5), ours)


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_states_keep_their_type_and_gradients_follow_the_mask(kind: torch.dtype) -> None:
    states = torch.ones(100, 30, dtype=kind, requires_grad=True)
    with seeded_dropout(CPU, 1):
        found = dropout(states, 0.25)
        found.sum().backward()  # type: ignore[no-untyped-call]
    assert found.dtype == kind
    assert states.grad is not None
    assert torch.equal(states.grad, found.detach())


def test_no_dropout_returns_the_states() -> None:
    states = torch.randn(4, 4)
    with seeded_dropout(CPU, 1):
        assert torch.equal(dropout(states, 0.0), states)
        assert torch.equal(dropout(states, 0.5, training=False), states)
        assert not dropout(states, 1.0).any()
        assert torch.equal(nn.Dropout(0.5).eval()(states), states)


def mask(kind: str, keys: int) -> Tensor | None:
    seen = torch.ones(3, 1, 1, keys, dtype=torch.bool)
    seen[0, ..., keys // 2 :] = False
    if kind == "float":
        return torch.zeros(seen.shape).masked_fill(~seen, torch.finfo(torch.float32).min)
    return seen if kind == "bool" else None


@pytest.mark.parametrize("kind", ["bool", "float", "none"])
@pytest.mark.parametrize("scale", [None, 0.3])
def test_attention_is_that_of_torch(kind: str, scale: float | None) -> None:
    given = [torch.randn(3, 2, 11, 8, requires_grad=True) for _ in range(3)]

    def attended(share: float) -> list[Tensor]:
        found = scaled_dot_product_attention(*given, attn_mask=mask(kind, 11), dropout_p=share, scale=scale)
        return [found, *torch.autograd.grad(found.square().sum(), given)]

    expected = attended(0.0)
    with seeded_dropout(CPU, 1):
        for found, wanted in zip(attended(NEXT_TO_NONE), expected, strict=True):
            torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)


def test_attention_to_nothing_is_finite() -> None:
    given = [torch.randn(1, 1, 2, 4) for _ in range(3)]
    nothing = torch.zeros(1, 1, 2, 2, dtype=torch.bool)
    with seeded_dropout(CPU, 1):
        assert scaled_dot_product_attention(*given, attn_mask=nothing, dropout_p=0.5).isfinite().all()


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_every_encoder_takes_these_masks(
    family: Family, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The states are the same but for the mask, wherever the architecture drops them."""
    retriever = open_base(str(family.save(tmp_path / "base")), None, 32, 32)
    tower, pad = retriever.question, retriever.tokens.pad
    ids = retriever.tokens.questions(SENTENCES)
    exact = vectors_of(tower.eval(), ids, pad, torch.float32)
    set_dropout(tower, NEXT_TO_NONE)

    with seeded_dropout(CPU, 1), torch.inference_mode():
        state = torch.get_rng_state()
        torch.testing.assert_close(vectors_of(tower.train(), ids, pad, torch.float32), exact)
        assert not torch.equal(torch.get_rng_state(), state)
    set_dropout(tower, 0.3)

    def dropped(seed: int) -> Tensor:
        with seeded_dropout(CPU, seed), torch.inference_mode():
            return vectors_of(tower.train(), ids, pad, torch.float32)

    assert torch.equal(dropped(1), dropped(1))
    assert (dropped(2) - dropped(1)).abs().max() > 1e-3
    ours = dropped(1)
    monkeypatch.setattr(torch_dropout, "REPLACED", {})
    assert not torch.equal(dropped(1), ours)
