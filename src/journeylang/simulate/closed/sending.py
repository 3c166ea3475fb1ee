"""Who is sent to, skipped or held at one send, each at an instant of their own."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from journeylang.classes import dataclass
from journeylang.plan.operations import CapRule, JourneyPlan, Offer, SendPark
from journeylang.simulate.closed.grid import Grid
from journeylang.simulate.closed.people import ZONE, People
from journeylang.simulate.population import SCHEMA
from journeylang.sql.compiler import Compiler
from journeylang.sql.dialects import text
from journeylang.sql.expressions import Rows, predicate
from journeylang.sql.schema import OF_MARKETING
from journeylang.sql.session import HELD, SENT, SKIPPED

QUIET = f"{SCHEMA}.quiet"
DAYS = f"{SCHEMA}.local_day"
_NO_TIME = "CAST(NULL AS TIMESTAMP)"


def clocks(grid: Grid) -> list[str]:
    """What each zone's clocks show at each tick, of the session's tables."""
    ticks = (
        f"(SELECT make_timestamp(epoch_us(TIMESTAMP '{grid.start}') + g.n"
        f" * {int(grid.step.total_seconds() * 1_000_000)}) AS now"
        f" FROM range({grid.count}) AS g(n)) AS k"
    )
    inside = "k.now >= z.since AND k.now < z.until"
    zone = f"TRY_CAST(z.zone AS {ZONE}) AS zone"
    quiet = f"SELECT {zone}, z.rule, k.now, z.quiet, z.release FROM zone_quiet AS z JOIN {ticks}"
    days = f"SELECT k.now, {zone}, z.* EXCLUDE (zone, since, until) FROM zone_day AS z JOIN {ticks}"
    return [
        f"CREATE TABLE {QUIET} AS {quiet} ON {inside}",
        f"CREATE TABLE {DAYS} AS {days} ON {inside}",
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One send for those in the table `rows`: a run each, with `arrived_at` and `now`.

    `before`: so many counted messages may have gone to one customer ahead of this one, in a time
    that a cap looks at (None: nobody knows). `suppressions`: there are any. `entered`: all of
    them enter while the dry run lasts.
    """

    compiler: Compiler
    plan: JourneyPlan
    people: People
    park: SendPark
    rows: str
    before: int | None
    suppressions: bool
    entered: bool

    def decided(self, table: str, carried: str) -> str:
        """Creates the table: the rows, with `outcome`, `channel`, `cost`, `counted`, `reason`, and
        `wake_at` of those who are held.
        """
        d, park = self.compiler.dialect, self.park
        scope = self.compiler.scope(Rows(name=self.rows))
        scope.instant = "w.now"
        columns = []
        for n, offer in enumerate(park.offers):
            when = park.candidates[n].when
            there = "TRUE" if when is None else f"coalesce({predicate(when, scope)}, FALSE)"
            early, late, stuck, held, release = self._rules(n, offer)
            columns += [
                f"{there} AS there_{n}",
                f"coalesce({early}, {late}) AS reason_{n}",
                f"NOT ({stuck}) AND ({held}) AS waits_{n}",
                f"{release} AS release_{n}",
            ]
        joins = "".join(self._joins())
        if scope.fields:
            joins += (
                f"\n  LEFT JOIN {self.compiler.base(*scope.fields)} AS c"
                " ON c.customer_id = w.customer_id"
            )
        limit = d.shift("w.arrived_at", str(park.limit))
        numbers = range(len(park.offers))
        open_ = self._first(f"j.there_{n} AND j.reason_{n} IS NULL" for n in numbers)
        waiting = self._first(f"j.there_{n} AND j.waits_{n}" for n in numbers)
        first = self._first(f"j.there_{n}" for n in numbers)
        release = self._least(
            f"CASE WHEN j.there_{n} AND j.waits_{n} THEN j.release_{n} END" for n in numbers
        )
        parks = "FALSE" if park.otherwise == "skip" else f"{waiting} IS NOT NULL"
        late = "j.now >= j.limit_at"
        return f"""CREATE OR REPLACE TABLE {table} AS
SELECT {carried}, k.outcome, k.wake_at,
  {self._of("k.taken", [text(o.channel) for o in park.offers])} AS channel,
  {self._of("k.taken", [_money(o.cost) for o in park.offers])} AS cost,
  {self._of("k.taken", ["TRUE" if o.counted else "FALSE" for o in park.offers])} AS counted,
  CASE WHEN k.late THEN coalesce(k.last_reason, 'expired')
    ELSE coalesce({self._of("k.taken", [f"k.reason_{n}" for n in numbers])},
      CASE WHEN k.outcome <> {SENT} THEN 'no_channel' END) END AS reason
FROM (SELECT j.*, {late} AS late, coalesce({open_}, {waiting}, {first}) AS taken,
    least(coalesce({release}, j.limit_at), j.limit_at) AS wake_at,
    CASE WHEN {late} OR {first} IS NULL THEN {SKIPPED} WHEN {open_} IS NOT NULL THEN {SENT}
      WHEN {parks} THEN {HELD} ELSE {SKIPPED} END AS outcome
  FROM (SELECT w.*, {limit} AS limit_at, {", ".join(columns)}
    FROM {self.rows} AS w{joins}{scope.joins()}) AS j) AS k"""

    def _rules(self, number: int, offer: Offer) -> tuple[str, str, str, str, str]:
        """The reasons before and behind those of budgets; whether waiting can't, and may, help; and
        until when.
        """
        d = self.compiler.dialect
        no_address = f"NOT {self.people.address(offer)}"
        suppressed = self._suppressed(number)
        no_consent = f"NOT {self.people.granted(offer)}"
        control = "FALSE"
        # Who is in the control group of the entry has not entered.
        drawn = self.entered and offer.control == self.plan.control
        if offer.control is not None and not drawn:
            control = f"{d.bucket(offer.control.salt, 'w.customer_id')} < {offer.control.share}"
        hold = f"coalesce(qh_{number}.quiet, FALSE)" if offer.quiet_hold is not None else "FALSE"
        skip = f"coalesce(qs_{number}.quiet, FALSE)" if offer.quiet_skip is not None else "FALSE"
        caps = [(cap, full) for cap in offer.caps if (full := self._full(cap)) is not None]
        capped = {
            action: " OR ".join(f for cap, f in caps if cap.action == action) or "FALSE"
            for action in ("hold", "skip")
        }
        release = [f"CASE WHEN {hold} THEN qh_{number}.release END"] if hold != "FALSE" else []
        release += [
            f"CASE WHEN {full} THEN {self._free(cap)} END"
            for cap, full in caps
            if cap.action == "hold"
        ]
        early = (
            f"CASE WHEN {no_address} THEN 'no_address' WHEN {suppressed} THEN 'suppressed'"
            f" WHEN {no_consent} THEN 'no_consent' WHEN {control} THEN 'global_control' END"
        )
        late = (
            f"CASE WHEN {hold} OR {skip} THEN 'quiet'"
            f" WHEN {capped['hold']} OR {capped['skip']} THEN 'capped' END"
        )
        stuck = f"{early} IS NOT NULL OR {skip} OR {capped['skip']}"
        return (
            early,
            late,
            stuck,
            f"{hold} OR {capped['hold']}",
            f"greatest({', '.join(release)})" if release else _NO_TIME,
        )

    def _suppressed(self, number: int) -> str:
        return f"coalesce(closed_{number}.at <= w.now, FALSE)" if self.suppressions else "FALSE"

    def _suppressions(self, offer: Offer) -> str:
        """Of each customer the first by which the channel is closed for the offer."""
        but = ""
        if offer.transactional:
            spared = ", ".join(text(reason) for reason in OF_MARKETING)
            but = f" AND u.reason NOT IN ({spared})"
        return (
            '(SELECT u.customer_id, min(u."at") AS at FROM journey.suppression AS u'
            f" WHERE u.channel = {text(offer.channel)}{but} GROUP BY u.customer_id)"
        )

    # --- caps ---------------------------------------------------------------------

    def _caps(self) -> list[CapRule]:
        return list(dict.fromkeys(c for o in self.park.offers for c in o.caps))

    def _full(self, cap: CapRule) -> str | None:
        assert isinstance(cap.limit, int), "asked before"
        if self.before is not None and self.before < cap.limit:
            return None
        return f"coalesce(n.n_{self._caps().index(cap)}, 0) >= {cap.limit}"

    def _free(self, cap: CapRule) -> str:
        if cap.seconds is None:
            return f"day.next_{cap.calendar}"
        d = self.compiler.dialect
        return f"n.o_{self._caps().index(cap)} + {d.interval(cap.seconds)}"

    def _joins(self) -> list[str]:
        joins = []
        for n, offer in enumerate(self.park.offers):
            if self.suppressions:
                joins.append(
                    f"\n  LEFT JOIN {self._suppressions(offer)} AS closed_{n}"
                    f" ON closed_{n}.customer_id = w.customer_id"
                )
            for alias, rule in ((f"qh_{n}", offer.quiet_hold), (f"qs_{n}", offer.quiet_skip)):
                if rule is not None:
                    joins.append(
                        f"\n  LEFT JOIN {QUIET} AS {alias} ON {alias}.zone = w.zone"
                        f" AND {alias}.rule = {rule} AND {alias}.now = w.now"
                    )
        caps = [cap for cap in self._caps() if self._full(cap) is not None]
        if any(cap.calendar for cap in caps):
            joins.append(f"\n  LEFT JOIN {DAYS} AS day ON day.zone = w.zone AND day.now = w.now")
        if caps:
            joins.append(self._counts(caps))
        return joins

    def _counts(self, caps: list[CapRule]) -> str:
        d = self.compiler.dialect
        columns = []
        for cap in caps:
            number = self._caps().index(cap)
            within = f"m.decided_at >= day.{cap.calendar}"
            if cap.seconds is not None:
                within = f"m.decided_at > w.now - {d.interval(cap.seconds)}"
            within += f" AND m.channel = {text(cap.channel)}" if cap.channel else ""
            within += f" AND m.topic = {text(cap.topic)}" if cap.topic else ""
            columns += [
                f"count(*) FILTER (WHERE {within}) AS n_{number}",
                f"min(m.decided_at) FILTER (WHERE {within}) AS o_{number}",
            ]
        return f"""
  LEFT JOIN (SELECT w.customer_id, w.run_id, {", ".join(columns)}
    FROM {self.rows} AS w JOIN journey.message AS m ON m.customer_id = w.customer_id
    LEFT JOIN {DAYS} AS day ON day.zone = w.zone AND day.now = w.now
    WHERE m.counted AND m.decided_at <= w.now AND NOT EXISTS (SELECT 1 FROM journey.receipt AS b
      WHERE b.given_back AND b.message_id = m.message_id AND b.customer_id = m.customer_id)
    GROUP BY w.customer_id, w.run_id) AS n ON n.customer_id = w.customer_id
    AND n.run_id = w.run_id"""

    # --- choosing -------------------------------------------------------------------

    def _first(self, conditions: Iterable[str]) -> str:
        whens = " ".join(f"WHEN {one} THEN {n}" for n, one in enumerate(conditions))
        return f"CASE {whens} END"

    def _least(self, values: Iterable[str]) -> str:
        listed = list(values)
        return listed[0] if len(listed) == 1 else f"least({', '.join(listed)})"

    def _of(self, number: str, values: list[str]) -> str:
        whens = " ".join(f"WHEN {n} THEN {one}" for n, one in enumerate(values))
        return f"CASE {number} {whens} END"


def _money(cost: Decimal | None) -> str:
    return f"CAST({'NULL' if cost is None else cost} AS DECIMAL(18,4))"
