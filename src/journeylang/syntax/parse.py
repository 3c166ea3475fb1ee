"""The parser: Lark's LALR(1) table, walked by a loop of our own.

Why not Lark's own loop: this one makes typed nodes while it goes, needs no recursion, keeps
character offsets only, and can go on behind an error. It knows nothing of the language; that
is in the grammar, in ``build`` (the nodes) and in ``explain`` (the messages).
"""

from collections.abc import Callable
from functools import cache
from typing import Literal, NamedTuple

from journeylang.diagnostics import Diagnostic, Outcome, in_order
from journeylang.diagnostics.codes import syntax as codes
from journeylang.source import Source, Span
from journeylang.syntax.build import ACTIONS, Builder
from journeylang.syntax.explain import unexpected
from journeylang.syntax.grammar import Reduction, tables
from journeylang.syntax.nodes import File
from journeylang.syntax.recover import Mend, holds_steps, levels, mend, read_again
from journeylang.syntax.scan import END, Tokens, scan

LARGEST = 1024 * 1024
"""Characters of the largest text that is parsed."""


def parse(source: Source) -> Outcome[File]:
    """The tree of a source, and everything that is wrong with its text.

    A tree that comes with errors has stand-ins: a value that cannot be (``2026-02-30``) is
    another one, a name that is missing is empty, and a statement that makes no sense is left
    out. There is no tree when there was no going on.
    """
    if len(source.text) > LARGEST:
        return Outcome(value=None, diagnostics=(too_large(source, len(source.text)),))
    tokens = scan(source)
    if tokens.too_deep:
        return Outcome(value=None, diagnostics=in_order(tokens.problems))
    run = Run(source, tokens)
    file = run.parse(tokens, "file")
    assert file is None or isinstance(file, File)
    problems = (*tokens.problems, *run.errors, *run.echoless())
    return Outcome(value=file, diagnostics=in_order(problems))


def too_large(source: Source, size: int) -> Diagnostic:
    """The diagnostic for a text of more characters than are parsed."""
    return Diagnostic(
        code=codes.FILE_TOO_LARGE,
        message=f"the text has {size:,} characters; {LARGEST:,} are the most",
        span=source.span(0, 0),
        help="split it: all *.journey files of a project are one whole",
    )


MOST_ERRORS = 50
"""Errors of one file after which it is given up: it is probably in another language."""

_NAMES = ("NAME", "LABEL")
"""Tokens that are nodes at once."""


class Step(NamedTuple):
    """A reduction made ready: what ``grammar.Reduction`` says, with the function at hand."""

    size: int
    symbol: str
    only: int
    """The part that is handed on as it is; -1 when there is no such part."""
    call: Callable[..., object] | None
    """None for a list of the picks."""
    picks: tuple[int, ...]
    plain: bool
    """The picks are all parts, as they are."""
    grows: bool
    """The first part is a list of this very kind, to which the others are added."""


@cache
def _steps() -> tuple[Step, ...]:
    return tuple(_ready(reduction) for reduction in tables().reductions)


def _ready(reduction: Reduction) -> Step:
    picks = reduction.picks
    return Step(
        size=reduction.size,
        symbol=reduction.symbol,
        only=-1 if reduction.only is None else reduction.only,
        call=ACTIONS[reduction.action] if reduction.action else None,
        picks=picks,
        plain=picks == tuple(range(0, 2 * reduction.size, 2)),
        grows=bool(picks) and picks[0] == 1 and reduction.symbol.startswith("__"),
    )


@cache
def _lone() -> frozenset[int]:
    """The reductions that hand their one part on as it is, in the numbers of the rows."""
    made = tables()
    return frozenset(
        ~number for number, r in enumerate(made.reductions) if (r.size, r.only) == (1, 0)
    )


_LEAPS: dict[tuple[int, int, str], int] = {}
"""Results of `_leap`, by what it is asked: bounded by the table."""


def _leap(under: int, state: int, kind: str) -> int:
    """The state behind all that is handed on from ``state``, which stands on ``under``.

    A name in brackets is a value, a factor, a sum, a comparison and so on, level by level: two
    thirds of all reductions, of which neither parts nor places change anything.
    """
    rows, reductions, lone = tables().states, tables().reductions, _lone()
    while (action := rows[state].get(kind)) is not None and action in lone:
        state = rows[under][reductions[~action].symbol]
    return state


