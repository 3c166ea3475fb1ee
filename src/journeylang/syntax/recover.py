"""Going on behind a syntax error, so that one run shows all of a file's errors.

First a repair of the tokens around the error is looked for: a misspelled word, a missing sign,
tokens too many. One is taken when the parser then comes through the rest of the line, best
when the next line begins a statement. Otherwise it is panic mode: the statement is given up,
and parsing goes on at the next word or label that begins a line and can begin a statement of
the innermost block, at the brace that ends this block, or at a declaration on the left margin.

A repair keeps the tree whole for those who look at it, and nobody runs a tree with errors.
"""

from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple

from journeylang.source import Source
from journeylang.syntax.automaton import acceptable, feed, resolved
from journeylang.syntax.explain import (
    LEADING,
    MISSPELT,
    STEPS,
    begins_declaration,
    first_on_line,
    is_complete,
    meant,
)
from journeylang.syntax.grammar import tables
from journeylang.syntax.scan import END, Tokens

FAR_ENOUGH = 12
"""Tokens after which a repair is believed even if the line is longer."""

_SIGNS = ("RPAR", "COMMA", "COLON", "RSQB", "EQUALS", "LPAR", "ARROW")
_CLOSING = ("RPAR", "RSQB", "RBRACE")

_JOINTS = frozenset({"and", "or", "is", "in", "between", "contains", "where", "within", "since"})
"""Words that stand between others; nobody calls anything by them."""

PutIn = tuple[tuple[str, str], ...]
"""Tokens that are not in the text: kind and text of each."""

_NAMELESS: PutIn = (("NAME", ""),)


class Mend(NamedTuple):
    """What the parser is to do: keep so many states, take in these tokens, go on there."""

    keep: int
    put_in: PutIn
    at: int
    skipped: tuple[tuple[int, int], ...] = ()
    """Blocks that are left out, and in which there may be more errors: first token, end."""


def mend(source: Source, tokens: Tokens, at: int, states: list[int]) -> Mend | None:
    """How to go on behind the unexpected token ``at``; None when there is no way."""
    return _repair(source, tokens, at, states) or _panic(source, tokens, at, states)


def levels(states: list[int]) -> list[int]:
    """How many states to keep to stand between two statements: of the file, of each open block."""
    made = tables()
    actions = set(made.states[states[-1]].values())
    # Behind a `}` the block is complete, though only the next token makes it one: it is not open.
    action = actions.pop() if len(actions) == 1 else 0
    there = len(states) - (made.reductions[~action].size if action < 0 else 0)
    return [count for count, state in enumerate(states[:there], 1) if _is_level(state)]


def _is_level(state: int) -> bool:
    """Here a `}` or a declaration can come at once, with nothing to be completed before it."""
    row = tables().states[state]
    return row.get("RBRACE", -1) >= 0 or row.get("JOURNEY", -1) >= 0


# ---- repairs


def _repair(source: Source, tokens: Tokens, at: int, states: list[int]) -> Mend | None:
    line_end = _line_end(source, tokens, at)
    best, believed = None, 0
    word = _misspelt(source, tokens, at, acceptable(states))
    if word:
        keyword = tables().keywords[word]
        moved = states.copy()
        if feed(moved, keyword) and _comes_through(source, tokens, at + 1, moved, at + 3):
            return Mend(len(states), ((keyword, word),), at + 1)
    if _is_label(source, tokens, at) and "LABEL" in acceptable(states):
        text = source.text[tokens.starts[at] : tokens.ends[at]]
        return Mend(len(states), (("LABEL", text), ("COLON", ":")), at + 1)
    for put_in, next_at in _candidates(source, tokens, at, states, line_end):
        if not _may_go(tokens, at, next_at):
            continue
        moved = states.copy()
        if not all(feed(moved, kind) for kind, _ in put_in):
            continue
        belief = _belief(source, tokens, next_at, moved, max(line_end, next_at))
        if belief > believed:
            best, believed = Mend(len(states), put_in, next_at), belief
        if belief == 3:
            break
    return best


