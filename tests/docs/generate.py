"""Writes the parts of the documentation that are made from the code.

    python -m tests.docs.generate

A part stands between `<!-- made: NAME -->` and `<!-- end: NAME -->`; all around it is written
by hand. `test_generated.py` fails while a page does not say what the code says.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from tests.docs import (
    answer_schemas,
    config_parts,
    grammar_page,
    parts,
    programmes,
    provider_parts,
    refill,
)
from tests.docs.fences import ROOT, pages

PARTS: dict[str, Callable[[], str]] = {
    "verbs": parts.verbs,
    "codes": parts.code_pages,
    "tables": parts.tables,
    "views": parts.views,
    "providers": provider_parts.built_in,
    "manifest": provider_parts.manifest,
    "configuration": config_parts.configuration,
    "programmes": programmes.table,
    "shared by programmes": programmes.shared,
}

_PART = re.compile(
    r"(?P<begin><!-- made: (?P<name>[a-z ]+) -->\n).*?(?P<end><!-- end: (?P=name) -->)", re.DOTALL
)


def names(text: str) -> list[str]:
    """The parts of a page."""
    return [found["name"] for found in _PART.finditer(text)]


def renewed(text: str) -> str:
    """A page with each of its parts as the code has it now."""

    def part(found: re.Match[str]) -> str:
        return f"{found['begin']}\n{PARTS[found['name']]()}\n\n{found['end']}"

    return _PART.sub(part, text)


def renewed_page(path: Path) -> str:
    text = renewed(path.read_text(encoding="utf-8"))
    return refill.with_results(text) if path in refill.PAGES else text


def main() -> None:
    provider_parts.SCHEMA.write_text(provider_parts.written_schema(), encoding="utf-8")
    grammar_page.PAGE.write_text(grammar_page.written(), encoding="utf-8")
    for path, text in programmes.written().items():
        path.write_text(text, encoding="utf-8")
    for name in answer_schemas.MADE:
        answer_schemas.place(name).write_text(answer_schemas.written(name), encoding="utf-8")
    for path in pages():
        text = renewed_page(path)
        if text != path.read_text(encoding="utf-8"):
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
