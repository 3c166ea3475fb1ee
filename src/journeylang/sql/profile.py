"""`profile.x`: what `set` wrote about a customer, and how it is written.

Values are kept as text, for a name's type is that of its `set`s, and may be another one with
the next version: what then does not fit is unknown.

What a run writes it sees at once, from `written`, the working table of this tick. Others see
it from the next tick on, in `journey.profile`.
"""

from __future__ import annotations

from journeylang.sql.dialects import Dialect, quote, text


def profile_value(name: str, beside: str, *, written: bool) -> str:
    """SQL of the text under a name, where `profile_joins` are joined `beside` that alias."""
    stored = f"pf_{beside}.{quote(name)}"
    if not written:
        return stored
    own = f"pw_{beside}"
    return f"CASE WHEN {own}.{quote(name + ' set')} > 0 THEN {own}.{quote(name)} ELSE {stored} END"


def profile_joins(
    names: tuple[str, ...], whose: str, run: str | None, beside: str, dialect: Dialect
) -> str:
    """LEFT JOINs of the values of a customer, and of what their `run` has written in this tick.

    Joins and no scalar subqueries: DuckDB takes none of those below TRY.
    """
    if not names:
        return ""
    listed = ", ".join(text(name) for name in names)
    stored = ", ".join(
        f"max(p.value) FILTER (WHERE p.name = {text(n)}) AS {quote(n)}" for n in names
    )
    joined = (
        f"\n  LEFT JOIN (SELECT p.customer_id, {stored} FROM journey.profile AS p"
        f" WHERE p.name IN ({listed}) GROUP BY p.customer_id) AS pf_{beside}"
        f" ON pf_{beside}.customer_id = {whose}"
    )
    if run is None:
        return joined
    own = ", ".join(
        f"{dialect.newest('p.value', 'p.round', only=f' FILTER (WHERE p.name = {text(n)})')}"
        f" AS {quote(n)},"
        f" count(*) FILTER (WHERE p.name = {text(n)}) AS {quote(n + ' set')}"
        for n in names
    )
    return joined + (
        f"\n  LEFT JOIN (SELECT p.customer_id, p.run_id, {own} FROM written AS p"
        f" WHERE p.name IN ({listed}) GROUP BY p.customer_id, p.run_id) AS pw_{beside}"
        f" ON pw_{beside}.customer_id = {whose} AND pw_{beside}.run_id = {run}"
    )


def stored_value(name: str, whose: str) -> str:
    """The text under a name as earlier ticks left it; there is at most one row."""
    return (
        "(SELECT max(pv.value) FROM journey.profile AS pv"
        f" WHERE pv.customer_id = {whose} AND pv.name = {text(name)})"
    )


def profile_writes(dialect: Dialect) -> dict[str, str]:
    """Statements that keep what a tick wrote; parameters {now}.

    Of a run's writes the last one counts. Of several runs' the last in the order in which
    sends are decided: by priority, arrival, journey, step and run.
    """
    now = dialect.parameter("now")
    return {
        "clear profile": """DELETE FROM journey.profile AS p
USING (SELECT DISTINCT customer_id, name FROM written) AS w
WHERE p.customer_id = w.customer_id AND p.name = w.name""",
        "profile": f"""INSERT INTO journey.profile (customer_id, name, value, "at", journey, step,
  run_id)
SELECT customer_id, name, value, {now}, journey, step, run_id
FROM (SELECT r.*, row_number() OVER (PARTITION BY r.customer_id, r.name
    ORDER BY r.priority, r.arrived_at DESC, r.ordinal DESC, r.run_id DESC) AS nth
  FROM (SELECT w.*, row_number() OVER (PARTITION BY w.customer_id, w.run_id, w.name
      ORDER BY w.round DESC) AS latest FROM written AS w) AS r
  WHERE r.latest = 1) AS k
WHERE k.nth = 1""",
    }
