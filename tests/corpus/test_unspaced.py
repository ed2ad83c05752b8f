"""Words in scripts that put no spaces between them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from densecli.corpus.word_blocks import blocks

SCRIPTS = st.text(
    "東京はひらがなーカ、。「」（）ab1 ประเทศไทยเมือง ກຂເ ខ្មែរ မြန်မာ 𠀀한국 é\u3000", max_size=60
)


def words(text):
    """What stands in blocks of one word."""
    return blocks([text], 1).texts


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("東京は2020年、", ["東", "京", "は", "2020", "年、"]),
        ("「新しい」コーヒー。", ["「新", "し", "い」", "コー", "ヒー。"]),
        ("ＡＢＣ（日本）の", ["ＡＢＣ", "（日", "本）", "の"]),
        ("x東y 京", ["x", "東", "y", "京"]),
        ("𠀀𠀁", ["𠀀", "𠀁"]),
        ("한국어 문장", ["한국어", "문장"]),
        ("dash–and “quotes”", ["dash–and", "“quotes”"]),
        ("ภาษาไทยเขียนติดกัน", ["ภาษาไท", "ยเขีย", "นติด", "กัน"]),
        ("ខ្ញុំស្រឡាញ់ភាសាខ្មែរ", ["ខ្ញុំស្រឡា", "ញ់ភាសា", "ខ្មែរ"]),
    ],
)
def test_words_of_unspaced_scripts_are_found(text, found):
    assert words(text) == found


def test_a_block_has_100_words_and_no_text_is_lost():
    text = "日本語の文章。" * 100
    found = blocks([text], 100)
    assert "".join(found.texts) == text
    assert found.words.tolist() == [100] * 6
    assert found.offsets.tolist() == [0, 100, 200, 300, 400, 500]


@given(st.lists(SCRIPTS, max_size=5), st.integers(1, 7))
def test_many_texts_together_give_the_same_blocks_as_one_by_one(texts, size):
    """What was cut does not depend on what is cut with it: an interrupted run resumes anywhere."""
    together = blocks(texts, size)
    alone = [blocks([text], size) for text in texts]
    assert together.texts == [text for one in alone for text in one.texts]
    assert together.words.tolist() == [count for one in alone for count in one.words.tolist()]
    assert np.bincount(together.owners, minlength=len(texts)).tolist() == [len(one.texts) for one in alone]


@given(SCRIPTS, st.integers(1, 7))
def test_blocks_keep_the_original_text(text, size):
    assert "".join(blocks([text], size).texts).replace(" ", "") == "".join(text.split())
