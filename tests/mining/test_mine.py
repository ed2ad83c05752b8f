import random
from collections import Counter
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from densecli.artifacts.kinds import Bm25Manifest, PassagesManifest
from densecli.artifacts.passages.store import PassageStore, write_passages
from densecli.configs.mining import MineConfig
from densecli.errors import InputError
from densecli.lexical.build import build
from densecli.mining.mine import BLOCK, mine
from densecli.mining.miner import Miner
from densecli.records import Context, Passage, Question, TrainingExample
from densecli.text.answers import AnswerMatcher
from densecli.text.same_text import text_key
from densecli.workflows.mine_negatives import open_miner

TEXTS = [
    "Paris is the capital and largest city of France.",
    "The capital of Germany is Berlin.",
    "Capital punishment was abolished in France in 1981.",
    "A capital letter begins a sentence.",
    "A capital letter begins a sentence.",
    "The city of Lyon lies in France; Paris lies north of it.",
    "Whales are mammals.",
    "Madrid is the capital of Spain, founded in 1561.",
    "Москва является столицей России.",
    "東京 は 日本 の 首都 です",
]
PASSAGES = [Passage(f"p{row}", f"title {row}", text) for row, text in enumerate(TEXTS)]
FRANCE = Question("q1", "what is the capital city of France", ("Paris",))
ALL = "bm25:7,random:9"


@pytest.fixture(scope="module")
def mined(collection_of):
    return collection_of(PASSAGES)


def ids(passages):
    return [passage.id for passage in passages]


def naive(mined, question, depth, negatives):
    """The definition, one step after the other, over the whole list."""
    bm25, store = mined.bm25, mined.store
    rows = [row for row in bm25.search([question.question], depth)[0][0].tolist() if row >= 0]
    rows = [row for row in rows if text_key(store[row].text) != text_key(question.question)]
    matcher = AnswerMatcher(question.answers, question.answer_type)
    holding = [store[row] for row in rows if matcher.found_in(store[row].text)]
    others = []
    for row in rows:
        known = [passage.text for passage in others]
        if not matcher.found_in(store[row].text) and store[row].text not in known:
            others.append(store[row])
    return (holding[0].id, ids(others[:negatives])) if holding else None


def test_the_positive_has_an_answer_and_the_hard_negatives_have_none(mined):
    examples, counts = mined([FRANCE], negatives="bm25:2")
    assert len(examples) == 1
    assert examples[0].question == FRANCE
    assert ids(examples[0].positives) == ["p0"]
    assert (examples[0].positives[0].id, ids(examples[0].hard_negatives)) == naive(mined, FRANCE, 100, 2)
    assert all("Paris" not in passage.text for passage in examples[0].hard_negatives)
    assert counts == {"questions": 1, "examples": 1, "distant_positives": 1, "bm25_negatives": 2} | {
        "refused_with_answer": counts["refused_with_answer"]
    }


def test_each_passage_has_its_rank_score_and_source(mined):
    rows, scores = mined.bm25.search([FRANCE.question], 100)
    places = {
        f"p{row}": (rank, score)
        for rank, (row, score) in enumerate(zip(rows[0].tolist(), scores[0].tolist(), strict=True), 1)
    }
    example = mined([FRANCE], negatives="bm25:3,random:2")[0][0]
    for passage, source in [
        (example.positives[0], "distant"),
        *((one, "bm25") for one in example.hard_negatives),
    ]:
        assert passage == Context(
            *_texts(passage), rank=places[passage.id][0], score=places[passage.id][1], source=source
        )
    assert len(example.negatives) == 2
    for passage in example.negatives:
        assert passage == Context(*_texts(passage), source="random")


def _texts(passage):
    return passage.id, passage.title, passage.text


WORDS = [*" ".join(TEXTS).split(), "(", "x*"]


@settings(max_examples=60, deadline=None)
@given(
    asked=st.lists(
        st.builds(
            Question,
            st.just("q"),
            st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join),
            st.lists(st.sampled_from(WORDS), max_size=2).map(tuple),
            st.sampled_from(["string", "regex"]),
        ),
        max_size=3,
    ),
    negatives=st.integers(0, 9),
    depth=st.integers(9, 12),
)
def test_mining_matches_the_naive_version(mined, asked, negatives, depth):
    examples, counts = mined(asked, negatives=f"bm25:{negatives}", depth=depth)
    usable = [one for one in asked if AnswerMatcher(one.answers, one.answer_type).usable]
    wanted = [found for one in usable if (found := naive(mined, one, depth, negatives))]
    assert [(one.positives[0].id, ids(one.hard_negatives)) for one in examples] == wanted
    assert counts["dropped_without_answer"] == len(asked) - len(usable)
    assert counts["dropped_without_positive"] == len(usable) - len(wanted)
    assert counts["with_fewer_bm25_negatives"] == sum(len(found[1]) < negatives for found in wanted)


