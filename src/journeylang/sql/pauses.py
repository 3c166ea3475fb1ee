"""Journeys that are paused, and the figures that guards look at.

Instants of a pause are those of ticks: it begins with one and ends with one, so that a virtual
clock and the real one mean the same. `after` is the last tick that moved the journey's runs;
the first tick behind the pause wakes them as if there had been none since then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from journeylang.model.measures import OF_GOALS, RATES, Target
from journeylang.plan.operations import Program
from journeylang.sql.dialects import Dialect, text
from journeylang.sql.schema import WHY
from journeylang.sql.session import REFUSED

OPEN = """SELECT v.name, p.since, p.cause, p.detail FROM journey.pause AS p
JOIN (SELECT DISTINCT journey, name FROM journey.version) AS v ON v.journey = p.journey
WHERE p.until IS NULL ORDER BY v.name"""
"""-> (journey, since, cause, detail) of the journeys that are paused."""


def probed(d: Dialect, program: Program) -> list[str]:
    """Parts of the probe: ('pause', journey, is it paused, after, until) of pauses that matter to
    the next tick, and ('guard', journey:number, messages, figure, NULL) of each guard.
    """
    pauses = (
        f"SELECT 'pause', {d.as_text('p.journey')}, CASE WHEN p.until IS NULL THEN 1 ELSE 0 END,"
        f" {d.as_text('p.after')}, {d.as_text('p.until')} FROM journey.pause AS p"
        " WHERE p.until IS NULL OR NOT p.caught_up"
    )
    return [
        pauses,
        *(
            figure(d, plan.journey, number, guard)
            for plan in program.journeys
            for number, guard in enumerate(plan.guards)
            if guard.measure != "entries" and guard.measure not in OF_GOALS
        ),
    ]


def figure(d: Dialect, journey: int, number: int, guard: Target) -> str:
    """{now} -> ('guard', journey:number, messages, figure as text, NULL) of a guard on messages."""
    now = d.parameter("now")
    found = "count(*)"
    if guard.measure == "cost":
        found = "coalesce(sum(m.cost), 0)"
    elif guard.measure in RATES:
        event = text(RATES[guard.measure])
        found = (
            "count(*) FILTER (WHERE m.message_id IN (SELECT f.message_id"
            f" FROM journey.message_event AS f WHERE f.name = {event} AND f.at <= {now}))"
        )
    window = f" AND m.decided_at > {now} - {d.interval(guard.over)}" if guard.over else ""
    channel = f" AND m.channel = {text(guard.channel)}" if guard.channel else ""
    return f"""SELECT 'guard', '{journey}:{number}', count(*), {d.as_text(found)}, NULL
FROM journey.message AS m
WHERE m.journey = {journey} AND m.action IS NULL{channel}{window}
  AND m.decided_at > {resumed(journey)}
  AND NOT EXISTS (SELECT 1 FROM journey.receipt AS b WHERE b.given_back
    AND b.message_id = m.message_id AND b.customer_id = m.customer_id)"""


def resumed(journey: int) -> str:
    """When the journey went on last: what was before has been judged."""
    return (
        f"coalesce((SELECT max(p.until) FROM journey.pause AS p WHERE p.journey = {journey}),"
        " TIMESTAMP '1970-01-01')"
    )


def entered(d: Dialect, journey: int, guard: Target, resting: str | None = None) -> str:
    """{now} -> (entries,): those in the guard's window, with this tick's candidates.

    `resting` is a relation of those that are not in the table of runs just now: journey,
    entered_at, and how many (`n`).
    """
    window = ""
    if guard.over is not None:
        window = f" AND e.entered_at > {d.parameter('now')} - {d.interval(guard.over)}"
    return f"""SELECT {_counted(resting)} FROM ({_entries(journey, resting)}) AS e
WHERE e.entered_at > {resumed(journey)}{window}"""


def usual(d: Dialect, journey: int, resting: str | None = None) -> str:
    """{now} -> (entries of the last 24 hours, with this tick's candidates; the most that
    entered in any of the 14 times 24 hours before). `resting`: as `entered` has it.
    """
    now = d.parameter("now")
    ago = f"CAST(floor(extract(epoch FROM ({now} - e.entered_at)) / 86400) AS INTEGER)"
    return f"""SELECT coalesce(sum(g.n) FILTER (WHERE g.ago <= 0), 0),
  coalesce(max(g.n) FILTER (WHERE g.ago > 0), 0)
FROM (SELECT {ago} AS ago, {_counted(resting)} AS n FROM ({_entries(journey, resting)}) AS e
  WHERE e.entered_at > {now} - {d.interval(15 * 86400)} GROUP BY 1) AS g"""


def _entries(journey: int, resting: str | None) -> str:
    one, others = "", ""
    if resting is not None:
        one = ", 1 AS n"
        others = f"\n  UNION ALL SELECT o.entered_at, o.n FROM {resting} AS o"
        others += f" WHERE o.journey = {journey}"
    return f"""SELECT r.entered_at{one} FROM journey.run AS r WHERE r.journey = {journey}
  UNION ALL SELECT t.entered_at{one} FROM trail AS t WHERE t.journey = {journey}
    AND t.why = {WHY["entered"]} AND t.fate <> {REFUSED}{others}"""


def _counted(resting: str | None) -> str:
    return "count(*)" if resting is None else "coalesce(sum(e.n), 0)"


def keep_out(journey: int, reason: str) -> str:
    """This tick's candidates of a journey are refused, and so not tried again."""
    return f"""UPDATE trail SET round = 0, fate = {REFUSED}, reason = {text(reason)}, leaf = NULL
WHERE journey = {journey} AND why = {WHY["entered"]} AND fate <> {REFUSED}"""


def forget(journey: int) -> str:
    """This tick's candidates of a journey have not been there."""
    return f"DELETE FROM trail WHERE journey = {journey} AND why = {WHY['entered']}"


def leave_asleep(journey: int) -> str:
    """Whoever woke in this tick rests on."""
    return f"DELETE FROM trail WHERE journey = {journey} AND NOT fresh AND going IS NOT NULL"


def begin(journey: int, cause: str, detail: str, instants: Sequence[str] | None = None) -> str:
    """Pause a journey from `instants` (since, after) on; None: from the latest tick."""
    since, after = instants or ("l.now", "l.now")
    return f"""INSERT INTO journey.pause (journey, since, after, until, caught_up, cause, detail)
SELECT {journey}, {since}, {after}, NULL, FALSE, {text(cause)}, {text(detail)}
FROM journey.lock AS l WHERE l.name = 'tick' AND NOT EXISTS (
  SELECT 1 FROM journey.pause AS p WHERE p.journey = {journey} AND p.until IS NULL)"""


def end(journey: int) -> str:
    """The journey goes on with the next tick."""
    return f"""UPDATE journey.pause SET until = (SELECT now FROM journey.lock WHERE name = 'tick')
WHERE journey = {journey} AND until IS NULL"""


def caught_up(journeys: Iterable[int]) -> str:
    """Their runs have been woken since."""
    listed = ", ".join(map(str, journeys))
    return (
        "UPDATE journey.pause SET caught_up = TRUE"
        f" WHERE journey IN ({listed}) AND until IS NOT NULL"
    )
