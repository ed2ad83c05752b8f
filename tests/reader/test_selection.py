"""Which span is the answer: the paper's rule, joint selection, a smallest score, and tuning."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from densecli.artifacts.tuned_file import SELECTION
from densecli.errors import ArtifactError
from densecli.reader.decode import join_pieces
from densecli.reader.selection import Selection, select_answers, standardize
from densecli.reader.tune import GRID, SelectionSweep, mcnemar
from densecli.reader.tuned import StoredSelection, store_selection
from densecli.records import Question
from densecli.text.normalize import exact_match
from read_passages import read

ROME = read("the Rome", [0, 2], [0, 2], relevance=1.0, id="a")
OSLO = read("in Oslo now", [0, 3, 0], [0, 3, 0], relevance=0.9, id="b")
OSLO_AGAIN = read("oslo", [1], [1], relevance=0.8, id="c")
READ = [ROME, OSLO, OSLO_AGAIN]
SCORES = [3.0, 2.0, 1.0]


def soft(values):
    weights = np.exp(np.asarray(values, dtype=np.float64))
    return np.log(weights / weights.sum())


def test_the_rule_of_the_paper_uses_the_most_relevant_passage():
    (best, *_) = select_answers(READ, SCORES, Selection(), 1, 3)
    assert (best.text, best.passage_id) == ("Rome", "a")
    expected = soft([1.0, 0.9, 0.8])[0] + soft([0, 2])[1] * 2
    assert best.score == pytest.approx(expected)


def test_joint_selection_sums_the_scores_of_equal_answers():
    found = select_answers(READ, SCORES, Selection("joint"), 1, 9)
    relevance = soft([1.0, 0.9, 0.8])
    oslo = [relevance[1] + 2 * soft([0, 3, 0])[1], relevance[2] + 2 * soft([1])[0]]
    assert found[0].text == "oslo"  # the more probable of the two spans
    assert found[0].score == pytest.approx(np.logaddexp(*oslo))
    assert [span.text for span in found].count("Oslo") == 0
    assert [span.score for span in found] == sorted((span.score for span in found), reverse=True)


def test_a_large_weight_lets_the_retrieval_score_decide():
    found = select_answers(READ, SCORES, Selection("joint", 1.0, 0.0, 50.0), 1, 1)
    assert found[0].text == "Rome"
    assert standardize(SCORES).tolist() == pytest.approx([math.sqrt(1.5), 0.0, -math.sqrt(1.5)])


@pytest.mark.parametrize("scores", [[], [1.0, 1.0], [1.0, math.nan], [1.0, math.inf]])
def test_scores_without_variation_count_as_equal(scores):
    assert standardize(scores).tolist() == [0.0] * len(scores)


@pytest.mark.parametrize("rule", ["passage", "joint"])
def test_answers_below_the_minimum_score_are_dropped(rule):
    (best, *_) = select_answers(READ, SCORES, Selection(rule), 1, 1)
    assert select_answers(READ, SCORES, Selection(rule, min_score=best.score - 1e-6), 1, 1) == [best]
    assert select_answers(READ, SCORES, Selection(rule, min_score=best.score + 1e-6), 1, 1) == []


def test_word_pieces_are_joined_as_in_the_published_results():
    golden = Path(__file__).parents[1] / "golden" / "reader_decode_em.json"
    rows = json.loads(golden.read_text(encoding="utf-8"))["rows"]
    assert len(rows) > 15
    for row in rows:
        text = join_pieces(row["tokens"])
        assert text == row["legacy_decoded"]
        assert exact_match(text, [row["answer"]]) == row["legacy_em"], row["answer"]


def random_questions(seed, count, answer_type):
    rng = np.random.default_rng(seed)
    words = ["Rome", "Oslo", "oslo", "the Rome", "Bern", "Paris"]
    for number in range(count):
        passages = []
        for place in range(int(rng.integers(0, 6))):
            text = " ".join(rng.choice(words, size=int(rng.integers(1, 5))))
            pieces = len(text.split())
            start, end = rng.normal(0, 2, (2, pieces)).round(2).tolist()
            passages.append(read(text, start, end, float(rng.normal(0, 2)), str(place)))
        scores = sorted(rng.normal(0, 3, len(passages)).tolist(), reverse=True)
        answer = str(rng.choice(["Rome", "Oslo"]))
        yield Question(str(number), "where", (answer,), answer_type), passages, scores


@pytest.mark.parametrize("answer_type", ["string", "regex"])
def test_a_sweep_counts_the_same_answers_as_the_selection(answer_type):
    # "the Rome" and "Rome" are one answer, and only one of them is the pattern as a whole
    asked = list(random_questions(0, 40, answer_type))
    sweep = SelectionSweep()
    for question, passages, scores in asked:
        sweep.add(question, passages, scores, 2)
    tuned = sweep.best()

    def share_right(selection, depth):
        right = 0
        for question, passages, scores in asked:
            spans = select_answers(passages[:depth], scores[:depth], selection, 2, 1)
            right += bool(spans) and exact_match(spans[0].text, question.answers, answer_type)
        return 100 * right / len(asked)

    depths = sorted(tuned.depths)
    assert depths == [1, 2, 5]
    by_passage = {depth: share_right(Selection(), depth) for depth in depths}
    assert tuned.exact_match["passage"] == pytest.approx(max(by_passage.values()))
    jointly = max(share_right(Selection("joint", *row), depth) for depth in depths for row in GRID.tolist())
    assert tuned.exact_match["joint"] == pytest.approx(jointly)
    assert tuned.depths[tuned.depth] == max(tuned.depths.values())


def test_joint_selection_is_chosen_only_where_it_is_significantly_better():
    asked = Question("1", "where", ("Oslo",))
    few, many = SelectionSweep(), SelectionSweep()
    for sweep, count in ((few, 4), (many, 40)):
        for _ in range(count):
            sweep.add(asked, READ, SCORES, 1)
    assert few.best().selection.rule == "passage"
    tuned = many.best()
    assert tuned.selection.rule == "joint"
    assert tuned.held_out["joint"] == 100.0
    assert tuned.p_value < 0.001


def test_precision_is_reported_at_each_coverage():
    sweep = SelectionSweep()
    sure = read("Rome", [0], [0], relevance=1.0)
    for number in range(10):
        sweep.add(
            Question(str(number), "where", ("Rome" if number < 5 else "Oslo",)),
            [sure if number < 5 else ROME],
            [1.0],
            1,
        )
    found = {one.coverage: one for one in sweep.best().precisions}
    assert found[50.0].precision == 100.0
    assert found[100.0].precision == 50.0
    assert found[50.0].min_score > found[100.0].min_score
    # five answers have one score: no threshold keeps 80 of 100
    assert list(found) == [100.0, 50.0]


@pytest.mark.parametrize(
    ("wins", "losses", "p_value"), [(0, 0, 1.0), (3, 3, 1.0), (5, 0, 0.0625), (1, 9, 0.021484375)]
)
def test_mcnemar_is_the_two_sided_binomial_test(wins, losses, p_value):
    one = np.array([True] * wins + [False] * losses + [True])
    other = np.array([False] * wins + [True] * losses + [True])
    assert mcnemar(one, other) == p_value


def test_tuned_values_are_stored_and_a_damaged_file_is_named(tmp_path):
    sweep = SelectionSweep()
    for number in range(40):
        sweep.add(Question(str(number), "where", ("Oslo",)), READ, SCORES, 1)
    tuned = sweep.best()
    store_selection(tmp_path, tuned, "made", "dev.jsonl", "")
    assert StoredSelection.read(tmp_path) == StoredSelection(tuned.selection, tuned.depth, "made", 40)
    row = json.loads((tmp_path / SELECTION).read_text())
    for damage in ({"rule": "best"}, {"weights": 1}, {"depth": 0}, {"depth": "x"}, {"reader": None}):
        (tmp_path / SELECTION).write_text(json.dumps(row | damage))
        with pytest.raises(ArtifactError, match=r"selection\.json: not readable .* read --tune"):
            StoredSelection.read(tmp_path)
    (tmp_path / SELECTION).write_text("{")
    with pytest.raises(ArtifactError):
        StoredSelection.read(tmp_path)
