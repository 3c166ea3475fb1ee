"""The documentation's site: it builds without a warning, and no link of it leads nowhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pygments import token
from pygments.lexers import get_lexer_by_name

from tests.docs import lexer, links, site
from tests.docs.fences import ROOT, pages
from tests.editors.test_extension import EXAMPLES

JOURNEY = 'journey cart "Back" {\n  remind: wait 2d # a while\n  send email "cart/x"\n}\n'


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "site"
    site.build(folder)
    return folder


@pytest.mark.slow
def test_no_link_leads_nowhere(built: Path) -> None:
    assert links.broken(built) == []


@pytest.mark.slow
def test_every_page_is_there_and_can_be_searched(built: Path) -> None:
    known = {
        item["location"].partition("#")[0]
        for item in json.loads((built / "search.json").read_text(encoding="utf-8"))["items"]
    }
    for page in pages():
        if page.name == "README.md" and page.parent == ROOT:
            continue
        place = page.relative_to(ROOT / "docs").with_suffix(".html")
        made = place.with_name("index.html") if page.name == "README.md" else place
        assert (built / made).exists(), page
        assert made.as_posix() in known or (made.as_posix() == "index.html" and "" in known), page


@pytest.mark.slow
def test_fences_are_as_they_were_written(built: Path) -> None:
    """None has been taken for a paragraph; a file's name is its title; a journey has colours."""
    for page in built.rglob("*.html"):
        shown = page.read_text(encoding="utf-8")
        plain = re.sub(r"<(pre|code)\b.*?</\1>", "", shown, flags=re.DOTALL)
        assert "```" not in plain, page
    text = (built / "deploying.html").read_text(encoding="utf-8")
    assert '<span class="filename">journeys/refill.journey</span>' in text
    assert '<span class="kd">journey</span>' in text
    assert '<span class="nl">settle</span>' in text


@pytest.mark.slow
def test_each_programme_is_drawn(built: Path) -> None:
    text = (built / "programmes" / "cart.html").read_text(encoding="utf-8")
    assert "mermaid" not in text
    assert 'src="../pictures/programmes/cart.svg"' in text


def test_every_page_has_its_place_in_the_navigation() -> None:
    written = {
        page.relative_to(ROOT / "docs").as_posix() for page in pages() if page.parent != ROOT
    }
    assert sorted(site.navigation()) == sorted(written)


def test_what_leads_nowhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<h1 id="top"></h1><a href="#top"></a><a href="#gone"></a><a href="b.html#x"></a>'
        '<a href="c.html"></a><a href="https://acme.example/"></a>'
        '<img src="https://acme.example/i.png"><img src="no.png"><img src="data:image/png,x">',
        encoding="utf-8",
    )
    (tmp_path / "b.html").write_text('<a name="x" href="a.html"></a>', encoding="utf-8")
    assert links.broken(tmp_path) == [
        "a.html: #gone",
        "a.html: c.html",
        "a.html: asks https://acme.example/i.png",
        "a.html: no.png",
    ]


def test_the_lexer_is_known_by_name() -> None:
    lexer.register()
    found = get_lexer_by_name("journey").get_tokens(JOURNEY)
    assert [(kind, text) for kind, text in found if text.strip()] == [
        (token.Keyword.Declaration, "journey"),
        (token.Name.Class, "cart"),
        (token.String.Double, '"Back"'),
        (token.Punctuation, "{"),
        (token.Name.Label, "remind"),
        (token.Punctuation, ":"),
        (token.Keyword, "wait"),
        (token.Number, "2d"),
        (token.Comment, "# a while"),
        (token.Keyword, "send"),
        (token.Name, "email"),
        (token.String.Double, '"cart/x"'),
        (token.Punctuation, "}"),
    ]


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_nothing_is_lost_and_nothing_unknown(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    found = list(lexer.JourneyLexer(stripnl=False, ensurenl=False).get_tokens(text))
    assert "".join(part for _, part in found) == text
    assert [part for kind, part in found if kind is token.Text and part.strip()] == []
