"""Fenced blocks of the documentation, and how an output is compared with what stands there.

A fence's info string is its language and, if it is a file of the reader's project, the path
under which the reader would save it: ```` ```journey journeys/tea.journey ````.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,})(?P<info>[^`\n]*)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """A block: its language, the path in its info string (or ""), and its text."""

    page: str
    line: int
    language: str
    path: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A line that begins with `$ `, and the output that stands below it."""

    line: str
    output: str


def pages() -> list[Path]:
    """The README and everything under docs/."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def fences(page: Path) -> Iterator[Fence]:
    """The fences of a page in their order; one without an end is an error."""
    lines = page.read_text(encoding="utf-8").splitlines()
    begun: tuple[int, str, str, str] | None = None
    inside: list[str] = []
    for number, line in enumerate(lines, 1):
        found = _FENCE.match(line)
        if begun is None:
            if found is not None:
                begun = number, found["indent"], found["ticks"], found["info"].strip()
                inside = []
        elif found is not None and not found["info"] and len(found["ticks"]) >= len(begun[2]):
            language, _, path = begun[3].partition(" ")
            yield Fence(
                page=page.relative_to(ROOT).as_posix(),
                line=begun[0],
                language=language,
                path=path.strip(),
                text="".join(f"{row.removeprefix(begun[1])}\n" for row in inside),
            )
            begun = None
        else:
            inside.append(line)
    if begun is not None:
        raise AssertionError(f"{page}: the fence of line {begun[0]} has no end")


def commands(text: str) -> list[Command]:
    """What a console fence runs; a line that ends in a backslash goes on with the next."""
    found: list[tuple[str, list[str]]] = []
    goes_on = False
    for line in text.splitlines():
        if goes_on:
            command, output = found[-1]
            begun = command.rstrip(" \\")
            found[-1] = (f"{begun} {line.removeprefix('> ').strip()}", output)
            goes_on = line.endswith("\\")
        elif line.startswith("$ "):
            found.append((line[2:], []))
            goes_on = line.endswith("\\")
        else:
            assert found, f"output before the first command: {line!r}"
            found[-1][1].append(line)
    return [Command(line=line, output="\n".join(output).strip("\n")) for line, output in found]


def matches(expected: str, actual: str) -> bool:
    """`…` stands for anything within its line; alone on a line for any number of lines.

    Spaces at line ends and empty lines around do not count.
    """
    pattern = ""
    for line in expected.strip("\n").splitlines():
        if line.strip() == "…":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += r"[^\n]*?".join(map(re.escape, line.rstrip().split("…"))) + r"\n"
    shown = "".join(f"{line.rstrip()}\n" for line in actual.strip("\n").splitlines())
    return re.fullmatch(pattern, shown) is not None
