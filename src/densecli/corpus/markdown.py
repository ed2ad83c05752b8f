"""Markdown: its words without its marks."""

import re
from collections.abc import Iterator, Sequence
from html import unescape

from markdown_it import MarkdownIt
from markdown_it.token import Token

from densecli.corpus.text import decoded

FRONT_MATTER = re.compile(r"---[ \t]*\r?\n(.*?\n)?(?:---|\.\.\.)[ \t]*(?:\r?\n|$)", re.DOTALL)
NAMED_TITLE = re.compile(r"^title:[ \t]*([\"']?)(\S.*?)\1[ \t]*\r?$", re.MULTILINE)
HTML = re.compile(r"<!--.*?(?:-->|\Z)|<[^<>]*>", re.DOTALL)
BREAKS = {"softbreak", "hardbreak"}


def read(data: bytes, name: str) -> tuple[str, str]:
    """Return a title and the words of a Markdown file, a paragraph, heading, item or cell a line.

    The title is the first heading, where the text begins with one of the first level; else what the front
    matter names so; else the file's name. Code stays, without its fences; pictures and HTML tags go.

    Raises:
        FieldError: not UTF-8.
    """
    text = decoded(data)
    front = FRONT_MATTER.match(text)
    named = NAMED_TITLE.search(front[1] or "") if front else None
    tokens = MarkdownIt("commonmark").enable("table").parse(text[front.end() :] if front else text)
    title = named[2] if named else name
    if len(tokens) > 1 and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        title, tokens = _inline(tokens[1].children or ()) or title, tokens[3:]
    return title, "\n".join(line for line in map(str.strip, _lines(tokens)) if line)


def _lines(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type == "inline":
            yield _inline(token.children or ())
        elif token.type in ("fence", "code_block"):
            yield token.content
        elif token.type == "html_block":
            yield unescape(HTML.sub(" ", token.content))


def _inline(children: Sequence[Token]) -> str:
    parts = (" " if child.type in BREAKS else child.content for child in children if _shown(child))
    return " ".join("".join(parts).split())


def _shown(token: Token) -> bool:
    return token.type in BREAKS or token.type in ("text", "code_inline", "text_special")
