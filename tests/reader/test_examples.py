"""Search results sorted into positives and negatives."""

from collections import Counter
from dataclasses import replace

import pytest

from densecli.errors import InputError
from densecli.models.folder import ReaderConfig
from densecli.models.tokens import Tokens
from densecli.reader.examples import choose_as_dpr, draw, first, foremost, reader_examples, sample
from densecli.records import Context, Passage, Question, RankedList, ScoredPassage, TrainingExample
from densecli.text.same_text import text_key

WHERE = Question("q", "who is he?", ("Warsaw",))
TEXTS = (
    "he was born in Paris",
    "born in WARSAW, Poland",
    "Warsaw of Warsaw",
    "the prize of France",
    "Poland",
)


def ranked(question: Question = WHERE, texts: tuple[str, ...] = TEXTS) -> RankedList:
    passages = (Passage(str(rank), "Marie Curie", text) for rank, text in enumerate(texts))
    return RankedList(question, tuple(ScoredPassage(passage, -1.0) for passage in passages))


def examples(tokens: Tokens, *lists: RankedList, max_tokens: int = 64, depth: int = 100):
    counts: Counter[str] = Counter()
    return list(reader_examples(lists, tokens, max_tokens, depth, counts)), counts


def ids(passages):
    return [passage.id for passage in passages]


def test_positives_contain_an_answer_and_negatives_do_not_in_retrieval_order(golden_tokens):
    (example,), counts = examples(golden_tokens, ranked())
    assert ids(example.positives) == ["1", "2"]
    assert ids(example.hard_negatives) == ["0", "3", "4"]
    assert counts == {"questions_read": 1}


def test_only_the_first_passages_are_used(golden_tokens):
    (example,), _ = examples(golden_tokens, ranked(), depth=2)
    assert (ids(example.positives), ids(example.hard_negatives)) == (["1"], ["0"])


def test_a_title_is_not_searched(golden_tokens):
    found, counts = examples(golden_tokens, ranked(replace(WHERE, answers=("Marie Curie",))))
    assert not found
    assert counts["questions_without_passage_with_answer"] == 1


def test_a_passage_with_a_truncated_answer_is_neither_positive_nor_negative(golden_tokens):
    texts = ("of " * 20 + "Warsaw", "Warsaw", "Paris")
    (example,), _ = examples(golden_tokens, ranked(texts=texts), max_tokens=24)
    assert (ids(example.positives), ids(example.hard_negatives)) == (["1"], ["2"])
    found, counts = examples(golden_tokens, ranked(texts=texts[:1]), max_tokens=24)
    assert not found
    assert counts["questions_with_answers_cut_off"] == 1


def test_dropped_questions_are_counted_by_reason(golden_tokens):
    found, counts = examples(
        golden_tokens,
        ranked(replace(WHERE, answers=())),
        ranked(replace(WHERE, answers=(" ",))),
        ranked(replace(WHERE, answers=("York",))),
        ranked(texts=()),
        ranked(),
    )
    assert len(found) == 1
    assert counts == {
        "questions_read": 5,
        "questions_without_answer": 2,
        "questions_without_passage_with_answer": 2,
        "empty_answers_dropped": 1,
    }


def test_results_without_text_name_the_cause(golden_tokens):
    with pytest.raises(InputError, match=r"question 'q'.*no text.*`text=False`"):
        examples(golden_tokens, ranked(texts=("", "")))


def test_one_positive_and_the_configured_number_of_negatives_are_drawn(golden_tokens):
    (example,), _ = examples(golden_tokens, ranked())
    seen = set()
    for step in range(40):
        positive, *negatives = ids(draw(example, 3, seed=1, step=step, row=0))
        assert positive in ("1", "2")
        assert len(set(negatives)) == 2
        assert set(negatives) <= {"0", "3", "4"}
        seen.add((positive, *negatives))
    assert len(seen) > 6
    assert ids(draw(example, 24, seed=1, step=0, row=0))[1:] != []
    assert len(draw(example, 24, seed=1, step=0, row=0)) == 4
    assert len(draw(example, 1, seed=1, step=0, row=0)) == 1