def _candidates(
    source: Source, tokens: Tokens, at: int, states: list[int], line_end: int
) -> Iterator[tuple[PutIn, int]]:
    """Tokens to put in for those from ``at`` to the one given, the likeliest first."""
    possible = acceptable(states)
    ends = is_complete(possible)
    spelling = tables().spelling
    words = [
        kind
        for kind in sorted(possible)
        if kind in spelling and spelling[kind].isalpha() and not (kind in LEADING and ends)
    ]
    missing = [kind for kind in (*_SIGNS, *_missing_brace(tokens), *words) if kind in possible]
    kind, text = tokens.kinds[at], source.text[tokens.starts[at] : tokens.ends[at]]
    if kind == END or begins_declaration(source, tokens, at):
        yield tuple((closing, spelling[closing]) for closing in _closing(states)), at
    # Where the line before could end as it does, it is this token that is wrong.
    if kind != END and not (first_on_line(source, tokens, at) and not is_complete(possible)):
        if kind == "NAME" and "LABEL" in possible:
            yield (("LABEL", text), ("COLON", ":")), at + 1
            if tokens.kinds[at + 1] == "EQUALS":
                yield (("LABEL", text), ("COLON", ":")), at + 2
        if kind == "NAME" and "ON" in possible and "NAME" not in possible:
            yield (("ON", "on"),), at
        if "STRING" in possible and "NAME" not in possible:
            for beyond in _cuts(at + 1, line_end):
                yield (("STRING", '""'),), beyond
        if "NAME" in possible:
            yield _NAMELESS, at + 1
        yield (), at + 1
        yield from ((((sign, spelling[sign]),), at + 1) for sign in missing)
    if "NAME" in possible:
        yield _NAMELESS, at
    yield from ((((sign, spelling[sign]),), at) for sign in missing)
    if not first_on_line(source, tokens, at) or is_complete(possible):
        for beyond in _cuts(at + 2, line_end):
            if "NAME" in possible:
                yield _NAMELESS, beyond
            yield (), beyond


def _cuts(first: int, line_end: int) -> Iterator[int]:
    """Where to go on behind tokens that are left out: soon, or at the end of the line."""
    yield from range(first, min(line_end, first + FAR_ENOUGH))
    if line_end >= first:
        yield line_end


def _surplus(tokens: Tokens) -> int:
    return tokens.kinds.count("LBRACE") - tokens.kinds.count("RBRACE")


def _missing_brace(tokens: Tokens) -> tuple[str, ...]:
    """The brace of which the text has too few; one put in beside it would be one too many."""
    surplus = _surplus(tokens)
    return ("RBRACE",) if surplus > 0 else ("LBRACE",) if surplus < 0 else ()


def _may_go(tokens: Tokens, at: int, end: int) -> bool:
    """Whether tokens can be left out without leaving a brace alone that had a partner."""
    gone = tokens.kinds[at:end]
    if gone in (["LBRACE"], ["RBRACE"]):
        return (_surplus(tokens) > 0) if gone == ["LBRACE"] else (_surplus(tokens) < 0)
    depth = 0
    for kind in gone:
        depth += (kind == "LBRACE") - (kind == "RBRACE")
        if depth < 0:
            return False
    return depth == 0


def _closing(states: list[int]) -> list[str]:
    """The brackets that close everything that is open, the innermost first; may be empty."""
    moved = states.copy()
    closing: list[str] = []
    while True:
        for kind in _CLOSING:
            tried = moved.copy()
            if feed(tried, kind):
                moved = tried
                closing.append(kind)
                break
        else:
            return closing