def test_dropped_questions_are_counted_by_reason(mined):
    asked = [
        Question("none", "capital of France"),
        Question("empty", "capital of France", ("", " ")),
        Question("broken", "capital of France", ("(",), "regex"),
        Question("nowhere", "capital of France", ("Rome",)),
        Question("wordless", "the of", ("Paris",)),
        FRANCE,
    ]
    examples, counts = mined(asked, negatives="bm25:7")
    assert [example.question.id for example in examples] == ["q1"]
    assert counts == {
        "questions": 6,
        "dropped_without_answer": 3,
        "dropped_without_positive": 2,
        "examples": 1,
        "distant_positives": 1,
        "bm25_negatives": len(examples[0].hard_negatives),
        "with_fewer_bm25_negatives": 1,
        "refused_with_answer": 1,
        "refused_same_text": 1,
        "empty_answers_dropped": 2,
        "invalid_patterns": 1,
    }


def test_the_question_and_copies_of_the_positive_are_not_negatives(collection_of):
    """As in ArguAna and Quora, where the questions are passages too."""
    claim = "Uniforms should be banned because they cost families money"
    counter = "Uniforms save money because families buy fewer clothes"
    texts = [claim, counter, f"{counter.replace(' ', '  ', 1)}.", "Money for families", claim.upper()]
    mined = collection_of([Passage(f"p{row}", "", text) for row, text in enumerate(texts)])
    given = TrainingExample(Question("p0", claim), (Passage("p1", "", counter),))
    examples, counts = mined([given], negatives="bm25:4,random:4")
    assert ids(examples[0].hard_negatives + examples[0].negatives) == ["p3"]
    assert counts["refused_same_as_question"] >= 2
    examples, _ = mined([Question("p0", claim, ("uniforms",))], negatives="bm25:1", max_positives=3)
    assert ids(examples[0].positives) == ["p1"]


@pytest.mark.parametrize(("answer", "answer_type"), [("capital", "string"), (".*", "regex"), ("", "regex")])
def test_an_answer_in_every_passage_leaves_no_negative(mined, answer, answer_type):
    question = Question("q", "which capital", (answer, "a|e|i|o|u"), answer_type)
    examples, counts = mined([question], negatives=ALL)
    assert ids(examples[0].positives) == [f"p{mined.bm25.search(['which capital'], 1)[0][0, 0]}"]
    if answer_type == "regex":
        kept = [one for one in examples[0].negatives if any(vowel in one.text.lower() for vowel in "aeiou")]
        assert (examples[0].hard_negatives, kept) == ((), [])
    assert counts["with_fewer_bm25_negatives"] == 1
    assert counts["with_fewer_random_negatives"] == 1


def test_a_catastrophic_pattern_is_abandoned(collection_of):
    mined = collection_of([Passage("1", "", "capital " + "a" * 60 + "b"), Passage("2", "", "capital city")])
    question = Question("q", "capital", ("(?:a|aa)+$", "city"), "regex")
    examples, counts = mined([question])
    assert ids(examples[0].positives) == ["2"]
    assert counts["patterns_timed_out"] == 1


@pytest.mark.parametrize(
    ("question", "answer", "positive"),
    [
        ("является столицей", "Москва", "p8"),
        ("日本 の 首都", "東京", "p9"),
        ("capital " * 10_000, "Berlin", "p1"),
    ],
)
def test_other_scripts_and_long_questions_are_mined(mined, question, answer, positive):
    examples, _ = mined([Question("q", question, (answer,))])
    assert ids(examples[0].positives) == [positive]


def test_depth_limits_the_search(mined):
    question = Question("q", "capital", ("Lyon", "Whales", "Spain"))
    rows, _ = mined.bm25.search([question.question], 8)
    place = rows[0].tolist().index(7) + 1
    assert ids(mined([question], depth=place)[0][0].positives) == ["p7"]
    assert mined([question], depth=place - 1)[0] == []


