from collections import Counter

from densecli.records import Passage, Question, RankedList, TrainingExample
from densecli.text.same_text import text_key
from densecli.training.filtering import usable_part, without_questions


def texts(*given: str) -> tuple[Passage, ...]:
    return tuple(Passage(str(place), "", text) for place, text in enumerate(given))


def used(
    positives: tuple[str, ...], hard: tuple[str, ...] = (), other: tuple[str, ...] = ()
) -> tuple[list[list[str]] | None, Counter[str]]:
    dropped: Counter[str] = Counter()
    example = TrainingExample(Question("q", "who"), texts(*positives), texts(*hard), texts(*other), "nq")
    found = usable_part(example, dropped)
    if found is None:
        return None, dropped
    assert (found.question, found.dataset) == (example.question, "nq")
    groups = (found.positives, found.hard_negatives, found.negatives)
    return [[passage.text for passage in group] for group in groups], dropped


def test_usable_examples_are_unchanged() -> None:
    found, dropped = used(("a", "b"), ("c", "c", "e"), ("d", "ab"))
    assert found == [["a", "b"], ["c", "c", "e"], ["d", "ab"]]
    assert not dropped


def test_positives_given_twice_count_once() -> None:
    found, dropped = used(("b", "a", " b ", "a\n", "c", "C."))
    assert found == [["b", "a", "c"], [], []]
    assert dropped == {"positives_given_twice": 3}


def test_negatives_equal_to_a_positive_are_removed() -> None:
    found, dropped = used(("a  b", "c"), ("A b!", "d", "c"), (" c", "e"))
    assert found == [["a  b", "c"], ["d"], ["e"]]
    assert dropped == {"negatives_equal_to_a_positive": 3}


def test_passages_without_text_and_examples_without_a_positive_are_removed() -> None:
    found, dropped = used(("", "a"), (" ", "b"), ("\n",))
    assert found == [["a"], ["b"], []]
    assert dropped == {"passages_without_text": 3}
    for positives in ((), (" ", "")):
        found, dropped = used(positives, ("b",))
        assert found is None
        assert dropped["examples_without_positive"] == 1
        assert dropped["passages_without_text"] == len(positives)


def test_known_questions_are_dropped_from_examples_and_results() -> None:
    known = {text_key("Who voiced Meg, on Family Guy?"), text_key("other")}
    questions = [
        Question(str(place), text) for place, text in enumerate(("who voiced meg on family guy", "x"))
    ]
    for records in (
        [TrainingExample(one, texts("a")) for one in questions],
        [RankedList(one, ()) for one in questions],
    ):
        dropped: Counter[str] = Counter()
        assert list(without_questions(iter(records), known, dropped)) == records[1:]
        assert dropped == {"questions_equal_to_a_test_question": 1}
        assert list(without_questions(records, frozenset(), dropped)) == records
