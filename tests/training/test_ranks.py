"""Several processes find what one would; run in real processes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from densecli.encoders.torch_save import save_retriever
from densecli.encoders.torch_start import Change, open_base
from densecli.errors import ResourceError, UsageError
from densecli.training.ranks import ALONE, ProcessGroup
from in_ranks import EXAMPLES, exchange, learn, train_fixed, validate
from ranks import together
from stores import write_store
from vector_stores import write_vectors

SCHEMES: list[dict[str, Any]] = [
    {},
    {"shared_encoder": True},
    {"freeze_embeddings": True},
    {"fixed_passage_encoder": True},
    {"projection": 8},
    {"similarity": "cosine"},
    {"loss": "triplet", "similarity": "l2"},
    {"in_batch": False},
    {"activation_memory": 0.0, "max_grad_norm": 0.1},
    {"gradient_checkpointing": True},
]


@given(st.integers(0, 200), st.integers(1, 20))
def test_parts_cover_all_rows_in_order_with_equal_sizes(count: int, world: int) -> None:
    parts = [ProcessGroup(rank, world).part(count) for rank in range(world)]
    assert [row for part in parts for row in part] == list(range(count))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_processes_exchange_each_kind_of_value() -> None:
    found = together(3, exchange)
    alike = {
        "whole": [[1.0, 1.0], [2.0, 2.0]],
        "summed": [None, [1.0, 1.0], [3.0, 3.0]],
        "averaged": [None, [1.0, 1.0], [3.0, 3.0]],
        "copied": [0],
        "shared": {"rank": 0, "text": "ü", "none": None},
        "total": [3.0, 3.0],
        "dealt": [1111.0, 4.0],
        "device": "cpu",
    }
    for rank, one in enumerate(found):
        assert {name: one[name] for name in alike} == alike
        assert one["turn"] == rank
    assert [one["part"] for one in found] == [[], [0], [1]]
    assert [one["gradient"] for one in found] == [[], [[1.0, 1.0]], [[10.0, 10.0]]]
    seeds = [one["seed"] for one in found]
    assert seeds[0] == 7
    assert len(set(seeds)) == 3


def test_one_process_alone_needs_no_exchange() -> None:
    assert exchange(ALONE)["shared"]["rank"] == 0
    assert ALONE.device("cuda:3") == "cuda:3"
    assert ALONE.end(5) is None


@pytest.mark.parametrize(("world", "sizes"), [(2, [7]), (3, [2])])
def test_several_processes_give_the_gradient_of_one_process(
    tiny_base: Path, world: int, sizes: list[int]
) -> None:
    """In every scheme, with parts of unlike size, and a process without any row (2 questions for 3)."""
    alone = learn(ALONE, str(tiny_base), sizes, SCHEMES)
    for found in together(world, learn, str(tiny_base), sizes, SCHEMES):
        for (told, gradients), (expected, ours) in zip(found, alone, strict=True):
            assert told == pytest.approx(expected, rel=2e-5)
            assert gradients.keys() == ours.keys()
            for name, gradient in ours.items():
                assert (gradient is None) == (gradients[name] is None), name
                if gradient is not None:
                    near = 1e-4 if np.abs(gradient).max() > 1 else 1e-5
                    np.testing.assert_allclose(gradients[name], gradient, atol=near, rtol=1e-4, err_msg=name)


def test_averaged_gradients_are_clipped_as_in_the_reference(tiny_base: Path) -> None:
    ((told, _),) = learn(ALONE, str(tiny_base), [4], [{}])
    for found in together(2, learn, str(tiny_base), [4], [{"average_gradients": True}]):
        ((_, _, norm), _) = found[0]
        assert norm == pytest.approx(told[2] / 2, rel=1e-4)


def test_validation_does_not_depend_on_the_number_of_processes(tiny_base: Path) -> None:
    measures, place = validate(ALONE, str(tiny_base))
    for found, its_place in together(3, validate, str(tiny_base)):
        assert its_place == place
        assert found == pytest.approx(measures, abs=1e-6)


def test_each_process_has_its_own_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    one = ProcessGroup(5, 8, local=1)
    assert one.device("auto") == one.device("cuda") == "cuda:1"
    assert one.device("cpu") == "cpu"
    with pytest.raises(UsageError, match="`device` cuda:0: several processes can't share it"):
        one.device("cuda:0")
    with pytest.raises(ResourceError, match="torch sees 2 GPUs; start fewer"):
        ProcessGroup(2, 8, local=2).device("auto")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert one.device("auto") == "auto"


def test_training_on_stored_vectors_matches_one_process(tiny_base: Path, tmp_path: Path) -> None:
    """With 7 questions for 3 processes, each of which finds the index negatives of its own questions."""
    save_retriever(open_base(str(tiny_base), None, 32, 32, Change(similarity="cosine")), tmp_path / "base")
    passages = sorted({one for example in EXAMPLES[2:] for one in example.passages}, key=lambda one: one.text)
    stored = [replace(passage, id=str(number)) for number, passage in enumerate(passages)]
    write_vectors(tmp_path / "vectors", write_store(tmp_path / "passages", stored), tmp_path / "base")
    schemes: list[dict[str, Any]] = [
        {},
        {"index_negatives": "all", "check_depth": 1},
        {"index_negatives": "3"},
        {"index_negatives": "2", "in_batch": False},
    ]
    alone = train_fixed(ALONE, str(tmp_path), schemes)
    for found in together(3, train_fixed, str(tmp_path), schemes):
        for reports, expected in zip(found, alone, strict=True):
            for report, other in zip(reports, expected, strict=True):
                assert report[:3] == pytest.approx(other[:3], rel=1e-3)
                assert report[3] == pytest.approx(other[3])
