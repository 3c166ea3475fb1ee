"""Fill the zone tables of a tick."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from journeylang.classes import dataclass
from journeylang.engines.base import Engine
from journeylang.model.binding import Binding
from journeylang.plan.operations import PastClock, Program, QuietTimes, WallClock
from journeylang.runtime import wall_clocks
from journeylang.runtime.zones import local, local_days, pieces, quiet_times, zone
from journeylang.sql.beginning import zones
from journeylang.sql.session import ZONES, temporary


def zones_in_use(engine: Engine, binding: Binding, among: str | None = None) -> list[str]:
    """The zone names of the customer base, as they stand there ('' is none).

    `among` is a table whose customers alone are asked for.
    """
    return sorted(row[0] for row in engine.query(zones(binding, engine.dialect, among)))


def needs_local_time(program: Program) -> bool:
    """True if anything in the program depends on a customer's own clock."""
    return bool(program.rules) or any(
        cap.calendar
        for journey in program.journeys
        for park in journey.parks
        for offer in getattr(park, "offers", ())
        for cap in offer.caps
    )


# Tables are filled this far ahead, so that the next ticks find them ready.
AHEAD = timedelta(days=2)


@dataclass(slots=True)
class ZoneTables:
    """Which zones and instants the zone tables of a connection cover.

    `settled`: those of all customers, where it is certain that they stay what they are.
    """

    ahead: timedelta = AHEAD
    settled: list[str] | None = None
    names: frozenset[str] = frozenset()
    low: datetime | None = None
    high: datetime | None = None
    invalid: tuple[str, ...] = ()

    def cover(
        self,
        engine: Engine,
        program: Program,
        names: list[str],
        otherwise: str,
        *,
        low: datetime,
        now: datetime,
    ) -> tuple[str, ...]:
        """See to it that arrivals from `low` on and `now` are covered; names that are no zones.

        An unknown or invalid zone behaves as `otherwise` does.
        """
        if (
            self.low is not None
            and self.high is not None
            and self.names.issuperset(names)
            and self.low <= low
            and now < self.high
        ):
            return self.invalid
        wanted = sorted(self.names.union(names))
        high = now + self.ahead
        invalid = _fill(engine, program, wanted, otherwise, low=low, high=high)
        self.names, self.low, self.high = frozenset(wanted), low, high
        self.invalid = tuple(invalid)
        return self.invalid

    def forget(self) -> None:
        """After a rollback nobody knows what the tables hold."""
        self.names, self.low, self.high = frozenset(), None, None


def _fill(
    engine: Engine,
    program: Program,
    names: list[str],
    otherwise: str,
    *,
    low: datetime,
    high: datetime,
) -> list[str]:
    rows: dict[str, list[Row]] = {table: [] for table in ZONES}
    invalid = []
    for name in names:
        tz = zone(name) if name else None
        if tz is None:
            if name:
                invalid.append(name)
            tz = zone(otherwise)
            assert tz is not None, "checked: the binding's own zone is valid"
        for table, found in zone_rows(program, name, tz, low=low, high=high).items():
            rows[table] += found
    put_zones(engine, rows)
    return invalid


Row = tuple[object, ...]


def put_zones(engine: Engine, rows: Mapping[str, Sequence[Row]]) -> None:
    """Make the zone tables anew, with these rows by table."""
    for table, columns in ZONES.items():
        engine.execute(temporary(engine.dialect, table, columns))
        engine.insert(table, columns, rows[table])


def zone_rows(
    program: Program, name: str, tz: ZoneInfo, *, low: datetime, high: datetime
) -> dict[str, list[Row]]:
    """What the zone tables have of a zone for arrivals and nows from `low` to `high`."""
    rows: dict[str, list[Row]] = {table: [] for table in ZONES}
    for day in local_days(tz, low, high):
        starts = (day.day, day.week, day.month, day.next_day, day.next_week, day.next_month)
        date = local(tz, day.day).date()
        rows["zone_day"].append((name, day.day, day.next_day, date, *starts))
    for number, rule in enumerate(program.rules):
        if isinstance(rule, QuietTimes):
            rows["zone_quiet"] += [
                (
                    *(name, number, q.since, q.until, q.quiet),
                    *(q.release, q.next_from, q.next_until),
                )
                for q in quiet_times(tz, rule, low, high)
            ]
            continue
        match rule:
            case WallClock():
                found = wall_clocks.pieces(tz, rule, low, high)
            case PastClock():
                found = wall_clocks.past(tz, rule, low, high)
            case _:
                found = pieces(tz, rule, low, high)
        rows["zone_rule"] += [(name, number, p.since, p.until, p.instant, p.shift) for p in found]
    return rows
