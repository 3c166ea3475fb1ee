"""``# journey: ignore[JRN302] one message only``: somebody has looked, and says why it is fine.

It counts for findings that begin on its line or, where it stands alone, on the next line that is
no comment. A template has it in its own kind of comment, ``{# journey: ignore[JRN105] … #}``.
Without a reason it hides nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from journeylang.classes import dataclass
from journeylang.diagnostics.codes import find_code
from journeylang.diagnostics.codes.unused import BAD_SUPPRESSION, UNUSED_SUPPRESSION
from journeylang.diagnostics.model import Diagnostic, Edit, Fix, in_order
from journeylang.diagnostics.selection import is_optional, may_be_left_out
from journeylang.diagnostics.suggest import did_you_mean
from journeylang.source import Source, Span
from journeylang.syntax.scan import scan

_WORDS = re.compile(r"journey:\s*ignore\b")
_COMMENT = re.compile(r"#[^\r\n]*")
_IN_TEMPLATE = re.compile(r"\{#.*?#\}", re.DOTALL)
_WRITTEN = re.compile(r"#-?\s*journey:\s*ignore\b[ \t]*(?:\[([^\]\n]*)\])?[ \t]*([^\n]*)")
_CODE = re.compile(r"[^,\s]+")
_MOST_GUESSES = 200
"""Wrong suppressions for which it is guessed which code is meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """One comment. ``line`` is the line for which it counts, from 1; 0 for none.

    ``codes`` are the words in its brackets with their places, None without brackets.
    """

    comment: Span
    codes: tuple[tuple[str, Span], ...] | None
    reason: str
    line: int


def suppressions(source: Source) -> tuple[Suppression, ...]:
    """All of a file, in order; of a text without the words nothing more is looked at."""
    if _WORDS.search(source.text) is None:
        return ()
    comments = _comments if source.path.endswith(".journey") else _template_comments
    following: dict[int, int] = {}
    found = [
        _read(source, comment, written, following)
        # From the last one on, so that of many comments in a row each looks one line ahead.
        for comment in reversed(list(comments(source)))
        if (written := _WRITTEN.search(source.text, comment.start, comment.end))
    ]
    return tuple(reversed(found))


def _comments(source: Source) -> Iterator[Span]:
    """What lies between tokens and begins with ``#``."""
    tokens = scan(source)
    for before, after in zip([0, *tokens.ends[:-1]], tokens.starts, strict=True):
        for found in _COMMENT.finditer(source.text, before, after):
            yield source.span(found.start(), found.end())


def _template_comments(source: Source) -> Iterator[Span]:
    for found in _IN_TEMPLATE.finditer(source.text):
        yield source.span(found.start(), found.end())


def _read(
    source: Source, comment: Span, written: re.Match[str], following: dict[int, int]
) -> Suppression:
    codes = None
    if written[1] is not None:
        codes = tuple(
            (found[0], source.span(found.start(), found.end()))
            for found in _CODE.finditer(source.text, written.start(1), written.end(1))
        )
    return Suppression(
        comment=source.span(written.start(), comment.end),
        codes=codes,
        reason=written[2].removesuffix("#}").strip(" \t\r-"),
        line=_line(source, comment, following),
    )


def _line(source: Source, comment: Span, following: dict[int, int]) -> int:
    """The line for which a comment counts; ``following`` has what was found for later lines."""
    first = source.position(comment.start)[0]
    last = source.position(comment.end)[0]
    text = source.text
    before = text[source.line_starts[first - 1] : comment.start]
    after = text[comment.end : source.offset(last, 1) + len(source.line(last))]
    if before.strip() or after.strip():
        return first
    found = 0
    for line in range(last + 1, source.line_count + 1):
        if line in following:
            found = following[line]
            break
        written = source.line(line).strip()
        if not written.startswith(("#", "{#")):
            found = line if written else 0
            break
    following[last + 1] = found
    return found


