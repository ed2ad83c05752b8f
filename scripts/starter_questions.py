"""The questions that the starter models are trained on, and the development questions cut from them.

    python scripts/starter_questions.py --data ../shared/data --output starter-questions

Takes the files whose README allows training and leaves out every question that is also a test question (case,
punctuation, spaces and articles aside), that repeats an earlier one, or that comes near one of the README's
six demonstration questions. Writes train-questions.jsonl, dev-questions.jsonl and, from SQuAD's form,
squad-questions.jsonl; counts go to stdout.
"""

import argparse
import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from densecli.files.jsonl import write_lines
from densecli.formats.read_questions import read_questions
from densecli.records import Question
from densecli.text.same_text import text_key

# Name in the ids, file, kind of answers.
TRAINING = (
    ("nq-dev", "nq-dev.qa.csv", "string"),
    ("trivia-dev", "trivia-dev.qa.csv", "string"),
    ("webquestions-train", "webquestions-train.jsonl", "string"),
    ("webquestions-dev", "webquestions-dev.jsonl", "string"),
    ("curatedtrec-train", "curatedtrec-train.jsonl", "regex"),
)
SQUAD = (("squad-train", "squad-train-36-articles.json"), ("mlqa-dev", "mlqa-en-dev.json"))
TEST = ("*-test*", "nq-open-dev.jsonl")  # nq-open-dev is the test set of Natural Questions
# A question is near a demonstration when each pattern of a group is found in it or in its answers.
DEMONSTRATIONS = (
    (r"family guy|griffin", r"\bmeg\b|voic|kunis|chabert"),
    (r"\b(voice[sd]?|voicing|actor|actress|plays?|played)\b", r"\bmeg\b"),
    (r"dalai lama",),
    (
        r"lord of the rings|middle.?earth|tolkien|hobbit",
        r"bad guy|villain|evil|antagonist|enemy|dark lord|sauron",
    ),
    (r"\bsauron\b",),
    (r"irish sea|st\.? george'?s channel",),
    (
        r"england|britain|wales|isle of man|\buk\b",
        r"\bireland\b",
        r"\b(sea|seas|water|waters|channel|ocean|strait)\b",
    ),
    (r"\bthoros\b|\bmyr\b|paul kaye",),
    (r"einstein", r"\b(born|birth|birthplace|hometown|native|from|nationality|country|city)\b"),
)


def near_demonstration(question: Question) -> bool:
    """Return whether a question comes near one of the six demonstration questions."""
    text = " | ".join([question.question, *question.answers]).lower()
    return any(all(re.search(pattern, text) for pattern in group) for group in DEMONSTRATIONS)


def test_keys(folder: Path) -> set[str]:
    """Return the keys of all test questions in a folder."""
    files = sorted({path for pattern in TEST for path in folder.glob(pattern)})
    return {text_key(question.question) for path in files for question in read_questions(str(path))}


def squad_questions(path: Path) -> Iterator[Question]:
    """Yield the questions of a file in SQuAD form."""
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            for row in paragraph["qas"]:
                answers = tuple(dict.fromkeys(answer["text"] for answer in row["answers"]))
                yield Question(row["id"], row["question"].strip(), answers)


def usable_questions(
    sets: Iterable[tuple[str, Iterable[Question]]], known: set[str], counts: Counter[str]
) -> Iterator[Question]:
    """Yield the questions that may be trained on, with ids such as `nq-dev-17`."""
    earlier: set[str] = set()
    for name, questions in sets:
        for question in questions:
            its_key = text_key(question.question)
            if its_key in known:
                counts[f"{name}: dropped, test questions"] += 1
            elif near_demonstration(question):
                counts[f"{name}: dropped, near the demonstrations"] += 1
            elif its_key in earlier:
                counts[f"{name}: dropped, repeated"] += 1
            else:
                earlier.add(its_key)
                counts[f"{name}: kept"] += 1
                yield replace(question, id=f"{name}-{question.id}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder that holds questions/ and squad/")
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    parser.add_argument("--dev", type=int, default=600, help="development questions (default 600)")
    parser.add_argument("--seed", type=int, default=12345)
    options = parser.parse_args()

    counts: Counter[str] = Counter()
    folder = options.data / "questions"
    known = test_keys(folder)
    open_domain = [(name, read_questions(str(folder / file), kind)) for name, file, kind in TRAINING]
    questions = list(usable_questions(open_domain, known, counts))
    reading = [(name, squad_questions(options.data / "squad" / file)) for name, file in SQUAD]
    squad = [question.to_json() for question in usable_questions(reading, known, counts)]
    chosen = set(random.Random(options.seed).sample(range(len(questions)), options.dev))
    options.output.mkdir(parents=True, exist_ok=True)
    for name, is_dev in (("train", False), ("dev", True)):
        rows = (question.to_json() for place, question in enumerate(questions) if (place in chosen) is is_dev)
        path = options.output / f"{name}-questions.jsonl"
        print(f"{path}: {write_lines(path, rows):,}")
    path = options.output / "squad-questions.jsonl"
    print(f"{path}: {write_lines(path, iter(squad)):,}")
    for what, count in counts.items():
        print(f"{what}: {count:,}")


if __name__ == "__main__":
    main()
