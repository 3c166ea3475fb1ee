"""Lines of a draft: what stands there, and why it was guessed."""

from __future__ import annotations

import json
import re

from journeylang.draft.tables import Column, Table

WIDTH = 100
COMMENTS = 34

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def remark(text: str) -> str:
    """For a comment, which ends with its line; names and values may have line ends."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def guess(line: str, why: str) -> str:
    """The line, with the reason behind it, or above it where there is no room.

    Without a reason there is no doubt, and nothing is said.
    """
    if not why:
        return line
    said = f"# guess: {remark(why)}"
    if max(len(line) + 2, COMMENTS) + len(said) <= WIDTH:
        return f"{line}  {said}"
    indent = line[: len(line) - len(line.lstrip())]
    return f"{indent}{said}\n{line}"


def table_name(table: Table) -> str:
    """`crm.customers`, or with what is no plain word in quotes."""
    return ".".join(part if _PLAIN.match(part) else quoted(part) for part in table.parts)


def column_name(alias: str, column: Column) -> str:
    """`c.email`, or `c."E-Mail"`."""
    name = column.name
    return f"{alias}.{name if _PLAIN.match(name) else quoted(name)}"


def quoted(text: str) -> str:
    """A text of the language."""
    return json.dumps(text, ensure_ascii=False)


def listed(texts: tuple[str, ...]) -> str:
    """What stands in the brackets behind `in`."""
    return ", ".join(quoted(text) for text in texts)
