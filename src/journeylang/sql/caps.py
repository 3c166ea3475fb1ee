"""Is a cap used up, and when is it free again?

`counts` has, per customer of the CTE `i` and per cap, how many messages count and when the
oldest of them was decided.
"""

from __future__ import annotations

from collections.abc import Sequence

from journeylang.model.types import Kind, Type
from journeylang.plan.operations import CapRule, Offer, Program
from journeylang.sql.dialects import Dialect, text
from journeylang.sql.reach import Situation
from journeylang.sql.session import caps_sets


class Caps:
    """The caps of some offers, as columns over `counts AS n`, `zone_day AS z`, offers `o`."""

    def __init__(
        self, dialect: Dialect, program: Program, offers: Sequence[Offer], there: Situation
    ) -> None:
        self.d = dialect
        self.there = there
        self.now = dialect.parameter("now")
        bound = {o.caps for o in offers}
        self.sets = [(n, o.caps) for n, o in enumerate(caps_sets(program)) if o.caps in bound]
        self.caps = list(dict.fromkeys(c for _, caps in self.sets for c in caps))
        self.calendar = any(c.calendar for c in self.caps)

    def ctes(self) -> list[str]:
        return [self._counts()] if self.caps else []

    def joins(self) -> str:
        """For the candidates `i`, `o`, `reach AS r`."""
        if not self.caps:
            return ""
        joins = "\n  LEFT JOIN counts AS n ON n.customer_id = i.customer_id"
        if self.calendar:
            joins += f"\n  LEFT JOIN zone_day AS z ON z.zone = r.zone{self._now_in('z')}"
        return joins

    def _now_in(self, alias: str) -> str:
        return f" AND {self.now} >= {alias}.since AND {self.now} < {alias}.until"

    def _since(self, cap: CapRule) -> str:
        if cap.seconds is not None:
            return f"{self.now} - {self.d.interval(cap.seconds)}"
        return f"z.{cap.calendar}"

    def _counts(self) -> str:
        """Per customer and cap: messages counted, and when the oldest of them was decided."""
        columns = []
        for n, cap in enumerate(self.caps):
            # Rolling windows are half-open at their old end, a calendar day begins with its start.
            operator = ">" if cap.seconds is not None else ">="
            of = f" AND m.channel = {text(cap.channel)}" if cap.channel else ""
            within = f"FILTER (WHERE m.decided_at {operator} {self._since(cap)}{of})"
            columns.append(f"count(*) {within} AS n{n}, min(m.decided_at) {within} AS o{n}")
        zone = ""
        if self.calendar:
            zone = (
                " JOIN reach AS r ON r.customer_id = m.customer_id"
                f"\n  LEFT JOIN zone_day AS z ON z.zone = r.zone{self._now_in('z')}"
            )
        # A month on the calendar, its 31 days and a day for zones, bounds what is scanned.
        longest = max(
            [c.seconds for c in self.caps if c.seconds is not None]
            + [33 * 86400 if self.calendar else 0]
        )
        given_back = (
            """
    AND NOT EXISTS (SELECT 1 FROM journey.receipt AS b WHERE b.given_back
      AND b.message_id = m.message_id AND b.customer_id = m.customer_id)"""
            if self.there.given_back
            else ""
        )
        return f"""counts AS (
  SELECT m.customer_id, {", ".join(columns)}
  FROM journey.message AS m{zone}
  WHERE m.counted AND m.decided_at > {self.now} - {self.d.interval(longest)}
    AND m.customer_id IN (SELECT customer_id FROM i){given_back}
  GROUP BY m.customer_id
)"""

    def used_up(self, action: str) -> str:
        """Whether a cap with this `then` is used up."""
        whens = []
        for number, caps in self.sets:
            full = [
                f"coalesce(n.n{self.caps.index(c)}, 0) >= {c.limit}"
                for c in caps
                if c.action == action
            ]
            if full:
                whens.append(f"WHEN {number} THEN ({' OR '.join(full)})")
        return f"CASE o.caps {' '.join(whens)} ELSE FALSE END" if whens else "FALSE"

    def release(self) -> str:
        """When the last of the full caps that may be waited for lets a message through."""
        whens = []
        for number, caps in self.sets:
            releases = []
            for cap in caps:
                if cap.action != "hold":
                    continue
                n = self.caps.index(cap)
                free = (
                    f"n.o{n} + {self.d.interval(cap.seconds)}"
                    if cap.seconds is not None
                    else f"z.next_{cap.calendar}"
                )
                releases.append(f"CASE WHEN coalesce(n.n{n}, 0) >= {cap.limit} THEN {free} END")
            if releases:
                latest = f"greatest({', '.join(releases)})" if len(releases) > 1 else releases[0]
                whens.append(f"WHEN {number} THEN {latest}")
        missing = self.d.literal(None, Type(kind=Kind.INSTANT))
        return f"CASE o.caps {' '.join(whens)} ELSE {missing} END" if whens else missing

    def figures(self) -> str:
        """What the caps have counted, as JSON."""
        whens = []
        for number, caps in self.sets:
            if caps:
                pairs = ((cap_name(c), f"coalesce(n.n{self.caps.index(c)}, 0)") for c in caps)
                whens.append(f"WHEN {number} THEN {self.d.json_object(pairs)}")
        return f"CASE o.caps {' '.join(whens)} END" if whens else "NULL"


def cap_name(cap: CapRule) -> str:
    """A cap as one would say it: `email 2 per 30d`."""
    window: str
    if cap.calendar is not None:
        window = cap.calendar
    else:
        seconds = cap.seconds or 0
        unit = next(
            (u for u in ((86400, "d"), (3600, "h"), (60, "m")) if seconds % u[0] == 0), (1, "s")
        )
        window = f"{seconds // unit[0]}{unit[1]}"
    return f"{cap.channel or 'any'} {cap.limit} per {window}"
