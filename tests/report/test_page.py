"""The page as a browser would parse it: what is code, what is text, and what may be loaded."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

from report.hostile_page import HOSTILE, hostile_page, policy_of

PAGE = hostile_page()


class Parsed(HTMLParser):
    """Elements with their attributes, and the text in scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.code: dict[str, str] = {}
        self.text = ""
        self._open = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open = dict(attrs).get("id") or tag if tag in ("script", "style") else ""

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open:
            self.code[self._open] = self.code.get(self._open, "") + data
        else:
            self.text += data


PARSED = Parsed(PAGE)


def test_text_of_a_corpus_never_becomes_html() -> None:
    names = [tag for tag, _ in PARSED.elements]
    assert (names.count("script"), names.count("style"), names.count("img")) == (2, 1, 1)
    assert not [name for _, attributes in PARSED.elements for name in attributes if name.startswith("on")]
    assert not [attributes for _, attributes in PARSED.elements if "style" in attributes]
    assert HOSTILE.replace("\u2028", "") in PARSED.text.replace("\u2028", "")


def test_the_data_survive_a_round_trip() -> None:
    raw = PARSED.code["data"]
    assert not re.search("[<>&\u2028\u2029]", raw)
    data = json.loads(raw)
    assert data["questions"][1]["question"] == f"question 1 {HOSTILE}"
    assert data["questions"][2]["passages"]["a"][0]["parts"][1] == "answer 2"


def test_only_our_own_script_runs_and_nothing_is_loaded() -> None:
    policy = policy_of(PAGE)
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for kind, name in (("script", "script"), ("style", "style")):
        digest = base64.b64encode(hashlib.sha256(PARSED.code[name].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}';" in policy
    sources = [attributes.get("src") or attributes.get("href") for _, attributes in PARSED.elements]
    assert [source[:19] for source in sources if source] == ["data:image/svg+xml;"]
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", PARSED.code["script"]
    )
    assert "url(" not in PARSED.code["style"]


def test_every_control_has_a_name() -> None:
    for tag, attributes in PARSED.elements:
        if tag in ("select", "input"):
            assert re.search(rf'<label[^>]*>[^<]+<{tag} id="{attributes["id"]}"', PAGE)
    assert [attributes["lang"] for tag, attributes in PARSED.elements if tag == "html"] == ["en"]
