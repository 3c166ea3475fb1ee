"""Tests that are moved in time, so that all of them have their next tick at one instant.

A tick knows one `now` for everybody. What a journey does hangs on what lies how far back from it,
and on what clocks show; nothing hangs on the date itself, unless a date stands in the program.
So before a tick each test's rows are moved to where the tick is, and each customer has a
zone of their own, whose clocks show there what they showed where the test is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from journeylang.classes import dataclass
from journeylang.engines.base import Engine
from journeylang.plan.operations import Program
from journeylang.runtime.localtime import Row, ZoneTables, put_zones, zone_rows
from journeylang.runtime.session import Session
from journeylang.runtime.zones import zone
from journeylang.sql.dialects import quote, text
from journeylang.sql.session import ZONES
from journeylang.trial.fixtures import SHIFT

if TYPE_CHECKING:
    from journeylang.trial.play import Course

_MARK = "\x1f"
_MICROSECOND = timedelta(microseconds=1)
# The column by which a row is somebody's, in the runtime's tables and in those of a test.
_WHOSE = ("customer_id", "_customer", "_key")


@dataclass(slots=True)
class ShiftedZones(ZoneTables):
    """Zone tables of customers who are each moved in time; `shifts` is by how much, by zone."""

    shifts: dict[str, timedelta] = field(default_factory=dict)
    # What is known of real zones: tests often have a day in common.
    known: dict[tuple[str, datetime, datetime], dict[str, list[Row]]] = field(default_factory=dict)

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
        """See `ZoneTables`. All that are moved are covered at once."""
        if self.low is not None and self.low <= low and self.names.issuperset(names):
            return ()
        rows: dict[str, list[Row]] = {table: [] for table in ZONES}
        for name, shift in self.shifts.items():
            real = name.rpartition(_MARK)[0]
            asked = (real, low - shift, now - shift)
            found = self.known.get(asked)
            if found is None:
                tz = (zone(real) if real else None) or zone(otherwise)
                assert tz is not None, "checked: the binding's own zone is valid"
                found = zone_rows(program, real, tz, low=low - shift, high=now - shift)
                self.known[asked] = found
            for table, kinds in _SHIFTED.items():
                rows[table] += [(name, *_shifted(row, kinds, shift)) for row in found[table]]
        put_zones(engine, rows)
        self.names, self.low = frozenset(self.shifts), low
        return ()


# Which columns behind the zone's name are instants.
_SHIFTED = {
    table: [kind == "TIMESTAMP" for kind in list(columns.values())[1:]]
    for table, columns in ZONES.items()
}


def _shifted(row: Row, instants: Sequence[bool], shift: timedelta) -> Row:
    return tuple(
        value + shift if is_instant and isinstance(value, datetime) else value
        for value, is_instant in zip(row[1:], instants, strict=True)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Shifting:
    """`statements` move the rows of those in `given.shift`, by the table that they are in."""

    engine: Engine
    zones: ShiftedZones
    statements: Mapping[tuple[str, str], str]

    @classmethod
    def begin(cls, session: Session) -> Shifting:
        """For all tables that have something of a customer at an instant."""
        assert isinstance(session.zones, ShiftedZones)
        found = session.engine.query(
            "SELECT schema_name, table_name, min(column_name) FILTER (column_name IN"
            f" {_WHOSE}) AS whose, list(column_name) FILTER (data_type = 'TIMESTAMP') AS instants"
            " FROM duckdb_columns() JOIN duckdb_tables() USING (schema_name, table_name)"
            " WHERE schema_name IN ('journey', 'given') GROUP BY ALL"
            " HAVING whose IS NOT NULL AND instants IS NOT NULL"
        )
        return cls(
            engine=session.engine,
            zones=session.zones,
            statements={
                (schema, table): f"UPDATE {schema}.{quote(table)} AS t SET"
                f" {', '.join(f'{quote(c)} = t.{quote(c)} + to_microseconds(s.moved)' for c in at)}"
                f" FROM {SHIFT} AS s WHERE s.key = t.{quote(whose)}"
                for schema, table, whose, at in found
            },
        )

    def move(self, moved: Sequence[tuple[Course, timedelta]]) -> None:
        """Let the rows of each test stand so much later than they were written down."""
        rows = []
        self.zones.shifts.clear()
        for course, shift in moved:
            assert course.part.zone is not None
            self.zones.shifts[course.part.zone] = shift
            rows.append((course.part.key, (shift - course.shift) // _MICROSECOND))
            course.shift = shift
        self.zones.forget()
        listed = ", ".join(f"({text(key)}, {by})" for key, by in rows)
        filled = self.engine.query(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE estimated_size > 0"
        )
        moving = [self.statements[name] for name in filled if name in self.statements]
        self.engine.execute(
            ";\n".join([f"DELETE FROM {SHIFT}", f"INSERT INTO {SHIFT} VALUES {listed}", *moving])
        )
