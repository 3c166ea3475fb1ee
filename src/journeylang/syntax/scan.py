"""From a text to its tokens: one pass of one pattern, whatever the text.

Blanks and comments are skipped, yet nothing is lost: what lies between the end of a token and
the start of the next is they. Which names are keywords is not decided here, for that
depends on what the parser can use at that place.
"""

import re
from functools import cache

from journeylang.classes import dataclass
from journeylang.diagnostics import Diagnostic, Label
from journeylang.diagnostics.codes import syntax as codes
from journeylang.source import Source
from journeylang.syntax.grammar import tables

DEEPEST = 64
"""How many braces and brackets may be open at once."""

MOST_PROBLEMS = 50
"""Of single tokens, in one file; what comes after them is not told."""

END = "$END"
"""The kind of the token behind the last."""

# What opens, and what closes it.
# Texts in the quotation marks of other languages, and of word processors.
_OTHER_QUOTES = re.compile("'[^'\n]*'|[“”„«»][^\n“”„«»]*[“”«»]|[‘’‚][^\n‘’‚]*[‘’]")
BRACKETS = {"LBRACE": "RBRACE", "LPAR": "RPAR", "LSQB": "RSQB"}
_FIGURE = re.compile(r"[\w.:]+")
CLOSING = frozenset(BRACKETS.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Kinds, starts and ends side by side, the last of them ``END``.

    When the text nests ``too_deep`` the tokens are not all there.
    """

    kinds: list[str]
    starts: list[int]
    ends: list[int]
    too_deep: bool
    problems: tuple[Diagnostic, ...]

    def part(self, start: int, end: int) -> "Tokens":
        """The tokens from one to another, as if they were all."""
        return Tokens(
            kinds=[*self.kinds[start:end], END],
            starts=[*self.starts[start:end], self.ends[end - 1]],
            ends=[*self.ends[start:end], self.ends[end - 1]],
            too_deep=self.too_deep,
            problems=(),
        )


@cache
def _pattern() -> re.Pattern[str]:
    return re.compile(tables().pattern)


def scan(source: Source) -> Tokens:
    """The tokens of a source, and what is wrong with single ones.

    A text without its closing mark is a text to the end of its line. Behind a bracket that
    is too deep there are no more tokens.
    """
    kinds: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    problems: list[Diagnostic] = []
    opened: list[int] = []
    too_deep = False
    text = source.text
    at: int | None = 0
    while at is not None and not too_deep:
        again, at = at, None
        for match in _pattern().finditer(text, again):
            kind = match.lastgroup
            if kind is None:
                break
            start, end = match.span(kind)
            if kind in BRACKETS:
                opened.append(len(kinds))
                if len(opened) > DEEPEST:
                    problems.append(_too_deep(source, start, starts[opened[0]]))
                    too_deep = True
                    break
            elif kind in CLOSING:
                if opened and BRACKETS[kinds[opened[-1]]] == kind:
                    opened.pop()
            elif kind == "STRANGE":
                kind, start, end = _strange(source, start, kinds, starts, ends, problems)
                at = end
            kinds.append(kind)
            starts.append(start)
            ends.append(end)
            if at is not None:
                break
    kinds.append(END)
    starts.append(len(text))
    ends.append(len(text))
    return Tokens(
        kinds=kinds,
        starts=starts,
        ends=ends,
        too_deep=too_deep,
        problems=tuple(problems[:MOST_PROBLEMS] if not too_deep else problems[-1:]),
    )


def _strange(
    source: Source,
    start: int,
    kinds: list[str],
    starts: list[int],
    ends: list[int],
    problems: list[Diagnostic],
) -> tuple[str, int, int]:
    """What a character is that begins no token: its kind, its start and its end.

    A text without its end, one in other marks, a figure with letters in it, or nothing of these.
    """
    text = source.text
    if text[start] == '"':
        end = _line_end(text, start)
        problems.append(_unclosed_text(source, start, end))
        return "STRING", start, end
    if quoted := _OTHER_QUOTES.match(text, start):
        problems.append(_other_quotes(source, start, quoted.end()))
        return "STRING", start, quoted.end()
    if figure := _FIGURE.match(text, start) if text[start].isdigit() else None:
        return "STRANGE", start, figure.end()  # `10days` is one mistake and not five
    if text[start] == "`" and kinds and text[starts[-1] : ends[-1]] == "sql":
        start = starts[-1]
        for column in (kinds, starts, ends):
            column.pop()
        problems.append(_unclosed_sql(source, start))
        return "SQL", start, len(text)
    return "STRANGE", start, start + 1


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    end = len(text) if end < 0 else end
    return max(start + 1, start + len(text[start:end].rstrip()))


def _unclosed_text(source: Source, start: int, end: int) -> Diagnostic:
    return Diagnostic(
        code=codes.UNCLOSED_TEXT,
        message="a text without its closing quotation mark",
        span=source.span(start, end),
        label="opened here and not closed on this line",
        help='put a `"` at its end; a quotation mark within it is written `\\"`',
    )


def _other_quotes(source: Source, start: int, end: int) -> Diagnostic:
    return Diagnostic(
        code=codes.SYNTAX_ERROR,
        message="a text in other quotation marks",
        span=source.span(start, end),
        help=f'texts stand in straight double quotes: `"{source.text[start + 1 : end - 1]}"`',
    )


def _unclosed_sql(source: Source, start: int) -> Diagnostic:
    return Diagnostic(
        code=codes.UNCLOSED_TEXT,
        message="SQL without its closing backtick",
        span=source.span(start, start + 4),
        label="opened here and never closed",
        help="put a backtick at its end",
    )


def _too_deep(source: Source, start: int, first: int) -> Diagnostic:
    return Diagnostic(
        code=codes.TOO_DEEP,
        message=f"blocks and brackets are nested more than {DEEPEST} deep",
        span=source.span(start, start + 1),
        label=f"this is one of {DEEPEST + 1} that are open here",
        help="name parts of it as segments, metrics or fragments",
        labels=(Label(source.span(first, first + 1), "the outermost opens here"),),
    )
