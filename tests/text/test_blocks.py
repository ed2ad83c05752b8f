import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from densecli.text.blocks import blocks

texts = st.text(alphabet=st.sampled_from("ab é\t\n\u00a0\u2003\u200b\x1c.北"), max_size=200)


def test_cuts_every_n_words_and_keeps_the_rest():
    assert list(blocks("  one two\nthree\tfour five ", 2)) == ["one two", "three four", "five"]


def test_exact_multiple_leaves_no_empty_block():
    assert list(blocks("one two three four", 2)) == ["one two", "three four"]


@pytest.mark.parametrize("text", ["", "  \n\t "])
def test_no_words_no_blocks(text):
    assert list(blocks(text, 100)) == []


@given(text=texts, words=st.integers(1, 7))
def test_blocks_joined_give_the_words_back(text, words):
    found = list(blocks(text, words))
    assert " ".join(found).split(" ") == (text.split() or [""])
    assert all(len(block.split()) == words for block in found[:-1])
    assert all(1 <= len(block.split()) <= words for block in found[-1:])


def test_a_million_words_stream():
    text = "word " * 1_000_000
    begun = time.perf_counter()
    stream = blocks(text, 100)
    assert next(stream) == " ".join(["word"] * 100)
    assert time.perf_counter() - begun < 0.1
    assert sum(1 for _ in stream) == 9_999


def test_a_word_of_a_million_letters_is_one_block():
    assert [len(block) for block in blocks("x" * 1_000_000 + " y", 1)] == [1_000_000, 1]
