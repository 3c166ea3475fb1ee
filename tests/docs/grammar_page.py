"""The page of the grammar, made from `grammar/journey.lark`: each rule with links to its parts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from journeylang import resources
from tests.docs.fences import ROOT
from tests.docs.parts import table

PAGE = ROOT / "docs" / "language" / "grammar.md"

_HOW_TO_READ = """\
Made from `grammar/journey.lark`, by which files are read. What stands in `code` is written so;
a name leads to its rule, or to the token that it is. `[ ]` may be left out, `( )` belongs
together, `?` is once or not, `*` any number of times, `+` at least once, *or* parts
alternatives. Line ends mean nothing, a comment goes from `#` to the end of its line, and [the
layout](layout.md) is the formatter's. What is well formed and means nothing is found by [the
checks](../codes.md)."""
_TOKENS = """\
By regular expressions. Words are keywords only where a rule has a place for them: a column may
be called `status`, `at` or `wait`."""

_SECTION = re.compile(r"^// -+ (?P<title>.+)$")
_RULE = re.compile(r"^(?P<name>[?]?[a-z_]+): (?P<parts>.*)$")
_TOKEN = re.compile(r"^(?P<name>[A-Z_]+)(?:\.\d+)?: (?P<parts>.*)$")
_PART = re.compile(r'"(?:\\.|[^"\\])*"|->\s*\w+|\w+|[()\[\]|*+?]')


@dataclass(slots=True, kw_only=True)
class Rule:
    """A rule: what it is made of, and what the grammar says of it."""

    name: str
    parts: str
    said: str


@dataclass(slots=True, kw_only=True)
class Section:
    title: str
    rules: list[Rule] = field(default_factory=list)


def read(text: str) -> tuple[list[Section], list[Rule]]:
    """The sections with their rules, and the tokens."""
    sections: list[Section] = []
    tokens: list[Rule] = []
    said: list[str] = []
    last: Rule | None = None
    for line in text.splitlines():
        if found := _SECTION.match(line):
            sections.append(Section(title=found["title"]))
            said, last = [], None
        elif line.startswith("//"):
            said.append(line.removeprefix("//").strip())
        elif found := _TOKEN.match(line):
            tokens.append(Rule(name=found["name"], parts=found["parts"], said=""))
        elif found := _RULE.match(line):
            last = Rule(name=found["name"].lstrip("?"), parts=found["parts"], said=" ".join(said))
            sections[-1].rules.append(last)
            said = []
        elif last is not None and line.startswith(" "):
            last.parts += f" {line.strip()}"
        else:
            said = []
    return [section for section in sections if section.rules], tokens


def _shown(parts: str, words: dict[str, str], known: set[str]) -> str:
    """The parts of a rule in Markdown: words as code, other rules and tokens as links."""
    said: list[str] = []
    for found in _PART.finditer(parts):
        part = found[0]
        if part.startswith("->"):
            continue
        if part.startswith('"'):
            said.append(f"`{part[1:-1]}`")
        elif part in words:
            said.append(f"`{words[part]}`")
        elif part in known:
            said.append(f"[{part.lstrip('_')}](#{anchor(part)})")
        elif part in "*+?)]":
            said[-1] += f"\\{part}" if part in "*+]" else part
        else:
            said.append("or" if part == "|" else "\\[" if part == "[" else part)
    return _joined(said)


def _joined(parts: list[str]) -> str:
    return re.sub(r"(\\\[|\() ", r"\1", " ".join(parts))


def anchor(name: str) -> str:
    return f"{'token' if name.isupper() else 'rule'}-{name.strip('_').lower()}"


def _words(tokens: list[Rule]) -> dict[str, str]:
    """Tokens that are one word or sign, spelled."""
    return {one.name: one.parts[1:-1] for one in tokens if re.fullmatch(r'"[^"]*"', one.parts)}


def _rows(section: Section, words: dict[str, str], known: set[str]) -> Iterator[tuple[str, ...]]:
    for rule in section.rules:
        name = f'<a id="{anchor(rule.name)}"></a>**{rule.name.lstrip("_")}**'
        yield name, _shown(rule.parts, words, known), rule.said


def written() -> str:
    """The whole page."""
    sections, tokens = read((resources.grammar() / "journey.lark").read_text(encoding="utf-8"))
    words = _words(tokens)
    known = {rule.name for section in sections for rule in section.rules}
    known |= {token.name for token in tokens} - set(words)
    parts = ["# The grammar", _HOW_TO_READ]
    for section in sections:
        rows = [*_rows(section, words, known)]
        parts += [f"## {section.title.capitalize()}", table(("rule", "is", "as in"), rows)]
    patterns = [token for token in tokens if token.name not in words]
    places = "".join(f'<a id="{anchor(token.name)}"></a>' for token in patterns)
    width = max(len(token.name) for token in patterns)
    lines = [f"{token.name:<{width}}  {token.parts}" for token in patterns]
    parts += [
        "## Tokens",
        places + _TOKENS,
        "```text\n" + "\n".join(lines) + "\n```",
    ]
    return "\n\n".join(parts) + "\n"
