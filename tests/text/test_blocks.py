import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from densecli.text import blocks as module
from densecli.text.blocks import Block, blocks

texts = st.text(alphabet=st.sampled_from("ab é\t\n\u00a0\u2003\u200b\x1c.北"), max_size=200)
steps = st.integers(1, 7).flatmap(lambda words: st.tuples(st.just(words), st.integers(1, words)))


def cut(text, *arguments, **options):
    return [block.text for block in blocks(text, *arguments, **options)]


def naive(text, words, stride, wrap):
    """The same, with all words in a list."""
    all_words = text.split()
    found = []
    for start in range(0, len(all_words), stride):
        if found and start + words - stride >= len(all_words):
            break
        piece = all_words[start : start + words]
        if wrap and found:
            piece += all_words[: words - len(piece)]
        found.append(Block(start, len(piece), " ".join(piece)))
    return found


def test_cuts_every_n_words_and_keeps_the_rest():
    assert cut("  one two\nthree\tfour five ", 2) == ["one two", "three four", "five"]


def test_exact_multiple_leaves_no_empty_block():
    assert cut("one two three four", 2) == ["one two", "three four"]
    assert cut("one two three four", 2, wrap=True) == ["one two", "three four"]


def test_blocks_know_their_place():
    assert list(blocks("a b c d e", 3, 2)) == [Block(0, 3, "a b c"), Block(2, 3, "c d e")]
    assert list(blocks("a b c d e f", 3, 2))[2:] == [Block(4, 2, "e f")]


def test_the_last_block_wraps_round_to_the_beginning():
    assert cut("a b c d e", 3, wrap=True) == ["a b c", "d e a"]
    assert cut("a b c d e f", 3, 2, wrap=True) == ["a b c", "c d e", "e f a"]


def test_a_text_shorter_than_a_block_is_not_repeated():
    assert cut("a b", 3, wrap=True) == ["a b"]


@pytest.mark.parametrize("text", ["", "  \n\t "])
def test_no_words_no_blocks(text):
    assert cut(text, 100) == []
    assert cut(text, 100, wrap=True) == []


@given(text=texts, words=st.integers(1, 7))
def test_blocks_joined_give_the_words_back(text, words):
    found = list(blocks(text, words))
    assert " ".join(block.text for block in found).split(" ") == (text.split() or [""])
    assert all(block.words == len(block.text.split()) == words for block in found[:-1])
    assert all(1 <= block.words <= words for block in found[-1:])


@given(text=texts, sizes=steps)
def test_overlapping_blocks_cover_every_word(text, sizes):
    words, stride = sizes
    known = {}
    for block in blocks(text, words, stride):
        known.update(enumerate(block.text.split(), block.offset))
    assert known == dict(enumerate(text.split()))


@given(text=texts, words=st.integers(1, 7))
def test_wrapped_blocks_are_full_and_begin_with_the_text(text, words):
    found = list(blocks(text, words, wrap=True))
    if len(text.split()) >= words:
        assert {block.words for block in found} == {words}
    joined = " ".join(block.text for block in found).split()
    assert joined[: len(text.split())] == text.split()
    assert joined[len(text.split()) :] == text.split()[: len(joined) - len(text.split())]


@given(text=texts, sizes=steps, wrap=st.booleans(), slab=st.integers(1, 9))
def test_the_same_as_with_all_words_in_a_list(text, sizes, wrap, slab):
    before, module.SLAB = module.SLAB, slab
    try:
        assert list(blocks(text, *sizes, wrap)) == naive(text, *sizes, wrap)
    finally:
        module.SLAB = before


def test_ten_million_characters_stream():
    text = "word " * 2_000_000
    begun = time.perf_counter()
    stream = blocks(text, 100)
    assert next(stream).text == " ".join(["word"] * 100)
    first = time.perf_counter() - begun
    assert sum(1 for _ in stream) == 19_999
    assert first < (time.perf_counter() - begun) / 3


def test_a_word_of_a_million_letters_is_one_block():
    assert [len(block.text) for block in blocks("x" * 3_000_000 + " y", 1)] == [3_000_000, 1]
