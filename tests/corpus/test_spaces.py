import sys

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from densecli.corpus.spaces import WIDE, is_space

SPACES = "".join(one for one in map(chr, range(sys.maxunicode + 1)) if one.isspace())


def marked(text):
    """The text with a line feed for each byte of white space."""
    data = np.frombuffer(text.encode() + b"\n", dtype=np.uint8)
    return np.where(is_space(data), np.uint8(10), data).tobytes()[:-1]


def naive(text):
    return b"".join(b"\n" * len(one.encode()) if one.isspace() else one.encode() for one in text)


def test_the_table_has_all_white_space_of_python():
    assert set(WIDE) == {one for one in SPACES if not one.isascii()}


def test_every_unicode_character_is_classified_as_in_python():
    for start in range(0, sys.maxunicode, 1 << 14):
        text = "".join(chr(c) for c in range(start, start + (1 << 14)) if not 0xD800 <= c < 0xE000)
        assert marked(text) == naive(text)


@given(st.text(st.sampled_from(SPACES + "aé北🙂\u200b\u1681\u3001\x86"), max_size=40))
def test_words_of_any_text_are_marked_as_in_python(text):
    assert marked(text) == naive(text)
