"""Rows of a catalogue for the messages of a send.

What asks nothing of the customer is worked out once for all of them; the rest per run,
in one join over all of them.
"""

from __future__ import annotations

from dataclasses import replace

from journeylang.model.expressions import CustomerValue, EntryValue, ProfileValue
from journeylang.model.journey import Pick
from journeylang.model.walk import walk
from journeylang.plan.operations import SendPark
from journeylang.sql.dialects import quote
from journeylang.sql.expressions import Scope, definitions, predicate, value
from journeylang.sql.relations import catalog, customers

TOO_FEW = -2
"""Stands for the candidates' mask of a run whose message is kept back."""


def pick(park: SendPark, number: int, scope: Scope) -> tuple[str, str]:
    """A JSON list of the rows and how many there are; the join is left with the scope."""
    alias = f"k{park.step}_{number}"
    scope.further[alias] = _join(park.picks[number], alias, scope)
    return scope.dialect.as_json(f"coalesce({alias}.rows, '[]')"), f"coalesce({alias}.n, 0)"


def lacks(park: SendPark, counts: list[str]) -> str | None:
    """The condition under which the message is kept back."""
    asked = [f"{n} < {p.count}" for p, n in zip(park.picks, counts, strict=True) if p.otherwise]
    return " OR ".join(asked) or None


def _join(pick: Pick, alias: str, scope: Scope) -> str:
    d, binding = scope.dialect, scope.project.binding
    parts = [e for e in (pick.by, pick.where) if e is not None]
    named = definitions(scope.project)
    of_runs = CustomerValue | EntryValue | ProfileValue
    own = any(isinstance(n, of_runs) for e in parts for n in walk(e, named))
    inner = replace(scope, customer="kc", groups={}, fields={}, further={}, profile={})
    by = None if pick.by is None else value(pick.by, inner)
    conditions = [f"{by} IS NOT NULL"] if by is not None else []
    if pick.where is not None:
        conditions.append(predicate(pick.where, inner))
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    key = d.in_order('e."_key"')
    order = f"{f'{by} DESC, ' if by is not None else ''}{key}"
    fields = ("key", *(f.name for f in binding.catalogs[pick.catalog].fields))
    row = d.json_object((name, f"e.{quote(name)}") for name in fields)
    rows = f"{d.json_list('r.item', 'r.n')} AS rows, count(*) AS n"
    relation = f"{catalog(binding, pick.catalog, d)} AS e"
    if not own:
        ranked = f"SELECT {row} AS item, row_number() OVER (ORDER BY {order}) AS n FROM {relation}"
        return (
            f"\nLEFT JOIN (SELECT {rows} FROM ({ranked}{where}) AS r"
            f" WHERE r.n <= {pick.count}) AS {alias} ON TRUE"
        )
    w = scope.rows.alias
    about = (
        f" LEFT JOIN {customers(binding, d, tuple(inner.fields))} AS kc"
        f" ON kc.customer_id = {w}.customer_id"
        if inner.fields
        else ""
    )
    ranked = (
        f"SELECT {w}.customer_id, {w}.run_id, {row} AS item, row_number() OVER"
        f" (PARTITION BY {w}.customer_id, {w}.run_id ORDER BY {order}) AS n"
        f" FROM {scope.rows.name} AS {w}{about}{inner.profile_joins()}"
        f" CROSS JOIN {relation}{where}"
    )
    return (
        f"\nLEFT JOIN (SELECT r.customer_id, r.run_id, {rows} FROM ({ranked}) AS r"
        f" WHERE r.n <= {pick.count} GROUP BY r.customer_id, r.run_id) AS {alias}"
        f" ON {alias}.customer_id = {w}.customer_id AND {alias}.run_id = {w}.run_id"
    )
