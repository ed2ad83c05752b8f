import pytest

from densecli.corpus.pdf import read
from densecli.errors import FieldError
from pdf_files import pdf


def test_the_text_of_all_pages():
    assert read(pdf(["Words  are bro-", "ken and", "whole."], 2, "A title"), "name") == (
        "A title",
        "Words are broken and\nwhole.\nWords are broken and\nwhole.",
    )


@pytest.mark.parametrize("title", [None, "", " ", "untitled", "Microsoft Word - x.doc"])
def test_a_title_that_says_nothing_gives_way_to_the_name(title):
    assert read(pdf(["x"], title=title), "name") == ("name", "x")


def test_a_page_without_text():
    assert read(pdf([]), "name") == ("name", "")


def test_an_empty_password_opens():
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
def test_a_file_that_cannot_be_used(data, message):
    with pytest.raises(FieldError, match=message) as caught:
        read(data, "name")
    assert "\n" not in str(caught.value)
