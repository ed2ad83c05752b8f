"""Write the data that teaches the reader spans: questions with their gold paragraph, as search results.

    python examples/starter/spans.py --data ../shared/data --output spans

Reads SQuAD v1.1, Natural Questions (QED and the restored part), TyDi QA and MLQA, all in SQuAD's form.
Leaves out, and counts:

- questions that equal a test question, a question of the sample encyclopedia or an earlier question;
- questions that are nearly a test question, and those near one of the six questions of the README's demo;
- paragraphs of the articles of the SQuAD test.

Holds out the articles of the dev part with a fixed seed. Cuts a long training paragraph to a window of words
around the answer, because time grows with length and the passages of an index have 100 words. Writes
train-1.jsonl to train-8.jsonl, each a random eighth of the training questions, so that a reader can be
trained in rounds; one dev file per set; and dev.jsonl, up to 300 questions of each.
"""

import argparse
import gzip
import io
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hygiene import Forbidden, refuse, test_questions

from densecli.files.jsonl import write_lines
from densecli.records import Passage, Question, RankedList, ScoredPassage
from densecli.text.same_text import text_key

TEST_ARTICLES = "squad/squad-test-12-articles.json"
PARTS = 8
DEV_OF_EACH = 300


RENAMED = {"sky uk"}
"""Articles of the SQuAD test that Wikipedia has under another title since."""
BEGINNING = 80
"""Letters that tell a paragraph from others."""
Key = tuple[str, str]


@dataclass(frozen=True)
class SpanSet:
    """A file in SQuAD's form, of which `dev` articles are held out (None: all).

    `alone` tells whether its questions make sense without their paragraph; then a question is used only once.
    """

    name: str
    file: str
    dev: int | None = 0
    alone: bool = True


# Where a question stands in two sets, the earlier one keeps it
SETS = (
    SpanSet("squad", "train/squad-train-v1.1.json.gz", 16, alone=False),
    SpanSet("squad36", "squad/squad-train-36-articles.json", 4, alone=False),
    SpanSet("nq-qed", "train/nq-train-qed-passages.json.gz", 300),
    SpanSet("nq-restored", "train/nq-train-restored-passages.json.gz"),
    SpanSet("tydi", "train/tydiqa-goldp-en-train.json.gz"),
    SpanSet("tydi-dev", "train/tydiqa-goldp-en-dev.json.gz", None),
    SpanSet("mlqa", "squad/mlqa-en-dev.json", alone=False),
)


@dataclass(frozen=True)
class Row:
    """One question with its paragraph, whose first answer begins at character `start`.

    `article` groups what must not be split between train and dev.
    """

    article: str
    question: Question
    passage: Passage
    start: int
    may_be_dev: bool

    @property
    def key(self) -> Key:
        """What tells the row from all others: the ids of question and paragraph."""
        return self.question.id, self.passage.id

    def to_json(self) -> dict[str, Any]:
        """Return the question as a search result that found its paragraph."""
        return RankedList(self.question, (ScoredPassage(self.passage, 1.0, True),)).to_json()


class TestArticles:
    """The articles of the SQuAD test, by title and by the texts of their paragraphs."""

    def __init__(self, data: Path) -> None:
        articles = read_articles(data / TEST_ARTICLES)
        self._titles = {plain_title(article["title"]).casefold() for article in articles} | RENAMED
        self.texts = {
            " ".join(paragraph["context"].split())
            for article in articles
            for paragraph in article["paragraphs"]
        }

    def hold(self, title: str, text: str) -> bool:
        """Return whether a passage is of one of them."""
        return title.casefold() in self._titles or " ".join(text.split()) in self.texts


def read_articles(path: Path) -> list[dict[str, Any]]:
    """Return the articles of a file in SQuAD's form, plain or gzipped."""
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    articles: list[dict[str, Any]] = json.load(io.BytesIO(text))["data"]
    return articles


def plain_title(title: str) -> str:
    """Return an article's title as Wikipedia shows it."""
    return title.replace("_", " ").strip()


def read_rows(name: str, path: Path) -> Iterator[Row]:
    """Yield the questions of a file; a paragraph without a title is an article of its own."""
    for place, article in enumerate(read_articles(path)):
        title = plain_title(article["title"])
        for number, paragraph in enumerate(article["paragraphs"]):
            passage = Passage(f"{name}-{place}.{number}", title, paragraph["context"])
            for qa in paragraph["qas"]:
                answers = tuple(dict.fromkeys(answer["text"].strip() for answer in qa["answers"]))
                question = Question(f"{name}-{qa['id']}", qa["question"].strip(), answers)
                start = qa["answers"][0]["answer_start"]
                # nq-dev has the question too: whoever trains on that file must not find it in the dev part
                may_be_dev = not qa.get("in_nq_dev", False)
                yield Row(title or passage.id, question, passage, start, may_be_dev)


