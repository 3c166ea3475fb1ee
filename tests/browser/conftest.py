"""Pages in a real browser: ``page``, or ``new_page`` for other sizes, colours and media.

A test fails if a page of it logs an error, throws one, or asks anything outside of this machine.
While a browser is open no other loop of asyncio runs in the thread (``asyncio.run`` refuses), so
what a test needs of one happens in a process or thread of its own. `JOURNEY_SCREENSHOTS` names a
folder in which ``shot`` leaves its pictures, to be looked at.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Protocol
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from tests.browser.chromium import NoBrowserError, executable

_NO_NETWORK = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
_ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-proxy-server"),
    _NO_NETWORK,
)
_HERE = ("127.0.0.1", "localhost")
PHONE = 390


class NewPage(Protocol):
    def __call__(
        self,
        *,
        width: int = 1200,
        height: int = 900,
        colours: Literal["light", "dark"] = "light",
        media: Literal["screen", "print"] = "screen",
        script: bool = True,
    ) -> Page: ...


class Shot(Protocol):
    def __call__(self, page: Page, name: str) -> Path: ...


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless. Where there can be none the tests are skipped; in CI they fail."""
    try:
        program = executable()
    except NoBrowserError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=_ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def watching(browser: Browser) -> Iterator[NewPage]:
    """Makes pages, each in a session of its own; at the end none may have done what it must not."""
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(f"console: {message.text}")

    def watch(request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https", "ws", "wss") and address.hostname not in _HERE:
            complaints.append(f"asks {request.url}")

    contexts = []

    def make(
        *,
        width: int = 1200,
        height: int = 900,
        colours: Literal["light", "dark"] = "light",
        media: Literal["screen", "print"] = "screen",
        script: bool = True,
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=colours,
            java_script_enabled=script,
        )
        contexts.append(context)
        context.on("console", hear)
        context.on("weberror", lambda error: complaints.append(f"throws {error.error}"))
        context.on("request", watch)
        page = context.new_page()
        if media == "print":
            page.emulate_media(media="print")
        return page

    try:
        yield make
    finally:
        for context in contexts:
            context.close()
    assert complaints == []


@pytest.fixture
def new_page(browser: Browser) -> Iterator[NewPage]:
    with watching(browser) as make:
        yield make


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """Wide, light, on a screen."""
    return new_page()


@pytest.fixture
def shot(tmp_path: Path) -> Shot:
    """Takes a picture of a whole page."""
    kept = os.environ.get("JOURNEY_SCREENSHOTS")
    folder = Path(kept) if kept else tmp_path / "screenshots"

    def take(page: Page, name: str) -> Path:
        path = folder / f"{name}.png"
        page.screenshot(path=path, full_page=True)
        assert path.stat().st_size > 0
        return path

    return take
