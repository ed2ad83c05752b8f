from collections import Counter

import pytest

from densecli.configs.training import MineConfig
from densecli.io.passages import PassageStore, write_passages
from densecli.lexical.bm25 import Bm25
from densecli.lexical.build import build
from densecli.records import Passage, Question
from densecli.stages.mine import BATCH, mine
from densecli.text.answers import AnswerMatcher

TEXTS = [
    "Paris is the capital and largest city of France.",
    "The capital of Germany is Berlin.",
    "Capital punishment was abolished in France in 1981.",
    "A capital letter begins a sentence.",
    "A capital letter begins a sentence.",
    "The city of Lyon lies in France; Paris lies north of it.",
    "Whales are mammals.",
    "Madrid is the capital of Spain, founded in 1561.",
]
PASSAGES = [Passage(f"p{row}", f"title {row}", text) for row, text in enumerate(TEXTS)]
FRANCE = Question("q1", "what is the capital city of France", ("Paris",))


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    folder = tmp_path_factory.mktemp("collection")
    _, fingerprint = write_passages(folder, PASSAGES, "test")
    build(PASSAGES, folder)
    return Bm25.open(folder), PassageStore(folder, fingerprint)


def run(collection, questions, **config):
    counts = Counter()
    return list(mine(questions, *collection, MineConfig(**config), counts)), +counts


def naive(collection, question, depth, negatives):
    """The definition, one step after the other, over the whole list."""
    bm25, store = collection
    rows = [row for row in bm25.search([question.question], depth)[0][0].tolist() if row >= 0]
    matcher = AnswerMatcher(question.answers, question.answer_type)
    holding = [store[row] for row in rows if matcher.found_in(store[row].text)]
    others = []
    for row in rows:
        known = [passage.text for passage in others]
        if not matcher.found_in(store[row].text) and store[row].text not in known:
            others.append(store[row])
    return (holding[0], others[:negatives]) if holding else None


def test_best_with_an_answer_and_best_without(collection):
    examples, counts = run(collection, [FRANCE], hard_negatives=2)
    assert len(examples) == 1
    assert examples[0].question == FRANCE
    assert [passage.id for passage in examples[0].positives] == ["p0"]
    assert (examples[0].positives[0], list(examples[0].hard_negatives)) == naive(collection, FRANCE, 100, 2)
    assert all("Paris" not in passage.text for passage in examples[0].hard_negatives)
    assert counts == {"questions": 1, "examples": 1}


@pytest.mark.parametrize("negatives", [0, 1, 3, 10])
def test_as_the_naive_version(collection, negatives):
    questions = [
        FRANCE,
        Question("q2", "capital founded when", (r"15\d\d",), "regex"),
        Question("q3", "what begins a sentence", ("capital letter",)),
    ]
    examples, _ = run(collection, questions, hard_negatives=negatives)
    found = [(example.positives[0], list(example.hard_negatives)) for example in examples]
    assert found == [naive(collection, question, 100, negatives) for question in questions]


def test_what_is_dropped_is_counted_with_its_reason(collection):
    questions = [
        Question("none", "capital of France"),
        Question("empty", "capital of France", ("", " ")),
        Question("broken", "capital of France", ("(",), "regex"),
        Question("nowhere", "capital of France", ("Rome",)),
        Question("wordless", "the of", ("Paris",)),
        FRANCE,
    ]
    examples, counts = run(collection, questions, hard_negatives=7)
    assert [example.question.id for example in examples] == ["q1"]
    assert counts == {
        "questions": 6,
        "dropped_without_answer": 3,
        "dropped_without_positive": 2,
        "examples": 1,
        "with_fewer_negatives": 1,
        "empty_answers_dropped": 2,
        "invalid_patterns": 1,
    }


def test_depth_limits_the_search(collection):
    question = Question("q", "capital", ("Lyon", "Whales", "Spain"))
    rows, _ = collection[0].search([question.question], 8)
    place = rows[0].tolist().index(7) + 1
    assert run(collection, [question], depth=place)[0][0].positives[0].id == "p7"
    assert run(collection, [question], depth=place - 1)[0] == []


def test_no_text_twice_among_the_negatives(collection):
    examples, counts = run(collection, [FRANCE], hard_negatives=10)
    texts = [passage.text for passage in examples[0].hard_negatives]
    assert TEXTS[3] in texts
    assert len(set(texts)) == len(texts)
    assert counts["with_fewer_negatives"] == 1


def test_batches_keep_the_order_and_stream(collection):
    drawn = 0

    def questions():
        nonlocal drawn
        for number in range(2 * BATCH + 3):
            drawn += 1
            yield Question(str(number), FRANCE.question, FRANCE.answers if number % 7 else ())

    counts = Counter()
    stream = mine(questions(), *collection, MineConfig(), counts)
    assert next(stream).question.id == "1"
    assert drawn == BATCH
    ids = [example.question.id for example in stream]
    assert ids == [str(number) for number in range(2, 2 * BATCH + 3) if number % 7]
    assert counts["questions"] == 2 * BATCH + 3
