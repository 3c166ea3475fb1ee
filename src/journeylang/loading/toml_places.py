"""Where a setting stands in a TOML file. ``tomllib`` does not say, so it is looked for."""

from __future__ import annotations

import re

from journeylang.source import Source, Span

Keys = tuple[str | int, ...]
"""``("env", "prod", "database")``; numbers are places in lists."""

_HEADER = re.compile(r"^[ \t]*\[\[?[ \t]*([^\]\n]+?)[ \t]*\]", re.MULTILINE)


def place(source: Source, keys: Keys) -> Span | None:
    """The key's own text; if it is not found, that of its table; then the file's start."""
    inside = _of_array(source, keys)
    if inside is not None:
        return inside
    wanted = tuple(str(key) for key in keys if isinstance(key, str))
    for depth in range(len(wanted), 0, -1):
        found = _key(source, wanted[:depth])
        if found is not None:
            return found
    return source.span(0, 0) if not wanted or source.text else None


def _of_array(source: Source, keys: Keys) -> Span | None:
    """Of keys within one of several tables (``[[response.rules]]``); None: they are in none."""
    heads = [(m, _split(m[1])) for m in _HEADER.finditer(source.text)]
    for n, number in enumerate(keys):
        if not isinstance(number, int):
            continue
        table = tuple(str(key) for key in keys[:n] if isinstance(key, str))
        mine = [m for m, name in heads if name == table and m[0].lstrip().startswith("[[")]
        if number >= len(mine):
            continue
        head = mine[number]
        end = next((m.start() for m, _ in heads if m.start() > head.start()), len(source.text))
        rest = tuple(key for key in keys[n + 1 :] if isinstance(key, str))
        for depth in range(len(rest), 0, -1):
            found = _within(source, rest[:depth], head.end(), end)
            if found is not None:
                return found
        return source.span(head.start(1), head.end(1))
    return None


def _key(source: Source, wanted: tuple[str, ...]) -> Span | None:
    text = source.text
    headers = [(m.start(1), m.end(1), m.end(0), _split(m[1])) for m in _HEADER.finditer(text)]
    for start, end, _, table in headers:
        if table[: len(wanted)] == wanted:
            return source.span(start, end)
    # Within the table that the longest part of the keys names, one key after the other.
    regions = [((), 0, headers[0][0] if headers else len(text))] + [
        (table, after, headers[n + 1][0] if n + 1 < len(headers) else len(text))
        for n, (_, _, after, table) in enumerate(headers)
    ]
    for table, start, end in sorted(regions, key=lambda region: -len(region[0])):
        if wanted[: len(table)] != table:
            continue
        found = _within(source, wanted[len(table) :], start, end)
        if found is not None:
            return found
    return None


def _within(source: Source, rest: tuple[str, ...], start: int, end: int) -> Span | None:
    """``rest`` as nested keys between two places: ``channels = { email = … }``."""
    span: Span | None = None
    for name in rest:
        pattern = re.compile(rf"(?<![\w.\"'-])([\"']?){re.escape(name)}\1(?=[ \t]*[=.])")
        found = pattern.search(source.text, start, end)
        if found is None:
            return None
        span = source.span(found.start(), found.end())
        start = found.end()
    return span


def _split(header: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in header.split("."))