def _belief(source: Source, tokens: Tokens, at: int, moved: list[int], line_end: int) -> int:
    """How much a repair is to be believed, 0 to 3, by how the parser goes on from token ``at``.

    0 is not to the end of the line. There it is best that the next line begins a statement, or
    goes on with this one if it is set in further; next that a statement could begin there;
    and worst that a word that begins the next line is taken into this statement.
    """
    if not _comes_through(source, tokens, at, moved, min(at + FAR_ENOUGH, line_end)):
        return 0
    if at + FAR_ENOUGH < line_end:
        return 3
    complete = is_complete(acceptable(moved))
    word = source.text[tokens.starts[line_end] : tokens.ends[line_end]]
    kind = resolved(tokens.kinds[line_end], word, moved[-1])
    goes_on = feed(moved, kind)
    if tokens.kinds[line_end] == END:
        return 3 if goes_on else 2 * complete
    is_deeper = _margin(source, tokens, line_end) > _margin(source, tokens, max(line_end - 1, 0))
    if goes_on:
        if begins_declaration(source, tokens, line_end) and not _is_level(moved[-2]):
            return 0
        taken_for_name = kind == "NAME" and word in tables().keywords
        return 3 if _is_level(moved[-2]) or (is_deeper and not taken_for_name) else 1
    return 2 if complete and not is_deeper else 0


def _comes_through(source: Source, tokens: Tokens, at: int, moved: list[int], end: int) -> bool:
    """Whether the tokens up to ``end`` can follow; the stack of states is moved on."""
    for index in range(at, min(end, len(tokens.kinds))):
        word = source.text[tokens.starts[index] : tokens.ends[index]]
        if not feed(moved, resolved(tokens.kinds[index], word, moved[-1])):
            return False
    return True


def _is_label(source: Source, tokens: Tokens, at: int) -> bool:
    """A name before a word that begins a step: only its colon is missing."""
    if tokens.kinds[at] != "NAME":
        return False
    following = source.text[tokens.starts[at + 1] : tokens.ends[at + 1]]
    return tables().keywords.get(following) in STEPS


def _misspelt(source: Source, tokens: Tokens, at: int, possible: list[str]) -> str | None:
    if tokens.kinds[at] not in ("NAME", "LABEL", MISSPELT):
        return None
    if first_on_line(source, tokens, at) and not is_complete(possible):
        return None
    return meant(source.text[tokens.starts[at] : tokens.ends[at]], possible)


# ---- panic mode


def _panic(source: Source, tokens: Tokens, at: int, states: list[int]) -> Mend | None:
    level = levels(states)[-1]
    state = states[level - 1]
    margin = _margin(source, tokens, max(at - 1, 0))
    if (
        len(states) > level
        and first_on_line(source, tokens, at)
        and _margin(source, tokens, at) <= margin
    ):
        # The line before is what cannot be completed. This one gets a chance of its own.
        return Mend(level, (), at)
    margin = _margin(source, tokens, at)
    skipped: list[tuple[int, int]] = []
    opened: list[int] = []
    for index in range(at, len(tokens.kinds)):
        kind = tokens.kinds[index]
        word = source.text[tokens.starts[index] : tokens.ends[index]]
        is_first = index > at and first_on_line(source, tokens, index)
        if kind == END or (is_first and begins_declaration(source, tokens, index)):
            return _close_all(states, index, tables().keywords.get(word, END))
        if kind == "LBRACE":
            opened.append(index)
        elif kind == "RBRACE" and opened:
            first = opened.pop()
            if not opened:
                skipped.append((first, index + 1))
        elif not opened and (is_first or kind == "RBRACE"):
            begins = tables().states[state].get(resolved(kind, word, state), -1) >= 0
            # What cannot begin a statement may be meant to, unless it is set in further.
            if begins or (is_first and _margin(source, tokens, index) <= margin):
                return Mend(level, (), index, tuple(skipped))
    return None


def _close_all(states: list[int], at: int, kind: str) -> Mend | None:
    """Give up as little as possible of what is open, and close the rest."""
    spelling = tables().spelling
    for keep in reversed(levels(states)):
        moved = states[:keep]
        closing = _closing(moved)
        if all(feed(moved, brace) for brace in closing) and feed(moved, kind):
            return Mend(keep, tuple((brace, spelling[brace]) for brace in closing), at)
    return None


