import pytest

from densecli.corpus.pdf import read
from densecli.errors import FieldError
from pdf_files import pdf


def test_the_text_of_all_pages_is_read():
    assert read(pdf(["Words  are bro-", "ken and", "whole."], 2, "A title"), "name") == (
        "A title",
        "Words are broken and\nwhole.\nWords are broken and\nwhole.",
    )


@pytest.mark.parametrize("title", [None, "", " ", "untitled", "Microsoft Word - x.doc"])
def test_the_file_name_replaces_a_meaningless_title(title):
    assert read(pdf(["x"], title=title), "name") == ("name", "x")


def test_a_file_without_text_gives_an_empty_text():
    assert read(pdf([]), "name") == ("name", "")


def test_a_file_with_an_empty_password_is_opened():
    assert read(pdf(["x"], passwords=("", "owner")), "name") == ("name", "x")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (pdf(["x"], passwords=("secret",)), "^encrypted; expected a PDF that opens without a password"),
        (b"", "^not a PDF, or damaged"),
        (b"%PDF-1.4\nnothing", "^not a PDF, or damaged"),
        (pdf(["x"])[:200], "^not a PDF, or damaged"),
        (b"\0" * 100, "^not a PDF, or damaged"),
    ],
)
def test_an_unusable_file_is_refused(data, message):
    with pytest.raises(FieldError, match=message) as caught:
        read(data, "name")
    assert "\n" not in str(caught.value)
