import json
import re
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

import densecli
from densecli.records import Article, Question
from densecli.text.answers import AnswerMatcher
from densecli.text.normalize import normalize_answer

SAMPLE = Path(densecli.__file__).parent / "sample"
SPLITS = ("train", "dev", "test")
TOPICS = {
    "people", "places", "science", "history", "film", "television",
    "music", "sport", "books", "food", "animals", "technology",
}  # fmt: skip
KINDS = {"plain", "paraphrase", "rare"}

DEMO = {
    "who first voiced meg on family guy": "Lacey Chabert",
    "where was the 8th dalai lama born": "Thobgyal",
    "who is the bad guy in the lord of the rings": "Sauron",
    "what is the body of water between england and ireland": "Irish Sea",
    "who plays thoros of myr in game of thrones": "Paul Kaye",
    "where was einstein born": "Ulm",
}
# A question that holds all words of one of these sets may be a paraphrase of a demo question.
DEMO_WORDS = [
    *({"meg"}, {"family", "guy"}, {"griffin"}, {"griffins"}, {"quahog"}),
    *({"dalai"}, {"jamphel"}),
    *({"lord", "rings"}, {"tolkien"}, {"sauron"}, {"middle", "earth"}, {"hobbit"}),
    *({"irish", "sea"}, {"england", "ireland"}, {"britain", "ireland"}, {"english", "irish"}),
    *({"thoros"}, {"myr"}, {"game", "thrones"}),
    *({"einstein"}, {"einsteins"}, {"relativity"}),
]


def lines(name):
    return [json.loads(line) for line in (SAMPLE / name).read_text(encoding="utf-8").splitlines()]


ARTICLES = lines("articles.jsonl")
TEXTS = {article["id"]: article["text"] for article in ARTICLES}
QUESTIONS = {split: lines(f"questions.{split}.jsonl") for split in SPLITS}
ALL = [question for split in SPLITS for question in QUESTIONS[split]]


def words(text):
    return set(re.findall(r"\w+", text.lower().replace("'s", "")))


def shingles(text, length=5):
    run = re.findall(r"\w+", text.lower())
    return {tuple(run[start : start + length]) for start in range(len(run) - length + 1)}


def overlap(one, other):
    return len(one & other) / len(one | other)


def near_duplicates(texts, limit=0.1):
    bags = {name: shingles(text) for name, text in texts.items()}
    return [pair for pair in combinations(bags, 2) if overlap(bags[pair[0]], bags[pair[1]]) > limit]


def recalls_demo(question):
    return any(rule <= words(question) for rule in DEMO_WORDS)


def test_the_records_can_be_parsed():
    for article in ARTICLES:
        assert set(article) == {"id", "title", "text", "topic"}
        assert Article.from_json(article).title
    for question in ALL:
        assert set(question) == {"id", "question", "answers", "article", "kind"}
        assert Question.from_json(question).answers


def test_the_sample_has_enough_records():
    assert len(ARTICLES) >= 160
    assert len(QUESTIONS["train"]) >= 320
    assert len(QUESTIONS["dev"]) >= 60
    assert len(QUESTIONS["test"]) >= 120


def test_an_article_has_120_to_300_words():
    lengths = {name: len(text.split()) for name, text in TEXTS.items()}
    assert {name: length for name, length in lengths.items() if not 120 <= length <= 300} == {}


def test_every_topic_and_kind_is_present():
    assert {article["topic"] for article in ARTICLES} == TOPICS
    for split in SPLITS:
        assert {question["kind"] for question in QUESTIONS[split]} == KINDS


def test_articles_are_sorted_by_topic_then_title():
    assert sorted(ARTICLES, key=lambda article: (article["topic"], article["title"])) == ARTICLES


def test_ids_and_titles_are_unique():
    for values in (
        [article["id"] for article in ARTICLES],
        [article["title"] for article in ARTICLES],
        [question["id"] for question in ALL],
    ):
        assert [value for value, count in Counter(values).items() if count > 1] == []
    for question in ALL:
        assert re.fullmatch(re.escape(question["article"]) + r"\.[1-9]", question["id"])


def test_every_answer_is_in_its_article_and_not_in_its_question():
    for question in ALL:
        for answer in question["answers"]:
            matcher = AnswerMatcher([answer])
            assert matcher.found_in(TEXTS[question["article"]]), (question["id"], answer)
            assert not matcher.found_in(question["question"]), (question["id"], answer)


def test_no_answer_is_listed_twice():
    for question in ALL:
        forms = [normalize_answer(answer) for answer in question["answers"]]
        assert len(set(forms)) == len(forms), question


def test_splits_share_no_article_and_cover_all_articles():
    articles = {split: {question["article"] for question in QUESTIONS[split]} for split in SPLITS}
    for one, other in combinations(SPLITS, 2):
        assert articles[one] & articles[other] == set()
    assert set().union(*articles.values()) == set(TEXTS)


def test_no_question_is_asked_twice():
    counts = Counter(normalize_answer(question["question"]) for question in ALL)
    assert [question for question, count in counts.items() if count > 1] == []


def test_no_held_out_question_rewords_a_training_question():
    train = [(question["question"], words(question["question"])) for question in QUESTIONS["train"]]
    for question in QUESTIONS["dev"] + QUESTIONS["test"]:
        bag = words(question["question"])
        close = [text for text, other in train if overlap(bag, other) > 0.65]
        assert close == [], question["question"]


def test_no_two_articles_are_near_duplicates():
    assert near_duplicates(TEXTS) == []


def test_a_near_duplicate_would_be_noticed():
    name, text = next(iter(TEXTS.items()))
    half = " ".join(text.split()[: len(text.split()) // 2])
    assert near_duplicates({name: text, "half of it": half}) == [(name, "half of it")]


@pytest.mark.parametrize(("question", "answer"), DEMO.items())
def test_the_demo_questions_are_test_questions(question, answer):
    [asked] = [row for row in QUESTIONS["test"] if row["question"] == question]
    assert answer in asked["answers"]


@pytest.mark.parametrize("question", DEMO)
def test_the_keyword_rules_cover_the_demo_questions(question):
    assert recalls_demo(question)


@pytest.mark.parametrize("split", ["train", "dev"])
def test_no_paraphrase_of_a_demo_question_is_in_train_or_dev(split):
    assert [row["question"] for row in QUESTIONS[split] if recalls_demo(row["question"])] == []
    answers = {normalize_answer(answer) for row in QUESTIONS[split] for answer in row["answers"]}
    assert answers & {normalize_answer(answer) for answer in DEMO.values()} == set()
