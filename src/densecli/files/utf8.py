"""Bytes as text: UTF-8, or an error that says which byte is not and what to do."""

from densecli.errors import FieldError

REWRITE = "UTF-8 text (iconv -f {} -t UTF-8 rewrites it)"
WINDOWS = REWRITE.format("WINDOWS-1252")
"""What most files are that are neither UTF-8 nor UTF-16."""
UTF16 = (b"\xff\xfe", b"\xfe\xff")


class EncodingError(FieldError):
    """Bytes that are not UTF-8."""

    def __init__(self, what: str, expected: str) -> None:
        super().__init__(what, expected, code="wrong_encoding")


def decode_utf8(data: bytes) -> str:
    """Return bytes as text.

    Raises:
        EncodingError: they are not UTF-8; names the first wrong byte and its place, from 1.
    """
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        if data.startswith(UTF16):
            raise EncodingError("is UTF-16", REWRITE.format("UTF-16")) from None
        what = f"not UTF-8 (0x{data[error.start]:02X} is byte {error.start + 1:,})"
        raise EncodingError(what, WINDOWS) from None
