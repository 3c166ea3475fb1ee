"""The concrete tree: every token of a text, under the rules of the grammar that took it.

The syntax tree leaves out what has no meaning (brackets, commas, the order of options, how a
number is spelled); the formatter must lose none of it. So it walks the same table once more and
keeps everything.
"""

from typing import TypeAlias

from journeylang.classes import dataclass
from journeylang.source import Source
from journeylang.syntax.automaton import resolved
from journeylang.syntax.grammar import tables
from journeylang.syntax.scan import END, Tokens

BRACKETED = "bracketed"
"""The kind of an expression in round brackets, which has no rule of its own."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a rule took: tokens by their index, and other rules.

    ``kind`` is the rule's name, or the alias of one of its forms. Rules that are lists or only
    hand on have no node.
    """

    kind: str
    parts: "list[Part]"


Part: TypeAlias = int | Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Concrete:
    """A file's tree, and what each token turned out to be: a keyword, a name, a sign."""

    file: Rule
    kinds: list[str]


def concrete(source: Source, tokens: Tokens) -> Concrete:
    """The concrete tree of a text that has no syntax error."""
    rows, reductions = tables().states, tables().reductions
    done = tables().ends["file"]
    states = [tables().starts["file"]]
    values: list[Part | list[Part]] = []
    kinds: list[str] = []
    text = source.text
    for index, scanned in enumerate(tokens.kinds):
        word = text[tokens.starts[index] : tokens.ends[index]]
        kind = resolved(scanned, word, states[-1])
        while (action := rows[states[-1]][kind]) < 0:
            reduction = reductions[~action]
            value = _reduced(reduction.symbol, reduction.action, values, reduction.size)
            if reduction.size:
                del states[-reduction.size :]
            states.append(rows[states[-1]][reduction.symbol])
            values.append(value)
            if states[-1] == done and kind == END:
                assert isinstance(value, Rule)
                return Concrete(file=value, kinds=[*kinds, END])
        states.append(action)
        kinds.append(kind)
        values.append(index)
    raise AssertionError("the text has a syntax error")


def _reduced(
    symbol: str, action: str, values: list[Part | list[Part]], size: int
) -> Part | list[Part]:
    """What the last values of the stack become; they are taken from it."""
    taken = values[-size:] if size else []
    if size:
        del values[-size:]
    if size == 1 and not action and not symbol.startswith("_"):
        return taken[0] if not isinstance(taken[0], list) else Rule(symbol, taken[0])
    # A list that grows by one part at a time must not be copied each time.
    parts: list[Part] = []
    if taken and isinstance(taken[0], list):
        parts = taken[0]
        del taken[0]
    for value in taken:
        if isinstance(value, list):
            parts.extend(value)
        else:
            parts.append(value)
    if symbol.startswith("_"):
        return parts
    return Rule(action or (BRACKETED if symbol == "primary" else symbol), parts)
