"""When a schedule is due on somebody's clock, day by day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from journeylang.model.entry import Monthly, Once, Schedule, Weekly, Yearly
from tests.oracle.clock import DAY, begins, wall


def due(
    tz: ZoneInfo, schedule: Schedule, born: date | None, since: datetime, until: datetime
) -> list[datetime]:
    """Instants later than `since` and not later than `until`; `born` is a yearly one's date."""
    # Islands have skipped a day.
    first, last = wall(tz, since).date() - 3 * DAY, wall(tz, until).date() + 3 * DAY
    found = {begins(tz, shown) for shown in _shown(schedule, born, first, last)}
    return sorted(at for at in found if since < at <= until)


def _shown(schedule: Schedule, born: date | None, first: date, last: date) -> Iterator[datetime]:
    """What the clock shows then."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    match schedule:
        case Once():
            yield schedule.at
        case Weekly():
            for day in days:
                if day.isoweekday() in schedule.weekdays:
                    yield datetime.combine(day, schedule.at)
        case Monthly():
            for day in days:
                if any(day == _in_month(day, wanted) for wanted in schedule.days):
                    yield datetime.combine(day, schedule.at)
        case Yearly():
            if born is None:
                return
            for year in range(max(first.year - 110, born.year), last.year + 110):
                that = _in_month(date(year, born.month, 1), born.day)
                day = _moved(that, schedule.months, schedule.days)
                if first <= day <= last:
                    yield datetime.combine(day, schedule.at)


def _in_month(day: date, wanted: int) -> date:
    """The day of this number in the month of `day`, or the month's last."""
    first = day.replace(day=1)
    following = (first + 31 * DAY).replace(day=1)
    return min(first + (wanted - 1) * DAY, following - DAY)


def _moved(day: date, months: int, days: int) -> date:
    """Months first; the 31st of a short month is its last day."""
    years, month = divmod(day.month - 1 + months, 12)
    return _in_month(date(day.year + years, month + 1, 1), day.day) + days * DAY
