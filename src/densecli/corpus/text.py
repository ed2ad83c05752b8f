"""Plain text."""

from densecli.errors import FieldError
from densecli.files.streams import BOM


def read(data: bytes, name: str) -> tuple[str, str]:
    """Return the file's name as title, and its text.

    Raises:
        FieldError: not UTF-8.
    """
    return name, decoded(data)


def decoded(data: bytes) -> str:
    """Return UTF-8 bytes as text, without a byte order mark.

    Raises:
        FieldError: not UTF-8.
    """
    try:
        return data.removeprefix(BOM).decode()
    except UnicodeDecodeError:
        raise FieldError("not UTF-8", "UTF-8 text") from None
