"""Pages say what the code says. `python -m tests.docs.generate` writes them anew."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lark import Lark

from journeylang import resources
from journeylang.diagnostics.codes import ALL_CODES
from tests.docs import answer_schemas, generate, grammar_page, parts, programmes, provider_parts
from tests.docs.fences import ROOT, pages
from tests.docs.generate import PARTS, names, renewed

MADE = [page for page in pages() if names(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("page", MADE, ids=lambda page: page.name)
def test_made_parts_are_as_the_code_is(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert renewed(text) == text, "python -m tests.docs.generate"


def test_the_schema_of_manifests_is_as_the_code_is() -> None:
    text = provider_parts.SCHEMA.read_text(encoding="utf-8")
    assert text == provider_parts.written_schema(), "python -m tests.docs.generate"


def test_the_grammars_page_is_as_the_grammar_is() -> None:
    text = grammar_page.PAGE.read_text(encoding="utf-8")
    assert text == grammar_page.written(), "python -m tests.docs.generate"


def test_the_grammars_page_has_every_rule_and_token() -> None:
    text = (resources.grammar() / "journey.lark").read_text(encoding="utf-8")
    sections, tokens = grammar_page.read(text)
    named = {rule.name for section in sections for rule in section.rules}
    named |= {token.name for token in tokens}
    lark = Lark(text, parser="lalr", start="file")
    assert {str(one.name) for one in lark.terminals if not one.name.startswith("__")} >= {
        token.name for token in tokens
    }
    origins = {str(rule.origin.name) for rule in lark.rules}
    assert {name for name in origins if not name.startswith("__")} <= named


def test_pages_of_programmes_are_as_their_files_are() -> None:
    made = programmes.written()
    assert set(programmes.PAGES.glob("*.md")) == set(made)
    for path, text in made.items():
        assert path.read_text(encoding="utf-8") == text, "python -m tests.docs.generate"


@pytest.mark.parametrize("name", answer_schemas.MADE)
def test_the_schemas_of_answers_are_as_the_code_is(name: str) -> None:
    text = answer_schemas.place(name).read_text(encoding="utf-8")
    assert text == answer_schemas.written(name), "python -m tests.docs.generate"


def test_every_part_has_one_place() -> None:
    placed = [name for page in MADE for name in names(page.read_text(encoding="utf-8"))]
    assert sorted(placed) == sorted(PARTS)


def test_a_part_without_an_end_is_no_part() -> None:
    for page in pages():
        text = page.read_text(encoding="utf-8")
        assert text.count("<!-- made: ") == len(names(text)), page


def test_what_stands_around_a_part_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "PARTS", {"verbs": lambda: "new"})
    page = "before\n<!-- made: verbs -->\nold\n<!-- end: verbs -->\nbehind\n"
    assert renewed(page) == ("before\n<!-- made: verbs -->\n\nnew\n\n<!-- end: verbs -->\nbehind\n")


def test_codes_that_are_reported_are_known_as_such() -> None:
    told = parts.reported()
    assert {"JRN001", "JRN101", "JRN802"} <= told
    assert told <= {code.id for code in ALL_CODES}


LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?!https?:)(?P<path>[^)#\s]*)(?:#(?P<anchor>[^)\s]*))?\)")


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^ *```.*?^ *```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for found in LINK.finditer(text):
        target = page.parent / found["path"] if found["path"] else page
        assert target.exists(), f"{page.name}: {found[0]}"
        if found["anchor"]:
            assert found["anchor"] in anchors(target), f"{page.name}: {found[0]}"


def anchors(page: Path) -> set[str]:
    """The names of a page's headings, as code hosts make them, and those given by hand."""
    text = page.read_text(encoding="utf-8")
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    made = {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
    return made | set(re.findall(r'<a id="([^"]+)">', text))
