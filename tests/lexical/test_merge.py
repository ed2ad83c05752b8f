from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import densecli.lexical.merge as module
from densecli.lexical.analysis import Analysis, Analyzer
from densecli.lexical.arrays import map_array
from densecli.lexical.merge import merge
from densecli.lexical.segment import count_terms
from densecli.lexical.vocabulary import Vocabulary

ANALYZER = Analyzer(Analysis(stemmer="", stop_words="the"))
TEXTS = st.lists(
    st.lists(st.sampled_from(["a", "b", "é", "the", "Rome", "東京", "rome's", "!"]), max_size=9).map(
        " ".join
    ),
    min_size=1,
    max_size=12,
)
FILES = ("letters", "ends", "bounds", "rows", "grades", "pairs")


def merged(folder, texts, size):
    """Index `texts` in segments of `size` texts each."""
    folder.mkdir()
    parts = []
    for first in range(0, len(texts), size):
        parts.append(folder / str(first))
        count_terms(texts[first : first + size], ANALYZER, first).write(parts[-1])
    return merge(parts, folder)


@settings(deadline=None, max_examples=60)
@given(texts=TEXTS, size=st.integers(1, 5), piece=st.sampled_from([1, 3, 1000]))
def test_merged_segments_equal_one_index(texts, size, piece):
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        one, many = Path(name) / "one", Path(name) / "many"
        words = merged(one, texts, len(texts))
        patch.setattr(module, "POSTINGS", piece)
        assert merged(many, texts, size) == words
        for file in FILES:
            assert (one / f"{file}.npy").read_bytes() == (many / f"{file}.npy").read_bytes(), file


@settings(deadline=None, max_examples=60)
@given(texts=TEXTS, size=st.integers(1, 5))
def test_postings_match_a_loop(texts, size):
    documents = [Counter(ANALYZER.terms(text)) for text in texts]
    with TemporaryDirectory() as name:
        folder = Path(name) / "index"
        words = merged(folder, texts, size)
        letters, ends, bounds, rows, grades, pairs = (
            np.array(map_array(folder / file, None, 1 + (file == "pairs"))) for file in FILES
        )
    assert words == sum(document.total() for document in documents)
    found = {}
    vocabulary = Vocabulary(letters, ends)
    for number in range(len(vocabulary)):
        places = slice(bounds[number], bounds[number + 1])
        assert np.all(np.diff(rows[places]) > 0)
        for row, grade in zip(rows[places].tolist(), grades[places].tolist(), strict=True):
            found[vocabulary[number].decode(), row] = tuple(pairs[grade].tolist())
    expected = {
        (term, row): (count, document.total())
        for row, document in enumerate(documents)
        for term, count in document.items()
    }
    assert found == expected
