"""Answers that came on paper, in a shop or on a hotline: a file of codes from messages."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import field
from datetime import UTC, datetime
from pathlib import Path

from journeylang.classes import dataclass
from journeylang.delivery.links import Links
from journeylang.delivery.response_codes import message_number
from journeylang.engines.base import Engine
from journeylang.model.project import Project
from journeylang.runtime.setup import create_missing
from journeylang.serve.findings import Response
from journeylang.serve.taking import Taker

CODE = "response_code"
QUESTION = "response"
VALUE = "yes"
"""What was answered, where the file has no columns of these names."""


class NoResponsesError(Exception):
    """The file is none of responses; the message says why, and quotes nothing of its rows."""


@dataclass(slots=True, kw_only=True)
class Loaded:
    """What a file came to. `refused` has lines and why; `steps` the new answers by their step."""

    new: int = 0
    known: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)
    steps: Counter[str] = field(default_factory=Counter)


def load_responses(engine: Engine, project: Project, file: Path, now: datetime) -> Loaded:
    """Take in a file; the same file again changes nothing. `now` is naive UTC.

    Raises:
        NoResponsesError: it is no UTF-8, or has no column of codes.
        OSError: it cannot be read.
    """
    loaded = Loaded()
    rows: list[tuple[int, Response]] = []
    for line, row in _rows(file):
        read = _response(row, now)
        if isinstance(read, str):
            loaded.refused.append((line, read))
        else:
            rows.append((line, read))
    kind = create_missing(engine, project, now)
    # An answer needs no address, and so no key for hashes.
    taker = Taker(engine, project, kind, links=Links(key=b""), shapes={})
    with engine.transaction():
        found = taker.respond([response for _, response in rows], now)
    loaded.refused += [
        (line, "no message has this code") for line, one in rows if one.number in found.unknown
    ]
    loaded.new = sum(found.steps.values())
    loaded.known = len(rows) - loaded.new - sum(1 for _, r in rows if r.number in found.unknown)
    paths = dict(
        engine.query(
            "SELECT DISTINCT s.step, v.name || '/' || s.path FROM journey.step AS s"
            " JOIN journey.version AS v ON v.journey = s.journey"
        )
    )
    for step, number in found.steps.items():
        loaded.steps[paths.get(step, str(step))] += number
    loaded.refused.sort()
    return loaded


def _rows(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise NoResponsesError("it is no UTF-8") from None
    head = text.partition("\n")[0]
    separator = max(",;\t", key=head.count)
    reader = csv.DictReader(text.splitlines(), delimiter=separator)
    names = [name.strip().lower() for name in reader.fieldnames or ()]
    if CODE not in names:
        raise NoResponsesError(f"its first line names no column `{CODE}`")
    reader.fieldnames = names
    for row in reader:
        yield reader.line_num, {k: v.strip() for k, v in row.items() if k and isinstance(v, str)}


def _response(row: dict[str, str], now: datetime) -> Response | str:
    number = message_number(row.get(CODE, ""))
    if number is None:
        return "no code: a letter is wrong or missing"
    at = now
    if row.get("at"):
        try:
            read = datetime.fromisoformat(row["at"])
        except ValueError:
            return "`at` is no instant like `2026-03-02T10:00`"
        at = read.astimezone(UTC).replace(tzinfo=None) if read.tzinfo else read
    return Response(
        number=number,
        question=(row.get("question") or QUESTION)[:100],
        value=(row.get("value") or VALUE)[:1000],
        at=min(at, now),
    )
