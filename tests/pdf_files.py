"""PDF files for tests."""

from io import BytesIO

from pypdf import PdfWriter


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
