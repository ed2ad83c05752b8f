"""A page of which every text from a corpus tries to break out."""

import re
from typing import Any

from densecli.report.page import Cell, Page, Table, render_page

HOSTILE = "</script><script>window.broken=1</script><img src=x onerror=window.broken=1>\u2028<!--<script>"


def hostile_page(questions: int = 3) -> str:
    """Return a page about so many questions: run `a` finds the first two within 1, `b` all but the first."""

    def passage(number: int, run: str) -> dict[str, Any]:
        parts = [f"{HOSTILE} in {run} ", f"answer {number}", " \U0001f40d."]
        return {"rank": 1, "id": f"p{number}", "title": HOSTILE, "score": 1.5, "parts": parts}

    rows = [
        {
            "id": str(number),
            "question": f"question {number} {HOSTILE}",
            "answers": [f"answer {number}", HOSTILE],
            "word": "who" if number % 2 else HOSTILE,
            "ranks": {"a": 1 if number < 2 else 0, f"b{HOSTILE}": 0 if number == 0 else 1},
            "exact": {},
            "read": {},
            "passages": {run: [passage(number, run)] for run in ("a", f"b{HOSTILE}")},
        }
        for number in range(questions)
    ]
    return render_page(
        Page(
            f"Evaluation {HOSTILE}",
            [HOSTILE],
            [Table(HOSTILE, ["results", HOSTILE], [[Cell(HOSTILE, HOSTILE, "better", 50.0)]], HOSTILE)],
            "<svg xmlns='http://www.w3.org/2000/svg' width='10' height='10'/>",
            [],
            {"runs": ["a", f"b{HOSTILE}"], "ks": [1, 20], "questions": rows},
        )
    )


def policy_of(page: str) -> str:
    """Return the Content-Security-Policy of a page."""
    found = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert found
    return found[1]
