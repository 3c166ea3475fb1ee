"""Where the checks put what they find, and how they guess what was meant."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import field, replace

from journeylang.classes import dataclass
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.codes.experiments import SHARES_NOT_100
from journeylang.diagnostics.model import Code, Diagnostic, Edit, Fix, Label, in_order
from journeylang.diagnostics.suggest import closest
from journeylang.source import Span

_COMPARISONS = 20_000
"""Names compared in one check: ten thousand slips among ten thousand names stay seconds."""


_FIXED = frozenset({"function", "service", "setting", "table", "type"})
"""Kinds of name that no statement defines."""

_BY_ABSENCE = frozenset({names.MISSING_PART.id, SHARES_NOT_100.id})
"""Codes of what may be there after all, in a part of the file that could not be read."""


@dataclass(slots=True)
class Findings:
    """Grows while a check goes on; nothing else that the checks share does.

    ``holes`` are the files of which not everything is in a tree. What may be defined there is not
    called unknown anywhere, and nothing of them is called missing.
    """

    found: list[Diagnostic] = field(default_factory=list)
    holes: frozenset[str] = frozenset()
    _comparisons: int = _COMPARISONS
    _includes: list[Span] = field(default_factory=list)
    _told_within: set[tuple[str, Span | None]] = field(default_factory=set)

    @contextmanager
    def within(self, include: Span) -> Iterator[None]:
        """While a fragment is put in: what is found says where, and once for all its includes."""
        first = len(self.found)
        self._includes.append(include)
        try:
            yield
        finally:
            self._includes.pop()
            told = self.found[first:]
            del self.found[first:]
            for diagnostic in told:
                key = diagnostic.code.id, diagnostic.span
                if self._includes or key not in self._told_within:
                    self.found.append(_with_include(diagnostic, include))
                if not self._includes:
                    self._told_within.add(key)

    def error(
        self,
        code: Code,
        span: Span | None,
        message: str,
        *,
        label: str = "",
        help: str = "",  # noqa: A002 - the diagnostic's own word
        labels: tuple[Label, ...] = (),
        fix: Fix | None = None,
    ) -> None:
        """A finding with the severity of its code."""
        if span is not None and span.path in self.holes and code.id in _BY_ABSENCE:
            return
        self.found.append(
            Diagnostic(
                code=code,
                message=message,
                span=span,
                label=label,
                help=help,
                labels=labels,
                fix=fix,
            )
        )

    def unknown(
        self,
        kind: str,
        name: str,
        span: Span,
        candidates: Collection[str],
        *,
        label: str = "",
        help: str = "",  # noqa: A002 - the diagnostic's own word
    ) -> None:
        """Nothing of this kind is called so; ``help`` counts only where nothing is near."""
        if not name or (self.holes and kind not in _FIXED):
            return
        near = self._near(name, candidates)
        # The place may be that of more than the name, or of a word that stands for it.
        exact = span.end - span.start == len(name)
        self.error(
            names.UNKNOWN_NAME,
            span,
            f"unknown {kind} `{name}`",
            label=label or f"no {kind} of this name is defined",
            help=_did_you_mean(near) or help or self._all(kind, candidates),
            fix=Fix(title=f"write `{near}`", edits=(Edit(span, near),)) if near and exact else None,
        )

    @property
    def guesses(self) -> bool:
        """Whether it is still worth while to collect names that may have been meant."""
        return self._comparisons > 0

    def meant(self, name: str, candidates: Collection[str]) -> str:
        """``did you mean …?``, or nothing: no name is near, or too many were asked for."""
        return _did_you_mean(self._near(name, candidates))

    def _near(self, name: str, candidates: Collection[str]) -> str | None:
        if not self.guesses:
            return None
        self._comparisons -= len(candidates)
        return closest(name, candidates)

    def _all(self, kind: str, candidates: Collection[str]) -> str:
        if not candidates or len(candidates) > 8:
            return ""
        listed = ", ".join(f"`{name}`" for name in sorted(candidates))
        return f"there is {listed}" if len(candidates) == 1 else f"the {kind}s are {listed}"

    def in_order(self) -> tuple[Diagnostic, ...]:
        return in_order(self.found)


def _did_you_mean(near: str | None) -> str:
    return f"did you mean `{near}`?" if near else ""


_MOST_INCLUDES = 4
"""Of a chain of includes those that are shown: the innermost ones."""


def _with_include(diagnostic: Diagnostic, include: Span) -> Diagnostic:
    span = diagnostic.span
    here = span is not None and span.path == include.path
    if span is not None and here and include.start <= span.start < include.end:
        # The place is that of a value that is given there.
        return diagnostic
    if sum(label.message == _INCLUDED for label in diagnostic.labels) >= _MOST_INCLUDES:
        return diagnostic
    return replace(diagnostic, labels=(*diagnostic.labels, Label(include, _INCLUDED)))


_INCLUDED = "included here"
