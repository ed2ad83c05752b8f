"""Wikitext to running prose, as in the paper after DrQA: no table, list, note, heading, file or markup."""

import re
from collections import Counter
from collections.abc import Iterable

from mwparserfromhell.nodes import ExternalLink, HTMLEntity, Node, Tag, Template, Text, Wikilink
from mwparserfromhell.parser import Parser
from mwparserfromhell.wikicode import Wikicode

from densecli.corpus.wikipedia.balance import without_clutter
from densecli.corpus.wikipedia.elements import without_elements, without_tags
from densecli.corpus.wikipedia.sections import sections
from densecli.corpus.wikipedia.templates import is_prose, replacement
from densecli.corpus.wikipedia.tidy import ITEM, tidy

LIST_MARKS = re.compile(r"^[ \t]*[*#:;]+", re.MULTILINE)
PROJECT = "abcdefghijklmnopqrstuvwxyz-"
UNSEEN = frozenset(
    ("file", "image", "category", "bild", "datei", "kategorie", "fichier", "catégorie", "archivo", "imagen")
)
"""Casefolded prefixes of links that show no text, in many wikis: names that outlive those in their dumps."""

NOT_UNDERSTOOD = "templates_not_understood"
"""Counts the templates that are known, but not in the form that a page uses: they are dropped whole."""


def prose(text: str, unseen: Iterable[str] = (), left_out: Counter[str] | None = None) -> str:
    """Return the running prose of a page, one paragraph a line; empty when it has none.

    Time and memory are linear in the length of the text, also if much is nested or left open in it.

    Args:
        text: the page's wikitext.
        unseen: casefolded prefixes of links that show no text (files, categories) in this wiki.
        left_out: is given how many tables, infoboxes, templates, references, list items and so on are left
            out of the sections that hold prose, and how many sections do not.
    """
    counts = Counter() if left_out is None else left_out
    hidden = UNSEEN.union(unseen)
    held = sections(without_elements(text, counts), counts)
    parts = (_section(section, hidden, counts) for section in held)
    return "\n".join(part for part in parts if part)


def _section(text: str, unseen: frozenset[str], left_out: Counter[str]) -> str:
    words = without_tags(without_clutter(text, is_prose, unseen, left_out))
    # before the parser, which would make nodes of them; `tidy` drops the lines by this sign
    plain, items = LIST_MARKS.subn(ITEM, words)
    left_out["list_items"] += items
    return tidy(_render(Parser().parse(plain, skip_style_tags=True), left_out))


def _render(code: Wikicode | None, left_out: Counter[str]) -> str:
    return "" if code is None else "".join(_words(node, left_out) for node in code.nodes)


def _words(node: Node, left_out: Counter[str]) -> str:
    if isinstance(node, Text):
        return str(node.value)
    if isinstance(node, Wikilink):
        return _label(node, left_out)
    if isinstance(node, Template):
        args = {str(one.name).strip(): _render(one.value, left_out) for one in node.params}
        text = replacement(str(node.name), args)
        left_out[NOT_UNDERSTOOD] += text is None
        return text or ""
    if isinstance(node, HTMLEntity):
        return str(node)
    if isinstance(node, Tag) and node.wiki_markup:
        return str(node.wiki_markup)
    if isinstance(node, ExternalLink) and not node.brackets:
        return "" if "//" in str(node.url) else str(node.url)
    return ""


def _label(link: Wikilink, left_out: Counter[str]) -> str:
    """Return what a link shows: its text, else the page's name without prefix, section or pipe trick."""
    if link.text is not None and (label := _render(link.text, left_out)).strip():
        return label
    title = _render(link.title, left_out).strip().strip("/")
    prefix, colon, rest = title.removeprefix(":").partition(":")
    # a link to another project (wikt:word) shows its page; "2001: A Space Odyssey" is a title
    if colon and rest and not rest[0].isspace() and not prefix.strip(PROJECT):
        title = rest
    page, _, section = title.removeprefix(":").partition("#")
    name = page or section
    # an empty label is the pipe trick: the part in brackets is not shown
    return name.partition(" (")[0] if link.text is not None else name
