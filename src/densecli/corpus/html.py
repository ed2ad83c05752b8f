"""HTML: the words of its main part, without menus, scripts and other furniture."""

import codecs
import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from densecli.errors import FieldError

CHARSET = re.compile(rb"<meta[^<>]*\bcharset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
NOT_CHARSETS = {
    "undefined",
    "idna",
    "punycode",
    "unicode-escape",
    "raw-unicode-escape",
    "utf-7",
    "mbcs",
    "oem",
}
"""Codecs of Python's that no page is written in."""
WESTERN = {"ascii", "iso8859-1", "cp1252"}
"""All three are Windows-1252 to a browser, and so to those who write pages."""
MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
BOILERPLATE = (
    "head, script, style, noscript, template, svg, math, iframe, object, nav, aside, button, select, "
    "dialog, menu, [hidden], [aria-hidden=true], [role=navigation], [role=banner], [role=contentinfo], "
    "[role=search], body > header, body > footer"
)
BLOCKS = (
    "address, article, blockquote, br, caption, dd, details, div, dl, dt, figcaption, figure, footer, h1, "
    "h2, h3, h4, h5, h6, header, hr, li, main, ol, p, pre, section, summary, table, td, th, tr, ul"
)
TAG = re.compile(r"<(/?)([a-z][a-z0-9-]*)([^<>]*)>", re.IGNORECASE)
SHALLOW = {
    "area", "base", "body", "br", "col", "colgroup", "dd", "dt", "embed", "head", "hr", "html", "img",
    "input", "li", "link", "meta", "option", "optgroup", "p", "param", "rp", "rt", "source", "tbody", "td",
    "tfoot", "th", "thead", "tr", "track", "wbr",
}  # fmt: skip
"""Tags that a page may leave open: the parser closes them."""
DEEPEST = 5_000
"""Elements within each other; the parser's time is quadratic in it."""
MOST_ATTRIBUTES = 1_000
"""Attributes of one tag, which the parser compares each with each."""
MAIN = ("main", "[role=main]", "article")
BREAK = "\u2029"


def read(data: bytes, name: str) -> tuple[str, str]:
    """Return a title and the words of a HTML file, a paragraph, heading, item or cell a line.

    The title is that of the head, else the first heading of the first level, else the file's name. Only what
    is in `main`, or in the one `article`, is read where a page has that.

    Raises:
        FieldError: not in the encoding that it names, or in UTF-8 where it names none; or nested absurdly.
    """
    page = _decode(data)
    _refuse_excessive(page)
    tree = LexborHTMLParser(page)
    title = _words(tree.css_first("title")) or _words(tree.css_first("h1")) or name
    # after the title was read, which is in the head
    for node in tree.css(BOILERPLATE):
        node.decompose()
    _drop_forms(tree)
    for node in tree.css(BLOCKS):
        # a paragraph separator, which no page has in its text: the breaks survive when white space is joined
        node.insert_before(BREAK)
        node.insert_after(BREAK)
    text = _main(tree).text() if tree.body else ""
    lines = (" ".join(line.split()) for line in text.split(BREAK))
    return title, "\n".join(line for line in lines if line)


def _drop_forms(tree: LexborHTMLParser) -> None:
    """Remove forms, but not one that has the main part or most of the words: that form is around the page."""
    forms = tree.css("form")
    left = len(_words(tree.body)) if forms else 0
    for node in forms:
        size = len(_words(node))
        if 2 * size <= left and node.css_first(", ".join(MAIN)) is None:
            left -= size
            node.decompose()


def _refuse_excessive(page: str) -> None:
    """Refuse a page on which the parser would take minutes.

    Raises:
        FieldError: tags are nested absurdly, or one has thousands of attributes.
    """
    depth = 0
    for closing, name, attributes in TAG.findall(page):
        if name.lower() not in SHALLOW and not attributes.endswith("/"):
            depth = max(depth - 1, 0) if closing else depth + 1
            if depth > DEEPEST:
                raise FieldError(
                    f"more than {DEEPEST} tags that are not closed", "HTML for people", code="too_large"
                )
        if len(attributes) > 2 * MOST_ATTRIBUTES and attributes.count("=") > MOST_ATTRIBUTES:
            raise FieldError(
                f"a tag of more than {MOST_ATTRIBUTES} attributes", "HTML for people", code="too_large"
            )


def _words(node: LexborNode | None) -> str:
    return " ".join(node.text().split()) if node else ""


def _main(tree: LexborHTMLParser) -> LexborNode:
    for selector in MAIN:
        found = tree.css(selector)
        if len(found) == 1:
            return found[0]
    assert tree.body is not None
    return tree.body


def _decode(data: bytes) -> str:
    """Decode as a byte order mark says, else as the page does, else as UTF-8."""
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return _text(data[len(mark) :], encoding)
    named = CHARSET.search(data[:4096])
    name = named[1].decode() if named else "utf-8"
    # a page whose declaration can be read as ASCII is not in UTF-16, whatever it declares
    return _text(data, "utf-8" if name.lower().startswith(("utf-16", "utf-32")) else name)


def _text(data: bytes, encoding: str) -> str:
    try:
        codec = codecs.lookup(encoding).name
        if codec in NOT_CHARSETS:
            raise LookupError
        return _western(data) if codec in WESTERN else data.decode(codec)
    except (LookupError, ValueError):
        raise FieldError(
            f"not {encoding}", "the encoding that the page names, or UTF-8", code="wrong_encoding"
        ) from None


def _western(data: bytes) -> str:
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:  # of the five bytes that it lacks, browsers make controls
        return data.decode("latin-1")
