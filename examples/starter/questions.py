"""Write the questions that the starter models are trained on, and the dev questions cut from them.

    python examples/starter/questions.py --data ../shared/data --spans spans --output questions

Uses only sets whose terms put no non-commercial clause on what is trained (SETS below has the licenses).
Leaves out, and counts:

- questions that equal a test question or a question of the sample encyclopedia, or nearly equal one;
- questions near one of the six questions of the README's demo;
- questions that are in the span data, that are dev questions, or that repeat an earlier one;
- quiz questions that cannot be answered without their choices.

Writes one file of training questions per set, and dev-SET.jsonl. Questions of the span data whose paragraphs
are in the pool, or that make sense without them, are questions for the retriever, too.
"""

import argparse
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from hygiene import Forbidden, refuse, test_questions

from densecli.files.jsonl import write_lines
from densecli.formats.read_questions import read_questions
from densecli.records import Question
from densecli.text.same_text import text_key


@dataclass(frozen=True)
class QuestionSet:
    """A file of questions with answers, of which `dev` are held out (None: all)."""

    name: str
    file: str
    license: str
    dev: int | None = 0
    answers: str = "string"

    @property
    def dev_name(self) -> str:
        """The set whose dev questions its held-out questions are."""
        return self.name.removesuffix("-dev")


# Not used: DPR's own files of NQ and TriviaQA (CC BY-NC 4.0) and el-cms's pub quiz (no license).
SETS = (
    QuestionSet("webq-dev", "questions/webquestions-dev.jsonl", "CC BY 4.0", None),
    QuestionSet("webq", "questions/webquestions-train.jsonl", "CC BY 4.0", 200),
    QuestionSet("trec", "questions/curatedtrec-train.jsonl", "none stated", 300, "regex"),
    QuestionSet("nq", "train/nq-train-part.jsonl.gz", "CC BY-SA 3.0", 600),
    QuestionSet("trivia", "train/trivia-train-part.jsonl.gz", "Apache-2.0", 600),
    QuestionSet("freebaseqa", "train/freebaseqa-dev-eval.jsonl.gz", "CC BY 4.0"),
    QuestionSet("hotpot", "train/hotpotqa-dev-questions.jsonl.gz", "CC BY-SA 4.0"),
    QuestionSet("mintaka", "train/mintaka-dev.jsonl.gz", "CC BY 4.0"),
    QuestionSet("popqa", "train/popqa-sample.jsonl.gz", "MIT"),
    QuestionSet("movies", "train/factoid-movies.jsonl.gz", "CC BY 4.0"),
    QuestionSet("qald", "train/qald-1-9.jsonl.gz", "MIT"),
    QuestionSet("opentrivia", "train/opentriviaqa.jsonl.gz", "CC BY-SA 4.0"),
)
FROM_SPANS = ("nq-qed", "nq-restored", "tydi", "squad36")
SQUAD_DEV = 600
NEEDS_CHOICES = re.compile(
    r"\b(of|among|from) (these|the following|those)\b|\bwhich (one )?(of )?these\b|\bexcept\b|\bfollowing\b"
    r"|\bis not\b|\bisn't\b|\bare not\b|\bodd one out\b|\btrue or false\b|_{2,}|\.\.\.$",
    re.IGNORECASE,
)


def usable_questions(
    one: QuestionSet, data: Path, forbidden: Forbidden, in_spans: set[str], counts: Counter[str]
) -> Iterator[Question]:
    """Yield the questions of a set that may be used, and count the others by reason."""
    for number, question in enumerate(read_questions(str(data / one.file), one.answers), 1):
        why = refuse(question, forbidden)
        if why is None and NEEDS_CHOICES.search(question.question):
            why = "dropped: needs the choices of its quiz"
        if why is None and text_key(question.question) in in_spans:
            why = "dropped: in the span data"
        if why is None:
            yield replace(question, id=f"{one.name}-{number}")
        else:
            counts[why] += 1


def without_known(
    questions: list[Question], held_out: set[str], earlier: set[str], counts: Counter[str]
) -> Iterator[Question]:
    """Yield the questions that are neither dev questions nor earlier ones, and count the others."""
    for question in questions:
        key = text_key(question.question)
        if key in held_out:
            counts["dropped: a dev question"] += 1
        elif key in earlier:
            counts["dropped: repeated"] += 1
        else:
            earlier.add(key)
            yield question


def span_questions(folder: Path, pattern: str) -> Iterator[Question]:
    """Yield the questions of the files that spans.py wrote."""
    for path in sorted(folder.glob(pattern)):
        with path.open(encoding="utf-8") as stream:
            yield from (Question.from_json(json.loads(line)) for line in stream)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with train/ and questions/")
    parser.add_argument("--spans", type=Path, required=True, help="folder that spans.py wrote")
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    parser.add_argument("--seed", type=int, default=12345, help="seed of the dev part")
    options = parser.parse_args()

    counts: dict[str, Counter[str]] = defaultdict(Counter)
    forbidden = test_questions(options.data)
    spans = list(span_questions(options.spans, "train-*.jsonl"))
    in_spans = {text_key(one.question) for one in spans}
    train: dict[str, list[Question]] = {}
    dev: dict[str, list[Question]] = defaultdict(list)
    for one in SETS:
        found = list(usable_questions(one, options.data, forbidden, in_spans, counts[one.name]))
        size = len(found) if one.dev is None else one.dev
        chosen = set(random.Random(f"{one.name} {options.seed}").sample(range(len(found)), size))
        dev[one.dev_name] += [found[row] for row in sorted(chosen)]
        train[one.name] = [question for row, question in enumerate(found) if row not in chosen]
    for name in FROM_SPANS:
        train[name] = sorted((q for q in spans if q.id.startswith(f"{name}-")), key=lambda one: one.id)
    squad = list(span_questions(options.spans, "dev-squad*.jsonl"))
    dev["squad"] = random.Random(f"squad {options.seed}").sample(squad, min(SQUAD_DEV, len(squad)))
    held_out = {text_key(one.question) for one in span_questions(options.spans, "dev-*.jsonl")}
    held_out |= {text_key(question.question) for found in dev.values() for question in found}

    earlier: set[str] = set()
    options.output.mkdir(parents=True, exist_ok=True)
    for name, found in train.items():
        rows = list(without_known(found, held_out, earlier, counts[name]))
        counts[name]["train"] = len(rows)
        if rows:
            write_lines(options.output / f"{name}.jsonl", (question.to_json() for question in rows))
    for name, found in dev.items():
        if found:
            counts[name]["dev"] = len(found)
            write_lines(options.output / f"dev-{name}.jsonl", (question.to_json() for question in found))
    for name, counted in counts.items():
        print(f"{name}: " + ", ".join(f"{what} {count:,}" for what, count in counted.items()))


if __name__ == "__main__":
    main()
