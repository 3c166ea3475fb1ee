"""Leaving out what only follows from another finding."""

from collections.abc import Iterable, Mapping

from journeylang.diagnostics.codes import syntax
from journeylang.diagnostics.model import Diagnostic
from journeylang.source import Source


def without_echoes(
    diagnostics: Iterable[Diagnostic], sources: Mapping[str, Source]
) -> list[Diagnostic]:
    """All but those of a line that could not be read: what stands there now was put in.

    The parser repairs a line to go on behind its error. What the checks find wrong with the
    repair says nothing about the text.
    """
    found = list(diagnostics)
    unread = {_line(d, sources) for d in found if d.code in _UNREAD} - {None}
    if not unread:
        return found
    return [d for d in found if d.code in _OF_THE_TEXT or _line(d, sources) not in unread]


_UNREAD = (syntax.SYNTAX_ERROR, syntax.UNCLOSED_TEXT)
_OF_THE_TEXT = tuple(code for code in syntax.CODES if code is not syntax.NOT_SUPPORTED_YET)


def _line(diagnostic: Diagnostic, sources: Mapping[str, Source]) -> tuple[str, int] | None:
    span = diagnostic.span
    if span is None or span.path not in sources:
        return None
    return span.path, sources[span.path].position(span.start)[0]
