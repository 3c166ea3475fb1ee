"""Is a cap used up, and when is it free again?

`counts` has, per customer of the CTE `i` and per window that a cap looks at, how many messages
count and when the oldest of them was decided; `members` who belongs to the segments that have
caps of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

from journeylang.model.expressions import CustomerValue
from journeylang.model.types import Kind, Type
from journeylang.plan.operations import CapRule, Offer, Program
from journeylang.sql.compiler import Compiler
from journeylang.sql.dialects import text
from journeylang.sql.expressions import Rows, predicate
from journeylang.sql.reach import Situation, wish_column
from journeylang.sql.session import caps_sets


class _Window(NamedTuple):
    """Which messages are counted together; several caps may ask for one."""

    channel: str | None
    topic: str | None
    seconds: int | None
    calendar: Literal["day", "week", "month"] | None


_LONGEST: Mapping[str | None, int] = {"day": 3 * 86400, "week": 9 * 86400, "month": 33 * 86400}
"""Seconds that bound a stretch of the calendar in any zone: with two days for changed clocks."""


def _window(cap: CapRule) -> _Window:
    return _Window(cap.channel, cap.topic, cap.seconds, cap.calendar)


class Caps:
    """The caps of some offers, as columns over `counts AS n`, `zone_day AS z`, offers `o`."""

    def __init__(
        self,
        compiler: Compiler,
        program: Program,
        offers: Sequence[Offer],
        there: Situation,
        here: str,
    ) -> None:
        self.here = here
        self.compiler = compiler
        self.d = compiler.dialect
        self.there = there
        self.now = self.d.parameter("now")
        bound = {o.caps for o in offers}
        self.sets = [(n, o.caps) for n, o in enumerate(caps_sets(program)) if o.caps in bound]
        caps = list(dict.fromkeys(c for _, caps in self.sets for c in caps))
        self.windows = list(dict.fromkeys(map(_window, caps)))
        self.calendar = any(w.calendar for w in self.windows)
        self.segments = list(dict.fromkeys(c.segment for c in caps if c.segment is not None))
        self.wishes = list(
            dict.fromkeys(c.limit for c in caps if isinstance(c.limit, CustomerValue))
        )

    def ctes(self) -> list[str]:
        """`counts` and `members`, if they are asked for; behind `reach`."""
        ctes = [self._counts()] if self.windows else []
        return [*ctes, self._members()] if self.segments else ctes

    def joins(self) -> str:
        """For the candidates `i`, `o`, `reach AS r`."""
        if not self.windows:
            return ""
        joins = "\n  LEFT JOIN counts AS n ON n.customer_id = i.customer_id"
        if self.segments:
            joins += "\n  LEFT JOIN members AS b ON b.customer_id = i.customer_id"
        if self.calendar:
            joins += f"\n  LEFT JOIN zone_day AS z ON z.zone = r.zone{self._now_in('z')}"
        return joins

    def used_up(self, action: str) -> str:
        """Whether a cap of this action is used up; unknown may stand for no."""
        return self._per_set(
            lambda caps: " OR ".join(full for c in caps if (full := self._full(c, action))),
            "FALSE",
        )

    def release(self) -> str:
        """When the last of the full caps that may be waited for lets a message through."""

        def latest(caps: Sequence[CapRule]) -> str:
            releases = [
                f"CASE WHEN {self._full(c, 'hold')} THEN {self._free(c)} END"
                for c in caps
                if c.action == "hold"
            ]
            return f"greatest({', '.join(releases)})" if len(releases) > 1 else "".join(releases)

        return self._per_set(latest, self.d.literal(None, Type(kind=Kind.INSTANT)))

    def counted(self) -> str:
        """What the caps have counted, as columns for `figures`: few have a use for it."""
        return "".join(f", n.n{n}" for n in range(len(self.windows))) + ", o.caps AS caps"

    def figures(self, counts: str, offer: str | None = None) -> str:
        """What the caps have counted, as JSON, of a row with the columns of `counted`."""
        return self._per_set(
            lambda caps: (
                self.d.json_object(
                    (cap_name(c), f"coalesce({counts}.n{self.windows.index(_window(c))}, 0)")
                    for c in caps
                )
                if caps
                else ""
            ),
            "NULL",
            offer or counts,
        )

    def _per_set(
        self, sql: Callable[[Sequence[CapRule]], str], otherwise: str, row: str = "o"
    ) -> str:
        """Some figure of the offer's set of caps."""
        found = [(number, sql(caps)) for number, caps in self.sets]
        if len(found) == 1:
            return f"({found[0][1]})" if found[0][1] else otherwise
        whens = "".join(f" WHEN {number} THEN ({one})" for number, one in found if one)
        return f"CASE {row}.caps{whens} ELSE {otherwise} END" if whens else otherwise

    def _counted(self, cap: CapRule) -> str:
        return f"coalesce(n.n{self.windows.index(_window(cap))}, 0)"

    def _free(self, cap: CapRule) -> str:
        if cap.seconds is None:
            return f"z.next_{cap.calendar}"
        return f"n.o{self.windows.index(_window(cap))} + {self.d.interval(cap.seconds)}"

    def _full(self, cap: CapRule, action: str) -> str:
        """Whether the cap stands against a message, as one of this action; empty: never."""
        counted = self._counted(cap)
        if isinstance(cap.limit, CustomerValue):
            most = f"r.{wish_column(cap.limit)}"
            if cap.action == "skip":
                full = f"{counted} >= {most}" if action == "skip" else ""
            elif action == "hold":
                full = f"{most} > 0 AND {counted} >= {most}"
            else:
                # Who wants none is not made to wait for one, whatever the policy says.
                full = f"{most} <= 0"
        else:
            full = f"{counted} >= {cap.limit}" if cap.action == action else ""
        if not full:
            return ""
        member = f"b.m{self.segments.index(cap.segment)} AND " if cap.segment is not None else ""
        return f"({member}{full})"

    def _now_in(self, alias: str) -> str:
        return f" AND {self.now} >= {alias}.since AND {self.now} < {alias}.until"

    def _counts(self) -> str:
        """Per customer and window: messages counted, and when the oldest was decided."""
        columns = []
        alone = ""
        for n, window in enumerate(self.windows):
            # Rolling windows are half-open at their old end, a calendar day begins with its start.
            within = f"m.decided_at >= z.{window.calendar}"
            if window.seconds is not None:
                within = f"m.decided_at > {self.now} - {self.d.interval(window.seconds)}"
            within += f" AND m.channel = {text(window.channel)}" if window.channel else ""
            within += f" AND m.topic = {text(window.topic)}" if window.topic else ""
            only = f" FILTER (WHERE {within})"
            if len(self.windows) == 1:
                only, alone = "", f" AND {within}"
            columns.append(f"count(*){only} AS n{n}, min(m.decided_at){only} AS o{n}")
        zone = ""
        if self.calendar:
            zone = (
                " JOIN reach AS r ON r.customer_id = m.customer_id"
                f"\n  LEFT JOIN zone_day AS z ON z.zone = r.zone{self._now_in('z')}"
            )
        # What is scanned ends where the longest window begins, in whatever zone.
        longest = max(
            w.seconds if w.seconds is not None else _LONGEST[w.calendar] for w in self.windows
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
    AND m.customer_id IN ({self.here}){given_back}{alone}
  GROUP BY m.customer_id
)"""

    def _members(self) -> str:
        scope = self.compiler.scope(Rows(name="i", alias="i"))
        columns = "".join(
            f", coalesce({predicate(segment, scope)}, FALSE) AS m{n}"
            for n, segment in enumerate(self.segments)
        )
        joins = scope.joins()
        return f"""members AS (
  SELECT i.customer_id{columns}
  FROM i JOIN {self.compiler.base(*scope.fields)} AS c ON c.customer_id = i.customer_id{joins}
)"""


def cap_name(cap: CapRule) -> str:
    """A cap as one would say it: `email 2 per 30d for newcomers`."""
    of = f"about {cap.topic}" if cap.topic is not None else cap.channel or "any"
    limit = f"customer.{cap.limit.name}" if isinstance(cap.limit, CustomerValue) else cap.limit
    window = cap.calendar if cap.calendar is not None else span_of_time(cap.seconds or 0)
    whose = f" for {cap.segment.name}" if cap.segment is not None else ""
    return f"{of} {limit} per {window}{whose}"


def span_of_time(seconds: int) -> str:
    """Seconds in the largest unit that they are a multiple of: `7d`, `90m`."""
    units = ((86400, "d"), (3600, "h"), (60, "m"))
    size, unit = next((u for u in units if seconds % u[0] == 0), (1, "s"))
    return f"{seconds // size}{unit}"
