from io import BytesIO

import pytest
from pypdf import PdfWriter

from densecli.errors import FieldError
from densecli.io.corpora.pdf import read


def pdf(lines, pages=1, title=None, passwords=None):
    """Return a PDF with these lines on every page."""
    shown = "".join(f"({line}) Tj T* " for line in lines)
    content = f"BT /F1 12 Tf 14 TL 72 720 Td {shown}ET"
    kids = " ".join(f"{5 + page} 0 R" for page in range(pages))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        *["<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 3 0 R"
          " /Resources << /Font << /F1 4 0 R >> >> >>"] * pages,
    ]  # fmt: skip
    data, places = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(data))
        data += f"{number} 0 obj\n{one}\nendobj\n".encode()
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    size = len(objects) + 1
    data += f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer << /Size {size} /Root 1 0 R >>\n".encode()
    data += f"startxref\n{data.rindex(b'xref')}\n%%EOF\n".encode()
    writer = PdfWriter(clone_from=BytesIO(data))
    if title is not None:
        writer.add_metadata({"/Title": title})
    if passwords is not None:
        writer.encrypt(*passwords, algorithm="RC4-128")
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


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