def suppress(
    diagnostics: Sequence[Diagnostic], sources: Mapping[str, Source], *, whole: bool
) -> tuple[Diagnostic, ...]:
    """The findings that are left, and what is wrong with the suppressions themselves.

    Without ``whole`` the rules were not asked, so that no suppression is called unused.
    """
    written = {path: found for path, s in sources.items() if (found := suppressions(s))}
    if not written:
        return tuple(diagnostics)
    left: list[Diagnostic] = []
    used: set[Span] = set()
    at_work = {
        (path, suppression.line, code.id): place
        for path, found in written.items()
        for suppression in found
        if suppression.reason
        for word, place in suppression.codes or ()
        if (code := find_code(word)) is not None
    }
    for diagnostic in diagnostics:
        place = _suppressed(diagnostic, at_work, sources)
        if place is None or not may_be_left_out(diagnostic):
            left.append(diagnostic)
        if place is not None:
            # Of an error that cannot be hidden it is told elsewhere, and not as unused.
            used.add(place)
    wrong = 0
    for path, found in written.items():
        for suppression in found:
            problems = list(_wrong(suppression, guess=wrong < _MOST_GUESSES))
            wrong += len(problems)
            left += problems
            if whole and not problems:
                left += _unused(suppression, used, sources[path])
    return in_order(left)


def _suppressed(
    diagnostic: Diagnostic,
    at_work: Mapping[tuple[str, int, str], Span],
    sources: Mapping[str, Source],
) -> Span | None:
    span = diagnostic.span
    if span is None or span.path not in sources:
        return None
    line = sources[span.path].position(span.start)[0]
    return at_work.get((span.path, line, diagnostic.code.id))


def _wrong(suppression: Suppression, *, guess: bool) -> Iterable[Diagnostic]:
    """What keeps a suppression from being one."""
    if not suppression.codes:
        yield _bad(
            suppression.comment,
            "a suppression names no code",
            "write `# journey: ignore[JRN302] the reason`",
        )
        return
    for word, place in suppression.codes:
        code = find_code(word)
        if code is None:
            near = did_you_mean(word.upper(), _optional_codes()) if guess else ""
            yield _bad(place, f"no code `{word}`", near or "`journey rule` lists all of them")
        elif not is_optional(code):
            yield _bad(
                place,
                f"{code.id} cannot be suppressed",
                "without it the project has no meaning: correct what it tells, and leave this out",
            )
    if not suppression.reason:
        yield _bad(
            suppression.comment,
            "a suppression without a reason hides nothing",
            "say behind the bracket why it is fine: the next reader cannot know",
        )


def _optional_codes() -> list[str]:
    from journeylang.diagnostics.codes import ALL_CODES

    return [code.id for code in ALL_CODES if is_optional(code)]


def _bad(span: Span, message: str, advice: str) -> Diagnostic:
    return Diagnostic(code=BAD_SUPPRESSION, message=message, span=span, help=advice)


def _unused(suppression: Suppression, used: set[Span], source: Source) -> Iterator[Diagnostic]:
    codes = suppression.codes or ()
    idle = [(word, place) for word, place in codes if place not in used]
    for word, place in idle:
        code = find_code(word)
        assert code is not None, "unknown codes were told before"
        whole = len(idle) == len(codes)
        kept = ", ".join(word for word, place in codes if (word, place) not in idle)
        within = Span(source.path, codes[0][1].start, codes[-1][1].end)
        yield Diagnostic(
            code=UNUSED_SUPPRESSION,
            message=f"nothing of {code.id} is found here",
            span=place,
            label="this hides nothing",
            help="leave it out, for it would hide the next such finding",
            fix=Fix(
                title="leave the suppression out",
                edits=(_removal(source, suppression.comment) if whole else Edit(within, kept),),
                safe=True,
            ),
        )


def _removal(source: Source, comment: Span) -> Edit:
    """Take the comment out, with its line if nothing else stands there."""
    text = source.text
    first, last = source.position(comment.start)[0], source.position(comment.end)[0]
    start, end = comment.start, comment.end
    if not source.path.endswith(".journey"):
        start = text.rfind("{", 0, start)
    if not text[source.line_starts[first - 1] : start].strip():
        stop = source.offset(last, 1) + len(source.line(last))
        if not text[end:stop].strip():
            after = source.line_starts[last] if last < source.line_count else len(text)
            return Edit(source.span(source.line_starts[first - 1], after), "")
    while start and text[start - 1] in " \t":
        start -= 1
    return Edit(source.span(start, end), "")
