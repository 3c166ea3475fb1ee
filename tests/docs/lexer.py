"""Colours of journeys for Pygments, made from the grammar that editors colour with.

`register` makes the lexer known as `journey` to whatever asks Pygments for one by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from pygments import lexers, token
from pygments.lexer import RegexLexer

from tests.editors import textmate

# By which Pygments finds a module's lexers.
__all__ = ["JourneyLexer"]

_KINDS = {
    "comment": token.Comment,
    "keyword.declaration": token.Keyword.Declaration,
    "keyword.control": token.Keyword,
    "keyword.operator.word": token.Operator.Word,
    "keyword.operator": token.Operator,
    "keyword.other": token.Keyword.Reserved,
    "constant.numeric": token.Number,
    "constant.other": token.Literal.Date,
    "constant.language": token.Keyword.Constant,
    "entity.name.tag": token.Name.Label,
    "entity.name.type": token.Name.Class,
    "support.type": token.Keyword.Type,
    "support.function": token.Name.Function,
    "variable.language": token.Name.Builtin,
    "variable.other": token.Name,
    "punctuation": token.Punctuation,
}

_Piece = tuple[int, Any, str]


def kind(scope: str) -> Any:
    """The token of a scope: of the longest name above that the scope begins with."""
    fitting = [name for name in _KINDS if scope.startswith(f"{name}.")]
    return _KINDS[max(fitting, key=len)]


def _parts(captures: dict[int, Any]) -> Callable[[RegexLexer, re.Match[str]], Iterator[_Piece]]:
    """The captures in their colours, and what stands between them in none."""

    def pieces(_: RegexLexer, found: re.Match[str]) -> Iterator[_Piece]:
        at = found.start()
        for number, one in captures.items():
            if found[number] is None:
                continue
            if at < found.start(number):
                yield at, token.Text, found.string[at : found.start(number)]
            yield found.start(number), one, found[number]
            at = found.end(number)
        if at < found.end():
            yield at, token.Text, found.string[at : found.end()]

    return pieces


def _rules() -> Iterator[tuple[str, Any]]:
    made = textmate.made()
    yield r"\s+", token.Whitespace
    # What begins and ends there; neither holds anything that would have a colour of its own.
    yield r"sql`[^`]*`", token.String.Backtick
    yield r'"(?:\\.|[^"\\\n])*"?', token.String.Double
    for group in made["patterns"]:
        name = group["include"].removeprefix("#")
        if name in ("sql", "string"):
            continue
        for one in made["repository"][name]["patterns"]:
            if "captures" in one:
                captures = {int(n): kind(c["name"]) for n, c in one["captures"].items()}
                yield one["match"], _parts(captures)
            else:
                yield one["match"], kind(one["name"])
    yield r".", token.Text


class JourneyLexer(RegexLexer):  # type: ignore[misc]  # Pygments has no types
    """The language, by its terminals."""

    name = "Journey"
    aliases: ClassVar = ["journey"]
    filenames: ClassVar = ["*.journey"]
    tokens: ClassVar = {"root": list(_rules())}


def register() -> None:
    lexers.LEXERS["JourneyLexer"] = (
        *(__name__, JourneyLexer.name),
        *(tuple(JourneyLexer.aliases), tuple(JourneyLexer.filenames), ()),
    )
