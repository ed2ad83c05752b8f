from hypothesis import given, settings
from hypothesis import strategies as st

from densecli.lexical.vocabulary import Vocabulary, join_terms

TERMS = st.sets(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), max_size=30)


@settings(deadline=None)
@given(TERMS, TERMS)
def test_a_term_has_its_position_in_sorted_order(terms, others):
    ordered = sorted(terms)
    vocabulary = Vocabulary(*join_terms(ordered))
    assert len(vocabulary) == len(ordered)
    assert [vocabulary[place].decode() for place in range(len(ordered))] == ordered
    for term in terms | others:
        assert vocabulary.number(term) == (ordered.index(term) if term in terms else None)