def usable_rows(
    one: SpanSet,
    data: Path,
    forbidden: Forbidden,
    test_articles: TestArticles,
    earlier: set[str],
    counts: Counter[str],
) -> Iterator[Row]:
    """Yield the questions of a set that may be used, and count the others by reason."""
    for row in read_rows(one.name, data / one.file):
        key = text_key(row.question.question)
        if not one.alone:
            key = f"{key} {row.passage.text}"
        why = refuse(row.question, forbidden)
        if why is None and test_articles.hold(row.passage.title, row.passage.text):
            why = "dropped: a test article"
        if why is None and key in earlier:
            why = "dropped: repeated"
        if why is None:
            earlier.add(key)
            yield row
        else:
            counts[why] += 1


def dev_articles(one: SpanSet, rows: list[Row], source: random.Random) -> set[str]:
    """Return the articles that are held out."""
    blocked = {row.article for row in rows if not row.may_be_dev}
    usable = sorted({row.article for row in rows} - blocked)
    return set(usable if one.dev is None else source.sample(usable, one.dev))


def questions_on_dev_articles(rows_of: Mapping[str, list[Row]], held_of: Mapping[str, set[str]]) -> set[Key]:
    """Return the keys of training questions about an article that another set holds out.

    An article is known by its title, and a paragraph without one by its beginning.
    """
    dev = [row for name, rows in rows_of.items() for row in rows if row.article in held_of[name]]
    titles = {row.article.casefold() for row in dev}
    beginnings = {beginning(row.passage.text) for row in dev}
    return {
        row.key
        for name, rows in rows_of.items()
        for row in rows
        if row.article not in held_of[name]
        and (row.article.casefold() in titles or beginning(row.passage.text) in beginnings)
    }


def beginning(text: str) -> str:
    """Return the letters that a paragraph begins with."""
    return text_key(text)[:BEGINNING]


def cut_window(row: Row, words: int, source: random.Random) -> Row:
    """Return the row with a window of at most `words` words of its paragraph that holds the answer."""
    text = row.passage.text
    places = [(match.start(), match.end()) for match in re.finditer(r"\S+", text)]
    end = row.start + len(row.question.answers[0])
    first = max((place for place, (start, _) in enumerate(places) if start <= row.start), default=0)
    last = min((place for place, (_, stop) in enumerate(places) if stop >= end), default=len(places) - 1)
    spare = words - (last - first + 1)
    if len(places) <= words or spare < 0:
        return row
    begin = source.randint(max(0, first - spare), min(first, len(places) - words))
    window = text[places[begin][0] : places[begin + words - 1][1]]
    return replace(row, passage=replace(row.passage, text=window))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with train/, squad/ and questions/")
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    parser.add_argument("--seed", type=int, default=12345, help="seed of the dev part and of the order")
    parser.add_argument("--words", type=int, default=128, help="words of the longest training paragraph")
    options = parser.parse_args()

    forbidden, test_articles = test_questions(options.data), TestArticles(options.data)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    earlier: set[str] = set()
    train: list[Row] = []
    dev: dict[str, list[Row]] = {}
    rows_of: dict[str, list[Row]] = {}
    held_of: dict[str, set[str]] = {}
    sources: dict[str, random.Random] = {}
    for one in SETS:
        found = usable_rows(one, options.data, forbidden, test_articles, earlier, counts[one.name])
        rows_of[one.name] = list(found)
        sources[one.name] = random.Random(f"{one.name} {options.seed}")
        held_of[one.name] = dev_articles(one, rows_of[one.name], sources[one.name])
    elsewhere = questions_on_dev_articles(rows_of, held_of)
    for one in SETS:
        rows, held_out, source = rows_of[one.name], held_of[one.name], sources[one.name]
        used = [row for row in rows if row.article not in held_out]
        cut = [cut_window(row, options.words, source) for row in used]
        train += cut
        counts[one.name]["train"] = sum(row.key not in elsewhere for row in cut)
        counts[one.name]["dropped: a dev article of another set"] = len(cut) - counts[one.name]["train"]
        counts[one.name]["train, cut"] = sum(a is not b for a, b in zip(used, cut, strict=True))
        counts[one.name]["dev"] = len(rows) - len(used)
        if held_out:
            dev[one.name] = [row for row in rows if row.article in held_out]
    source = random.Random(options.seed)
    source.shuffle(train)
    parts = (train[part::PARTS] for part in range(PARTS))
    files = {
        f"train-{number}": [row for row in part if row.key not in elsewhere]
        for number, part in enumerate(parts, 1)
    }
    for name, rows in dev.items():
        source.shuffle(rows)
        files[f"dev-{name}"] = rows
    files["dev"] = [row for rows in dev.values() for row in rows[:DEV_OF_EACH]]
    source.shuffle(files["dev"])
    options.output.mkdir(parents=True, exist_ok=True)
    for name, rows in files.items():
        path = options.output / f"{name}.jsonl"
        print(f"{path}: {write_lines(path, (row.to_json() for row in rows)):,}")
    for name, counted in counts.items():
        print(f"{name}: " + ", ".join(f"{what} {count:,}" for what, count in counted.items()))


if __name__ == "__main__":
    main()