def test_asking_for_more_negatives_than_exist_returns_all_and_is_counted(mined):
    examples, counts = mined([FRANCE], depth=10_000, negatives="bm25:5000,random:10000")
    example = examples[0]
    texts = [passage.text for passage in (*example.positives, *example.hard_negatives, *example.negatives)]
    assert sorted(texts) == sorted({text for text in TEXTS if "Paris" not in text} | {TEXTS[0]})
    assert counts["with_fewer_bm25_negatives"] == counts["with_fewer_random_negatives"] == 1


def test_the_answer_helps_to_find_a_distant_positive(mined):
    question = Question("q", "where do people live", ("Lyon", "Madrid"))
    assert mined([question])[0] == []
    examples, _ = mined([question], distant_query="question+answer")
    assert ids(examples[0].positives) == ["p5"]
    assert examples[0].hard_negatives == ()  # BM25 finds nothing for the question itself


class FixedDense:
    """A dense side that ranks the passages by their rows, backwards."""

    def search(self, questions, k):
        rows = np.tile(np.arange(len(TEXTS))[::-1], (len(questions), 1))[:, :k]
        return rows, (rows - 5).astype(np.float32)


def test_dense_negatives_come_from_the_dense_index(mined):
    examples, counts = mined([FRANCE] * 70, dense=FixedDense(), negatives="dense:3,bm25:9", depth=9)
    first = examples[0].hard_negatives
    assert ids(first)[:3] == ["p9", "p8", "p7"]
    assert first[:2] == tuple(
        Context(*_texts(PASSAGES[row]), rank=rank, score=row - 5.0, source="dense")
        for rank, row in ((1, 9), (2, 8))
    )
    assert "p7" not in ids(first)[3:]
    assert [one.hard_negatives for one in examples] == [first] * 70
    assert counts["dense_negatives"] == 210


def test_the_dense_index_is_searched_in_blocks(mined):
    sizes = []

    class Watched(FixedDense):
        def search(self, questions, k):
            sizes.append(len(questions))
            return super().search(questions, k)

    mined([FRANCE] * (2 * BLOCK + 40), dense=Watched(), negatives="dense:3", depth=9)
    assert sizes == [BLOCK, BLOCK + 40]


def test_a_margin_excludes_negatives_close_to_the_positive(mined):
    asked = TrainingExample(Question("q", "capital"), (PASSAGES[7],))  # of dense score 2
    below = {
        margin: ids(
            mined([asked], dense=FixedDense(), negatives="dense:10", depth=10, margin=margin)[0][
                0
            ].hard_negatives
        )
        for margin in (0.0, 0.5, 1.0)
    }
    assert below == {
        0.0: ["p6", "p5", "p4", "p2", "p1", "p0"],  # p3 has the text of p4
        0.5: ["p6", "p5", "p4", "p2", "p1", "p0"],
        1.0: ["p5", "p4", "p2", "p1", "p0"],
    }
    asked = TrainingExample(Question("q", "capital"), (PASSAGES[0],))  # the dense search ranks it below depth
    examples, counts = mined([asked], dense=FixedDense(), negatives="dense:5", depth=9, margin=0.0)
    assert examples[0].hard_negatives == ()
    assert counts["refused_within_margin"] == 9


def test_given_passages_are_kept_and_not_mined_again(mined):
    given = TrainingExample(
        FRANCE,
        (PASSAGES[5], Passage("x", "", "elsewhere")),
        (Passage("h", "", TEXTS[1]),),
        (PASSAGES[6],),
        "set",
    )
    examples, counts = mined([given], negatives="bm25:2,random:10")
    (example,) = examples
    assert example.positives == given.positives
    assert example.dataset == "set"
    assert example.hard_negatives[:1] == given.hard_negatives
    assert len(example.hard_negatives) == 3
    assert example.negatives[:1] == given.negatives
    texts = [one.text for one in (*example.positives, *example.hard_negatives, *example.negatives)]
    assert len(set(texts)) == len(texts)
    assert counts["given_positives"] == 1
    alone = mined([given], negatives="bm25:2", keep_negatives=False)[0][0]
    assert len(alone.hard_negatives) == 2
    assert alone.negatives == ()


