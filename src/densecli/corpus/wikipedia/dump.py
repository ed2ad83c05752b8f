"""MediaWiki's XML dumps: pages in order, in the memory of one page."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple
from xml.parsers import expat

from mwparserfromhell.parser import ParserError

from densecli.corpus.source import Dropped, Parsed, Pruned, Source
from densecli.corpus.wikipedia.pages import ARTICLES, drop_reason
from densecli.corpus.wikipedia.wikitext import prose
from densecli.errors import FieldError, InputError
from densecli.files.streams import display_name, open_bytes
from densecli.records import Article

CHUNK = 1 << 16
LONGEST_TEXT = 1 << 22
"""Characters of a page that are read; MediaWiki itself takes at most 2 MiB."""
WORK = 8
"""Times that a character of wikitext takes longer than one of JSON."""
LONGEST_TAG = 1 << 20
DEEPEST = 40
HIDDEN_NAMESPACES = ("6", "14")
"""Files and categories: a link to them shows no text."""
EXPORT = "a MediaWiki export, as dumps.wikimedia.org has them"
PAGE_FIELDS = {"title", "ns", "id"}
REVISION_FIELDS = {"text", "model"}


class Page(NamedTuple):
    """A page as the dump has it.

    `namespace` is a number, as text, and `text` empty in others than that of articles; `unseen` are the
    casefolded prefixes of this wiki's links that show no text.
    """

    id: str
    title: str
    namespace: str
    redirect: bool
    model: str
    text: str
    unseen: tuple[str, ...]


def read_dump(path: str) -> Source:
    """Open a dump: XML as it is or in gzip or bzip2 (one stream or many), from a file or `-`.

    The raw records are pages, with the lines that they begin on; of several revisions the last is read. To
    walk them raises InputError where the file is cut off, damaged, other XML, or declares entities.
    """
    return Source(display_name(path), _pages(path), parse_page, _size)


def parse_page(page: Page) -> Parsed:
    """Return a page's running prose, or why it has none.

    Raises:
        FieldError: the page has no id, no title or no namespace.
    """
    if not (page.id.isdecimal() and page.title and page.namespace.removeprefix("-").isdecimal()):
        raise FieldError(
            "a page without id, title or namespace", "pages as MediaWiki exports them", code="missing_field"
        )
    if reason := drop_reason(page.title, page.namespace, page.redirect, page.model, page.text):
        return Dropped(reason)
    if len(page.text) > LONGEST_TEXT:
        return Dropped("too_long")
    try:
        left_out: Counter[str] = Counter()
        text = prose(page.text, page.unseen, left_out)
    except ParserError:  # a fault of the parser's own: one page of millions must not end the work
        return Dropped("unparsable")
    return Pruned(Article(page.id, page.title, text), left_out) if text else Dropped("without_text")


def _size(page: Page) -> int:
    return WORK * len(page.text)


def _pages(path: str) -> Iterator[tuple[int, Page]]:
    reader = _Reader(display_name(path))
    with open_bytes(path) as stream:
        while chunk := stream.read(CHUNK):
            yield from reader.feed(chunk)
    reader.close()


class _Reader:
    """Takes a dump's bytes piece by piece and gives its pages; holds those of one piece at most."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._expat = expat.ParserCreate()
        self._expat.buffer_text = True
        # entities can expand to gigabytes; dumps have none
        self._expat.StartDoctypeDeclHandler = self._doctype
        self._expat.StartElementHandler = self._start
        self._expat.EndElementHandler = self._end
        self._fed = 0
        self._pages: list[tuple[int, Page]] = []
        self._parents: list[str] = []
        self._fields: dict[str, str] = {}
        self._line = 0
        self._pieces: list[str] = []
        self._length = 0
        self._key = ""
        self._names: dict[str, str] = {}
        self._unseen: tuple[str, ...] = ()

    def feed(self, chunk: bytes) -> Iterator[tuple[int, Page]]:
        """Yield the pages that end in a piece.

        Raises:
            InputError: not well-formed, no MediaWiki export, or made to exhaust the memory.
        """
        self._fed += len(chunk)
        self._parse(chunk)
        # expat holds an unfinished tag in memory
        if self._fed - self._expat.CurrentByteIndex > LONGEST_TAG:
            raise self._error(f"a tag of more than {LONGEST_TAG >> 20} MiB", EXPORT)
        yield from self._pages
        self._pages.clear()

    def close(self) -> None:
        """Tell that the stream has ended.

        Raises:
            InputError: there was nothing, or it ended before its last tag.
        """
        if not self._fed:
            raise InputError(self._name, None, "is empty", EXPORT)
        self._parse(b"", last=True)

    def _parse(self, chunk: bytes, last: bool = False) -> None:
        try:
            self._expat.Parse(chunk, last)
        except expat.ExpatError as error:
            if last:
                raise self._error("the XML is cut off", "the whole file: get it again") from None
            raise self._error(f"broken XML ({expat.ErrorString(error.code)})", EXPORT) from None

    def _error(self, what: str, expected: str) -> InputError:
        return InputError(self._name, self._expat.CurrentLineNumber, what, expected)

    def _doctype(self, *_: Any) -> None:
        raise self._error("a document type, which may define entities", "a dump without one")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        parent = self._parents[-1] if self._parents else None
        if parent is None and tag != "mediawiki":
            raise self._error(f"the XML holds <{tag[:40]}>", EXPORT)
        self._parents.append(tag)
        if len(self._parents) > DEEPEST:
            raise self._error(f"tags nested {DEEPEST} deep", EXPORT)
        if tag == "page":
            self._fields = {}
            self._line = self._expat.CurrentLineNumber
        elif tag == "redirect":
            self._fields[tag] = ""
        elif tag == "namespace":
            self._key = attributes.get("key", "")
        if _is_field(parent, tag):
            self._pieces, self._length = [], 0
            self._expat.CharacterDataHandler = self._text

    def _text(self, piece: str) -> None:
        # one piece more than the limit, so that `parse_page` sees that it was too long
        if self._length <= LONGEST_TEXT:
            self._pieces.append(piece)
            self._length += len(piece)

    def _end(self, tag: str) -> None:
        self._parents.pop()
        if _is_field(self._parents[-1] if self._parents else None, tag):
            self._expat.CharacterDataHandler = None
            self._fields[tag] = "".join(self._pieces)
        if tag == "namespace" and self._parents[-1:] == ["namespaces"]:
            self._names[self._fields.pop(tag).casefold()] = self._key
        elif tag == "namespaces":
            self._unseen = tuple(name for name, key in self._names.items() if key in HIDDEN_NAMESPACES)
        elif tag == "page":
            self._pages.append((self._line, self._page()))

    def _page(self) -> Page:
        fields = self._fields
        title = fields.get("title", "")
        prefix, colon, _ = title.partition(":")
        named = self._names.get(prefix.casefold(), ARTICLES) if colon else ARTICLES
        namespace = fields.get("ns", named).strip()
        return Page(
            fields.get("id", "").strip(),
            title,
            namespace,
            "redirect" in fields,
            fields.get("model", "wikitext"),
            fields.get("text", "") if namespace == ARTICLES else "",
            self._unseen,
        )


def _is_field(parent: str | None, tag: str) -> bool:
    return (
        (parent == "page" and tag in PAGE_FIELDS)
        or (parent == "revision" and tag in REVISION_FIELDS)
        or (parent == "namespaces" and tag == "namespace")
    )
