"""Which findings are told, and how severe they are: codes by their beginning.

``JRN2`` are all codes of the second family, ``JRN302`` or ``uncapped-send`` is one. What makes a
project mean nothing (its syntax, names, types, files) is told whatever is selected.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from journeylang.classes import dataclass
from journeylang.diagnostics.codes import ALL_CODES
from journeylang.diagnostics.codes.syntax import NOT_SUPPORTED_YET
from journeylang.diagnostics.model import Code, Diagnostic, Severity
from journeylang.diagnostics.suggest import did_you_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Beginnings of codes, as :func:`prefixes` makes them. Nothing selected is everything.

    Of a code that is selected and ignored the longer beginning decides; of two equally long ones
    the ignoring one. ``severities`` are pairs of a beginning and what its codes weigh.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severities: tuple[tuple[str, Severity], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A word that names no codes, or such as cannot be left out; ``help`` may be empty."""

    message: str
    help: str = ""


def prefixes(words: Iterable[str], *, leaving_out: bool = False) -> tuple[str, ...] | Refused:
    """``302``, ``jrn3`` and ``uncapped-send`` as beginnings of codes; or the first slip.

    ``leaving_out``: some of the codes have to be such as can be left out.
    """
    found: list[str] = []
    for word in words:
        text = word.strip()
        named = next((code.id for code in ALL_CODES if code.name == text.lower()), None)
        prefix = named or f"JRN{text.upper().removeprefix('JRN')}"
        meant = [code for code in ALL_CODES if code.id.startswith(prefix)]
        if not meant or not text:
            return Refused(message=f"no code begins with `{text}`", help=_near(text, leaving_out))
        if leaving_out and not any(is_optional(code) for code in meant):
            return Refused(
                message=f"`{text}` cannot be left out",
                help="without it the project has no meaning; what can be left out are warnings,"
                " and errors of the rules",
            )
        found.append(prefix)
    return tuple(found)


def _near(text: str, leaving_out: bool) -> str:
    codes = [code for code in ALL_CODES if not leaving_out or is_optional(code)]
    known = [key for code in codes for key in (code.id, code.name, code.id[:4])]
    shaped = text.lower() if "-" in text else f"JRN{text.upper().removeprefix('JRN')}"
    return did_you_mean(shaped, known) or "`journey rule` lists all of them"


ERRORS_OF_RULES = frozenset({"JRN107", "JRN205", "JRN304", "JRN307", "JRN402", "JRN603"})
"""Codes that only rules tell, and as errors. They stand here, so that nobody who only chooses
among findings has to import the rules; a test compares."""


def is_optional(code: Code) -> bool:
    """Whether findings of the code may be left out, if they are warnings or a rule's."""
    # What is not supported yet is mostly an error, and a warning where nothing depends on it.
    return (
        code.severity is Severity.WARNING or code is NOT_SUPPORTED_YET or code.id in ERRORS_OF_RULES
    )


def may_be_left_out(diagnostic: Diagnostic) -> bool:
    """Whether somebody who has looked at the finding may say that it is fine."""
    return diagnostic.severity is Severity.WARNING or diagnostic.code.id in ERRORS_OF_RULES


def selected(diagnostics: Sequence[Diagnostic], selection: Selection) -> tuple[Diagnostic, ...]:
    """The findings that are to be told, each as severe as is wished."""
    wanted = {c: _is_selected(c, selection) for c in {d.code.id for d in diagnostics}}
    return tuple(
        _weighed(diagnostic, selection) if may_be_left_out(diagnostic) else diagnostic
        for diagnostic in diagnostics
        if wanted[diagnostic.code.id] or not may_be_left_out(diagnostic)
    )


def _is_selected(code: str, selection: Selection) -> bool:
    wanted = _longest(code, selection.select)
    unwanted = _longest(code, selection.ignore)
    if not unwanted:
        return wanted > 0 or not selection.select
    return wanted > unwanted


def _longest(code: str, beginnings: Iterable[str]) -> int:
    return max((len(prefix) for prefix in beginnings if code.startswith(prefix)), default=0)


def _weighed(diagnostic: Diagnostic, selection: Selection) -> Diagnostic:
    if not selection.severities:
        return diagnostic
    weights = {
        len(prefix): severity
        for prefix, severity in selection.severities
        if diagnostic.code.id.startswith(prefix)
    }
    return replace(diagnostic, severity=weights[max(weights)]) if weights else diagnostic
