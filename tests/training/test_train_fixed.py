"""Training beside a fixed passage tower: its vectors are read or made once, and change nothing."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from densecli.configs.training import TrainConfig
from densecli.encoders.torch_base import Retriever
from densecli.encoders.torch_save import save_retriever
from densecli.encoders.torch_start import Change, open_base
from densecli.errors import ArtifactError, UsageError
from densecli.records import Context, Passage, Question, TrainingExample
from densecli.training.batches import lay_out
from densecli.training.exact_search import ExactSearch
from densecli.training.examples import ExampleSpool
from densecli.training.objective import Objective
from densecli.training.optimizer import Optimizer
from densecli.training.pool import DevPool
from densecli.training.prepare import open_to_train, prepare
from densecli.training.report import StepReport
from densecli.training.retriever import train
from densecli.training.sampling import Source, epoch_batches
from densecli.training.search_validation import SearchValidator
from densecli.training.stored import Stored
from densecli.training.update import update
from memory_checkpointer import MemoryCheckpointer
from stores import write_store
from vector_stores import write_vectors

CPU = torch.device("cpu")
THINGS = ["river", "city", "king", "song", "film", "sea", "born", "wrote"]
STORED = [
    Passage(f"{kind}{n}", thing, f"{kind} {thing} of {n}" * (n + 1))
    for n, thing in enumerate(THINGS)
    for kind in ("the", "a")
]
CONFIG = TrainConfig(
    batch_size=3,
    epochs=3,
    learning_rate=3e-3,
    dropout=0.2,
    precision="fp32",
    device="cpu",
    fixed_passage_encoder=True,
    max_question_tokens=32,
    max_passage_tokens=32,
)


def examples() -> list[TrainingExample]:
    """Some passages are stored, some have a stored id and another text or title, some are unknown.

    A teacher knows the passages of every other example.
    """
    unknown = [Passage(str(n), "", f"who wrote {n}") for n in range(3)]
    renamed = replace(STORED[2], title="where")
    rewritten = replace(STORED[4], text="when the king was born")
    others = [unknown, [renamed, STORED[9]], [rewritten, unknown[1], STORED[12]], []]

    def passages(n: int, *given: Passage) -> tuple[Passage, ...]:
        if n % 2:
            return given
        scores = (float(len(one.text) % 5) for one in given)
        return tuple(
            Context(one.id, one.title, one.text, teacher_score=score)
            for one, score in zip(given, scores, strict=True)
        )

    return [
        TrainingExample(
            Question(str(n), f"who is {'xyzqjvkw'[n]}"),
            passages(n, *((STORED[2 * n], STORED[2 * n + 1]) if n != 5 else (renamed,))),
            passages(n, *others[n % 4]),
            passages(n, STORED[(2 * n + 7) % 16]),
        )
        for n in range(8)
    ]


def spool() -> ExampleSpool:
    return ExampleSpool(examples(), Counter())


def stored_of(
    folder: Path, tiny_base: Path, change: Change, pooling: str | None = None
) -> tuple[Path, Stored]:
    """Make a retriever of that kind, and its vectors of the stored passages."""
    save_retriever(open_base(str(tiny_base), pooling, 32, 32, change), folder / "base")
    store = write_store(folder / "passages", STORED)
    write_vectors(folder / "vectors", store, folder / "base")
    return folder / "base", Stored.open(folder / "passages", folder / "vectors", folder / "base", CONFIG)


def run(base: Path, stored: Stored | None, config: TrainConfig, dev: bool = False) -> list[StepReport]:
    retriever = open_to_train(str(base), config)
    held_out = spool() if dev else None
    return list(train(spool(), held_out, retriever, config, Counter(), MemoryCheckpointer(), stored=stored))


def with_the_tower_in_every_update(base: Path, config: TrainConfig) -> tuple[list[float], Retriever]:
    """The naive twin: passages run through their tower again in each update."""
    retriever = open_to_train(str(base), config)
    prepare(retriever, config.dropout, False, CPU, fixed_passage_encoder=True)
    examples, losses = spool(), []
    sources = [Source(range(len(examples)))]
    per_epoch = sources[0].batches(config.batch_size)
    towers = retriever.question, retriever.passage
    optimizer = Optimizer.of(towers, config, per_epoch * 3, torch.float32)
    objective = Objective.of(config, retriever.model_config.similarity)
    for epoch in range(3):
        for number, rows in enumerate(epoch_batches(sources, config.batch_size, config.seed, epoch)):
            negatives = config.other_negatives, config.hard_negatives
            picks = examples.draw(rows, *negatives, config.seed, epoch, number, config.shuffle_positives)
            batch = lay_out(picks, retriever.tokens)
            seed = config.seed + epoch * per_epoch + number
            losses.append(update(retriever, batch, optimizer, torch.float32, seed, objective, 1e9).loss)
    return losses, retriever


@pytest.mark.parametrize(
    ("change", "pooling", "settings"),
    [
        (Change(), None, {"other_negatives": 1}),
        (Change(similarity="cosine", passage_prefix="film "), "mean", {"hard_negatives": 2}),
        (Change(similarity="l2", projection=6), None, {"in_batch": False, "shuffle_positives": True}),
        (Change(), "mean", {"loss": "triplet", "hard_negatives": 5}),
        (Change(), None, {"hard_negatives": 2, "distill": 0.7, "teacher_temperature": 2.0}),
    ],
    ids=["dot", "cosine", "l2", "triplet", "distilled"],
)
@pytest.mark.parametrize("stores", [True, False])
def test_losses_match_training_that_runs_the_passage_tower(
    tiny_base: Path, tmp_path: Path, change: Change, pooling: str | None, settings: dict, stores: bool
) -> None:
    base, stored = stored_of(tmp_path, tiny_base, change, pooling)
    config = replace(CONFIG, **settings)
    expected, _ = with_the_tower_in_every_update(base, config)
    reports = run(base, stored if stores else None, config, dev=True)
    assert [report.loss for report in reports] == pytest.approx(expected, rel=1e-4, abs=1e-5)
    assert len(set(expected)) == len(expected) == 6


def test_only_passages_without_stored_vectors_are_encoded_once(
    tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, stored = stored_of(tmp_path, tiny_base, Change())
    retriever = open_to_train(str(base), CONFIG)
    tower, encoded = retriever.passage, []
    pool = tower.pool

    def counted(ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        encoded.extend(tuple(row[row != retriever.tokens.pad].tolist()) for row in ids)
        return pool(ids, mask)

    monkeypatch.setattr(tower, "pool", counted)
    config = replace(CONFIG, validate_by="top-k", validate_every=1)
    reports = list(train(spool(), spool(), retriever, config, Counter(), MemoryCheckpointer(), stored=stored))
    assert all(report.validation for report in reports)
    known = set(map(tuple, retriever.tokens.passages(STORED)))
    assert not known & set(encoded)
    assert len(set(encoded)) == 5
    assert (
        max(Counter(encoded).values()) == 3
    )  # for training, for the loss on dev examples, and for their pool
    before = len(encoded)
    config = replace(CONFIG, hard_negatives=0, batch_size=8)
    list(train(spool(), None, retriever, config, Counter(), MemoryCheckpointer(), stored=stored))
    assert len(encoded) == before + 1  # the renamed positive


def test_the_dev_pool_uses_stored_vectors(tiny_base: Path, tmp_path: Path) -> None:
    base, stored = stored_of(tmp_path, tiny_base, Change(similarity="l2"))
    retriever = open_to_train(str(base), CONFIG)
    prepare(retriever, 0.0, False, CPU, fixed_passage_encoder=True)
    objective = Objective("l2")
    pools = [DevPool(spool(), 8, 5, 5, given) for given in (stored, None)]
    found = [pool.rank(retriever, objective, 2, torch.float32) for pool in pools]
    assert found[0] == found[1]


def test_vectors_of_another_model_are_refused(tiny_base: Path, tmp_path: Path) -> None:
    base, _ = stored_of(tmp_path, tiny_base, Change())
    passages, vectors = tmp_path / "passages", tmp_path / "vectors"

    def refused(said: str, *places: Path, **settings: object) -> None:
        with pytest.raises(ArtifactError, match=said):
            Stored.open(*places, replace(CONFIG, **settings))

    refused("not a retriever of densecli.*convert", passages, vectors, tiny_base)
    refused("`max_passage_tokens=32`, as .* but 64 is", passages, vectors, base, max_passage_tokens=64)
    refused("`similarity=dot`, as .* but cosine is asked for", passages, vectors, base, similarity="cosine")
    save_retriever(open_base(str(tiny_base), "mean", 32, 32), tmp_path / "other")
    refused("vectors of another passage encoder", passages, vectors, tmp_path / "other")
    write_store(tmp_path / "fewer", STORED[1:])
    refused("vectors of other passages", tmp_path / "fewer", vectors, base)
    refused("the vector store does not exist", passages, tmp_path / "none", base)


ANSWERED = [
    replace(
        example,
        question=replace(example.question, answers=(THINGS[number],)),
        positives=tuple(STORED[2 * number : 2 * number + 2]),
    )
    for number, example in enumerate(examples())
]


def test_a_question_tower_learns_against_all_stored_passages(tiny_base: Path, tmp_path: Path) -> None:
    base, stored = stored_of(tmp_path, tiny_base, Change(similarity="cosine"), "mean")
    for negatives in ("all", "7"):
        config = replace(
            CONFIG, batch_size=8, epochs=60, dropout=0.0, index_negatives=negatives, max_positives=2,
            validate_by="search", validate_k=1, learning_rate=1e-2,
        )  # fmt: skip
        retriever = open_to_train(str(base), config)
        asked = [example.question for example in ANSWERED]
        given = ExampleSpool(ANSWERED, Counter())
        reports = list(train(given, asked, retriever, config, Counter(), MemoryCheckpointer(), stored=stored))
        assert reports[0].untrained is not None
        assert reports[0].untrained["top_1"] < 0.5
        assert reports[-1].validation == {
            "top_1": 1.0, "reciprocal_rank": 1.0, "questions": 8, "pool": len(STORED),
        }  # fmt: skip
        assert reports[-1].accuracy == 1.0


def test_search_is_validated_by_the_rank_of_the_first_answer(tiny_base: Path, tmp_path: Path) -> None:
    base, stored = stored_of(tmp_path, tiny_base, Change(similarity="l2"))
    retriever = open_to_train(str(base), CONFIG)
    none = Question("none", "what is a king")
    asked = [none, *(example.question for example in ANSWERED)]
    config = replace(CONFIG, validate_by="search", validate_k=3, dev_questions=7)
    validator = SearchValidator(asked, stored, ExactSearch(stored.vectors, CPU), config, torch.float32)
    measures, rank = validator.validate(retriever)
    passages = torch.from_numpy(stored.vectors.take(np.arange(len(STORED))))
    ranks = []
    for number, question in enumerate(asked[1:8]):
        (ids,) = retriever.tokens.questions([question.question])
        with torch.no_grad():
            vector = retriever.question.eval()(torch.tensor([ids]), torch.ones(1, len(ids)))[0]
        order = (passages @ vector).argsort(descending=True).tolist()
        found = [place for place, row in enumerate(order, 1) if THINGS[number] in STORED[row].text.split()]
        ranks.append(found[0])
    top = sum(place <= 3 for place in ranks) / 7
    reciprocal = sum(1 / place for place in ranks if place <= 3) / 7
    first = sum(place == 1 for place in ranks) / 7
    expected = {"top_1": first, "top_3": top, "reciprocal_rank": reciprocal, "questions": 7, "pool": 16}
    assert measures == pytest.approx(expected)
    assert rank == pytest.approx((top, reciprocal))
    assert 0 < top < 1
    with pytest.raises(UsageError, match="no dev question has an answer"):
        SearchValidator([none], stored, ExactSearch(stored.vectors, CPU), config, torch.float32)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"index_negatives": "all"}, "`index_negatives` needs the stored vectors"),
        ({"validate_by": "search"}, "`validate_by=search` needs the stored vectors"),
    ],
)
def test_settings_that_need_stored_vectors_are_refused_without_them(
    tiny_base: Path, settings: dict, said: str
) -> None:
    config = replace(CONFIG, **settings)
    retriever = open_to_train(str(tiny_base), config)
    with pytest.raises(UsageError, match=said):
        list(train(spool(), [Question("0", "who")], retriever, config, Counter(), MemoryCheckpointer()))


def test_index_negatives_from_all_passages_are_refused_for_l2(tiny_base: Path, tmp_path: Path) -> None:
    base, stored = stored_of(tmp_path, tiny_base, Change(similarity="l2"))
    with pytest.raises(UsageError, match="with l2 name a number"):
        run(base, stored, replace(CONFIG, index_negatives="all"))


PLAIN = examples


def equal_examples() -> list[TrainingExample]:
    """Two share a positive in other writing, two ask the same, and a hard negative is another's positive."""
    given = PLAIN()
    louder = replace(STORED[0], id="louder", text=STORED[0].text.upper())
    given[1] = replace(given[1], positives=(louder,))
    given[3] = replace(given[3], question=replace(given[2].question, id="3", question="Who is  Z?"))
    given[2] = replace(given[2], question=replace(given[2].question, question="who is z"))
    given[5] = replace(given[5], hard_negatives=(STORED[14],))
    return given


@pytest.mark.parametrize(
    "settings", [{}, {"max_positives": 2, "shuffle_positives": True}, {"in_batch": False}]
)
@pytest.mark.parametrize("stores", [True, False])
def test_equal_passages_are_left_out_with_stored_vectors(
    tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict, stores: bool
) -> None:
    monkeypatch.setitem(globals(), "examples", equal_examples)
    base, stored = stored_of(tmp_path, tiny_base, Change())
    config = replace(CONFIG, batch_size=8, hard_negatives=1, **settings)
    reports = run(base, stored if stores else None, config, dev=True)
    assert all(("pairs left out" in report.inputs) is config.in_batch for report in reports)
    if config.max_positives == 1:
        expected, _ = with_the_tower_in_every_update(base, config)
        assert [report.loss for report in reports] == pytest.approx(expected, rel=1e-4, abs=1e-5)
