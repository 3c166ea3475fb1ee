"""Lines in braces that may stand once, or must."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from journeylang.analysis.findings import Findings
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.model import Label
from journeylang.source import Span


class HasSpan(Protocol):
    @property
    def span(self) -> Span: ...


N = TypeVar("N", bound=HasSpan)


def only(items: Iterable[HasSpan], kind: type[N], word: str, findings: Findings) -> N | None:
    """The one line of this kind; further ones are reported, and the first counts."""
    first: N | None = None
    for item in items:
        if not isinstance(item, kind):
            continue
        if first is None:
            first = item
            continue
        findings.error(
            names.REPEATED_PART,
            item.span,
            f"`{word}` stands twice",
            labels=(Label(first.span, "it stands here already"),),
            help="remove one of the two",
        )
    return first


def missing(what: str, part: str, span: Span, findings: Findings, *, example: str) -> None:
    """Report that a definition lacks what it must have."""
    findings.error(
        names.MISSING_PART,
        span,
        f"{what} has no {part}",
        help=f"add `{example}`",
    )
