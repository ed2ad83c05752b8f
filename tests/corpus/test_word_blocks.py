import pytest
from hypothesis import given
from hypothesis import strategies as st

from densecli.corpus.word_blocks import blocks

texts = st.text(alphabet=st.sampled_from("ab é\t\n\u00a0\u2003\u200b\x1c\0.강"), max_size=200)
steps = st.integers(1, 7).flatmap(lambda words: st.tuples(st.just(words), st.integers(1, words)))


def cut(text, *arguments, **options):
    return blocks([text], *arguments, **options).texts


def rows(texts, *arguments):
    """The blocks of texts as `(text, which, offset, number, words)`."""
    found = blocks(texts, *arguments)
    columns = [column.tolist() for column in found[1:]]
    return list(zip(found.texts, *columns, strict=True))


def naive(texts, words, stride, wrap=False):
    """The same, text by text, with all words in a list."""
    found = []
    for owner, text in enumerate(texts):
        all_words = text.split()
        for number, start in enumerate(range(0, len(all_words), stride)):
            if number and start + words - stride >= len(all_words):
                break
            piece = all_words[start : start + words]
            if wrap and number:
                piece += all_words[: words - len(piece)]
            found.append((" ".join(piece), owner, start, number, len(piece)))
    return found


def test_cuts_every_n_words_and_keeps_the_rest():
    assert cut("  one two\nthree\tfour five ", 2) == ["one two", "three four", "five"]


def test_exact_multiple_leaves_no_empty_block():
    assert cut("one two three four", 2) == ["one two", "three four"]
    assert cut("one two three four", 2, wrap=True) == ["one two", "three four"]


def test_blocks_have_their_offset_in_the_text():
    assert rows(["a b c d e", "", "f"], 3, 2) == [
        ("a b c", 0, 0, 0, 3),
        ("c d e", 0, 2, 1, 3),
        ("f", 2, 0, 0, 1),
    ]
    assert rows(["a b c d e f"], 3, 2)[2:] == [("e f", 0, 4, 2, 2)]


def test_the_last_block_wraps_around_to_the_beginning():
    assert cut("a b c d e", 3, wrap=True) == ["a b c", "d e a"]
    assert cut("a b c d e f", 3, 2, wrap=True) == ["a b c", "c d e", "e f a"]


def test_a_text_shorter_than_a_block_is_not_repeated():
    assert cut("a b", 3, wrap=True) == ["a b"]


@pytest.mark.parametrize("text", ["", "  \n\t "])
def test_a_text_without_words_gives_no_blocks(text):
    assert cut(text, 100) == []
    assert cut(text, 100, wrap=True) == []


@given(text=texts, words=st.integers(1, 7))
def test_joined_blocks_give_all_words(text, words):
    found = cut(text, words)
    assert " ".join(found).split(" ") == (text.split() or [""])
    assert all(len(block.split()) == words for block in found[:-1])
    assert all(1 <= len(block.split()) <= words for block in found[-1:])


@given(text=texts, sizes=steps)
def test_overlapping_blocks_cover_every_word(text, sizes):
    known = {}
    for block, _, offset, _, _ in rows([text], *sizes):
        known.update(enumerate(block.split(), offset))
    assert known == dict(enumerate(text.split()))


@given(text=texts, words=st.integers(1, 7))
def test_wrapped_blocks_are_full_and_begin_with_the_text(text, words):
    found = cut(text, words, wrap=True)
    if len(text.split()) >= words:
        assert {len(block.split()) for block in found} == {words}
    joined = " ".join(found).split()
    assert joined[: len(text.split())] == text.split()
    assert joined[len(text.split()) :] == text.split()[: len(joined) - len(text.split())]


@given(texts=st.lists(texts, max_size=5), sizes=steps, wrap=st.booleans())
def test_many_texts_together_give_the_same_blocks_as_one_by_one(texts, sizes, wrap):
    assert rows(texts, *sizes, wrap) == naive(texts, *sizes, wrap)


def test_no_texts_give_no_blocks():
    assert rows([], 3) == []


def test_ten_million_characters_are_cut_in_linear_time():
    found = cut("word " * 2_000_000, 100)
    assert (len(found), set(found)) == (20_000, {" ".join(["word"] * 100)})


def test_a_word_of_a_million_letters_is_one_block():
    assert [len(block) for block in cut("x" * 3_000_000 + " y", 1)] == [3_000_000, 1]
