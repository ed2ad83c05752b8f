"""Spans out of logits, against the reference's observations and a double loop."""

from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from densecli.reader.decode import answers, best_spans
from read_passages import read


def word_starts(tokens):
    starts = [number for number, token in enumerate(tokens) if not token.startswith("##")]
    return np.array([max(s for s in starts if s <= n) for n in range(len(tokens))], dtype=np.int32)


def joined(tokens, first, last):
    return "".join(token.removeprefix("##") for token in tokens[first : last + 1])


def test_spans_match_the_reference(golden):
    for case in golden["best_spans"]:
        # the reference extends over word pieces beyond its cut, where ours has none; logits end there too
        length = min(len(case["ctx_tokens"]), len(case["start_logits"]))
        tokens = case["ctx_tokens"]
        found = best_spans(
            np.array(case["start_logits"][:length], dtype=np.float32),
            np.array(case["end_logits"][:length], dtype=np.float32),
            word_starts(tokens)[:length],
            case["max_answer_length"],
        )
        spans = list(islice(found, case["top_spans"]))
        texts = [joined(tokens, span.first, span.last) for span in spans]
        assert texts == [span["text"].replace(" ", "") for span in case["spans"]], case["name"]
        scores = [span["span_score"] for span in case["spans"]]
        assert [span.score for span in spans] == pytest.approx(scores, abs=1e-5), case["name"]


def double_loop(start, end, starts, longest):
    """Section 7.7 read aloud, one candidate at a time."""
    candidates = [
        (-(start[i] + end[j]), i, j)
        for i in range(len(start))
        for j in range(i, min(i + longest, len(start)))
    ]
    chosen = []
    for score, i, j in sorted(candidates):
        if any((a <= i and j <= b) or (i <= a and b <= j) for a, b, _ in chosen):
            continue
        while i > 0 and starts[i - 1] == starts[i]:
            i -= 1
        while j + 1 < len(start) and starts[j + 1] == starts[j]:
            j += 1
        chosen.append((i, j, float(-score)))
    return chosen


@st.composite
def passages(draw):
    pieces = draw(st.integers(0, 14))
    logits = arrays(np.float32, pieces, elements=st.integers(-3, 3).map(float))
    words = np.cumsum(draw(arrays(np.int32, pieces, elements=st.integers(0, 1))), dtype=np.int32)
    return draw(logits), draw(logits), words, draw(st.integers(1, 16))


@given(passages())
def test_spans_match_a_double_loop(passage):
    found = [(span.first, span.last, span.score) for span in best_spans(*passage)]
    assert found == double_loop(*passage)


def test_the_answer_comes_from_the_most_relevant_passage_even_with_a_worse_span():
    low = read("in Paris", [0, 9], [0, 9], relevance=0.5, id="low")
    high = read("in Rome", [0, 1], [0, 1], relevance=0.6, id="high")
    best = answers([low, high], max_answer_tokens=10, n=2)
    assert [(span.text, span.passage_id, span.span_score) for span in best] == [
        ("Rome", "high", 2.0),
        ("Paris", "low", 18.0),
    ]
    assert best[0].passage_score == 0.6
    assert best[0].title == "title high"


def test_the_same_answer_is_given_once_and_second_spans_come_last():
    first = read("in ROME", [0, 3], [0, 3], relevance=3.0, id="first")
    second = read("Rome, Rome or Oslo", [0, 4, 0, 3], [0, 4, 0, 3], relevance=2.0, id="second")
    third = read("Oslo", [1], [1], relevance=1.0, id="third")
    found = [(span.text, span.passage_id) for span in answers([third, second, first], 1, 4)]
    assert found == [("ROME", "first"), ("Oslo", "third"), ("in", "first"), ("Rome,", "second")]


def test_equal_relevance_keeps_the_retrieval_order():
    same = [read(name, [0], [0], relevance=1.0, id=name) for name in ("b", "a", "c")]
    assert [span.text for span in answers(same, 10, 3)] == ["b", "a", "c"]


def test_spans_have_the_original_characters():
    text = "  sold\n  1,000   Cars today"
    (span, *_) = answers([read(text, [0, 5, 0, 0], [0, 0, 5, 0], relevance=0.0)], 10, 1)
    assert span.text == "1,000   Cars"
    assert text[span.start : span.end] == span.text


def test_without_passages_or_spans_there_is_no_answer():
    assert answers([], 10, 5) == []
    assert answers([read("", [], [], relevance=1.0)], 10, 5) == []
    assert answers([read("Rome", [1], [1], relevance=1.0)], 10, 0) == []
