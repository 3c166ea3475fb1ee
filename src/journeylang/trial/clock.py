"""The instants of a test: on the customer's clock, or so long after its first dated line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from journeylang.classes import dataclass
from journeylang.model.binding import Binding
from journeylang.model.expressions import Constant
from journeylang.model.journey import Elapsed
from journeylang.model.trials import Moment, Trial
from journeylang.runtime.zones import after_calendar, local, resolve, zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """`start` (naive UTC) is the first dated line that is not given."""

    zone: ZoneInfo
    start: datetime

    def instant(self, moment: Moment) -> datetime:
        """Naive UTC. Hours, minutes and seconds elapse; days and longer are the customer's."""
        if isinstance(moment, datetime):
            return absolute(moment, self.zone)
        if isinstance(moment, Elapsed):
            return self.start + timedelta(seconds=moment.seconds)
        return after_calendar(self.zone, self.start, moment)

    def shown(self, instant: datetime) -> str:
        """An instant (naive UTC) as the customer's clock shows it."""
        wall = local(self.zone, instant)
        return f"{wall:%Y-%m-%dT%H:%M}" + (f"{wall::%S}" if wall.second else "")


def absolute(moment: datetime, tz: ZoneInfo) -> datetime:
    """Naive UTC of an instant as written: the customer's clock, unless its zone is said."""
    if moment.tzinfo is None:
        return resolve(tz, moment)
    return moment.astimezone(UTC).replace(tzinfo=None)


def zone_of(binding: Binding, trial: Trial) -> ZoneInfo:
    """The customer's zone; the binding's `else` where it is unknown or none."""
    bound = binding.customers
    assert bound is not None
    given = dict(trial.customer).get("timezone")
    named = zone(str(given.value)) if isinstance(given, Constant) and given.value else None
    return named or zone(bound.zone_else) or ZoneInfo("UTC")


def clock_of(binding: Binding, trial: Trial) -> Clock:
    """The clock of a test."""
    tz = zone_of(binding, trial)
    # Checked: one of them has a date.
    first = next(moment for moment in dated(trial) if isinstance(moment, datetime))
    return Clock(zone=tz, start=absolute(first, tz))


def dated(trial: Trial) -> Iterator[Moment]:
    """When something happens or is expected, in the order written; what is given is left out."""
    yield from (h.at for h in trial.happenings if not h.given)
    expected: Iterable[Moment | None] = (getattr(e, "at", None) for e in trial.expected)
    yield from (at for at in expected if at is not None)
