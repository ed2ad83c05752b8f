"""The last pass over a section's text: quotes of italics, list lines, entities, gaps that markup left."""

import re
from html import unescape

ELISION = re.compile(r"\W?\w$")
ITALICS = re.compile(r"'{2,}")
ITEM = "\x1d"
"""Stands for the marks of a list item: no wikitext holds it, and no parser makes a node of it."""
LIST_LINE = re.compile(r"[ \t]*(?:[\x1d|]|![ \t]|![^\n]*!!|-{4})")
SWITCH = re.compile(r"__[^\W\d_]{3,}__")
VARIANT = re.compile(r"-\{(?:[^{}|]{0,20}\|)?(?:[a-z-]{2,8}:)?([^{};]*)[^{}]*\}-")
ADDRESS = re.compile(r"(?:https?|ftp)://[^\s<>\"]*")
LEFTOVER = re.compile(
    r"<!--|-->|</?(?:ref|nowiki)\b[^<>]*>?|\{\{+|\}\}+|\[\[+|\]\]+|\{\||\|\}"
    r"|\|[ \w-]{1,30}=|'{3,}|&nbsp;|https?://\S*",
    re.IGNORECASE,
)
"""Remains of markup, which no passage may have; a space replaces them, so that nothing new is joined."""
INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\ufeff]")
GAP = re.compile(
    r"[(\[] ?[,;:/·•–—)\]]|[,;:/·•–—)] ?[,;)\]]| [,;.:!?)\]](?:\s|$)|[(\[] |[,;:]\."
    r"|\( ?(?:or|and|also|pronounced|listen) ?\)"
)
"""Something in a line that GAPS may close up; most lines have nothing of it."""
GAPS = [
    (re.compile(pattern), instead)
    for pattern, instead in (
        (r"([(\[]) ?(?:[,;:/·•–—] ?)+", r"\1"),  # ( ; x -> (x
        (r"(?: ?[,;:/·•]){1,9} ?([)\]])", r"\1"),  # x ; ) -> x)
        (r"([(\[]) (?=\S)", r"\1"),
        (r"(?<=\S) ([)\]])", r"\1"),
        (r" ?(?:\((?: ?(?:or|and|also|pronounced|listen))? ?\)|\[\])", ""),
        (r" ?[,;](?: ?[,;])+", ","),
        (r" ([,;.:!?])(?=\s|$)", r"\1"),
        (r"[,;:]\.(?=\s|$)", "."),
    )
]
WORD = re.compile(r"\w")


def tidy(text: str) -> str:
    """Return the paragraphs of a rendered section, one a line, with nothing of the markup left.

    List items, rows of broken tables and lines without a letter or digit are dropped; empty brackets and
    doubled punctuation, which removed templates leave behind, are closed up.
    """
    lines = (line for line in text.split("\n") if not LIST_LINE.match(line))
    kept = (_line(line) for line in lines)
    return "\n".join(line for line in kept if WORD.search(line))


def _line(line: str) -> str:
    if "''" in line:
        line = _without_italics(line)
    if "&" in line:
        # twice: dumps escape the markup, and pages escape signs in it, as in &amp;ndash;
        line = unescape(unescape(line))
    if not line.isascii():
        line = INVISIBLE.sub("", line)
    if "://" in line:
        line = ADDRESS.sub("", line)
    if "__" in line:
        line = SWITCH.sub("", line)
    if "-{" in line:
        line = VARIANT.sub(r"\1", line)
    line = " ".join(line.split())
    if GAP.search(line):
        # twice: closing one gap can open the next
        for pattern, instead in GAPS * 2:
            line = pattern.sub(instead, line)
    return " ".join(LEFTOVER.sub(" ", line).split())


def _without_italics(line: str) -> str:
    """Take out quotes that make italics (2), bold (3) or both (5), as MediaWiki counts those of a line.

    Quotes beyond 5, and one of 4, are apostrophes. Where a line has odd numbers of both kinds, one bold is an
    apostrophe before italics: the first after a word of a single letter, as in French.
    """
    runs = list(ITALICS.finditer(line))
    lengths = [min(5, len(run.group())) for run in runs]
    bold = [run.start() for run, length in zip(runs, lengths, strict=True) if length in (3, 4)]
    odd = sum(length in (2, 5) for length in lengths) % 2 and sum(length > 2 for length in lengths) % 2
    elisions = [place for place in bold if ELISION.match(line[max(place - 2, 0) : place])] if odd else []

    def apostrophes(run: "re.Match[str]") -> str:
        return "'" if len(run.group()) in (4, 6) or run.start() in elisions[:1] else ""

    return ITALICS.sub(apostrophes, line)