class Run:
    """One walk through the tokens of a file."""

    def __init__(self, source: Source, tokens: Tokens) -> None:
        self.source = source
        self.builder = Builder(source)
        self.errors: list[Diagnostic] = []
        self.mended = 0
        self.opened = False
        self.read: set[int] = set()
        # Lines with an error; a second one on the same line is mostly the first one's echo.
        self.bad_lines = {source.position(p.span.start)[0] for p in tokens.problems if p.span}
        self.unclosed_lines = frozenset(self.bad_lines)

    def parse(self, tokens: Tokens, symbol: Literal["file", "block"]) -> object:
        """The value of the symbol; None when there is no going on behind an error."""
        rows, keywords, steps = tables().states, tables().keywords, _steps()
        kinds, firsts, lasts = tokens.kinds, tokens.starts, tokens.ends
        text, path, builder = self.source.text, self.source.path, self.builder
        new_span = tuple.__new__
        done = tables().ends[symbol]
        lone, leaps = _lone(), _LEAPS
        states = [tables().starts[symbol]]
        values: list[object] = []
        starts: list[int] = []
        put_in: dict[int, str] = {}
        at = end = 0
        while True:
            kind, row = kinds[at], rows[states[-1]]
            if kind == "NAME":
                keyword = keywords.get(text[firsts[at] : lasts[at]])
                if keyword in row:
                    kind = keyword
            action = row.get(kind)
            while action is not None and action < 0:
                if action in lone:
                    leap = states[-2], states[-1], kind
                    state = leaps.get(leap)
                    if state is None:
                        state = leaps[leap] = _leap(*leap)
                    states[-1] = state
                    action = rows[state].get(kind)
                    continue
                size, symbol_, only, call, picks, plain, grows = steps[~action]
                if size == 1:
                    parts, start = [values.pop()], starts.pop()
                    del states[-1]
                elif size:
                    parts = values[-size:]
                    start = starts[-size]
                    del values[-size:], states[-size:], starts[-size:]
                else:
                    parts, start = [], firsts[at]
                if only >= 0:
                    value = parts[only]
                else:
                    if not plain:
                        parts = _picked(parts, picks, grows)
                    if call is None:
                        value = parts
                    else:
                        value = call(builder, new_span(Span, (path, start, end)), *parts)
                row = rows[states[-1]]
                state = row[symbol_]
                states.append(state)
                values.append(value)
                starts.append(start)
                if state == done and kind == END:
                    return value
                action = rows[state].get(kind)
            if action is None:
                mending = self._mending(tokens, at, states, starts)
                if mending is None:
                    return None
                del states[mending.keep :], values[mending.keep - 1 :], starts[mending.keep - 1 :]
                if mending.at < at:
                    at = mending.at
                else:
                    put_in = _put_in(tokens, at, end, mending, put_in)
                continue
            states.append(action)
            start, end = firsts[at], lasts[at]
            word = put_in[at] if at in put_in else text[start:end]
            if kind in _NAMES:
                values.append(builder.name(new_span(Span, (path, start, end)), word))
            else:
                values.append(word)
            starts.append(start)
            at += 1

    def echoless(self) -> list[Diagnostic]:
        """The builder's problems, but for lines that were mended: there a part may be put in.

        A statement that was read twice has told its problems twice; they are here once.
        """
        return [
            problem
            for problem in dict.fromkeys(self.builder.problems)
            if problem.span and self.source.position(problem.span.start)[0] not in self.bad_lines
        ]

    def _mending(
        self, tokens: Tokens, at: int, states: list[int], starts: list[int]
    ) -> Mend | None:
        """Report the unexpected token, and find out how to go on."""
        source, kind = self.source, tokens.kinds[at]
        again = read_again(source, tokens, at, states, starts, self.read)
        if again:
            return again
        found = unexpected(source, tokens, at, states)
        line = source.position(found.span.start)[0] if found.span else 0
        line_before = source.position(tokens.ends[at - 1])[0] if at else 0
        # A text without its end has swallowed what would have completed its statement.
        swallowed = line_before in self.unclosed_lines and levels(states)[-1] < len(states)
        # A brace that a repair put in may be open at the end; nobody forgot to close it.
        put_in = self.opened and kind == END and found.code is codes.SYNTAX_ERROR
        if line not in self.bad_lines and not swallowed and not put_in:
            self.errors.append(found)
            self.bad_lines.add(line)
        self.mended += 1
        if self.mended > MOST_ERRORS:
            return None
        mending = mend(source, tokens, at, states)
        self.opened |= mending is not None and "LBRACE" in (kind for kind, _ in mending.put_in)
        for block in mending.skipped if mending else ():
            if holds_steps(source, tokens, block):
                self.parse(tokens.part(*block), "block")
        return mending


def _put_in(
    tokens: Tokens, at: int, end: int, mending: Mend, before: dict[int, str]
) -> dict[int, str]:
    """Change the tokens as the mending says; the texts of all that are put in, by their index."""
    place = (tokens.starts[at], tokens.ends[at]) if mending.at > at else (end, end)
    count = len(mending.put_in)
    tokens.kinds[at : mending.at] = [kind for kind, _ in mending.put_in]
    tokens.starts[at : mending.at] = [place[0]] * min(count, 1) + [place[1]] * (count - 1)
    tokens.ends[at : mending.at] = [place[1]] * count
    further = count - (mending.at - at)
    kept = {
        index if index < at else index + further: word
        for index, word in before.items()
        if not at <= index < mending.at
    }
    return kept | {at + index: word for index, (_, word) in enumerate(mending.put_in)}


def _picked(parts: list[object], picks: tuple[int, ...], grows: bool) -> list[object]:
    """The parts that a rule's function is given; see ``grammar.Pick``."""
    if grows:
        picked = parts[0]
        picks = picks[1:]
        assert isinstance(picked, list)
    else:
        picked = []
    for pick in picks:
        if pick < 0:
            picked.append(None)
        elif pick & 1:
            picked.extend(parts[pick >> 1])  # type: ignore[arg-type]  # a list, by the pick
        else:
            picked.append(parts[pick >> 1])
    return picked
