"""Whom a figure is about: customers by group, each from the instant they are judged from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from journeylang.classes import dataclass
from journeylang.model.expressions import CustomerValue
from journeylang.model.journey import Journey
from journeylang.report.source import Source
from journeylang.sql.dialects import quote, text
from journeylang.sql.relations import customer_column
from journeylang.sql.schema import CONTROL, HELD_OUT

TREATED, HELD, GLOBAL = "treated", "held_out", "global_control"

_RUN = "r.run_id, r.entered_at, r.entry, "


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """`rows` is SQL: customer_id, exposed_at and arm, one row per customer, and if it is told True
    run_id, entered_at and entry besides. Nobody's `exposed_at` lies before `since`.
    """

    rows: Callable[[bool], str]
    since: datetime | None


def entries(source: Source, journey: Journey) -> tuple[int, int, datetime | None]:
    """Runs of a journey, their customers, and the first entry."""
    runs, customers, since = source.once(
        "SELECT count(*), count(DISTINCT r.customer_id), min(r.entered_at) FROM journey.run AS r"
        f" WHERE r.journey = {source.number(journey)}"
    )[0]
    return runs, customers, since


def by_first_entry(source: Source, journey: Journey) -> Groups:
    """Everybody from their first entry on: treated, held out, or in the global control group."""
    runs, customers, since = entries(source, journey)

    def rows(with_run: bool) -> str:
        # Where nobody has come twice, nobody's first run has to be found.
        first, ordered = "", ""
        if runs > customers:
            first = "DISTINCT ON (r.customer_id) "
            ordered = "\nORDER BY r.customer_id, r.entered_at, r.run_id"
        return f"""SELECT {first}r.customer_id, {_RUN if with_run else ""}
  r.entered_at AS exposed_at, CASE r.status WHEN {HELD_OUT} THEN '{HELD}'
    WHEN {CONTROL} THEN '{GLOBAL}' ELSE '{TREATED}' END AS arm
FROM journey.run AS r WHERE r.journey = {source.number(journey)}{ordered}"""

    return Groups(rows=rows, since=since)


def by_arm(source: Source, journey: Journey, path: str, salt: str) -> Groups:
    """Those who have met an experiment under this salt, from then on."""
    step = source.numbering.steps[journey.name, path]

    def rows(with_run: bool) -> str:
        joined = """
JOIN journey.run AS r ON r.customer_id = x.customer_id AND r.run_id = x.run_id"""
        return f"""SELECT x.customer_id, {_RUN if with_run else ""}x."at" AS exposed_at, x.arm
FROM journey.exposure AS x{joined if with_run else ""}
WHERE x.experiment = {step} AND x.salt = {text(salt)}"""

    return Groups(rows=rows, since=entries(source, journey)[2])


def by_field(source: Source, journey: Journey, field: CustomerValue) -> Groups:
    """Those who were treated, by a field of theirs: for draws that were made elsewhere."""
    d = source.dialect
    base = source.compiler.base(field.name)
    drawn = d.as_text(f"c.{quote(customer_column(field.name))}")
    first = by_first_entry(source, journey)

    def rows(with_run: bool) -> str:
        run = "u.run_id, u.entered_at, u.entry, " if with_run else ""
        return f"""SELECT u.customer_id, {run}u.exposed_at, coalesce({drawn}, '') AS arm
FROM ({first.rows(with_run)}) AS u
JOIN {base} AS c ON c.customer_id = u.customer_id WHERE u.arm = '{TREATED}'"""

    return Groups(rows=rows, since=first.since)
