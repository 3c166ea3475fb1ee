"""Whom a figure is about: customers by group, each from the instant they are judged from.

Every relation here yields customer_id, run_id, entered_at, entry, exposed_at and arm, one row per
customer.
"""

from __future__ import annotations

from journeylang.model.expressions import CustomerValue
from journeylang.model.journey import Journey
from journeylang.report.source import Source
from journeylang.sql.dialects import quote, text
from journeylang.sql.relations import customer_column
from journeylang.sql.schema import CONTROL, HELD_OUT

TREATED, HELD, GLOBAL = "treated", "held_out", "global_control"

_ROW = "r.customer_id, r.run_id, r.entered_at, r.entry"


def by_first_entry(source: Source, journey: Journey) -> str:
    """Everybody from their first entry on: treated, held out, or in the global control group."""
    return f"""SELECT DISTINCT ON (r.customer_id) {_ROW}, r.entered_at AS exposed_at,
  CASE r.status WHEN {HELD_OUT} THEN '{HELD}' WHEN {CONTROL} THEN '{GLOBAL}'
    ELSE '{TREATED}' END AS arm
FROM journey.run AS r WHERE r.journey = {source.number(journey)}
ORDER BY r.customer_id, r.entered_at, r.run_id"""


def by_arm(source: Source, journey: Journey, path: str, salt: str) -> str:
    """Those who have met an experiment under this salt, from then on."""
    step = source.numbering.steps[journey.name, path]
    return f"""SELECT {_ROW}, x."at" AS exposed_at, x.arm
FROM journey.exposure AS x
JOIN journey.run AS r ON r.customer_id = x.customer_id AND r.run_id = x.run_id
WHERE x.experiment = {step} AND x.salt = {text(salt)}"""


def by_field(source: Source, journey: Journey, field: CustomerValue) -> str:
    """Those who were treated, by a field of theirs: for draws that were made elsewhere."""
    d = source.dialect
    base = source.compiler.base(field.name)
    drawn = d.as_text(f"c.{quote(customer_column(field.name))}")
    return f"""SELECT u.customer_id, u.run_id, u.entered_at, u.entry, u.exposed_at,
  coalesce({drawn}, '') AS arm
FROM ({by_first_entry(source, journey)}) AS u
JOIN {base} AS c ON c.customer_id = u.customer_id WHERE u.arm = '{TREATED}'"""
