"""Text from elsewhere, such as file names, titles and settings of models, on its way to a terminal.

A terminal does not show some characters but obeys them: they clear the screen, set the title, or reverse
the text that follows. All text from elsewhere goes through one of these functions before a terminal.
"""

import codecs
import re
from io import BufferedIOBase
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

# control characters of both kinds, separators of lines and paragraphs, changes of direction, halves of a
# character (Python has them for bytes of file names that are not UTF-8), annotations, invisible tags
ACTIVE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
ACTIVE_IN_LINES = re.compile(ACTIVE.pattern.replace("\x00-\x1f", "\x00-\x08\x0b-\x1f"))
"""The same without tab and newline."""
JSON_ESCAPES = "densecli.json_escapes"
"""What is done with characters that the terminal's encoding lacks."""


def escape(text: str) -> str:
    r"""Return text for one line of a message: an escape character becomes `\x1b`, a newline `\n`."""
    return ACTIVE.sub(_escape_one, text)


def mask(text: str) -> str:
    """Return text of the same length for a page: spaces for white space, a sign for what is not shown."""
    return ACTIVE.sub(lambda match: " " if match.group().isspace() else "\ufffd", text)


def _escape_one(match: re.Match[str]) -> str:
    sign = match.group()
    if "\udc80" <= sign <= "\udcff":
        return f"\\x{ord(sign) - 0xDC00:02x}"
    return sign.encode("unicode_escape").decode()


class TerminalData(BufferedIOBase):
    r"""Data in UTF-8, such as JSON lines, on a terminal: `\u009b` for what would do something there.

    The escapes are those of JSON, so that a line that is copied from the terminal is still the same JSON.
    """

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._stream = stream
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write a part of the data, which may end within a character."""
        text = self._decoder.decode(bytes(data))
        text = ACTIVE_IN_LINES.sub(lambda match: _escape_as_json(match.group()), text)
        self._stream.write(text.encode(self._encoding, JSON_ESCAPES))
        return len(memoryview(data))

    def flush(self) -> None:
        """Flush the terminal."""
        self._stream.flush()


def _escape_as_json(text: str) -> str:
    units = text.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def _replace_unencodable(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    return _escape_as_json(error.object[error.start : error.end]), error.end


codecs.register_error(JSON_ESCAPES, _replace_unencodable)
