"""Records of every kind for hypothesis to choose from."""

from hypothesis import strategies as st

from densecli.formats.qrels import Judgment
from densecli.records import (
    ANSWER_TYPES,
    Passage,
    Prediction,
    Question,
    RankedList,
    ScoredPassage,
    Span,
    TrainingExample,
)

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
ASKED = TEXT.filter(str.strip)
IDS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), min_size=1, max_size=8)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
PLACES = st.integers(0, 10_000)


def many(of, least=0, most=3):
    """Tuples of what a strategy makes."""
    return st.lists(of, min_size=least, max_size=most).map(tuple)


PASSAGES = st.builds(Passage, IDS, TEXT, ASKED)
QUESTIONS = st.builds(Question, IDS, ASKED, many(TEXT), st.sampled_from(ANSWER_TYPES))
EXAMPLES = st.builds(
    TrainingExample, QUESTIONS, many(PASSAGES, 1), many(PASSAGES), many(PASSAGES), st.sampled_from(["", "nq"])
)
SCORED = st.builds(ScoredPassage, PASSAGES, NUMBERS, st.booleans())
RANKED = st.builds(RankedList, QUESTIONS, many(SCORED))
SPANS = st.builds(Span, ASKED, IDS, TEXT, PLACES, PLACES, NUMBERS, NUMBERS)
PREDICTIONS = st.builds(Prediction, RANKED, many(SPANS))
JUDGEMENTS = st.builds(Judgment, IDS, IDS, st.integers(-2, 4))
