"""What is never prose goes first, in one linear pass; what stays is well-formed for the parser.

A wikitext parser takes quadratic time for openings that are never closed, and most of a page's markup holds
no prose anyway. So tables and lists in HTML, templates that have no text to give, links to files, categories
and other languages, the addresses of external links, and every bracket without a partner are cut here.
"""

import re
from collections import Counter
from collections.abc import Callable, Set

ADDRESS = r"(?:(?:https?:|ftps?:|irc:)?//[^\s\[\]<>{}|\"]*|(?:mailto|tel|news|geo|urn):[^\s\[\]<>{}|\"]*)"
TOKEN = re.compile(
    rf"^[ \t:]*\{{\|(?!\}})|^[ \t]*\|\}}(?!\}})|\{{\{{+|\}}\}}+"
    rf"|\[+{ADDRESS}|\[\[+|\]+|<(/?)(table|ul|ol|dl)\b[^<>]*>",
    re.IGNORECASE | re.MULTILINE,
)
INFOBOX = re.compile(r"\s*infobox", re.IGNORECASE)
KINDS = {
    "{{": "other_templates",
    "[[": "links_to_files_categories_and_languages",
    "{|": "tables",
    "table": "tables",
}
TEMPLATE_NAME = re.compile(r"[^|{}\[\]<\n]{0,80}")
PREFIX = re.compile(r"\s*([^:|\[\]{}<>\n]{1,40}):")
LANGUAGE = re.compile(r"(?:[a-z]{2,3}|[a-z]{2,4}(?:-[a-z]{2,8}){1,2}|simple)(?<!-)")
DEEPEST = 20
"""Markup nested deeper than this is cut; the parser gives up at twice that depth."""


def without_clutter(
    text: str, is_prose: Callable[[str], bool], unseen: Set[str], left_out: Counter[str]
) -> str:
    """Return wikitext in which every bracket has a partner and every template has text to give.

    Args:
        text: wikitext without comments and other elements that hide markup.
        is_prose: whether a template of this name (as written) is replaced by text later on.
        unseen: casefolded prefixes of links that show no text, such as `file`.
        left_out: is given how many tables, infoboxes, other templates, lists in HTML and links to files,
            categories and other languages were cut.
    """
    return _Balance(text, is_prose, unseen, left_out).text()


class _Balance:
    def __init__(
        self, text: str, is_prose: Callable[[str], bool], unseen: Set[str], left_out: Counter[str]
    ) -> None:
        self._text = text
        self._is_prose = is_prose
        self._unseen = unseen
        self._left_out = left_out
        self._open: list[tuple[str, int, int]] = []
        self._counts: Counter[str] = Counter()
        self._cuts: list[tuple[int, int]] = []

    def text(self) -> str:
        for match in TOKEN.finditer(self._text):
            token, (start, end) = match.group(), match.span()
            if match.group(2):
                self._element(match.group(2).lower(), bool(match.group(1)), start, end)
            elif token[0] == "[":
                self._open_link(token, start, end)
            elif token[0] == "]":
                self._close_links(start, end)
            elif token.endswith("{|"):
                self._push("{|", start, end)
            elif token.endswith("|}"):
                self._close("{|", start, end)
            else:
                self._braces(token, start, end)
        # what is still open at the end of the page: the mark goes, the words stay
        self._cuts.extend((start, end) for _, start, end in self._open)
        return self._join()

    def _element(self, name: str, closes: bool, start: int, end: int) -> None:
        if closes:
            self._close(name, start, end)
        else:
            self._push(name, start, end)

    def _open_link(self, token: str, start: int, end: int) -> None:
        brackets = len(token) - len(token.lstrip("["))
        if brackets < len(token):
            self._cuts.append((start, start + brackets - 1))
            self._push("[", start + brackets - 1, end)
        else:
            for begin in range(start + brackets % 2, end, 2):
                self._push("[[", begin, begin + 2)

    def _close_links(self, start: int, end: int) -> None:
        while start < end:
            top = self._open[-1][0] if self._open else ""
            if top == "[" and self._counts["["]:
                self._close("[", start, start + 1)
                start += 1
            elif end - start > 1:
                self._close("[[", start, start + 2)
                start += 2
            else:
                return

    def _braces(self, token: str, start: int, end: int) -> None:
        while start < end:
            # runs of four or more are several templates; three are a template's parameter, which is cut
            after = end if end - start < 4 else start + 2
            if token[0] == "{":
                self._push("{{", start, after)
            else:
                self._close("{{", start, after)
            start = after

    def _push(self, kind: str, start: int, end: int) -> None:
        self._open.append((kind, start, end))
        self._counts[kind] += 1

    def _close(self, kind: str, start: int, end: int) -> None:
        """Pair a closing with the last opening of its kind; openings between them have no partner."""
        if not self._counts[kind]:
            self._cuts.append((start, end))
            return
        while True:
            opened, begin, inside = self._open.pop()
            self._counts[opened] -= 1
            if opened == kind:
                break
            self._cuts.append((begin, inside))
        if kind == "[":
            self._cuts.append((begin, inside))
            self._cuts.append((start, end))
        elif len(self._open) >= DEEPEST or not self._shows_text(kind, begin, inside):
            self._cuts.append((begin, end))
            is_box = kind == "{{" and INFOBOX.match(self._text, inside)
            self._left_out["infoboxes" if is_box else KINDS.get(kind, "html_lists")] += 1

    def _shows_text(self, kind: str, begin: int, inside: int) -> bool:
        if kind == "{{":
            name = TEMPLATE_NAME.match(self._text, inside)
            return inside - begin == 2 and name is not None and self._is_prose(name.group())
        if kind == "[[":
            prefix = PREFIX.match(self._text, inside)
            return prefix is None or not (
                prefix.group(1).strip().casefold() in self._unseen or LANGUAGE.fullmatch(prefix.group(1))
            )
        return False

    def _join(self) -> str:
        pieces, done = [], 0
        for start, end in sorted(self._cuts):
            if start > done:
                pieces.append(self._text[done:start])
            done = max(done, end)
        pieces.append(self._text[done:])
        return "".join(pieces)
