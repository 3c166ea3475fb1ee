"""What `should_be_better.md` says of today's messages is true."""

import re
from pathlib import Path

import pytest

from journeylang.diagnostics.render import render_text
from journeylang.source import Source
from journeylang.syntax.parse import parse

PAGE = Path(__file__).parent / "should_be_better.md"
_ENTRY = re.compile(
    r"^## (?P<title>.*?)\n.*?```journey\n(?P<text>.*?)```\n\n"
    r"- now: (?P<now>.*?)\n- better: (?P<better>.*?)\n",
    re.DOTALL | re.MULTILINE,
)
ENTRIES = list(_ENTRY.finditer(PAGE.read_text(encoding="utf-8")))


def test_every_entry_is_read() -> None:
    assert len(ENTRIES) == PAGE.read_text(encoding="utf-8").count("\n## ")


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["title"])
def test_it_is_still_as_it_was(entry: re.Match[str]) -> None:
    source = Source(path="a.journey", text=entry["text"])
    found = parse(source).diagnostics
    told = render_text(found, {source.path: source}) or "nothing is found"
    assert entry["now"] in told
    assert entry["better"] not in told
