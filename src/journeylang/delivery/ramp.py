"""Warming a channel up: so many messages on its first day, and more on each day after it.

Mailbox providers trust a sender that grows; one that begins with everybody is taken for spam. A day
(of UTC) counts when something was accepted on it, so that a pause is no growth.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from journeylang.classes import dataclass
from journeylang.delivery.manifest import SettingError
from journeylang.delivery.statements import Statements
from journeylang.engines.base import Engine

_WRITTEN = re.compile(r"(\d{1,9}) *\+ *(\d{1,3}) *%")
_LONGEST = 10_000
"""Days after which nothing is held back any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ramp:
    """`first` messages on the first day, `percent` more on each day after it."""

    first: int
    percent: int

    def of_day(self, before: int) -> int:
        """Messages of a day with so many days before it."""
        allowed = float(self.first)
        for _ in range(min(before, _LONGEST)):
            allowed *= 1 + self.percent / 100
            if allowed > 1e12:
                break
        return int(allowed)


def ramp(written: object) -> Ramp:
    """`"500 +50%"`.

    Raises:
        SettingError: it is none.
    """
    found = _WRITTEN.fullmatch(written.strip()) if isinstance(written, str) else None
    if found is None or int(found[1]) == 0:
        raise SettingError('`ramp` is a first day and its growth: `ramp = "500 +50%"`')
    return Ramp(first=int(found[1]), percent=int(found[2]))


def room(engine: Engine, statements: Statements, channel: str, one: Ramp, now: datetime) -> int:
    """How many messages may still go out over the channel today."""
    rows = engine.query(statements.warmth, {"channel": channel, "today": _day(now)})
    before, today = int(rows[0][0]), int(rows[0][1])
    return max(one.of_day(before) - today, 0)


def tomorrow(now: datetime) -> datetime:
    return _day(now) + timedelta(days=1)


def _day(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
