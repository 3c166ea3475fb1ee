"""The customer base: who can be reached, who has agreed, and who is not there any more."""

from __future__ import annotations

from journeylang.model.binding import ConsentTable
from journeylang.model.expressions import BoundEvent
from journeylang.report.source import Source
from journeylang.report.tables import Cell, Table, count, share, text
from journeylang.sql.dialects import text as literal
from journeylang.sql.expressions import Rows, Scope, predicate, value
from journeylang.sql.prospects import collected_rows
from journeylang.sql.relations import consent_rows, event

_DAY = 86_400
_STALE = 365
_RECENT = 30

_NOTE = (
    "Reachable: an address is known, the channel's consent is given and nothing suppresses it."
    " Shared are customers with an address that another one has too. Joined and left are consents"
    f" given, and taken back, within {_RECENT} days, of those of which there are rows."
)


def base(source: Source) -> list[Table]:
    return [_everybody(source), _by_channel(source)]


def _everybody(source: Source) -> Table:
    """How many there are, and how many have done nothing for a year."""
    d = source.dialect
    now = d.parameter("now")
    active = [
        f"SELECT e.customer_id FROM {event(source.project.binding, of, (), d)} AS e"
        f' WHERE e."_at" > {now} - {d.interval(_STALE * _DAY)} AND e."_at" <= {now}'
        for bound in source.project.binding.events.values()
        if bound.redeems is None
        for of in [BoundEvent(name=bound.name, span=bound.span)]
    ]
    quiet, there = "count(*)", ""
    if active:
        lively = "\n  UNION ALL ".join(active)
        quiet = "count(*) FILTER (WHERE a.customer_id IS NULL)"
        # Joined: a list that is too long for PostgreSQL's memory is read again for everybody.
        there = (
            f"\nLEFT JOIN (SELECT DISTINCT a.customer_id FROM ({lively}) AS a) AS a"
            " ON a.customer_id = c.customer_id"
        )
    everybody, stale = source.query(
        f"SELECT count(*), {quiet} FROM {source.compiler.base()} AS c{there}"
    )[0]
    reached = source.query(
        "SELECT count(DISTINCT m.customer_id) FROM journey.message AS m WHERE m.action IS NULL"
        f" AND m.decided_at > {now} - {d.interval(_RECENT * _DAY)}"
    )[0][0]
    rows: list[tuple[Cell, ...]] = [
        ("customers", everybody, None),
        (f"stale: no event for {_STALE} days", stale, stale / everybody if everybody else None),
        (f"messaged within {_RECENT} days", reached, reached / everybody if everybody else None),
    ]
    return Table(
        name="base",
        title="the base",
        columns=(text("what", ""), count("customers"), share("part")),
        rows=tuple(rows),
    )


def _by_channel(source: Source) -> Table:
    rows = []
    for name in source.project.binding.channels:
        found = source.query(_statement(source, name))[0]
        everybody, known, agreed, suppressed, reachable, shared, joined, left = found
        part = reachable / everybody if everybody else None
        rows.append((name, known, agreed, suppressed, reachable, part, shared, joined, left))
    return Table(
        name="base_channels",
        title="the base, by channel",
        columns=(
            text("channel"),
            count("address"),
            count("consent"),
            count("suppressed"),
            count("reachable"),
            share("part"),
            count("shared"),
            count("joined"),
            count("left"),
        ),
        rows=tuple(rows),
        notes=(_NOTE,),
    )


def _statement(source: Source, name: str) -> str:
    """{now} -> counts of one channel over the whole base."""
    d = source.dialect
    now = d.parameter("now")
    channel = source.project.binding.channels[name]
    scope = source.compiler.scope(Rows())
    address = value(channel.address, scope)
    agreed, since = _consent(source, channel.consent, scope)
    recent = f"{now} - {d.interval(_RECENT * _DAY)}"
    joined = f"count(*) FILTER (WHERE r.agreed AND r.yes > {recent})" if since else "NULL"
    left = f"count(*) FILTER (WHERE NOT r.agreed AND r.no > {recent})" if since else "NULL"
    times = "s.yes, s.no" if since else "NULL AS yes, NULL AS no"
    said = f"\n  LEFT JOIN ({since}) AS s ON s.customer_id = c.customer_id" if since else ""
    return f"""WITH r AS (
  SELECT c.customer_id, {address} AS address, {agreed} AS agreed, {times},
    EXISTS (SELECT 1 FROM journey.suppression AS u WHERE u.customer_id = c.customer_id
      AND u.channel = {literal(name)}) AS suppressed
  FROM {source.compiler.base(*scope.fields)} AS c{said}
)
SELECT count(*), count(r.address), count(*) FILTER (WHERE r.agreed),
  count(*) FILTER (WHERE r.suppressed),
  count(*) FILTER (WHERE r.address IS NOT NULL AND r.agreed AND NOT r.suppressed),
  (SELECT coalesce(sum(g.n), 0) FROM (SELECT count(*) AS n FROM r WHERE r.address IS NOT NULL
    GROUP BY r.address HAVING count(*) > 1) AS g),
  {joined}, {left}
FROM r"""


def _consent(source: Source, name: str | None, scope: Scope) -> tuple[str, str]:
    """Whether a customer has agreed, and the rows in which who said what when, if there are any."""
    if name is None:
        return "TRUE", ""
    d = source.dialect
    bound = source.project.binding.consents[name]
    rows = (
        'SELECT customer_id, "at", granted FROM journey.consent_change'
        f" WHERE consent = {literal(name)}"
    )
    if isinstance(bound, ConsentTable):
        collected = collected_rows(source.project, name, d)
        rows += f" UNION ALL SELECT * FROM {consent_rows(bound, d)} AS b"
        rows += f" UNION ALL {collected}" if collected is not None else ""
        agreed = "(s.yes IS NOT NULL AND (s.no IS NULL OR s.yes > s.no))"
    else:
        refused = "s.no IS NOT NULL AND (s.yes IS NULL OR s.no >= s.yes)"
        agreed = f"(coalesce({predicate(bound.condition, scope)}, FALSE) AND NOT ({refused}))"
    since = (
        "SELECT k.customer_id, max(k.at) FILTER (WHERE k.granted) AS yes,"
        " max(k.at) FILTER (WHERE NOT k.granted) AS no"
        f" FROM ({rows}) AS k WHERE k.at <= {d.parameter('now')} GROUP BY k.customer_id"
    )
    return agreed, since
