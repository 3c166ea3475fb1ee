"""The pages of `report` and `simulate` in a browser: wide and narrow, light, dark, on paper."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Literal

import pytest
from click.testing import CliRunner

from journeylang.cli.main import cli
from journeylang.pictures import markup
from tests.browser.conftest import PHONE, NewPage, Shot
from tests.browser.reading import cut_off, overflows, poor_contrast, untold
from tests.report import shop
from tests.simulate import world

pytestmark = pytest.mark.slow

PAGES = {
    "report": ["report", "--output", "html", "--by", "many", "--every", "day"],
    "across": [
        *("report", "--output", "html", "--channels", "--offers", "--base", "--customers"),
        "--hypotheses",
    ],
    "simulate": [
        *("simulate", "--output", "html", "--days", "3", "--step", "6h", "--budget", "5 EUR"),
        *("--from", "2026-03-02T08:00"),
    ],
}


def costly(root: Path) -> None:
    """A channel that costs money, and a budget for it."""
    path = root / "journeys/binding.journey"
    text = path.read_text(encoding="utf-8")
    text = text.replace("consent: email_ok }", "consent: email_ok, cost: 0.05 EUR }")
    text = text.replace("  cap any", "  budget email 2 EUR per day\n  cap any", 1)
    path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    reported = shop.make(tmp_path_factory.mktemp("shop"))
    played = tmp_path_factory.mktemp("world")
    world.shop(played, 60)
    costly(played)
    made = {}
    for name, arguments in PAGES.items():
        os.chdir(played if name == "simulate" else reported)
        result = CliRunner().invoke(cli, arguments)
        assert result.exit_code == 0, result.output
        made[name] = folder / f"{name}.html"
        made[name].write_text(result.stdout, encoding="utf-8")
    os.chdir(reported)
    result = CliRunner().invoke(cli, ["graph", "welcome", "--live", "--format", "svg"])
    assert result.exit_code == 0, result.output
    made["graph"] = folder / "graph.svg"
    made["graph"].write_text(result.stdout, encoding="utf-8")
    return made


@pytest.fixture(scope="module", autouse=True)
def back() -> Iterator[None]:
    here = Path.cwd()
    yield
    os.chdir(here)


@pytest.mark.parametrize("name", PAGES)
def test_it_reads_well_wherever_it_is_read(
    files: dict[str, Path], name: str, new_page: NewPage, shot: Shot
) -> None:
    assert files[name].stat().st_size < 2_000_000
    assert "@" not in files[name].read_text(encoding="utf-8").replace("@media", "")
    ways: list[tuple[str, dict[str, object]]] = [
        ("light", {}),
        ("dark", {"colours": "dark"}),
        ("phone", {"width": PHONE, "script": False}),
        ("phone-dark", {"width": PHONE, "colours": "dark"}),
        ("paper", {"width": 760, "media": "print", "colours": "dark"}),
    ]
    for way, options in ways:
        page = new_page(**options)  # type: ignore[arg-type]
        page.goto(files[name].as_uri(), wait_until="networkidle")
        assert page.locator("svg").count() >= 1
        assert untold(page) == []
        assert cut_off(page) == []
        assert overflows(page) == 0, way
        assert poor_contrast(page) == [], way
        shot(page, f"{name}-{way}")
        # The figures behind each picture unfold without a script.
        for summary in page.locator("summary").all():
            if way != "paper":
                summary.click()
        if way != "paper":
            assert page.locator("details[open] table").count() == page.locator("figure").count()
            assert overflows(page) == 0, way
            assert poor_contrast(page) == [], way


def test_paper_is_light_and_without_what_one_clicks(
    files: dict[str, Path], new_page: NewPage
) -> None:
    page = new_page(media="print", colours="dark")
    page.goto(files["report"].as_uri())
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator("summary").first.is_visible()
    assert page.pdf().startswith(b"%PDF")


def test_pictures_that_there_are(files: dict[str, Path], new_page: NewPage) -> None:
    page = new_page()
    page.goto(files["report"].as_uri())
    titles = page.locator("figcaption").all_inner_texts()
    for words in (
        "who went where",
        "caused by the journey: ordered within 2d, of customers",
        "style: ordered within 2d, against plain",
        "messages by day",
        "not sent, by reason",
        "cost so far",
    ):
        assert any(title.startswith(words) for title in titles), words
    page.goto(files["simulate"].as_uri())
    titles = page.locator("figcaption").all_inner_texts()
    for words in ("budget email 2 EUR per day of policy standard", "budget 5 EUR for all"):
        assert any(title.startswith(words) for title in titles), words


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_a_graph_within_a_page(
    files: dict[str, Path], new_page: NewPage, shot: Shot, colours: Literal["light", "dark"]
) -> None:
    """As a file on its own it is the same markup."""
    page = new_page(colours=colours)
    page.set_content(markup.document("graph", files["graph"].read_text(encoding="utf-8")))
    assert untold(page) == []
    assert cut_off(page) == []
    assert poor_contrast(page) == []
    labels = page.locator("text.step, text.way").evaluate_all(
        "texts => texts.map(text => text.getBoundingClientRect().toJSON())"
    )
    assert len(labels) > 8
    for one, other in combinations(labels, 2):
        apart = one["right"] <= other["left"] or other["right"] <= one["left"]
        assert apart or one["bottom"] <= other["top"] or other["bottom"] <= one["top"]
    shot(page, f"graph-{colours}")
    page.goto(files["graph"].as_uri())
    assert page.evaluate("document.documentElement.getAttribute('aria-label')")
