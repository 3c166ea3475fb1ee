"""When templates fail too often, their journey is to pause."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from journeylang.delivery.statements import Statements
from journeylang.engines.base import Engine

TOO_MANY = 100
TOO_LARGE_A_SHARE = 0.005
ENOUGH_TO_JUDGE = 200
"""A journey is to pause when more than 100 of its messages of a day, or more than 0.5 % of at
least 200, could not be made from their template."""

_DAY = timedelta(days=1)


class Failures:
    """Counts per journey: those in the database, and those of the chunk at hand."""

    def __init__(self, engine: Engine, statements: Statements) -> None:
        self.engine = engine
        self.statements = statements
        self.recorded: dict[int, tuple[int, int]] = {}
        self.failed: Counter[int] = Counter()
        self.tried: Counter[int] = Counter()

    def begin_chunk(self) -> None:
        """What was counted has been recorded meanwhile."""
        self.recorded.clear()
        self.failed.clear()
        self.tried.clear()

    def fails(self, journey: int, now: datetime) -> str | None:
        """One more message failed; why the journey is to pause, if it is."""
        self.failed[journey] += 1
        if journey not in self.recorded:
            rows = self.engine.query(
                self.statements.failures, {"journey": journey, "since": now - _DAY}
            )
            self.recorded[journey] = rows[0][0], rows[0][1]
        failed, tried = self.recorded[journey]
        failed += self.failed[journey]
        tried += self.tried[journey]
        too_large = tried >= ENOUGH_TO_JUDGE and failed > tried * TOO_LARGE_A_SHARE
        if failed > TOO_MANY or too_large:
            return f"{failed:,} of {tried:,} messages could not be made from their template"
        return None
