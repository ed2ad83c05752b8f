"""Sections of a page, and those that hold notes and links instead of prose."""

import re
from collections import Counter
from collections.abc import Iterator

HEADING = re.compile(r"^=[^\n]*=[ \t]*$", re.MULTILINE)
WITHOUT_PROSE = {
    # English
    "references", "reference", "notes", "note", "footnotes", "endnotes", "citations",
    "citations and references", "notes and references", "references and notes", "notes and citations",
    "sources", "works cited", "cited works", "cited sources", "general references", "bibliography",
    "select bibliography", "selected bibliography", "further reading", "references and further reading",
    "bibliography and further reading", "see also", "related pages", "external links", "external link",
    "external links and references", "links", "other websites", "other pages", "gallery",
    "image gallery", "discography", "filmography", "notes and sources", "sources and further reading",
    "references and sources", "primary sources", "secondary sources", "explanatory notes",
    "related articles",
    # German
    "einzelnachweise", "weblinks", "literatur", "siehe auch", "quellen", "anmerkungen", "belege",
    "fußnoten",
    # French
    "références", "notes et références", "voir aussi", "liens externes", "bibliographie",
    "articles connexes", "annexes",
    # Spanish, Portuguese, Italian
    "referencias", "véase también", "enlaces externos", "bibliografía", "notas", "notas y referencias",
    "referências", "ver também", "ligações externas", "bibliografia", "voci correlate",
    "collegamenti esterni", "altri progetti",
    # Dutch, Polish, Swedish, Russian
    "externe links", "zie ook", "referenties", "bronnen", "przypisy", "linki zewnętrzne", "zobacz też",
    "referenser", "externa länkar", "se även", "källor", "примечания", "ссылки", "литература",
    "см. также", "источники",
    # Japanese, Chinese
    "脚注", "注釈", "出典", "参考文献", "関連項目", "外部リンク",
    "参考资料", "參考資料", "外部链接", "外部連結", "参见", "參見",
}  # fmt: skip


def sections(text: str, left_out: Counter[str]) -> Iterator[str]:
    """Yield the text of each section that may hold prose, without its heading.

    What is above the first heading comes first. A section named in WITHOUT_PROSE is left out with all that
    is below it, and counted in `left_out` as `sections_without_prose`.
    """
    below = 0
    begin = 0
    for heading in HEADING.finditer(text):
        if not below:
            yield text[begin : heading.start()]
        begin = heading.end()
        level, name = _level_and_name(heading.group())
        if not below or level <= below:
            below = level if name.casefold() in WITHOUT_PROSE else 0
            left_out["sections_without_prose"] += below > 0
    if not below:
        yield text[begin:]


def _level_and_name(line: str) -> tuple[int, str]:
    line = line.rstrip()
    opening = len(line) - len(line.lstrip("="))
    closing = len(line) - len(line.rstrip("="))
    level = max(min(opening, closing, 6), 1)
    return level, line[level : len(line) - level].strip(" \t:'=")
