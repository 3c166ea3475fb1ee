"""Files with mistakes: each finding is expected on its own line, and no other is there.

A line expects by ``# error: JRN101 "words of the message"`` or ``# warning: …`` at its end,
several of them for several findings; with ``help "words"`` behind it, also what is to be done.
"""

import re
from pathlib import Path

import pytest

from journeylang.analysis.check import check_files
from journeylang.diagnostics.codes import syntax
from journeylang.diagnostics.echoes import without_echoes
from journeylang.diagnostics.model import Diagnostic
from journeylang.source import Source
from journeylang.syntax.nodes import File
from journeylang.syntax.parse import parse

HERE = Path(__file__).parent
PRELUDE = "_binding.journey"
ZONES = frozenset({"Europe/Berlin", "Europe/Vienna", "UTC"})
CASES = sorted(path for path in HERE.glob("*.journey") if not path.name.startswith("_"))

_EXPECTED = re.compile(
    r'#\s*(error|warning):\s*(JRN\d{3})(?:\s+"([^"]*)")?(?:\s+help\s+"([^"]*)")?'
)


def expectations(text: str) -> list[tuple[int, str, str, str, str]]:
    """(line, severity, code, words, words of the help), in order."""
    return [
        (number, m[1], m[2], m[3] or "", m[4] or "")
        for number, line in enumerate(text.split("\n"), 1)
        for m in _EXPECTED.finditer(line)
    ]


def found_in(path: Path) -> tuple[list[Diagnostic], Source]:
    """What is found in the case, with the binding that all cases share beside it."""
    case = Source(path=path.name, text=path.read_text(encoding="utf-8"))
    sources = [case]
    if not case.text.startswith("# alone"):
        prelude = (HERE / PRELUDE).read_text(encoding="utf-8")
        sources.append(Source(path=PRELUDE, text=prelude))
    outcomes = [parse(source) for source in sources]
    trees: list[File] = [outcome.value for outcome in outcomes if outcome.value is not None]
    assert len(trees) == len(sources), "these are cases of what a readable file means"
    diagnostics = [d for outcome in outcomes for d in outcome.diagnostics]
    holes = {d.span.path for d in diagnostics if d.span and d.code in syntax.CODES}
    checked = check_files(trees, zones=ZONES, holes=holes)
    by_path = {source.path: source for source in sources}
    return without_echoes([*diagnostics, *checked.diagnostics], by_path), case


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_mistake_is_told_at_its_place(path: Path) -> None:
    diagnostics, case = found_in(path)
    missing = expectations(case.text)
    unexpected = []
    for diagnostic in diagnostics:
        line = 0
        if diagnostic.span is not None and diagnostic.span.path == case.path:
            line = case.position(diagnostic.span.start)[0]
        for expected in missing:
            number, severity, code, words, advice = expected
            says = words in diagnostic.message and advice in diagnostic.help
            kind = (line, str(diagnostic.severity), diagnostic.code.id)
            if kind == (number, severity, code) and says:
                missing.remove(expected)
                break
        else:
            unexpected.append((line, diagnostic.code.id, diagnostic.message))
    assert (missing, unexpected) == ([], [])


def test_the_shared_binding_is_right() -> None:
    prelude = Source(path=PRELUDE, text=(HERE / PRELUDE).read_text(encoding="utf-8"))
    outcome = parse(prelude)
    assert outcome.value is not None
    assert (outcome.diagnostics, check_files([outcome.value]).diagnostics) == ((), ())


def test_messages_begin_in_lower_case_and_address_nobody() -> None:
    for path in CASES:
        for diagnostic in found_in(path)[0]:
            words = f"{diagnostic.message} {diagnostic.label} {diagnostic.help}"
            assert not re.search(r"\b(?<!did )(you|your|we|our)\b", words, re.IGNORECASE), words
            assert not diagnostic.message.endswith("."), diagnostic.message
            assert not re.match(r"[A-Z][a-z]", diagnostic.message), diagnostic.message
