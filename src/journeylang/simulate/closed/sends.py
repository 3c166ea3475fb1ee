"""Sends: who is sent to, who is held there and tried again, and what is made of it."""

from __future__ import annotations

from dataclasses import field

from journeylang.classes import dataclass
from journeylang.plan.operations import SendPark
from journeylang.simulate.behaviour import Behaviour
from journeylang.simulate.closed.leaving import leaving
from journeylang.simulate.closed.sending import Sending
from journeylang.simulate.closed.stage import Stage
from journeylang.simulate.closed.ways import ahead_of
from journeylang.sql.arbitration import BATCH
from journeylang.sql.dialects import text
from journeylang.sql.schema import WHY
from journeylang.sql.session import HELD, SENT, SKIPPED

# Rows of a transaction that is still open are counted from a number near 2 ** 55 on, which is no
# multiple of this: the first rows may have the highest places. No place is had twice.
_PLACE = (1 << 40) - 1


@dataclass(slots=True, kw_only=True)
class Sends:
    """`first_batch` is that of the dry run's messages."""

    stage: Stage
    behaviour: Behaviour
    first_batch: int
    next_message: int = field(init=False)

    def __post_init__(self) -> None:
        self.next_message = self.first_batch * BATCH

    def send(self, park: SendPark, came: str | None) -> None:
        """Those at a send, and again those who are held there, until nobody is."""
        here = self._at_send(park, came)
        own = ", ".join(f"k.{c}" for c in self.stage.own)
        [[suppressions]] = self.stage.ask("SELECT EXISTS (SELECT 1 FROM journey.suppression)")
        again = 0
        while True:
            decided = self.stage.table(f"decided_{park.step}_{again}")
            sending = Sending(
                compiler=self.stage.compiler,
                plan=self.stage.plan,
                people=self.stage.people,
                park=park,
                rows=here,
                before=self._before(park),
                suppressions=suppressions,
                entered=not self.stage.goes_on,
            )
            carried = f"{own}, k.arrived_at, k.now, k.now AS left_at, {park.step} AS from_step"
            self.stage.do(sending.decided(decided, carried))
            counted = dict(
                self.stage.ask(f"SELECT w.outcome, count(*) FROM {decided} AS w GROUP BY ALL")
            )
            if SENT in counted:
                self._messages(park, decided, sum(counted.values()))
            if SKIPPED in counted:
                self.stage.do(self.stage.traces.skipped(decided, park.step))
            self._behind(park, decided)
            if HELD not in counted:
                return
            again += 1
            here = self._hold(park, decided, again)

    def _at_send(self, park: SendPark, came: str | None) -> str:
        """Those who come to a send, and those whom the dry run finds there."""
        if not self.stage.goes_on:
            assert came is not None, "asked before"
            return came
        held = self.stage.seen(f"at_{park.step}_found_rows")
        rows = self.stage.underway.held(park.step, ", ".join(f"w.{c}" for c in self.stage.own))
        self.stage.do(f"CREATE OR REPLACE VIEW {held} AS {rows}")
        found = self._tried_again(park, held, f"at_{park.step}_found")
        if came is None:
            return found
        both = self.stage.seen(f"both_{park.step}")
        self.stage.do(
            f"CREATE OR REPLACE VIEW {both} AS SELECT * FROM {came} UNION ALL SELECT * FROM {found}"
        )
        return both

    def _hold(self, park: SendPark, decided: str, again: int) -> str:
        """Those who are held, where they are tried again."""
        of = f"FROM {decided} AS w WHERE w.outcome = {HELD}"
        for statement in self.stage.traces.held(decided, park.step):
            self.stage.do(statement)
        held = self.stage.seen(f"at_{park.step}_{again}_rows")
        self.stage.do(f"CREATE OR REPLACE VIEW {held} AS SELECT w.* {of}")
        return self._tried_again(park, held, f"at_{park.step}_{again}")

    def _tried_again(self, park: SendPark, held: str, name: str) -> str:
        """Of those who are held: who comes up for the send again, when they do."""
        last = self.stage.compiler.dialect.instant(self.stage.grid.last)
        out = leaving(self.stage.compiler, self.stage.plan, self.stage.grid, held, self.stage.since)
        whole = self.stage.table(f"{name}_held")
        self.stage.do(f"""CREATE OR REPLACE TABLE {whole} AS
SELECT k.* REPLACE (CASE WHEN k.out_at <= k.due THEN k.out_at ELSE k.due END AS now)
FROM (SELECT w.*, {self.stage.grid.tick("w.wake_at")} AS due, {out.tick} AS out_at,
    {out.reason} AS out_by FROM {held} AS w{out.joins}) AS k""")
        self.stage.stay(whole, park.step)
        here = self.stage.seen(name)
        own = ", ".join(f"w.{c}" for c in self.stage.own)
        self.stage.do(f"""CREATE OR REPLACE VIEW {here} AS
SELECT {own}, w.arrived_at, w.now, w.reason AS last_reason FROM {whole} AS w
WHERE w.due <= {last} AND NOT coalesce(w.out_at <= w.due, FALSE)""")
        return here

    def numbers(self, rows: int) -> str:
        """SQL of numbers for the messages of a table `w` of so many rows, by their places there."""
        first = self.next_message
        self.next_message += -(-rows // BATCH) * BATCH
        return f"({first} + (w.rowid & {_PLACE}))"

    def _messages(self, park: SendPark, decided: str, rows: int) -> None:
        stage = self.stage
        expires = stage.compiler.dialect.shift("w.arrived_at", str(park.expires))
        topic = "NULL" if park.topic is None else text(park.topic)
        number = self.numbers(rows)
        sent = f"FROM {decided} AS w WHERE w.outcome = {SENT}"
        stage.do(f"""INSERT INTO journey.message (customer_id, message_id, batch_id, run_id,
  journey, version, step, occurrence, channel, counted, decided_at, expires_at, cost, topic)
SELECT w.customer_id, {number}, {number} // {BATCH}, w.run_id, {stage.plan.journey},
  {stage.traces.version}, {park.step}, 1, w.channel, w.counted, w.now, {expires}, w.cost, {topic}
{sent}""")
        self.behaviour.answer_at_once(
            f"(SELECT w.customer_id, w.run_id, {number} AS message_id, w.now AS decided_at,"
            f" {stage.plan.journey} AS journey, {park.step} AS step, w.channel {sent})",
            park.path,
        )

    def _behind(self, park: SendPark, decided: str) -> None:
        """Where those go who have been sent to, or skipped."""
        (edge,) = self.stage.edges(park.edge)
        table = self.stage.seen(f"behind_{self.stage.ways}")
        why = f"CASE WHEN w.outcome = {SENT} THEN {WHY['sent']} ELSE {WHY['skipped']} END AS why"
        self.stage.do(
            f"CREATE OR REPLACE VIEW {table} AS SELECT w.*, {why} FROM {decided} AS w"
            f" WHERE w.outcome <> {HELD}"
        )
        self.stage.advance(edge, table, "TRUE")

    def _before(self, park: SendPark) -> int | None:
        """How many counted messages of the same run may lie ahead of a send's, at most."""
        if self.stage.generation > 1 or not self._fresh:
            return None
        behind = ahead_of(self.stage.plan)
        return sum(
            any(o.counted for o in p.offers)
            for p in self.stage.plan.parks
            if isinstance(p, SendPark) and park.step in behind[p.step]
        )

    @property
    def _fresh(self) -> bool:
        """Whether there were no messages before."""
        first = self.first_batch * BATCH
        return not self.stage.ask(
            f"SELECT 1 FROM journey.message WHERE message_id < {first} LIMIT 1"
        )
