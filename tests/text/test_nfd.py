from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from densecli.text.nfd import nfd, nfd_places

texts = st.text(alphabet=st.sampled_from("ae =é≠ǖ한İ\u0301\u0323\u0338\u093c"), max_size=12)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("plain", None),
        ("e\u0301", None),
        ("aé", [(0, 1), (1, 2), (1, 2)]),
        ("한b", [(0, 1), (0, 1), (0, 1), (1, 2)]),
        ("x\u0301\u0323y", [(0, 3), (0, 3), (0, 3), (3, 4)]),  # the dot below moves before the accent
    ],
)
def test_offsets_point_into_the_original_text(text, places):
    assert nfd_places(text) == places


@given(texts)
def test_each_offset_points_to_its_character(text):
    places = nfd_places(text)
    if places is None:
        assert nfd(text) == text
        return
    decomposed = normalize("NFD", text)
    assert len(places) == len(decomposed)
    for character, (start, end) in zip(decomposed, places, strict=True):
        assert character in normalize("NFD", text[start:end])
    assert places == sorted(places)
