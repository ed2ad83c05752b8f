"""Which selection of answers is right most often on dev questions, from one forward pass."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densecli.reader.decode import ReadPassage, best_spans, in_characters, span_log
from densecli.reader.selection import SPANS, Selection, answer_key, standardize
from densecli.records import Question
from densecli.report.text_table import TextTable
from densecli.text.answers import AnswerMatcher

DEPTHS = (1, 2, 5, 10, 20, 50, 100)
SPAN_WEIGHTS = (0.5, 1.0, 2.0)
PASSAGE_WEIGHTS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
RETRIEVAL_WEIGHTS = (0.0, 0.1, 0.3, 1.0)
# Percent of the questions.
COVERAGES = (100, 90, 80, 70, 60, 50, 25)
SIGNIFICANT = 0.05
# Coarse: with a few thousand questions exact match does not tell finer steps apart.
GRID = np.array(list(product(SPAN_WEIGHTS, PASSAGE_WEIGHTS, RETRIEVAL_WEIGHTS)))

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Precision:
    """How often answers are right if only those of at least `min_score` are given.

    Attributes:
        coverage: questions that get an answer, in percent.
        precision: right answers among the given ones, in percent.
    """

    min_score: float
    coverage: float
    precision: float


@dataclass(frozen=True, slots=True)
class TunedSelection:
    """The result of a sweep.

    Attributes:
        selection: the rule to use, and its weights.
        depth: passages to read per question.
        questions: dev questions with answers.
        exact_match: in percent, of both rules at their best depth and weights, on the questions that chose
            them: `passage`, `joint`.
        held_out: the same in two halves: each half is answered as the other half chose.
        p_value: the p-value of the difference of `held_out` (exact McNemar test).
        depths: exact match of the chosen rule and weights by depth, in percent.
        precisions: what a smallest score costs and gains.
    """

    selection: Selection
    depth: int
    questions: int
    exact_match: dict[str, float]
    held_out: dict[str, float]
    p_value: float
    depths: dict[int, float]
    precisions: tuple[Precision, ...]

    def to_json(self) -> dict[str, Any]:
        """Return all of it, numbers rounded."""
        chosen = self.selection
        return {
            "rule": chosen.rule,
            "weights": {"span": chosen.span, "passage": chosen.passage, "retrieval": chosen.retrieval},
            "depth": self.depth,
            "questions": self.questions,
            "exact_match": {name: round(value, 2) for name, value in self.exact_match.items()},
            "held_out": {name: round(value, 2) for name, value in self.held_out.items()},
            "p_value": round(self.p_value, 6),
            "depths": {str(depth): round(value, 2) for depth, value in self.depths.items()},
            "precision": [
                {
                    "min_score": _round_down(one.min_score),
                    "coverage": round(one.coverage, 2),
                    "precision": round(one.precision, 2),
                }
                for one in self.precisions
            ],
        }

    def tables(self) -> list[TextTable]:
        """Return exact match of both rules and by the number of passages, and precision at each coverage."""
        rules = [
            [
                f"`select={rule}`" + (" (chosen)" if rule == self.selection.rule else ""),
                f"{self.exact_match[rule]:.1f}",
                f"{self.held_out[rule]:.1f}",
            ]
            for rule in self.exact_match
        ]
        depths = [[f"`k={depth}`", f"{value:.1f}"] for depth, value in self.depths.items()]
        precisions = [
            [f"`min_score={_round_down(one.min_score):.4f}`", f"{one.coverage:.1f}", f"{one.precision:.1f}"]
            for one in self.precisions
        ]
        return [
            TextTable([f"{self.questions:,} questions", "EM", "EM held out"], rules),
            TextTable(["passages", "EM"], depths),
            TextTable(["answers", "answered", "right"], precisions),
        ]


@dataclass(frozen=True, slots=True)
class _Candidates:
    """The best spans of one question's passages; C spans in P passages."""

    passage: NDArray[np.int64]  # (C,) in the order of retrieval
    log_span: FloatArray  # (C,)
    group: NDArray[np.int64]  # (C,) equal answers share a number
    right: BoolArray  # (C,)
    relevance: FloatArray  # (P,)
    retrieval: FloatArray  # (P,)

    def by_passage(self, depth: int) -> tuple[bool, float]:
        """Return whether the paper's rule is right, and the score of its answer."""
        relevance = self.relevance[:depth]
        logs = relevance - np.logaddexp.reduce(relevance) if len(relevance) else relevance
        inside = np.flatnonzero(self.passage < depth)
        if not len(inside):
            return False, -math.inf
        first = inside[np.argmax(relevance[self.passage[inside]])]  # the best span of a passage comes first
        return bool(self.right[first]), float(logs[self.passage[first]] + self.log_span[first])

    def jointly(self, depth: int, weights: FloatArray) -> tuple[BoolArray, FloatArray]:
        """Return for each row of `weights` (M, 3) whether the answer is right, and its score."""
        inside = np.flatnonzero(self.passage < depth)
        if not len(inside):
            return np.zeros(len(weights), dtype=bool), np.full(len(weights), -np.inf)
        relevance = self.relevance[:depth]
        logs = relevance - np.logaddexp.reduce(relevance)
        places = self.passage[inside]
        features = np.stack(
            [self.log_span[inside], logs[places], standardize(self.retrieval[:depth].tolist())[places]]
        )
        scores = weights @ features  # (M, C)
        highest = scores.max(axis=1, keepdims=True)
        groups, which = np.unique(self.group[inside], return_inverse=True)
        sums = np.zeros((len(weights), len(groups)))
        # np.add.at and not +=, which adds only once where an index comes twice
        np.add.at(sums.T, which, np.exp(scores - highest).T)
        best = sums.argmax(axis=1)
        # of equal answers the one with the highest score is shown, and only one of them may match a pattern
        shown = np.where(which == best[:, None], scores, -np.inf).argmax(axis=1)
        return self.right[inside][shown], highest[:, 0] + np.log(sums[np.arange(len(weights)), best])