def test_a_draw_depends_on_seed_update_and_row_alone(golden_tokens):
    (example,), _ = examples(golden_tokens, ranked(texts=(*TEXTS, "born", "two", "one", "new", "city")))
    assert draw(example, 5, 1, 2, 3) == draw(example, 5, 1, 2, 3)
    others = [draw(example, 5, *key) for key in ((2, 2, 3), (1, 3, 3), (1, 2, 4))]
    assert all(other != draw(example, 5, 1, 2, 3) for other in others)


def test_validation_uses_the_first_passages(golden_tokens):
    (example,), _ = examples(golden_tokens, ranked())
    assert ids(first(example, 3)) == ["1", "0", "3"]


def test_a_sample_contains_token_ids_and_answer_positions(golden_tokens, golden):
    (example,), _ = examples(golden_tokens, ranked())
    passages = [example.positives[1], *example.hard_negatives]
    found = sample(example, passages, golden_tokens, 64, 10)
    assert found.id == "q"
    assert [len(row) for row in found.rows] == [15, 15, 14, 11]
    assert found.offset == 10
    assert found.spans == [(10, 11), (13, 14)]
    assert sample(example, passages, golden_tokens, 64, 1).spans == [(10, 11)]


def test_regex_answers_are_located(golden_tokens):
    (example,), _ = examples(golden_tokens, ranked(WHERE.__class__("q", "who?", (r"war\w+",), "regex")))
    assert sample(example, example.positives[1:], golden_tokens, 64, 10).spans == [(8, 9), (11, 12)]


def test_a_sample_may_be_longer_than_the_limit_of_the_reader(golden_tokens):
    short = Tokens(golden_tokens.tokenizer, ReaderConfig(max_tokens=32))
    (example,), _ = examples(short, ranked(texts=("Warsaw " * 60,)), max_tokens=40)
    assert len(sample(example, example.positives, short, 40, 10).rows[0]) == 40


@pytest.mark.parametrize(("passages", "negatives"), [(24, 30), (31, 30), (41, 40), (200, 60)])
def test_joint_training_draws_from_the_best_ranked_passages(passages, negatives):
    holding, others = ([Passage(f"{kind}{n}", "", "x") for n in range(60)] for kind in "pn")
    found = foremost(TrainingExample(Question("q", "who", ("x",)), (*holding,), (*others,)), passages)
    assert found.positives == tuple(holding[:5])
    assert found.hard_negatives == tuple(others[:negatives])


def test_known_answer_spans_are_the_only_answers(golden_tokens):
    text = "Warsaw in Poland, not Warsaw in Texas"
    place = text.rindex("Warsaw")
    known = Context("1", "", text, answer_spans=((place, place + 6),))
    (example,), _ = examples(golden_tokens, RankedList(WHERE, (ScoredPassage(known, 0.0),)))
    kept = TrainingExample.from_json(example.to_json())
    assert kept.positives == (known,)
    for passage, count in ((known, 1), (Passage("1", "", text), 2)):
        one = sample(replace(example, positives=(passage,)), [passage], golden_tokens, 64, 10)
        assert len(one.spans) == count


def test_passages_are_chosen_as_in_the_authors_release(golden, golden_tokens):
    negatives = [Passage(str(n), "", "no") for n in range(200)]
    for case in golden["negatives_cap"]:
        count = case["num_selected_positives"]
        if count:
            positives = [Passage(str(n), f"page {n}", "yes") for n in range(count)]
            found = choose_as_dpr(positives, negatives, None)
            assert found == (positives, negatives[: case["max_negatives_kept"]])
    many = [Passage(str(n), f"page {n % 2}", "yes") for n in range(60)]
    assert choose_as_dpr(many, [], None)[0] == many[:20]
    assert choose_as_dpr(many, [], "another page")[0] == many[:20]
    assert choose_as_dpr(many, [], "PAGE 1")[0] == many[1::2]


def test_the_gold_page_comes_first_as_in_the_authors_release(golden, golden_tokens):
    given = RankedList.from_json(golden["preprocess_input"][0])
    titles = {text_key(row["question"]): row["title"] for row in golden["gold_info"]["data"]}
    for case in golden["preprocess"][:2]:
        known = titles if case["gold_info"] else None
        (found,) = reader_examples([given], golden_tokens, 64, 200, Counter(), "dpr", known)
        (expected,) = case["samples"]
        assert ids(found.positives) == ids_of(expected["positive"])
        assert ids_of(expected["negative"])[0] in ids(found.hard_negatives)


def ids_of(rows):
    return [row["id"] for row in rows]
