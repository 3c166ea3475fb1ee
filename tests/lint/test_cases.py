"""Files with findings of the rules: each is expected on its own line, and no other is there.

A case begins with ``# rules: JRN302``: the rules that are asked. A line expects by
``# warning: JRN302 "words of the message"`` or ``# error: …`` at its end. Files whose names say
that all is well expect nothing: they look guilty and are not.
"""

import re
from pathlib import Path

import pytest

from journeylang.diagnostics.codes import find_code
from journeylang.diagnostics.model import Diagnostic, Severity
from journeylang.diagnostics.selection import ERRORS_OF_RULES
from journeylang.lint import RULES, lint
from tests.errors.test_errors import expectations
from tests.lint.linted import HERE, checked, rule

CASES = sorted((HERE / "cases").glob("*.journey"))
_RULES = re.compile(r"# rules: ([\w, ]+)")


def findings(path: Path) -> tuple[tuple[Diagnostic, ...], str]:
    """What the case's rules find, and its text."""
    text = path.read_text(encoding="utf-8")
    asked = _RULES.match(text)
    assert asked is not None, f"{path.name} does not say which rules are asked"
    codes = [code.strip() for code in asked[1].split(",")]
    return lint(checked(text), [rule(code) for code in codes]), text


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_finding_is_told_at_its_place(path: Path) -> None:
    diagnostics, text = findings(path)
    missing = expectations(text)
    unexpected = []
    for diagnostic in diagnostics:
        assert diagnostic.span is not None
        line = text.count("\n", 0, diagnostic.span.start) + 1
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


def test_messages_begin_in_lower_case_and_address_nobody() -> None:
    for path in CASES:
        for diagnostic in findings(path)[0]:
            words = f"{diagnostic.message} {diagnostic.label} {diagnostic.help}"
            assert not re.search(r"\b(?<!did )(you|your|we|our)\b", words, re.IGNORECASE), words
            assert not diagnostic.message.endswith("."), diagnostic.message
            assert not re.match(r"[A-Z][a-z]", diagnostic.message), diagnostic.message


def test_the_errors_of_rules_are_known_without_the_rules() -> None:
    told = {rule.code.id for rule in RULES if rule.code.severity is Severity.ERROR}
    assert told <= ERRORS_OF_RULES


def test_rules_ascend_and_stand_alone() -> None:
    ids = [rule.code.id for rule in RULES]
    assert ids == sorted(set(ids))
    assert all(find_code(rule.code.id) is rule.code for rule in RULES)
    assert len({rule.find.__module__ for rule in RULES}) == len(RULES)
