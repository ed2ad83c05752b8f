"""The page in a real browser: filters, keyboard, and text that stays text."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from report.hostile_page import HOSTILE, hostile_page

sync_api = pytest.importorskip("playwright.sync_api", reason="optional peer missing: playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
if CHROMIUM is None:
    pytest.skip("optional peer missing: chromium", allow_module_level=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any, tmp_path: Path) -> Iterator[Any]:
    (tmp_path / "report.html").write_text(hostile_page(120), encoding="utf-8")
    shown = browser.new_page()
    shown.complaints = []
    shown.on("pageerror", lambda error: shown.complaints.append(str(error)))
    shown.on("console", lambda said: shown.complaints.append(said.text) if said.type == "error" else None)
    shown.on(
        "request", lambda asked: shown.complaints.append(asked.url) if asked.url.startswith("http") else None
    )
    shown.goto((tmp_path / "report.html").as_uri())
    yield shown
    assert shown.complaints == []
    assert shown.evaluate("window.broken") is None
    shown.close()


def test_filters_select_questions(page: Any) -> None:
    items = page.locator("#questions > li")
    assert page.locator("#outcome").input_value() == "win"
    assert (items.count(), page.locator("#count").inner_text().split(" (")[0]) == (50, "118 of 120 questions")
    page.select_option("#outcome", "loss")
    assert (items.count(), "question 0" in items.first.inner_text()) == (1, True)
    page.select_option("#outcome", "both")
    assert (items.count(), "question 1" in items.first.inner_text()) == (1, True)
    page.select_option("#outcome", "all")
    page.select_option("#word", "who")
    assert page.locator("#count").inner_text().startswith("60 of 120")
    page.fill("#search", "ANSWER 77")
    assert items.count() == 1
    assert HOSTILE.replace("\u2028", "") in items.first.inner_text().replace("\u2028", "").replace("\n", "")


def test_the_page_works_with_the_keyboard_alone(page: Any) -> None:
    page.focus("#search")
    page.keyboard.type("question 5 ")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.keyboard.press("Enter")
    assert page.locator("#questions mark").all_inner_texts() == ["answer 5", "answer 5"]
    page.keyboard.press("Enter")
    assert page.locator("#questions details[open]").count() == 0
    page.fill("#search", "")
    page.focus("#more")
    page.keyboard.press("Enter")
    assert page.locator("#questions > li").count() == 100


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_no_width_needs_sideways_scrolling(page: Any, scheme: str, width: int) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    page.locator("#questions summary").first.click()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"}[scheme]
