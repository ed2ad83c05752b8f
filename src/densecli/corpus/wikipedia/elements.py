"""Elements of a page whose content the wikitext parser must not see, and the tags that only style words."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from html import escape

WITHOUT_PROSE = (
    "ref|references|math|chem|ce|gallery|timeline|score|syntaxhighlight|source|imagemap|hiero|graph|mapframe|"
    "maplink|inputbox|templatedata|templatestyles|categorytree|dynamicpagelist|includeonly|style|script|pre"
)
ELEMENT = re.compile(rf"<!--|<(/?)(nowiki|{WITHOUT_PROSE})\b([^<>]*)>", re.IGNORECASE)
TAG = re.compile(r"</?([a-z][a-z0-9-]*)\b([^<>]*)>", re.IGNORECASE)
LINE_TAGS = {
    "p",
    "div",
    "blockquote",
    "center",
    "poem",
    "hr",
    "li",
    "tr",
    "td",
    "th",
    "dd",
    "dt",
    "h2",
    "h3",
    "h4",
}
STYLE_TAGS = {
    "abbr", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins",
    "kbd", "mark", "noinclude", "nobr", "onlyinclude", "q", "rb", "rp", "rt", "ruby", "s", "samp",
    "section", "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr",
}  # fmt: skip
MARKS = str.maketrans({mark: f"&#{ord(mark)};" for mark in "[]{}|'*#:;=<_"})


def without_elements(text: str, left_out: Counter[str]) -> str:
    """Return wikitext without comments and without elements that hold no prose.

    An element that is not closed loses its tag only; a comment that is not closed ends the page. What
    `nowiki` protects is kept as character references. Linear in the length of the text.

    Args:
        text: the page's wikitext.
        left_out: is given how many `references` and `other_elements` there were.
    """
    found = list(ELEMENT.finditer(text))
    # with these the search for a closing tag never runs to the end in vain: linear, not quadratic, time
    last_close: dict[str, int] = defaultdict(lambda: -1)
    for tag in found:
        if tag.group(1):
            last_close[tag.group(2).lower()] = tag.start()
    return "".join(_keep_prose(text, iter(found), last_close, left_out))


def _keep_prose(
    text: str, found: Iterator["re.Match[str]"], last_close: dict[str, int], left_out: Counter[str]
) -> Iterator[str]:
    done = 0
    for tag in found:
        if tag.start() < done:
            continue
        yield text[done : tag.start()]
        done = tag.end()
        if tag.group() == "<!--":
            end = text.find("-->", done)
            done = len(text) if end < 0 else end + 3
            continue
        name = tag.group(2).lower()
        if name == "ref":
            left_out["references"] += not tag.group(1)
        elif name != "nowiki":
            left_out["other_elements"] += not tag.group(1)
        if tag.group(1) or tag.group(3).endswith("/") or last_close[name] < done:
            continue
        close = next(one for one in found if one.group(1) and one.group(2).lower() == name)
        if name == "nowiki":
            yield text[done : close.start()].translate(MARKS)
        done = close.end()
    yield text[done:]


def without_tags(text: str) -> str:
    """Return wikitext without HTML tags; their content stays, and any other `<` becomes `&lt;`."""
    return TAG.sub(_instead, text).replace("<", "&lt;")


def _instead(tag: "re.Match[str]") -> str:
    name, rest = tag.group(1).lower(), tag.group(2)
    if name == "br":
        return " "
    if name in LINE_TAGS:
        return "\n"
    is_tag = name in STYLE_TAGS or "=" in rest or not rest.strip(" /")
    return "" if is_tag else escape(tag.group())
