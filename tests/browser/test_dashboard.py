"""The dashboard in a browser: wide and light, on a phone and dark, with a script and without."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from journeylang.serve.dashboard import ROOT
from tests.browser.conftest import NewPage, Shot
from tests.serve import place
from tests.serve.place import served, served_shop
from tests.serve.test_dashboard import ENVIRON, MORE, TOKEN

Colours = Literal["light", "dark"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("width", "colours", "script"),
    [(1200, "light", True), (390, "dark", True), (1200, "dark", False)],
)
def test_dashboard(
    width: int,
    colours: Colours,
    script: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    new_page: NewPage,
    shot: Shot,
) -> None:
    monkeypatch.setattr(place, "ENVIRON", ENVIRON)
    with served(served_shop(tmp_path, more=MORE)) as shop:
        assert shop.serving.dashboard is not None
        # The site is served by TLS in front of it; here it is not.
        shop.serving.dashboard.secure = False
        name = next(iter(shop.serving.project.journeys))
        page = new_page(width=width, colours=colours, script=script)
        base = str(shop.client.base_url).rstrip("/")
        page.goto(f"{base}{ROOT}")
        page.fill("input[name=token]", TOKEN)
        page.click("button")
        page.wait_for_selector(".cards")
        shot(page, f"dashboard-{width}-{colours}")

        def fits() -> None:
            assert page.evaluate("document.documentElement.scrollWidth") <= width

        fits()
        if script:
            # What renews itself does.
            with page.expect_response(lambda r: r.url.endswith("/live"), timeout=30_000) as seen:
                pass
            assert seen.value.ok
            page.wait_for_selector(".cards")
        page.click(f"a[href='{ROOT}/journeys/{name}']")
        page.wait_for_selector(".drawing svg")
        shot(page, f"dashboard-journey-{width}-{colours}")
        fits()
        page.click("text=Pause")
        page.wait_for_selector("text=paused by person")
        page.click("text=Resume")
        page.wait_for_selector(".cards")
        page.fill("input[name=customer]", "3")
        page.click("text=Why?")
        page.wait_for_selector("pre")
        assert "customer 3" in page.inner_text("pre")
        shot(page, f"dashboard-why-{width}-{colours}")
        fits()
        page.click("text=Sign out")
        page.wait_for_selector("input[name=token]")
