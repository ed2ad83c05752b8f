"""Training of the reader."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from densecli.configs.asking import ReadConfig
from densecli.configs.training import TrainReaderConfig
from densecli.encoders.onnx_session import OnnxSession
from densecli.errors import DenseError, InputError, UsageError
from densecli.reader.read import read
from densecli.reader.runtime import Reader
from densecli.reader.torch_folder import TorchReader, open_reader_base, save_reader
from densecli.records import Passage, Question, RankedList, ScoredPassage
from densecli.training.reader import epoch_order, train_reader
from memory_checkpointer import MemoryCheckpointer

FACTS = (
    ("who wrote the song?", "wood", "the song of the sea is of wood and of the sea"),
    ("where is the river?", "ur king", "a river was in ur king and of it a film"),
    ("what is the film?", "Zed!", "king of the city, born in the city: Zed! is the film"),
    ("who was born in the city?", "ann", "in the city of the river was born ann"),
    ("when was the king born?", "1931", "the king was born in 1931 and wrote a song"),
    ("what was the city?", "Old-Bay", "and the city of Old-Bay is in the sea"),
)
OTHERS = ("a film of the king is of the sea", "the river and the city", "song song song of a king")
CONFIG = TrainReaderConfig(
    batch_size=3, passages=3, epochs=1, learning_rate=3e-3, dropout=0.0, max_tokens=64, max_answer_tokens=8,
    precision="fp32", device="cpu",
)  # fmt: skip


def results(with_text: bool = True) -> list[RankedList]:
    found = []
    for number, (question, answer, text) in enumerate(FACTS):
        texts = [OTHERS[number % 3], text, OTHERS[(number + 1) % 3]]
        passages = [
            Passage(f"{number}.{rank}", "", one if with_text else "") for rank, one in enumerate(texts)
        ]
        ctxs = tuple(ScoredPassage(passage, -float(rank)) for rank, passage in enumerate(passages))
        found.append(RankedList(Question(str(number), question, (answer,)), ctxs))
    return found


class Run:
    """One training and what it said, counted and saved."""

    def __init__(self, base: Path, config: TrainReaderConfig, ranked, dev=None) -> None:
        self.reader: TorchReader = open_reader_base(
            str(base), config.max_tokens, config.max_answer_tokens, config.seed
        )
        self.counts: Counter[str] = Counter()
        kept = MemoryCheckpointer()
        self.reports = list(train_reader([ranked], dev, self.reader, config, self.counts, kept))
        self.saved = kept.saved

    @property
    def weights(self) -> dict[str, torch.Tensor]:
        return {name: weight.clone() for name, weight in self.reader.model.state_dict().items()}


def test_a_few_questions_are_memorized(tiny_base, tmp_path):
    run = Run(tiny_base, replace(CONFIG, epochs=80, batch_size=6), results())
    assert run.reports[-1].loss < 0.1 < 2 < run.reports[0].loss
    assert run.reports[-1].accuracy == 1.0
    save_reader(run.reader, tmp_path / "reader")
    found = read(results(), Reader.open(tmp_path / "reader", OnnxSession), ReadConfig(), Counter())
    assert [one.answer for one in found] == [answer for _, answer, _ in FACTS]
    again = Run(tmp_path / "reader", replace(CONFIG, batch_size=6, learning_rate=0.0), results(), results())
    validation = again.reports[-1].validation
    assert validation is not None
    assert (validation["exact_match"], validation["questions"]) == (1.0, 6)
    assert validation["loss"] == pytest.approx(again.reports[-1].loss, abs=1e-4)


def test_every_update_is_reported_and_every_epoch_saved(tiny_base):
    run = Run(tiny_base, replace(CONFIG, epochs=2, batch_size=4, warmup_steps=1), results(), results()[:2])
    assert [(one.step, one.steps, one.epoch) for one in run.reports] == [
        (1, 4, 1),
        (2, 4, 1),
        (3, 4, 2),
        (4, 4, 2),
    ]
    assert [one.validation is not None for one in run.reports] == [False, True, False, True]
    assert [one.learning_rate for one in run.reports] == pytest.approx([0.0, 3e-3, 2e-3, 1e-3])
    expected = []
    for one, kept in zip(run.reports[1::2], ("epoch", "end"), strict=True):
        expected += ["best", kept] if one.best else [kept]
    assert run.saved == expected
    assert run.reports[1].best
    assert run.counts == {"questions_read": 6, "questions_trained_on": 6}


def test_the_best_model_has_the_highest_exact_match_then_the_lowest_loss(tiny_base):
    run = Run(tiny_base, replace(CONFIG, epochs=12, learning_rate=2e-2), results()[:4], results()[3:])
    best, seen = (-1.0, 0.0), []
    for one in run.reports:
        if one.validation is not None:
            reached = one.validation["exact_match"], -one.validation["loss"]
            seen.append((one.best, reached > best))
            best = max(best, reached)
    assert [told for told, _ in seen] == [expected for _, expected in seen]
    assert not all(told for told, _ in seen)


def test_a_model_without_improvement_is_not_the_best(tiny_base):
    run = Run(tiny_base, replace(CONFIG, epochs=2, batch_size=6, learning_rate=0.0), results(), results())
    assert [one.best for one in run.reports] == [True, False]
    assert run.saved == ["best", "epoch", "end"]


def test_every_step_has_its_own_dropout(tiny_base):
    config = replace(CONFIG, epochs=3, learning_rate=0.0, dropout=0.5, passages=1)
    assert len({one.loss for one in Run(tiny_base, config, results()[:1]).reports}) == 3


def test_without_dev_questions_the_last_model_is_the_best(tiny_base):
    run = Run(tiny_base, replace(CONFIG, epochs=2), results())
    assert run.saved == ["epoch", "end"]
    assert all(one.validation is None and not one.best for one in run.reports)


def test_the_same_seed_gives_the_same_model(tiny_base):
    config = replace(CONFIG, dropout=0.2)
    one, again, other = (Run(tiny_base, replace(config, seed=seed), results()) for seed in (1, 1, 2))
    assert all(torch.equal(one.weights[name], again.weights[name]) for name in one.weights)
    assert not torch.equal(one.weights["qa_outputs.weight"], other.weights["qa_outputs.weight"])
    timeless = [
        [{**asdict(r), "questions_per_second": 0, "memory": 0} for r in run.reports] for run in (one, again)
    ]
    assert timeless[0] == timeless[1]


@pytest.mark.parametrize("freeze", [True, False])
def test_word_embeddings_change_unless_frozen(tiny_base, freeze):
    before = open_reader_base(str(tiny_base), 64, 8, 0).model.encoder.get_input_embeddings().weight
    run = Run(tiny_base, replace(CONFIG, freeze_embeddings=freeze), results())
    after = run.reader.model.encoder.get_input_embeddings().weight
    assert torch.equal(before, after) == freeze


def test_bf16_training_keeps_float32_weights(tiny_base):
    run = Run(tiny_base, replace(CONFIG, precision="bf16"), results(), results()[:2])
    assert all(weight.dtype == torch.float32 for weight in run.weights.values())
    assert run.reports[-1].loss == run.reports[-1].loss


def test_questions_with_too_few_passages_are_counted(tiny_base):
    (first, *others) = results()[:3]
    run = Run(tiny_base, CONFIG, [replace(first, ctxs=first.ctxs[:2]), *others])
    assert run.counts["questions_with_fewer_negatives"] == 1


def test_dropped_questions_are_counted(tiny_base):
    hopeless = [
        replace(one, question=replace(one.question, answers=answers))
        for one, answers in zip(results(), [(), ("not there",)], strict=False)
    ]
    run = Run(tiny_base, CONFIG, [*results()[2:], *hopeless])
    assert run.counts == {
        "questions_read": 6,
        "questions_trained_on": 4,
        "questions_without_answer": 1,
        "questions_without_passage_with_answer": 1,
    }


def test_dev_questions_are_capped_and_need_answers(tiny_base):
    def endless() -> Iterator[RankedList]:
        while True:
            yield from results()

    run = Run(tiny_base, replace(CONFIG, dev_questions=4, batch_size=6), results(), endless())
    assert run.reports[-1].validation is not None
    assert run.reports[-1].validation["questions"] == 4
    unanswered = [replace(one, question=replace(one.question, answers=())) for one in results()]
    with pytest.raises(UsageError, match="no dev question has answers"):
        Run(tiny_base, CONFIG, results(), unanswered)


def test_dev_questions_without_a_positive_passage_count_as_misses(tiny_base):
    hopeless = [replace(one, question=replace(one.question, answers=("no",))) for one in results()[:1]]
    run = Run(tiny_base, replace(CONFIG, batch_size=6), results(), hopeless)
    assert run.reports[-1].validation is not None
    assert (run.reports[-1].validation["exact_match"], run.reports[-1].best) == (0.0, True)
    assert run.saved == ["best", "end"]


def test_no_usable_questions_are_refused(tiny_base):
    with pytest.raises(UsageError, match="no question is left"):
        Run(tiny_base, CONFIG, [replace(one, ctxs=()) for one in results()])


def test_results_without_text_name_the_cause(tiny_base):
    with pytest.raises(InputError, match="`text=False`"):
        Run(tiny_base, CONFIG, results(with_text=False))


def test_a_loss_that_is_not_finite_names_the_questions(tiny_base):
    with pytest.raises(DenseError, match=r"batch of questions \d, \d, \d;"):
        Run(tiny_base, replace(CONFIG, learning_rate=1e4, max_grad_norm=1e6, epochs=30), results())


def test_the_order_of_an_epoch_depends_on_seed_and_epoch():
    orders = [epoch_order([range(40)], [40], seed, epoch) for seed, epoch in ((1, 0), (1, 1), (2, 0))]
    assert all(sorted(order) == list(range(40)) for order in orders)
    assert len({tuple(order) for order in orders}) == 3
    assert epoch_order([range(40)], [40], 1, 0) == orders[0]


def test_sets_are_repeated_according_to_their_rates():
    order = Counter(epoch_order([range(4), range(4, 14)], [10, 5], 1, 0))
    assert sorted(order[row] for row in range(4)) == [2, 2, 3, 3]
    assert [order[row] for row in range(4, 14)].count(1) == 5
    assert sum(order.values()) == 15
