"""One self-contained HTML page about an evaluation: tables, curves, groups of questions, single questions.

Nothing is loaded from elsewhere, and a strict Content-Security-Policy keeps it so: only our own script and
style, known by their digests, may run. Text of a corpus is escaped, or is data that the script makes text
nodes of.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

PLACE = Path(__file__).parent


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: what it says.
        note: a small text below.
        style: `better`, `worse` or nothing.
        bar: the length of a bar beside it, from 0 to 100.
    """

    text: str
    note: str = ""
    style: str = ""
    bar: float | None = None


@dataclass(frozen=True)
class Table:
    """A table: `published` says how many of its last rows are not our own."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""
    published: int = 0


@dataclass(frozen=True)
class Page:
    """What a page shows.

    Attributes:
        title: the heading.
        about: sentences below it.
        tables: the tables over all questions.
        curves: an SVG, or an empty string.
        groups: tables of groups of questions.
        questions: for the script: `{runs, ks, questions}`; None leaves that part out.
    """

    title: str
    about: Sequence[str]
    tables: Sequence[Table]
    curves: str = ""
    groups: Sequence[Table] = ()
    questions: Mapping[str, Any] | None = field(default=None)


def render_page(page: Page) -> str:
    """Return the page as HTML."""
    style = (PLACE / "page.css").read_text(encoding="utf-8")
    script = (PLACE / "page.js").read_text(encoding="utf-8")
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; img-src data:;"
        " base-uri 'none'; form-action 'none'"
    )
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{escape(page.title)}</title>\n<style>{style}</style>\n</head>\n<body>\n<main>",
        f"<h1>{escape(page.title)}</h1>",
        *(f'<p class="faint">{escape(one)}</p>' for one in page.about),
        *map(_table, page.tables),
    ]
    if page.curves:
        # as an image, in which no script runs, whatever a name in the curves says
        picture = base64.b64encode(page.curves.encode()).decode()
        parts.append(
            "<h2>Accuracy over k</h2>\n"
            f'<img class="curves" alt="Top-k accuracy over k; the table above has its values" '
            f'src="data:image/svg+xml;base64,{picture}">'
        )
    if page.groups:
        parts += ["<h2>Groups of questions</h2>", *map(_table, page.groups)]
    if page.questions is not None:
        parts.append(QUESTIONS)
        parts.append(f'<script type="application/json" id="data">{_json(page.questions)}</script>')
        parts.append(f"<script>{script}</script>")
    return "\n".join([*parts, "</main>\n</body>\n</html>\n"])


QUESTIONS = """<h2>Questions</h2>
<noscript><p>Single questions need JavaScript.</p></noscript>
<form id="filters" aria-label="Which questions are shown">
<label>run <select id="one"></select></label>
<label>compared run <select id="other"></select></label>
<label>found within <select id="k"></select></label>
<label>outcome of the compared run <select id="outcome">
<option value="all">all</option><option value="win">win: only it found an answer</option>
<option value="loss">loss: only the other run did</option>
<option value="both">found by both</option><option value="neither">missed by both</option>
</select></label>
<label>question word <select id="word"></select></label>
<label class="grow">words of question or answer <input id="search" type="search" autocomplete="off"></label>
</form>
<p id="count" class="faint" role="status"></p>
<ol id="questions"></ol>
<button id="more" type="button" hidden>Show more</button>"""


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.header)
    rows = []
    for number, row in enumerate(table.rows):
        own = number < len(table.rows) - table.published
        cells = "".join(map(_cell, row))
        rows.append(f"<tr>{cells}</tr>" if own else f'<tr class="published">{cells}</tr>')
    # a <caption> would be as wide as the table, and cut off on a narrow screen
    caption = f'<p class="faint">{escape(table.caption)}</p>\n' if table.caption else ""
    return (
        f'<h3>{escape(table.title)}</h3>\n{caption}<div class="wide" tabindex="0" role="region"'
        f' aria-label="{escape(table.title)}"><table><thead><tr>{head}</tr></thead>\n'
        f"<tbody>{chr(10).join(rows)}</tbody></table></div>"
    )


def _cell(cell: Cell) -> str:
    bar = ""
    if cell.bar is not None:
        bar = (
            '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
            f'<rect width="100" height="10"/><rect width="{cell.bar:.1f}" height="10"/></svg>'
        )
    note = f"<small>{escape(cell.note)}</small>" if cell.note else ""
    style = f' class="{cell.style}"' if cell.style else ""
    return f"<td{style}>{escape(cell.text)}{bar}{note}</td>"


def _json(data: Mapping[str, Any]) -> str:
    """Return data for a script element: nothing in it ends the element or begins a comment."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    # as escapes of JSON, so that it is still the same data
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
