"""The instants of a dry run's ticks, and at which of them something is first seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from journeylang.classes import dataclass

_EPOCH = datetime.fromtimestamp(0, UTC).replace(tzinfo=None)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """`count` ticks, the first at `start`, `step` apart; `since` is the tick before them."""

    start: datetime
    step: timedelta
    count: int
    since: datetime

    @property
    def last(self) -> datetime:
        return self.start + (self.count - 1) * self.step

    def tick(self, instant: str) -> str:
        """SQL of the first tick not before an instant; NULL of NULL."""
        step = self.step // _MICROSECOND
        start = (self.start - _EPOCH) // _MICROSECOND
        behind = f"epoch_us({instant}) - {start - step + 1}"
        # `greatest` would make something of NULL.
        whole = f"(CASE WHEN {behind} < 0 THEN 0 ELSE {behind} END) // {step}"
        return f"make_timestamp({start} + {whole} * {step})"
