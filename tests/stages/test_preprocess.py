from collections import Counter

from densecli.configs.corpus import PreprocessConfig
from densecli.records import Article, Passage
from densecli.stages.preprocess import preprocess


def run(records, **config):
    counts = Counter()
    return list(preprocess(records, PreprocessConfig(**config), counts)), counts


def test_articles_become_disjoint_blocks():
    passages, counts = run(
        [Article("a", "T", "one two\nthree\u00a0four  five"), Article("b", "", "six")], words=2
    )
    assert passages == [
        Passage("a#0", "T", "one two"),
        Passage("a#1", "T", "three four"),
        Passage("a#2", "T", "five"),
        Passage("b#0", "", "six"),
    ]
    assert counts == {"records": 2}


def test_what_is_a_passage_already_stays():
    text = " two  spaces and more than two words "
    assert run([Passage("1", "T", text)], words=2)[0] == [Passage("1", "T", text)]
    assert run([Article("1", "T", text)], words=2, split=False)[0] == [Passage("1", "T", text)]


def test_records_without_text_are_dropped_and_counted():
    passages, counts = run([Article("a", "T", ""), Passage("b", "T", " \n\u2003"), Article("c", "", "x")])
    assert [passage.id for passage in passages] == ["c#0"]
    assert counts == {"records": 3, "dropped_without_text": 2}


def test_one_record_at_a_time():
    drawn = []

    def articles():
        for number in range(3):
            drawn.append(number)
            yield Article(str(number), "", "a b c")

    stream = preprocess(articles(), PreprocessConfig(words=1), Counter())
    assert [next(stream).id for _ in range(3)] == ["0#0", "0#1", "0#2"]
    assert drawn == [0]


def test_a_million_words():
    passages, _ = run([Article("a", "", "word " * 1_000_000)])
    assert len(passages) == 10_000
    assert passages[-1] == Passage("a#9999", "", " ".join(["word"] * 100))
