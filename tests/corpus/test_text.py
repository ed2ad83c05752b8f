import pytest

from densecli.corpus.text import read
from densecli.errors import FieldError


def test_text_is_kept_unchanged():
    assert read("\ufeffé\r\n  b ".encode(), "name") == ("name", "é\r\n  b ")


def test_other_encodings_are_refused():
    with pytest.raises(FieldError, match="not UTF-8"):
        read("é".encode("latin-1"), "name")