def test_each_positives_setting_finds_its_positive(mined):
    gold = Passage("elsewhere", "Title 0", "Paris, the capital and largest city of France, is old.")
    asked = [
        TrainingExample(FRANCE, (gold,)),
        TrainingExample(FRANCE, (PASSAGES[5],)),
        TrainingExample(FRANCE, ()),
        TrainingExample(FRANCE, (Passage("p0", "", "The id is known, the text is another one."),)),
    ]
    found = {}
    for positives in ("auto", "gold", "distant", "keep"):
        examples, counts = mined(asked, positives=positives)
        found[positives] = [one.positives[0].id for one in examples]
        dropped = sum(
            counts[f"dropped_without_{what}"] for what in ("gold_passage", "given_positive", "positive")
        )
        assert len(examples) + dropped == 4
    assert found == {
        "auto": ["p0", "p5", "p0"],
        "gold": ["p0", "p5"],
        "distant": ["p0"] * 4,
        "keep": ["elsewhere", "p5", "p0"],
    }


def test_examples_without_answers_are_reported(mined):
    asked = TrainingExample(Question("q", "capital city of France"), (PASSAGES[0],))
    examples, counts = mined([asked])
    assert "p5" in ids(examples[0].hard_negatives)
    assert counts["without_answer_filter"] == 1


def test_gold_negatives_are_positives_of_other_questions(mined):
    asked = [
        FRANCE,
        Question("q2", "capital of Germany", ("Berlin",)),
        Question("q3", "capital of Spain", ("Madrid",)),
        Question("q4", "what are whales", ("mammals",)),
    ]
    examples, counts = mined(asked, negatives="gold:2")
    positives = [example.positives[0].id for example in examples]
    assert positives == ["p0", "p1", "p7", "p6"]
    for example in examples:
        assert len(example.negatives) == 2
        assert set(ids(example.negatives)) <= set(positives) - {example.positives[0].id}
        assert all(one.source == "gold" for one in example.negatives)
    assert mined(asked[:1], negatives="gold:2")[1]["with_fewer_gold_negatives"] == 1
    assert counts["gold_negatives"] == 8


def test_random_negatives_follow_the_seed(mined):
    drawn = {
        seed: [ids(one.negatives) for one in mined([FRANCE] * 9, negatives="random:3", seed=seed)[0]]
        for seed in (1, 2)
    }
    assert drawn[1] == [ids(one.negatives) for one in mined([FRANCE] * 9, negatives="random:3", seed=1)[0]]
    assert drawn[1] != drawn[2]
    assert len({tuple(sorted(one)) for one in drawn[1]}) > 3


def test_blocks_keep_the_order_and_are_streamed(mined):
    drawn = 0

    def questions():
        nonlocal drawn
        for number in range(3 * BLOCK + 3):
            drawn += 1
            yield TrainingExample(
                Question(str(number), FRANCE.question, FRANCE.answers if number % 7 else ()), ()
            )

    counts = Counter()
    config = MineConfig()
    stream = mine(questions(), lambda: Miner(mined.store, mined.bm25, config), mined.store, config, counts)
    assert next(stream)[0].question.id == "1"
    assert drawn < 3 * BLOCK + 3
    assert counts["questions"] == BLOCK
    blocks = list(stream)
    found = [example.question.id for examples in blocks for example in examples]
    assert found == [str(number) for number in range(BLOCK, 3 * BLOCK + 3) if number % 7]
    assert len(blocks) == 2, "the last three questions join the block before"
    assert counts["questions"] == 3 * BLOCK + 3


def many():
    draw = random.Random(5)
    for number in range(2 * BLOCK + 40):
        text = draw.choice(TEXTS[:8])
        yield TrainingExample(Question(str(number), text, (draw.choice(text.split()).strip(".,;"),)), ())


@pytest.mark.parametrize("workers", [2, 3])
def test_any_number_of_workers_gives_the_same_examples(tmp_path, workers):
    passages, bm25 = tmp_path / "passages", tmp_path / "bm25"
    for folder in (passages, bm25):
        folder.mkdir()
    _, fingerprint = write_passages(passages, PASSAGES, "test")
    PassagesManifest(fingerprint=fingerprint).write(passages)
    build(PASSAGES, bm25)
    Bm25Manifest(fingerprint="b", passages=fingerprint).write(bm25)
    config = MineConfig(negatives="bm25:3,dense:2,random:2,gold:2")
    opener = partial(open_miner, passages, fingerprint, bm25, config)
    store = PassageStore.open(passages)

    def run(workers, asked, counts):
        return list(mine(asked, opener, store, config, counts, FixedDense(), workers))

    asked = list(many())
    alone, counts = Counter(), Counter()
    blocks = run(1, asked, alone)
    assert run(workers, asked, counts) == blocks
    assert counts == alone
    assert list(counts) == list(alone)


