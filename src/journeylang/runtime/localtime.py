"""Fill the zone tables of a tick."""

from __future__ import annotations

from datetime import datetime

from journeylang.engines.base import Engine
from journeylang.model.binding import Binding
from journeylang.plan.operations import Program, QuietTimes
from journeylang.runtime.zones import calendar_bounds, pieces, quietness, zone
from journeylang.sql.dialects import Dialect, text
from journeylang.sql.relations import customers
from journeylang.sql.session import ZONES


def zones_in_use(engine: Engine, binding: Binding) -> list[str]:
    """The zone names of the customer base, as they stand there ('' is none)."""
    base = customers(binding, engine.dialect)
    return [row[0] for row in engine.query(f'SELECT DISTINCT "_zone" FROM {base} AS c ORDER BY 1')]


def needs_local_time(program: Program) -> bool:
    """True if anything in the program depends on a customer's own clock."""
    return bool(program.rules) or any(
        cap.calendar
        for journey in program.journeys
        for park in journey.parks
        for offer in getattr(park, "offers", ())
        for cap in offer.caps
    )


def fill_zone_tables(
    engine: Engine,
    program: Program,
    names: list[str],
    otherwise: str,
    *,
    low: datetime,
    now: datetime,
) -> list[str]:
    """Write the rows for arrivals from `low` to `now`; return the names that are no zones.

    An unknown or invalid zone behaves as `otherwise` does.
    """
    d = engine.dialect
    rows: dict[str, list[str]] = {name: [] for name in ZONES}
    invalid = []
    for name in names:
        tz = zone(name) if name else None
        if tz is None:
            if name:
                invalid.append(name)
            tz = zone(otherwise)
            assert tz is not None, "checked: the binding's own zone is valid"
        at = text(name)
        bounds = ", ".join(d.instant(b) for b in calendar_bounds(tz, now))
        rows["zone_now"].append(f"({at}, {bounds})")
        for number, rule in enumerate(program.rules):
            if isinstance(rule, QuietTimes):
                q = quietness(tz, rule, now)
                values = (_instant(d, v) for v in (q.release, q.next_from, q.next_until))
                quiet = "TRUE" if q.quiet else "FALSE"
                rows["zone_quiet"].append(f"({at}, {number}, {quiet}, {', '.join(values)})")
                continue
            for piece in pieces(tz, rule, low, now):
                span = f"{d.instant(piece.since)}, {d.instant(piece.until)}"
                shift = "NULL" if piece.shift is None else str(piece.shift)
                rows["zone_rule"].append(
                    f"({at}, {number}, {span}, {_instant(d, piece.instant)}, {shift})"
                )
    for table, columns in ZONES.items():
        engine.execute(f"CREATE OR REPLACE TEMP TABLE {table} ({columns})")
        if rows[table]:
            engine.execute(f"INSERT INTO {table} VALUES {', '.join(rows[table])}")
    return invalid


def _instant(d: Dialect, value: datetime | None) -> str:
    return "NULL" if value is None else d.instant(value)
