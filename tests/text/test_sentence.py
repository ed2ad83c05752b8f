import pytest

from densecli.text.sentence import sentence_bounds

TEXT = (
    'It rains in May.  Dr. J. Smith of St. Ives said "Yes!" He left at 5 p.m. and came back. 1999 was dry. '
)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("It", "It rains in May."),
        ("May", "It rains in May."),
        ("Smith", 'Dr. J. Smith of St. Ives said "Yes!"'),
        ("5 p.m.", "He left at 5 p.m. and came back."),
        ("1999", "1999 was dry."),
        ('said "Yes!" He left', 'Dr. J. Smith of St. Ives said "Yes!" He left at 5 p.m. and came back.'),
    ],
)
def test_the_sentence_around_some_words_has_them_whole(words: str, sentence: str) -> None:
    start = TEXT.index(words)
    first, last = sentence_bounds(TEXT, start, start + len(words))
    assert TEXT[first:last] == sentence


def test_a_text_without_an_end_is_one_sentence() -> None:
    assert sentence_bounds("the river Rhine ", 4, 9) == (0, 15)
