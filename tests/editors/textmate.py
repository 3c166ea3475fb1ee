"""The grammar by which editors colour, made from the language's own.

    python -m tests.editors.textmate

Tokens are the grammar's terminals, words are those that it quotes. Editors know no grammar: what
a word is where it stands is told by the language server; this is what a text looks like before
that, and where there is no server.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from lark import Lark
from lark.grammar import NonTerminal, Terminal
from lark.lexer import PatternStr

from journeylang import resources
from tests.docs.fences import ROOT

EXTENSION = ROOT / "editors" / "vscode"
GRAMMAR = EXTENSION / "syntaxes" / "journey.tmLanguage.json"

LITERALS = {
    "DATE_TIME": "constant.other.datetime",
    "DATE": "constant.other.date",
    "TIME_OF_DAY": "constant.other.time",
    "PERCENT": "constant.numeric.percent",
    "MONEY": "constant.numeric.money",
    "DURATION": "constant.numeric.duration",
    "NUMBER": "constant.numeric.decimal",
    "INTEGER": "constant.numeric.integer",
}
_TYPES = (
    "text",
    "int",
    "number",
    "bool",
    "date",
    "time",
    "instant",
    "duration",
    "money",
    "template",
)
_WORD_OPERATORS = (
    *("and", "or", "not", "in", "is", "between", "contains", "starts", "older", "newer", "than"),
)
_CONSTANTS = ("true", "false")


@cache
def _lark() -> Lark:
    text = (resources.grammar() / "journey.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", lexer="contextual", start="file")


def words() -> frozenset[str]:
    """Every word that the grammar quotes."""
    return frozenset(
        one.pattern.value
        for one in _lark().terminals
        if isinstance(one.pattern, PatternStr) and one.pattern.value[0].isalpha()
    )


def _pattern(name: str) -> str:
    return next(one for one in _lark().terminals if one.name == name).pattern.to_regexp()


def _first_words(rule: str) -> set[str]:
    """The words with which a rule of the grammar may begin."""
    spelled = {one.name: one.pattern.value for one in _lark().terminals}
    found: set[str] = set()
    seen, todo = {rule}, [rule]
    while todo:
        name = todo.pop()
        for one in _lark().rules:
            if one.origin.name != name or not one.expansion:
                continue
            parts = list(one.expansion)
            # A label in front is no word of the rule.
            if parts[0] == Terminal("LABEL") and len(parts) > 2:
                parts = parts[2:]
            first = parts[0]
            if isinstance(first, NonTerminal):
                if first.name not in seen:
                    seen.add(first.name)
                    todo.append(first.name)
            elif spelled[first.name] in words():
                found.add(spelled[first.name])
    return found


def _any(chosen: set[str] | frozenset[str] | tuple[str, ...]) -> str:
    return f"(?<![\\w.])(?:{'|'.join(sorted(chosen, key=lambda w: (-len(w), w)))})(?!\\w|[ \\t]*:)"


def made() -> dict[str, Any]:
    """The grammar, as editors read it."""
    declarations = _first_words("_declaration")
    steps = _first_words("_step") - declarations
    literals = [
        {"name": f"{LITERALS[name]}.journey", "match": f"(?<!\\w){_pattern(name)}"}
        for name in LITERALS
    ]
    rest = words() - declarations - steps - set(_WORD_OPERATORS) - set(_CONSTANTS)
    aggregate = "[A-Za-z_][A-Za-z0-9_]*(?=\\()"
    return {
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "name": "Journey",
        "scopeName": "source.journey",
        "fileTypes": ["journey"],
        "comment": "Made from grammar/journey.lark by tests/editors/textmate.py.",
        "patterns": [
            {"include": "#comment"},
            {"include": "#sql"},
            {"include": "#string"},
            {"include": "#declaration"},
            {"include": "#label"},
            {"include": "#literal"},
            {"include": "#word"},
            {"include": "#sign"},
        ],
        "repository": {
            "comment": {
                "patterns": [{"name": "comment.line.number-sign.journey", "match": "#.*$"}]
            },
            "sql": {
                "patterns": [
                    {
                        "name": "meta.embedded.sql.journey",
                        "begin": "\\bsql`",
                        "end": "`",
                        "beginCaptures": {"0": {"name": "keyword.other.sql.journey"}},
                        "endCaptures": {"0": {"name": "keyword.other.sql.journey"}},
                        "contentName": "meta.embedded.sql",
                        "patterns": [{"include": "source.sql"}],
                    }
                ]
            },
            "string": {
                "patterns": [
                    {
                        "name": "string.quoted.double.journey",
                        "begin": '"',
                        "end": '"|$',
                        "patterns": [
                            {"name": "constant.character.escape.journey", "match": "\\\\."},
                            {
                                "name": "variable.other.placeholder.journey",
                                "match": "\\{[a-z_]+\\}",
                            },
                        ],
                    }
                ]
            },
            "declaration": {
                "patterns": [
                    {
                        "match": f"^({'|'.join(sorted(declarations))})\\b"
                        "(?:[ \\t]+(?!(?:from|in)\\b)([A-Za-z_]\\w*))?(?![ \\t]*:)",
                        "captures": {
                            "1": {"name": "keyword.declaration.journey"},
                            "2": {"name": "entity.name.type.journey"},
                        },
                    }
                ]
            },
            "label": {
                "patterns": [
                    {"name": "entity.name.tag.label.journey", "match": _pattern("LABEL")},
                ]
            },
            "literal": {"patterns": literals},
            "word": {
                "patterns": [
                    {
                        "name": "variable.language.journey",
                        "match": "(?<![\\w.])(?:customer|entry|profile|row)(?=\\.)",
                    },
                    {"name": "constant.language.journey", "match": _any(_CONSTANTS)},
                    {"name": "keyword.operator.word.journey", "match": _any(_WORD_OPERATORS)},
                    {"name": "keyword.control.journey", "match": _any(steps)},
                    {"name": "keyword.declaration.journey", "match": _any(declarations)},
                    {"name": "keyword.other.journey", "match": _any(rest)},
                    {
                        "name": "support.type.journey",
                        "match": f"(?<=: )(?:{'|'.join(_TYPES)})\\b",
                    },
                    {"name": "support.function.journey", "match": f"(?<![\\w.]){aggregate}"},
                    {"name": "variable.other.journey", "match": _pattern("NAME")},
                ]
            },
            "sign": {
                "patterns": [
                    {"name": "keyword.operator.journey", "match": "->|!=|<=|>=|[=<>+*/?-]"},
                    {"name": "punctuation.separator.journey", "match": "[,:.]"},
                    {"name": "punctuation.section.journey", "match": r"[{}()\[\]]"},
                ]
            },
        },
    }


def text() -> str:
    made_text = json.dumps(made(), indent=2, ensure_ascii=False) + "\n"
    # Python and the engine of editors write a group without a name alike; not so with one.
    assert not re.search(r"\(\?P", made_text)
    return made_text


def main() -> None:
    GRAMMAR.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
