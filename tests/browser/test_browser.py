"""The browser itself, and that it notices what a page must not do."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import PHONE, NewPage, Shot, watching


def test_a_page_is_drawn(page: Page, shot: Shot) -> None:
    page.set_content("<h1>Grüße &#x2600;</h1>")
    assert page.locator("h1").inner_text() == "Grüße ☀"
    assert shot(page, "hello").read_bytes().startswith(b"\x89PNG")


def test_sizes_colours_and_media(new_page: NewPage) -> None:
    dark = "matchMedia('(prefers-color-scheme: dark)').matches"
    phone = new_page(width=PHONE, colours="dark")
    assert phone.evaluate(f"[innerWidth, {dark}]") == [PHONE, True]
    paper = new_page(media="print")
    assert paper.evaluate(f"[matchMedia('print').matches, {dark}]") == [True, False]


@pytest.mark.parametrize(
    ("markup", "told"),
    [
        ("<script>console.error('no')</script>", "console: no"),
        ("<script>throw new Error('no')</script>", "throws no"),
        ("<img src='http://shop.example/a.png' alt=''>", "asks http://shop.example/a.png"),
    ],
)
def test_what_a_page_must_not_do(browser: Browser, markup: str, told: str) -> None:
    with pytest.raises(AssertionError, match=told), watching(browser) as make:
        make().set_content(markup, wait_until="networkidle")