class SelectionSweep:
    """Gathers the spans of dev questions, then compares rules, weights and depths on them."""

    def __init__(self) -> None:
        self._found: list[_Candidates] = []
        self._deepest = 0

    def add(
        self,
        question: Question,
        read: Sequence[ReadPassage],
        retrieval: Sequence[float],
        max_answer_tokens: int,
    ) -> None:
        """Take the passages of one question as the reader saw them, in the order of retrieval."""
        rows: list[tuple[int, float, str, bool]] = []
        # one for all spans: a pattern that takes too long is then given up once
        matcher = AnswerMatcher(question.answers, question.answer_type)
        for place, one in enumerate(read):
            best = best_spans(one.start, one.end, one.features.words[:, 0], max_answer_tokens)
            for span in islice(best, SPANS):
                text = in_characters(one, span).text
                right = matcher.equals(text)
                rows.append((place, span_log(one, span), answer_key(text), right))
        numbers: dict[str, int] = {}
        group = [numbers.setdefault(key, len(numbers)) for _, _, key, _ in rows]
        self._deepest = max(self._deepest, len(read))
        self._found.append(
            _Candidates(
                np.array([row[0] for row in rows], dtype=np.int64),
                np.array([row[1] for row in rows], dtype=np.float64),
                np.array(group, dtype=np.int64),
                np.array([row[3] for row in rows], dtype=bool),
                np.array([one.relevance for one in read], dtype=np.float64),
                np.array(retrieval, dtype=np.float64),
            )
        )

    def __len__(self) -> int:
        return len(self._found)

    def best(self) -> TunedSelection:
        """Return the rule, weights and depth that are right most often.

        Joint selection is chosen only if it is significantly better on questions that did not choose its
        weights. Of equal choices the one with fewer passages is taken, then the first weights of the grid.
        """
        # ascending, so that argmax takes the smallest depth among equals
        depths = [depth for depth in DEPTHS if depth < self._deepest] + [max(1, self._deepest)]
        by_passage = np.array([[one.by_passage(depth)[0] for depth in depths] for one in self._found])
        jointly = np.array([[one.jointly(depth, GRID)[0] for depth in depths] for one in self._found])
        jointly = jointly.reshape(len(self._found), -1)  # (questions, depths x weights)
        held_out = {"passage": _halves(by_passage), "joint": _halves(jointly)}
        p_value = mcnemar(held_out["passage"], held_out["joint"])
        better = held_out["joint"].mean() > held_out["passage"].mean()
        best = {"passage": int(by_passage.mean(axis=0).argmax()), "joint": int(jointly.mean(axis=0).argmax())}
        if better and p_value < SIGNIFICANT:
            place, weights = divmod(best["joint"], len(GRID))
            span, passage, retrieval = GRID[weights].tolist()
            selection = Selection("joint", span, passage, retrieval)
            by_depth = jointly.reshape(len(self._found), len(depths), -1)[:, :, weights]
        else:
            place, selection, by_depth = best["passage"], Selection(), by_passage
        return TunedSelection(
            selection,
            depths[place],
            len(self._found),
            {
                "passage": 100 * float(by_passage[:, best["passage"]].mean()),
                "joint": 100 * float(jointly[:, best["joint"]].mean()),
            },
            {name: 100 * float(found.mean()) for name, found in held_out.items()},
            p_value,
            {depth: 100 * float(value) for depth, value in zip(depths, by_depth.mean(axis=0), strict=True)},
            tuple(self._precisions(selection, depths[place])),
        )

    def _precisions(self, selection: Selection, depth: int) -> Iterable[Precision]:
        weights = np.array([[selection.span, selection.passage, selection.retrieval]])
        found: list[tuple[float, bool]] = []
        for one in self._found:
            if selection.rule == "joint":
                rights, scores = one.jointly(depth, weights)
                found.append((float(scores[0]), bool(rights[0])))
            else:
                right, score = one.by_passage(depth)
                found.append((score, right))
        found.sort(key=lambda pair: -pair[0])
        before = 0
        for coverage in COVERAGES:
            count = round(len(found) * coverage / 100)
            if count and math.isfinite(least := found[count - 1][0]):
                # the threshold keeps all answers of that score
                kept = [answered for score, answered in found if score >= least]
                if len(kept) == before:
                    continue
                before = len(kept)
                yield Precision(least, 100 * len(kept) / len(found), 100 * sum(kept) / len(kept))


def _round_down(score: float) -> float:
    """Return a score with four decimals, so that as a threshold it keeps an answer of that score."""
    return math.floor(score * 10_000) / 10_000


def _halves(right: BoolArray) -> BoolArray:
    """Return whether questions are right (n,) with the column of (n, columns) that the other half chose."""
    found = np.zeros(len(right), dtype=bool)
    for half in (0, 1):
        # every other question: the file may be sorted by topic or source
        others = right[1 - half :: 2]
        column = int(others.mean(axis=0).argmax()) if len(others) else 0
        found[half::2] = right[half::2, column]
    return found


def mcnemar(one: BoolArray, other: BoolArray) -> float:
    """Return the two-sided p-value of the exact McNemar test for two paired results (n,)."""
    wins, losses = int((one & ~other).sum()), int((other & ~one).sum())
    total = wins + losses
    if not total:
        return 1.0
    # integers until the last division: 2**total exceeds a float from 1024 questions on
    tail = sum(math.comb(total, count) for count in range(min(wins, losses) + 1))
    return min(1.0, float(2 * tail / 2**total))