def test_resuming_gives_the_same_examples(mined):
    config = MineConfig(negatives="bm25:2,random:3,gold:3")
    asked = [TrainingExample(FRANCE, ())] * (3 * BLOCK)

    def run(asked, counts):
        return mine(asked, lambda: Miner(mined.store, mined.bm25, config), mined.store, config, counts)

    whole = Counter()
    blocks = list(run(asked, whole))
    begun = Counter()
    first = next(run(asked, begun))
    rest = list(run(asked[begun["questions"] :], begun))
    assert [first, *rest] == blocks
    assert begun == whole


def test_broken_input_stops_after_earlier_examples(mined):
    def asked():
        yield from [TrainingExample(FRANCE, ())] * (2 * BLOCK)
        raise InputError("q.jsonl", 9, "broken")

    config = MineConfig()
    counts = Counter()
    stream = mine(asked(), lambda: Miner(mined.store, mined.bm25, config), mined.store, config, counts)
    with pytest.raises(InputError, match="q.jsonl:9: broken"):
        list(stream)


# several positives


class Reversed:
    """A dense engine that ranks the rows the other way round, the last one first."""

    def search(self, questions, depth):
        rows = np.arange(len(TEXTS))[::-1][:depth]
        return np.tile(rows, (len(questions), 1)), np.tile(rows.astype(np.float32), (len(questions), 1))


def fused(mined, question, dense):
    """Passages by the sum of 1 / (60 + rank) over BM25's list and another."""
    lists = [[row for row in mined.bm25.search([question.question], 100)[0][0].tolist() if row >= 0], dense]
    worth = {
        row: sum(1 / (61 + one.index(row)) for one in lists if row in one) for one in lists for row in one
    }
    return sorted(worth, key=lambda row: (-worth[row], row))


@pytest.mark.parametrize("count", [2, 3, 9])
def test_several_positives_come_from_both_searches(mined, count):
    question = Question("q", "the capital city of France", ("capital", "Lyon"))
    for negatives, others in (("dense:2,bm25:2", list(range(len(TEXTS)))[::-1]), ("bm25:1", [])):
        dense = Reversed() if others else None
        (example,), counts = mined([question], dense, negatives=negatives, max_positives=count)
        matcher = AnswerMatcher(question.answers)
        expected = {}
        for row in fused(mined, question, others):
            if matcher.found_in(TEXTS[row]):
                expected.setdefault(TEXTS[row], f"p{row}")
        assert ids(example.positives) == list(expected.values())[:count]
        assert counts["further_positives"] == len(example.positives) - 1 > 0
        assert not any(matcher.found_in(one.text) for one in example.hard_negatives)
        assert all(one.rank and one.source == "distant" for one in example.positives)


def test_a_positive_may_be_found_only_by_the_dense_index(mined):
    question = Question("q", "whom do whales eat", ("\u6771\u4eac",))
    assert mined([question])[0] == []
    assert mined([question], Reversed(), negatives="dense:1")[0] == []
    (example,), _ = mined([question], Reversed(), negatives="dense:1", max_positives=2)
    assert ids(example.positives) == ["p9"]


def test_given_positives_come_first_and_count_toward_the_maximum(mined):
    given = (PASSAGES[5], Passage("own", "", "Paris, seen from far away"))
    for count, expected in ((2, ["p5", "own"]), (3, ["p5", "own", "p0"]), (9, ["p5", "own", "p0"])):
        asked = TrainingExample(FRANCE, given)
        (example,), counts = mined([asked], positives="keep", negatives="random:1", max_positives=count)
        assert ids(example.positives) == expected
        assert counts["further_positives"] == len(expected) - 2
    (example,), _ = mined([TrainingExample(replace(FRANCE, answers=()), given)], max_positives=9)
    assert ids(example.positives) == ["p5", "own"]


def test_further_positives_are_added_to_a_gold_passage(mined):
    gold = Passage("", "title 5", "The city of Lyon lies in France; Paris lies north of it. " * 2)
    (example,), _ = mined([TrainingExample(FRANCE, (gold,))], positives="gold", max_positives=2)
    assert ids(example.positives) == ["p5", "p0"]
