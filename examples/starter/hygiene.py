"""What the starter models are never trained on: test questions, the sample's questions, the README's demo."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from densecli.formats.read_questions import read_questions
from densecli.records import Question
from densecli.text.same_text import text_key

TEST = ("*-test*", "nq-open-dev.jsonl")  # nq-open-dev is the test set of Natural Questions
SAMPLE = Path(__file__).resolve().parents[2] / "src" / "densecli" / "sample"
SAME_WORDS = 0.8
# A question is near a question of the demo when each pattern of a group is found in it or in its answers.
DEMO = (
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


class Forbidden:
    """Questions that are not trained on, nor any that is nearly the same.

    Two questions are nearly the same when the words that both have are at least 80 % of all their words.
    """

    def __init__(self, questions: Iterable[str]) -> None:
        texts = list(questions)
        self._keys = {text_key(text) for text in texts}
        self._sets = [words(text) for text in texts]
        self._common = Counter(word for one in self._sets for word in one)
        self._by_word: dict[str, list[int]] = defaultdict(list)
        for row, one in enumerate(self._sets):
            for word in self._rarest(one):
                self._by_word[word].append(row)

    def equals(self, question: str) -> bool:
        """Return whether the question is one of them, case, punctuation and articles aside."""
        return text_key(question) in self._keys

    def resembles(self, question: str) -> bool:
        """Return whether the question is nearly one of them."""
        asked = words(question)
        rows = {row for word in self._rarest(asked) for row in self._by_word.get(word, ())}
        return any(len(asked & self._sets[row]) >= SAME_WORDS * len(asked | self._sets[row]) for row in rows)

    def _rarest(self, one: set[str]) -> list[str]:
        # Two sets that share 80 % of their words share one of the rarest 20 % (and one more) of each
        kept = len(one) - int(SAME_WORDS * len(one) - 1e-9)
        return sorted(one, key=lambda word: (self._common[word], word))[: kept + 1]


def words(question: str) -> set[str]:
    """Return the words of a question in lower case."""
    return set(re.findall(r"\w+", question.lower()))


def test_questions(data: Path) -> Forbidden:
    """Return all test questions of `data`/questions and all questions of the sample encyclopedia."""
    folder = data / "questions"
    files = {path for pattern in TEST for path in folder.glob(pattern)}
    files |= set(SAMPLE.glob("questions.*.jsonl"))
    return Forbidden(one.question for path in sorted(files) for one in read_questions(str(path)))


def near_demo(question: Question) -> bool:
    """Return whether a question comes near one of the six questions of the README's demo."""
    text = " | ".join([question.question, *question.answers]).lower()
    return any(all(re.search(pattern, text) for pattern in group) for group in DEMO)


def refuse(question: Question, forbidden: Forbidden) -> str | None:
    """Return why a question must not be trained on, or None."""
    if forbidden.equals(question.question):
        return "dropped: a test question"
    if forbidden.resembles(question.question):
        return "dropped: nearly a test question"
    return "dropped: near a question of the demo" if near_demo(question) else None
