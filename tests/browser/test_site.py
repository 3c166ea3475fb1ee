"""The documentation's site in a browser: wide and narrow, light and dark, and its search."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal

import pytest

from tests.browser.conftest import PHONE, NewPage, Shot
from tests.browser.reading import overflows
from tests.docs import site

pytestmark = pytest.mark.slow

PAGES = ("index", "tutorial", "language/reference", "programmes/cart")
DENSE = ("language/grammar", "configuration", "verbs", "codes", "comparison", "how-to/roles")
WAYS: tuple[tuple[str, int, Literal["light", "dark"]], ...] = (
    ("light", 1280, "light"),
    ("dark", 1280, "dark"),
    ("phone", PHONE, "light"),
)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """A test says enough."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = tmp_path_factory.mktemp("site") / "site"
    site.build(built)
    return built


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("way", "width", "colours"), WAYS)
def test_pages_read_well(
    address: str,
    way: str,
    width: int,
    colours: Literal["light", "dark"],
    new_page: NewPage,
    shot: Shot,
) -> None:
    page = new_page(width=width, colours=colours)
    for name in PAGES:
        page.goto(f"{address}/{name}.html")
        assert page.locator("h1").first.is_visible()
        assert overflows(page) == 0, name
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        first = int(background.partition("(")[2].partition(",")[0])
        assert (first < 80) is (colours == "dark"), background
        shot(page, f"site-{name.replace('/', '-')}-{way}")


def test_it_is_searched_without_a_network(address: str, new_page: NewPage, shot: Shot) -> None:
    page = new_page()
    page.goto(f"{address}/index.html")
    page.get_by_role("button", name="Search").first.click()
    page.get_by_role("combobox", name="Search").fill("quiet hours")
    page.get_by_text(re.compile(r"^[1-9][0-9]* results$")).wait_for()
    shot(page, "site-search")


def test_dense_pages_fit_a_phone(address: str, new_page: NewPage) -> None:
    """Their tables and fences scroll by themselves."""
    page = new_page(width=PHONE)
    for name in DENSE:
        page.goto(f"{address}/{name}.html")
        assert overflows(page) == 0, name
