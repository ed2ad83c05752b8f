"""PDF: the text of its pages."""

import logging
import re
from io import BytesIO

from pypdf import PasswordType, PdfReader
from pypdf.errors import DependencyError

from densecli.errors import FieldError

logging.getLogger("pypdf").setLevel(logging.CRITICAL)
# A soft hyphen, or one between letters at the end of a line; 1998-\n2001 keeps its hyphen.
HYPHEN = re.compile(r"(?<=[^\W\d_])(?:-|\u2010|\u00ad)\n(?=[^\W\d_])")
NO_TITLE = re.compile(r"\s*$|untitled|microsoft \w+ - ", re.IGNORECASE)
SOUND = "a sound PDF with its text"


def read(data: bytes, name: str) -> tuple[str, str]:
    """Return a title and the text of all pages; a page that is a picture gives nothing.

    The title is the one that the document is given, else the file's name. A word that is broken at the end of
    a line is whole again.

    Raises:
        FieldError: no PDF, damaged, or encrypted with a password.
    """
    try:
        reader = PdfReader(BytesIO(data))
        # many PDFs are encrypted with an empty password, only to forbid printing
        if reader.is_encrypted and reader.decrypt("") == PasswordType.NOT_DECRYPTED:
            raise FieldError("encrypted", "a PDF that opens without a password", code="encrypted")
        title = str(reader.metadata.title or "") if reader.metadata else ""
        text = "\n".join(page.extract_text() for page in reader.pages)
    except FieldError:
        raise
    except DependencyError:
        raise FieldError(
            "encrypted with AES", "to read it: pip install cryptography", code="encrypted"
        ) from None
    except Exception as error:  # broken files fail in many ways, as the library says itself: one outcome
        what = " ".join(str(error).split())[:60] or type(error).__name__
        raise FieldError(f"not a PDF, or damaged ({what})", SOUND, code="damaged_file") from None
    lines = (" ".join(line.split()) for line in HYPHEN.sub("", text.replace("\0", "")).split("\n"))
    clean = " ".join(title.replace("\0", "").split())
    return name if NO_TITLE.match(clean) else clean, "\n".join(line for line in lines if line)
