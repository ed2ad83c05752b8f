import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from densecli.configs.training import TrainReaderConfig
from densecli.encoders.torch_base import Retriever
from densecli.encoders.torch_save import save_retriever
from densecli.encoders.torch_start import Change, open_base
from densecli.errors import ArtifactError, DivergedError, UsageError
from densecli.models.folder import RetrieverConfig, write_model_config
from densecli.records import Passage, Question, TrainingExample
from densecli.training.joint import JointRetriever, lay_out_retrieved, open_joint

CONFIG = TrainReaderConfig(dropout=0.0, precision="fp32", device="cpu")
CPU = torch.device("cpu")


def passage(text: str, title: str = "") -> Passage:
    return Passage(f"{title}/{text}", title, text)


SONG, RIVER, BOTH, SEA, KING = map(
    passage, ["the song of ann", "a river in the city", "ann was born in a river", "the sea", "a king"]
)
EXAMPLES = [
    TrainingExample(Question("q0", "who wrote the song?", ("ann",)), (SONG, BOTH), (SEA, KING)),
    TrainingExample(Question("q1", "where is the city?", ("river",)), (RIVER,), (SEA, SONG)),
    TrainingExample(Question("q2", "what is a king", ("sea", "king")), (passage("king of the sea", "x"),)),
]


@pytest.fixture
def retriever(tiny_base: Path) -> Retriever:
    return open_base(str(tiny_base), "mean", 32, 32, Change(question_prefix="ask ", passage_prefix="film "))


def joint(retriever: Retriever, temperature: float = 1.0, **settings: object) -> JointRetriever:
    return JointRetriever(retriever, temperature, replace(CONFIG, **settings), CPU, torch.float32)


def with_similarity(retriever: Retriever, similarity: str, normalize: bool) -> Retriever:
    retriever.model_config = replace(retriever.model_config, similarity=similarity, normalize=normalize)
    for tower in (retriever.question, retriever.passage):
        tower.model_config = retriever.model_config
    return retriever


def test_each_passage_is_in_the_batch_once_with_its_questions(retriever: Retriever) -> None:
    batch = lay_out_retrieved(EXAMPLES, retriever.tokens)
    columns = [SONG, BOTH, SEA, KING, RIVER, EXAMPLES[2].positives[0]]
    assert batch.passages == retriever.tokens.passages(columns)
    assert batch.positives.int().tolist() == [[1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 1]]
    # BOTH answers q1 though only q0 retrieved it, SEA and KING answer q2 likewise: neither is a negative
    assert batch.compared.int().tolist() == [[1, 1, 1, 1, 1, 1], [1, 0, 1, 1, 1, 1], [1, 1, 0, 0, 1, 1]]


def test_passages_with_the_same_text_and_different_titles_differ(retriever: Retriever) -> None:
    twin = passage(SONG.text, "song")
    example = replace(EXAMPLES[1], hard_negatives=(SONG, twin, replace(SONG, id="again")))
    assert len(lay_out_retrieved([example], retriever.tokens).passages) == 3


@pytest.mark.parametrize(
    ("similarity", "normalize", "temperature"),
    [("dot", False, 0.3), ("cosine", True, 0.05), ("l2", False, 0.3), ("dot", True, 0.1)],
)
def test_the_gradient_matches_a_loop(
    retriever: Retriever, similarity: str, normalize: bool, temperature: float
) -> None:
    def vector(tower, ids: list[int]) -> torch.Tensor:
        return tower.eval().pool(torch.tensor([ids]), torch.ones(1, len(ids)))[0]

    def alike(asked: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        if similarity == "l2":
            return -(asked - told).norm()
        return (asked / asked.norm()) @ (told / told.norm()) / temperature if normalize else asked @ told

    found = joint(with_similarity(retriever, similarity, normalize), temperature)
    total = torch.zeros(())
    passages = {one for example in EXAMPLES for one in (*example.positives, *example.hard_negatives)}
    for example in EXAMPLES:
        asked = vector(retriever.question, retriever.tokens.questions([example.question.question])[0])
        likely, all_of_them = torch.zeros(()), torch.zeros(())
        for one in passages:
            answers = any(f" {answer} " in f" {one.text} " for answer in example.question.answers)
            if one not in example.positives and answers:
                continue
            with torch.no_grad():
                told = vector(retriever.passage, retriever.tokens.passages([one])[0])
            weight = alike(asked, told).exp()
            all_of_them = all_of_them + weight
            if one in example.positives:
                likely = likely + weight
        total = total - (likely / all_of_them).log()
    mean = total / len(EXAMPLES)
    mean.backward()
    expected = [weight.grad.clone() for weight in found.question.parameters() if weight.grad is not None]
    found.question.zero_grad()
    assert found.accumulate_gradients(EXAMPLES, seed=1) == pytest.approx(mean.item(), abs=1e-5)
    got = [weight.grad for weight in found.question.parameters() if weight.grad is not None]
    assert len(got) == len(expected) > 10
    for one, other in zip(got, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)
    assert all(weight.grad is None for weight in retriever.passage.parameters())


def test_dropout_follows_the_seed_and_applies_to_questions_only(retriever: Retriever) -> None:
    found = joint(retriever, dropout=0.5)
    state = torch.get_rng_state()
    losses = [found.accumulate_gradients(EXAMPLES, seed) for seed in (1, 1, 2)]
    assert torch.equal(state, torch.get_rng_state())
    assert losses[0] == losses[1] != losses[2]
    assert not any(module.p for module in retriever.passage.modules() if isinstance(module, torch.nn.Dropout))


def test_a_loss_that_is_not_finite_names_the_questions(retriever: Retriever) -> None:
    with torch.no_grad():
        next(retriever.question.parameters()).fill_(math.nan)
    with pytest.raises(DivergedError, match="batch of questions q0, q1, q2"):
        joint(retriever).accumulate_gradients(EXAMPLES, 1)


def test_validation_follows_the_question_tower(retriever: Retriever) -> None:
    found = joint(retriever)
    measure = found.validation(EXAMPLES)
    before = measure()
    assert before["pool"] == 5  # BOTH, a second positive, is not in it
    optimizer = torch.optim.Adam(found.question.parameters(), 1e-2)
    for step in range(40):
        found.accumulate_gradients(EXAMPLES, step)
        optimizer.step()
        optimizer.zero_grad()
    assert measure()["average_rank"] < before["average_rank"] or measure()["average_rank"] == 0
    assert joint(retriever).validation([])() == {}


def test_vectors_of_a_fixed_passage_tower_are_made_once(
    retriever: Retriever, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure = joint(retriever).validation(EXAMPLES)
    first = measure()
    monkeypatch.setattr(retriever.passage, "pool", None)
    assert measure() == first


def test_retrievers_that_cannot_be_trained_jointly_are_refused(tiny_base: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="not a densecli retriever; run `densecli convert"):
        open_joint(tiny_base)
    save_retriever(open_base(str(tiny_base), None, 32, 32, Change(shared_encoder=True)), tmp_path)
    with pytest.raises(UsageError, match="one encoder for questions and passages.*train one of two"):
        open_joint(tmp_path)
    row = json.loads((tmp_path / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps(row | {"kind": "reader"}))
    with pytest.raises(ArtifactError, match="kind 'reader'; a retriever is needed"):
        open_joint(tmp_path)
    write_model_config(tmp_path, RetrieverConfig())
    with pytest.raises(ArtifactError, match="passage"):
        open_joint(tmp_path)
