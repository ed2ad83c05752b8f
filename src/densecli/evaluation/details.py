"""What a report shows of single questions: where each run found an answer, and in which passages."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from densecli.evaluation.accuracy import QuestionScore
from densecli.evaluation.compare import letters
from densecli.records import Prediction, RankedList, ScoredPassage, ranked_of
from densecli.text.answers import AnswerMatcher
from densecli.text.content_words import content_words, share_of_words
from densecli.text.nfd import nfd
from densecli.text.tokens import tokens

SHOWN_PASSAGES = 3
"""First passages of a list that are shown, beside the first with an answer."""
MOST_TEXTS = 500
"""Questions whose passages are in the report; for the others it has the ranks only."""
MOST_ANSWERS = 10
LONGEST_TEXT = 3000
"""Characters of a passage that are shown."""
QUESTION_WORDS = ("who", "what", "when", "where", "which", "how many", "how", "why")
OTHER, NOT_FOUND, PATTERN = "other", "no answer found", "pattern"
TEXT_MISSING = "found, but the results have no text"
OVERLAPS = ((0.25, "under 25 %"), (0.5, "25-50 %"), (0.75, "50-75 %"), (2.0, "75 % and more"))


@dataclass
class QuestionDetail:
    """A question and what each run found for it.

    Attributes:
        id: the id of the question.
        question: its text.
        answers: its first answers.
        word: its question word, or `other`.
        length: words of its shortest answer, as the name of a group.
        overlap: share of the question's words in the best-ranked passage with an answer; None where no run
            found one.
        ranks: rank of the first passage with an answer by run; 0 where there is none.
        exact: whether the answer read is right, by run.
        read: the answer read, by run.
        passages: the passages shown, by run.
    """

    id: str
    question: str
    answers: tuple[str, ...]
    word: str
    length: str
    overlap: float | None = None
    ranks: dict[str, int] = field(default_factory=dict)
    exact: dict[str, bool] = field(default_factory=dict)
    read: dict[str, str] = field(default_factory=dict)
    passages: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def group(self) -> str:
        """The name of the group of its overlap."""
        if self.overlap is None:
            return TEXT_MISSING if any(self.ranks.values()) else NOT_FOUND
        return next(name for bound, name in OVERLAPS if self.overlap < bound)


class Details:
    """The questions of several runs, each once."""

    def __init__(self) -> None:
        self.questions: dict[tuple[str, str], QuestionDetail] = {}
        self._best: dict[tuple[str, str], int] = {}

    def add(self, run: str, record: RankedList | Prediction, score: QuestionScore) -> None:
        """Take in what one run found for a question."""
        ranked = ranked_of(record)
        asked = ranked.question
        key = asked.id, letters(asked.question)
        matcher = AnswerMatcher(asked.answers, score.answer_type)
        if key not in self.questions:
            self.questions[key] = QuestionDetail(
                asked.id,
                asked.question,
                asked.answers[:MOST_ANSWERS],
                _question_word(asked.question),
                PATTERN if score.answer_type == "regex" else _length(asked.answers),
            )
        detail = self.questions[key]
        rank = score.first_hit_rank or 0
        detail.ranks[run] = rank
        if isinstance(record, Prediction):
            detail.exact[run], detail.read[run] = bool(score.exact), record.answer
        passage = ranked.ctxs[rank - 1].passage if rank else None
        if passage is not None and passage.text and rank < self._best.get(key, rank + 1):
            self._best[key] = rank
            text = f"{passage.title} {passage.text}"
            detail.overlap = share_of_words(content_words(asked.question), text)
        places = sorted({*range(1, min(SHOWN_PASSAGES, len(ranked.ctxs)) + 1), *([rank] if rank else [])})
        detail.passages[run] = [_passage(place, ranked.ctxs[place - 1], matcher) for place in places]

    def most_different(self, ks: Sequence[int]) -> set[tuple[str, str]]:
        """Return the questions whose passages are shown: those on which the runs differ most."""

        def differ(detail: QuestionDetail) -> int:
            found = [[0 < rank <= k for rank in detail.ranks.values()] for k in ks]
            # a difference in exact match weighs as much as one at two k
            return -sum(len(set(one)) > 1 for one in found) - 2 * (len(set(detail.exact.values())) > 1)

        order = sorted(self.questions, key=lambda key: differ(self.questions[key]))
        return set(order[:MOST_TEXTS])


def groups_of(details: Iterable[QuestionDetail]) -> dict[str, dict[str, list[QuestionDetail]]]:
    """Return the questions by question word, by answer length, and by overlap of question and passage."""
    kept = list(details)
    kinds = {
        "question word": ((*QUESTION_WORDS, OTHER), [one.word for one in kept]),
        "words of the shortest answer": (
            ("1", "2", "3", "4", "5 and more", PATTERN, "none"),
            [one.length for one in kept],
        ),
        "words of the question in the passage with the answer": (
            (*(name for _, name in OVERLAPS), TEXT_MISSING, NOT_FOUND),
            [one.group for one in kept],
        ),
    }
    found = {}
    for kind, (names, labels) in kinds.items():
        groups: dict[str, list[QuestionDetail]] = {name: [] for name in names}
        for one, label in zip(kept, labels, strict=True):
            groups[label].append(one)
        found[kind] = {name: group for name, group in groups.items() if group}
    return found


def _question_word(question: str) -> str:
    """Return the first question word."""
    words = tokens(nfd(question))
    for place, word in enumerate(words):
        if word == "how":
            return "how many" if words[place + 1 : place + 2] in (["many"], ["much"]) else "how"
        if word in ("whom", "whose"):
            return "who"
        if word in QUESTION_WORDS:
            return word
    return OTHER


def _length(answers: Sequence[str]) -> str:
    lengths = [len(tokens(nfd(answer))) for answer in answers]
    shortest = min((length for length in lengths if length), default=0)
    return "none" if not shortest else str(shortest) if shortest < 5 else "5 and more"


def _passage(rank: int, ctx: ScoredPassage, matcher: AnswerMatcher) -> dict[str, Any]:
    """Return a passage in parts, every other one an answer."""
    text = ctx.passage.text[:LONGEST_TEXT]
    parts, end = [], 0
    for start, stop in matcher.spans(text):
        # spans of several answers may overlap; the first one is marked
        if start >= end:
            parts += [text[end:start], text[start:stop]]
            end = stop
    return {
        "rank": rank,
        "id": ctx.passage.id,
        "title": ctx.passage.title,
        "score": round(ctx.score, 4),
        "parts": [*parts, text[end:]],
    }
