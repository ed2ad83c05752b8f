"""Plain text."""

from densecli.files.streams import BOM
from densecli.files.utf8 import decode_utf8


def read(data: bytes, name: str) -> tuple[str, str]:
    """Return the file's name as title, and its text.

    Raises:
        FieldError: not UTF-8.
    """
    return name, decode_text(data)


def decode_text(data: bytes) -> str:
    """Return UTF-8 bytes as text, without a byte order mark.

    Raises:
        FieldError: not UTF-8.
    """
    return decode_utf8(data.removeprefix(BOM))
