from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from densecli.records import Passage, Question, TrainingExample
from densecli.training.examples import ExampleSpool


def passages(prefix: str, count: int, text: str = "text") -> tuple[Passage, ...]:
    return tuple(
        Passage(f"{prefix}{n}", "title", f"{text} {prefix}{n}" if text.strip() else text)
        for n in range(count)
    )


def example(name: str, positives: int = 1, hard: int = 0, random: int = 0) -> TrainingExample:
    return TrainingExample(
        Question(name, f"who is {name}?", ("x",)),
        passages(f"{name}p", positives), passages(f"{name}h", hard), passages(f"{name}r", random),
    )  # fmt: skip


def spool(*examples: TrainingExample) -> ExampleSpool:
    return ExampleSpool(examples, Counter())


def test_examples_are_read_in_any_order_and_repeatedly() -> None:
    given = [example("a", hard=2), example("é\u2028", random=1), example("c", positives=3)]
    held = spool(*given)
    assert len(held) == 3
    assert [held[row] for row in (2, 0, 1, 0)] == [given[2], given[0], given[1], given[0]]


def test_omitted_examples_are_counted() -> None:
    blank = TrainingExample(Question("b", "q"), passages("p", 1, "  "))
    partly = TrainingExample(
        Question("c", "q"), passages("p", 1, " ") + passages("q", 1), passages("h", 2, "")
    )
    dropped: Counter[str] = Counter()
    held = ExampleSpool([example("a"), example("none", positives=0), blank, partly], dropped)
    assert len(held) == 2
    assert held.first(1, 0, 1).positive.id == "q0"
    assert dropped == {"examples_without_positive": 2, "passages_without_text": 4}


def test_added_examples_follow_the_existing_ones() -> None:
    held, dropped = spool(example("a"), example("b")), Counter[str]()
    assert held[1].question.id == "b"
    assert held.add([example("c"), example("none", positives=0), example("d")], dropped) == range(2, 4)
    assert [held[row].question.id for row in range(4)] == ["a", "b", "c", "d"]
    assert held.add([], dropped) == range(4, 4)
    assert dropped == {"examples_without_positive": 1}


def test_negatives_are_drawn_again_each_epoch_from_the_seed() -> None:
    held = spool(example("a", hard=30, random=5))
    draws = [held.draw([0], 0, 3, 1, epoch, 0)[0].negatives for epoch in range(6)]
    assert all(len({p.id for p in drawn}) == 3 and all("h" in p.id for p in drawn) for drawn in draws)
    assert len(set(draws)) > 1
    assert held.draw([0], 0, 3, 1, 0, 0)[0].negatives == draws[0]


@pytest.mark.parametrize(
    ("one", "asked", "expected"),
    [
        (example("a", hard=1, random=4), 3, {"ah0"}),
        (example("a", random=2), 3, {"ar0", "ar1"}),
        (example("a"), 3, set()),
        (example("a", hard=3), 0, set()),
    ],
)
def test_random_negatives_replace_missing_hard_negatives(
    one: TrainingExample, asked: int, expected: set[str]
) -> None:
    held = spool(one)
    assert {p.id for p in held.draw([0], 0, asked, 1, 0, 0)[0].negatives} == expected
    assert {p.id for p in held.first(0, 0, asked).negatives} == expected


@given(*[st.integers(0, 4)] * 4)
def test_negatives_are_counted_without_reading_examples(
    hard: int, random: int, other: int, asked: int
) -> None:
    held = spool(example("z", hard=9, random=9), example("a", hard=hard, random=random))
    assert held.negatives(1, other, asked) == len(held.first(1, other, asked).negatives)


def test_the_first_positive_is_used_unless_all_may_be_drawn() -> None:
    held = spool(example("a", positives=5, hard=4))
    drawn = [
        [held.draw([0], 0, 2, 1, epoch, 0, any_positive=any_one)[0] for epoch in range(30)]
        for any_one in (False, True)
    ]
    assert {pick.positive.id for pick in drawn[0]} == {"ap0"}
    assert {pick.positive.id for pick in drawn[1]} == {f"ap{n}" for n in range(5)}
    assert [pick.negatives for pick in drawn[0]] == [pick.negatives for pick in drawn[1]]


def test_validation_uses_the_first_passages() -> None:
    pick = spool(example("a", positives=2, hard=5)).first(0, 0, 2)
    assert (pick.positive.id, [p.id for p in pick.negatives]) == ("ap0", ["ah0", "ah1"])