def holds_steps(source: Source, tokens: Tokens, block: tuple[int, int]) -> bool:
    """Whether the braces look like a block of steps: one at least begins as steps do."""
    depth = 0
    for index in range(*block):
        kind = tokens.kinds[index]
        depth += (kind == "LBRACE") - (kind == "RBRACE")
        if depth == 1 and (kind == "COLON" or first_on_line(source, tokens, index + 1)):
            word = source.text[tokens.starts[index + 1] : tokens.ends[index + 1]]
            if tables().keywords.get(word) in STEPS:
                return True
    return False


def _line_end(source: Source, tokens: Tokens, at: int) -> int:
    """The first token that is not on the line of this one any more."""
    for index in range(at + 1, len(tokens.kinds)):
        if first_on_line(source, tokens, index) or tokens.kinds[index] == END:
            return index
    return at


def _margin(source: Source, tokens: Tokens, at: int) -> int:
    """How far the line of the token is set in."""
    line = source.text[source.text.rfind("\n", 0, tokens.starts[at]) + 1 :][:1000]
    return len(line) - len(line.lstrip())


def read_again(
    source: Source,
    tokens: Tokens,
    at: int,
    states: list[int],
    starts: list[int],
    done: set[int],
) -> Mend | None:
    """A word before ``at`` that was taken for a name and is the true mistake, if there is one.

    The kind of its token is then changed, so that the error is met there when the statement is
    read again. ``done`` are the offsets of those that were: once is enough for each.
    """
    level = levels(states)[-1]
    if level > len(starts):
        return None
    begin = bisect_left(tokens.starts, starts[level - 1])
    found = _keyword_as_name(source, tokens, at, begin, states[level - 1])
    if found is None:
        found = _joint_as_name(source, tokens, at, begin)
    if found is None:
        found = _misspelt_before(source, tokens, at, begin, states[:level])
    if found is None:
        return None
    place, kind = found
    if tokens.starts[place] in done:
        return None
    done.add(tokens.starts[place])
    tokens.kinds[place] = kind
    return Mend(level, (), begin)


def _keyword_as_name(
    source: Source, tokens: Tokens, at: int, begin: int, state: int
) -> tuple[int, str] | None:
    """``exit when x as`` and on the next line ``goal y``: no reason called ``goal`` is meant."""
    first = at
    while first > begin and not first_on_line(source, tokens, first):
        first -= 1
    word = source.text[tokens.starts[first] : tokens.ends[first]]
    keyword = tables().keywords.get(word)
    if not begin < first < at or tokens.kinds[first] != "NAME" or keyword is None:
        return None
    if _margin(source, tokens, first) > _margin(source, tokens, first - 1):
        return None
    is_one = tables().states[state].get(keyword, -1) >= 0
    # Or the next declaration, where the brace of this one is missing.
    return (first, keyword) if is_one or begins_declaration(source, tokens, first) else None


def _joint_as_name(source: Source, tokens: Tokens, at: int, begin: int) -> tuple[int, str] | None:
    """``x >= and y``: no metric called ``and`` is meant."""
    word = source.text[tokens.starts[at - 1] : tokens.ends[at - 1]]
    if begin >= at - 1 or tokens.kinds[at - 1] != "NAME" or word not in _JOINTS:
        return None
    return at - 1, tables().keywords[word]


def _misspelt_before(
    source: Source, tokens: Tokens, at: int, begin: int, moved: list[int]
) -> tuple[int, str] | None:
    """``wait untill 09:00``: the mistake is no span of time called ``untill``."""
    if begin >= at - 1 or tokens.kinds[at - 1] != "NAME":
        return None
    if not _comes_through(source, tokens, begin, moved, at - 1):
        return None
    word = meant(source.text[tokens.starts[at - 1] : tokens.ends[at - 1]], acceptable(moved))
    if word and feed(moved, tables().keywords[word]):
        return (at - 1, MISSPELT) if _comes_through(source, tokens, at, moved, at + 1) else None
    return None
