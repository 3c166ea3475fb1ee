"""A first look at messages as they lie in the outbox."""

from __future__ import annotations

import json
from datetime import datetime
from email import message_from_bytes, policy
from pathlib import Path

from journeylang.classes import dataclass
from journeylang.engines.base import Engine

# One for each channel: the first that was delivered by it.
_FIRST = """SELECT journey, step, channel, decided_at, provider_id
FROM (SELECT m.journey, m.step, m.channel, m.decided_at, r.provider_id,
    row_number() OVER (PARTITION BY m.channel ORDER BY m.decided_at, m.message) AS place
  FROM journey.messages AS m
  JOIN journey.receipt AS r ON r.message_id = m.message_id AND r.state = 'accepted') AS first
WHERE place = 1 ORDER BY channel"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A delivered message: where it came from, its subject, and its first lines of text."""

    journey: str
    step: str
    channel: str
    at: datetime
    file: str
    subject: str
    lines: tuple[str, ...]


def samples(engine: Engine, outbox: Path, *, lines: int = 5) -> list[Sample]:
    """The first message of each channel, as far as its file is there."""
    found = []
    for journey, step, channel, at, file in engine.query(_FIRST):
        path = outbox / file
        if path.is_file():
            subject, text = _read(path)
            shown = tuple(line for line in text.splitlines() if line.strip())[:lines]
            found.append(
                Sample(
                    journey=journey,
                    step=step,
                    channel=channel,
                    at=at,
                    file=file,
                    subject=subject,
                    lines=shown,
                )
            )
    return found


def _read(path: Path) -> tuple[str, str]:
    """Subject and text of a file of the provider `file`."""
    content = path.read_bytes()
    if path.suffix == ".json":
        fields = json.loads(content)
        return str(fields.get("subject") or ""), str(fields["text"])
    message = message_from_bytes(content, policy=policy.default)
    body = message.get_body(("plain",))
    return str(message["subject"] or ""), "" if body is None else str(body.get_content())
