"""Deciding sends: may this message leave, on which channel, and if not, why and until when.

All journeys together, in three kinds of statement. `intents` lines up everybody who stands
at a send and ranks each customer's sends. `decide` settles one rank: what it grants counts
for the next. `proceed` sends the decided on their way.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from journeylang.model.entry import EnterOn
from journeylang.plan.operations import Program
from journeylang.plan.passes import weight
from journeylang.sql.allowances import Rations
from journeylang.sql.compiler import Compiler
from journeylang.sql.deciding import Deciding
from journeylang.sql.reach import Situation
from journeylang.sql.schema import ACTIVE
from journeylang.sql.session import GO, HELD, REST, SEND, SENT, sends

_SITUATION = """SELECT (SELECT max(rank) FROM intent),
  EXISTS (SELECT 1 FROM journey.consent_change), EXISTS (SELECT 1 FROM journey.suppression),
  EXISTS (SELECT 1 FROM journey.receipt AS b WHERE b.given_back)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideSql:
    """One rank: `settle` alone, or behind `verdicts` and what is done with the `rations`."""

    verdicts: str | None
    rations: Rations | None
    settle: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArbitrationSql:
    """Parameters: `intents` {after}, the round of the last arbitration; `decide` {now, round,
    rank}; `messages` {now, round, rank, base}; `proceed` {now, round}. `situation` tells how
    many ranks there are, and a `Situation`.
    """

    intents: str
    messages: str
    proceed: str
    compiler: Compiler
    program: Program
    situation: str
    _decides: dict[tuple[frozenset[int], Situation], DecideSql] = field(
        default_factory=dict, compare=False, repr=False
    )

    def decide(self, steps: frozenset[int], situation: Situation) -> DecideSql:
        """The statements that settle one rank of those who stand at these sends."""
        key = (steps, situation)
        if key not in self._decides:
            deciding = Deciding(self.compiler, self.program, steps, situation)
            self._decides[key] = DecideSql(
                verdicts=None if deciding.rations is None else deciding.verdicts(),
                rations=deciding.rations,
                settle=deciding.sql(),
            )
        return self._decides[key]


def arbitration_sql(compiler: Compiler, program: Program) -> ArbitrationSql:
    """The statements for a program with at least one send."""
    return ArbitrationSql(
        intents=_intents(compiler, program),
        messages=_messages(compiler, program),
        proceed=_proceed(compiler),
        compiler=compiler,
        program=program,
        situation=_SITUATION,
    )


def _intents(compiler: Compiler, program: Program) -> str:
    d = compiler.dialect
    # With a single journey of one run at a time nobody can stand at two sends at once.
    per = any(isinstance(j.entry, EnterOn) and j.entry.per is not None for j in program.journeys)
    rank = (
        "row_number() OVER (PARTITION BY t.customer_id"
        " ORDER BY s.priority DESC, t.arrived_at, s.ordinal, t.run_id)"
        if per or sum(1 for j in program.journeys if sends(j)) > 1
        else "1"
    )
    return f"""INSERT INTO intent (customer_id, run_id, journey, step, arrived_at, entered_at,
  entry, last_reason, mask, content, passes, fresh, limit_at, expires_at, rank)
SELECT t.customer_id, t.run_id, t.journey, t.step, t.arrived_at, t.entered_at, t.entry, t.reason,
  t.mask, t.content, t.passes, t.fresh, {d.shift("t.arrived_at", "s.hold_seconds")},
  {d.shift("t.arrived_at", "s.expires")}, {rank}
FROM trail AS t JOIN plan_send AS s ON s.step = t.step
WHERE t.round > {d.parameter("after")} AND t.fate = {SEND}"""


def _messages(compiler: Compiler, program: Program) -> str:
    d = compiler.dialect
    # By the passes of the loops around the send; those of loops within them do not count.
    loops = {p.step: weight(p.depth) for j in program.journeys for p in sends(j) if p.depth}
    occurrence = "1"
    if loops:
        whens = " ".join(
            f"WHEN {step} THEN {d.whole_quotient('m.passes', str(of))}"
            for step, of in loops.items()
        )
        occurrence = f"CASE m.step {whens} ELSE 1 END"
    batch = d.whole_quotient("m.message_id", str(BATCH))
    message_id = f"{d.parameter('base')} + row_number() OVER () - 1"
    return f"""INSERT INTO journey.message (customer_id, message_id, batch_id, run_id, journey,
  version, step, occurrence, channel, counted, decided_at, expires_at, quiet_from, quiet_until,
  cost, content, topic)
SELECT m.customer_id, m.message_id, {batch}, m.run_id, m.journey, m.version,
  m.step, {occurrence}, m.channel, m.counted, {d.parameter("now")}, m.expires_at, m.quiet_from,
  m.quiet_until, m.cost, m.content, m.topic
FROM (SELECT s.*, v.version, p.topic, {message_id} AS message_id
  FROM decided AS s JOIN plan_version AS v ON v.journey = s.journey
    JOIN plan_send AS p ON p.step = s.step
  WHERE s.phase = {d.parameter("round")} AND s.rank = {d.parameter("rank")}
    AND s.outcome = {SENT}) AS m"""


BATCH = 500


def _proceed(compiler: Compiler) -> str:
    d = compiler.dialect
    now = d.parameter("now")
    return f"""INSERT INTO trail (round, customer_id, run_id, journey, edge, from_step, step,
  arrived_at, left_at, wake_at, entered_at, fate, status, reason, entry, why, going, passes, fresh,
  moved)
SELECT {d.parameter("round")} + 1, s.customer_id, s.run_id, s.journey,
  CASE WHEN s.reason IN ('too_few', 'no_code') THEN p.lacking ELSE p.edge END, s.step, s.step,
  s.arrived_at, {now}, CASE WHEN s.outcome = {HELD} THEN s.wake_at END, s.entered_at,
  CASE WHEN s.outcome = {HELD} THEN {REST} ELSE {GO} END, {ACTIVE},
  CASE WHEN s.outcome = {HELD} THEN s.reason END, s.entry, 'held',
  CASE WHEN s.outcome = {SENT} THEN 'sent' ELSE 'skipped' END, s.passes, s.fresh, s.outcome = {HELD}
FROM decided AS s JOIN plan_send AS p ON p.step = s.step
WHERE s.phase = {d.parameter("round")}"""
