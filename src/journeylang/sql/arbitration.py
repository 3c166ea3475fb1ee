"""Deciding sends: may this message leave, on which channel, and if not, why and until when.

All journeys together. `intents` lines up everybody who stands at a send and ranks each
customer's sends; where nobody can stand at two of them there is nothing to rank, and who
stands there is read from `trail`. `decide` settles one rank: what it grants counts for the
next. The decided then go on (`advance`), but for those who are `held`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from journeylang.classes import dataclass
from journeylang.model.types import TEXT
from journeylang.plan.operations import Program
from journeylang.plan.passes import weight
from journeylang.sql.allowances import Rations
from journeylang.sql.beginning import SITUATION
from journeylang.sql.compiler import Compiler
from journeylang.sql.deciding import Deciding, Standing
from journeylang.sql.dialects import Dialect
from journeylang.sql.reach import Situation
from journeylang.sql.schema import ACTIVE, WHY
from journeylang.sql.session import (
    CHOSEN,
    HELD,
    INTENT,
    REST,
    SEND,
    SENT,
    choice,
    choosing,
    edge_ahead,
    of_rank,
    rivals,
    sends,
    worded,
)
from journeylang.sql.writes import version


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideSql:
    """One rank: `settle` alone, or behind `verdicts` and what is done with the `rations`.

    With rations and without `verdicts` there is enough for everybody; it is charged all the same.

    `zoned`: it leaves behind in which zone everybody is. `lands`: and all else that is written of
    those whom it decides about.
    """

    verdicts: str | None
    rations: Rations | None
    settle: str
    zoned: bool
    lands: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ArbitrationSql:
    """Parameters: `intents` {after}, the round of the last arbitration; `decide` {now, round,
    rank, after}; `messages` {now, round, rank, base}; `outcomes`, `held` {now, round}.
    `situation` tells a `Situation`, and how many ranks there are if there are `intents`.
    `outcomes` -> (journey, outcome, edge). `standing` {after} tells how many stand at a send.
    """

    intents: str | None
    messages: str
    outcomes: str
    held: str
    compiler: Compiler
    program: Program
    situation: str
    landing: Mapping[int, bool]
    standing: str
    _decides: dict[tuple[frozenset[int], Situation, bool], DecideSql] = field(
        default_factory=dict, compare=False, repr=False
    )

    def decide(
        self, steps: frozenset[int], situation: Situation, *, enough: bool = False
    ) -> DecideSql:
        """The statements that settle one rank of those who stand at these sends.

        `enough`: no budget and no capacity stops any of them.
        """
        key = (steps, situation, enough)
        if key not in self._decides:
            d = self.compiler.dialect
            lined = f"FROM intent AS n WHERE n.rank = {d.parameter('rank')}"
            standing = (
                Standing(f"SELECT n.* {lined}", f"SELECT n.customer_id {lined}")
                if self.intents is not None
                else Standing(
                    _standing(d, self.program, "1", steps), f"SELECT t.customer_id {_at_sends(d)}"
                )
            )
            deciding = Deciding(
                *(self.compiler, self.program, steps, situation, standing),
                self.landing,
                enough=enough,
            )
            self._decides[key] = DecideSql(
                verdicts=None if deciding.rations is None else deciding.verdicts(),
                rations=deciding.limits,
                settle=deciding.sql(),
                zoned=deciding.zoned,
                lands=deciding.lands,
            )
        return self._decides[key]


def arbitration_sql(
    compiler: Compiler, program: Program, landing: Mapping[int, bool]
) -> ArbitrationSql:
    """The statements for a program with at least one send; `landing` as `landing_sends` tells."""
    d = compiler.dialect
    intents = None
    if rivals(program):
        rank = (
            "row_number() OVER (PARTITION BY t.customer_id"
            " ORDER BY s.priority DESC, t.arrived_at, s.ordinal, t.run_id)"
        )
        intents = f"INSERT INTO intent ({', '.join(INTENT)})\n{_standing(d, program, rank)}"
    ranks = ("(SELECT max(rank) FROM intent)",) if intents else ()
    return ArbitrationSql(
        intents=intents,
        messages=_messages(compiler, program),
        outcomes=_outcomes(d),
        held=_held(d),
        compiler=compiler,
        program=program,
        landing=landing,
        situation=f"SELECT {', '.join((*SITUATION, *ranks))}",
        standing=f"SELECT count(*) {_at_sends(d)}",
    )


def _standing(d: Dialect, program: Program, rank: str, steps: frozenset[int] | None = None) -> str:
    """Those who have come to a send since the last arbitration, as rows of `intent`."""
    parks = [park for journey in program.journeys for park in sends(journey)]
    limits = {park.limit for park in parks if steps is None or park.step in steps}
    seconds, joined = "s.hold_seconds", " JOIN plan_send AS s ON s.step = t.step"
    if steps is not None and len(limits) == 1:
        seconds, joined = str(limits.pop()), ""
    asked = choosing(program)
    mask = "coalesce(t.mask, -1)" if "mask" in asked else "-1"
    content = "t.content" if "content" in asked else d.literal(None, TEXT)
    return f"""SELECT t.customer_id, t.run_id, t.journey, t.step, t.arrived_at, t.entered_at,
  t.entry, t.reason AS last_reason, {mask} AS mask, {content} AS content, t.passes, t.fresh,
  {d.shift("t.arrived_at", seconds)} AS limit_at, {rank} AS rank
{_at_sends(d, joined)}"""


def _at_sends(d: Dialect, joins: str = "") -> str:
    return f"FROM trail AS t{joins} WHERE t.round > {d.parameter('after')} AND t.fate = {SEND}"


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
    topics = any(p.topic is not None for j in program.journeys for p in sends(j))
    topic = "p.topic" if topics else "NULL"
    of = version(program, "s.step")
    # Where no send has a choice, what it chose is the same for all.
    chosen, offer = "", ""
    if not choice(program):
        chosen = "".join(f", o.{name}" for name in CHOSEN)
        offer = "\n    JOIN plan_offer AS o ON o.step = s.step"
    return f"""INSERT INTO journey.message (customer_id, message_id, batch_id, run_id, journey,
  version, step, occurrence, channel, counted, decided_at, expires_at, quiet_from, quiet_until,
  cost, content, topic)
SELECT m.customer_id, m.message_id, {batch}, m.run_id, m.journey, m.version,
  m.step, {occurrence}, m.channel, m.counted, {d.parameter("now")}, m.expires_at, m.quiet_from,
  m.quiet_until, m.cost, {"m.content" if worded(program) else "NULL"}, m.topic
FROM (SELECT s.*, {of} AS version, {topic} AS topic, {message_id} AS message_id,
    {d.shift("s.arrived_at", "p.expires")} AS expires_at{chosen}
  FROM decided AS s JOIN plan_version AS v ON v.journey = s.journey
    JOIN plan_send AS p ON p.step = s.step{offer}
  WHERE s.phase = {d.parameter("round")}{of_rank(d, program)} AND s.outcome = {SENT}) AS m"""


BATCH = 500


def _outcomes(d: Dialect) -> str:
    return f"""SELECT DISTINCT s.journey, s.outcome, {edge_ahead("s", "p")}
FROM decided AS s JOIN plan_send AS p ON p.step = s.step
WHERE s.phase = {d.parameter("round")}"""


def _held(d: Dialect) -> str:
    """Those who wait at their send rest there."""
    return f"""INSERT INTO trail (round, customer_id, run_id, journey, from_step, step,
  arrived_at, left_at, entered_at, fate, status, reason, entry, why, passes, fresh)
SELECT {d.parameter("round")} + 1, s.customer_id, s.run_id, s.journey, s.step, s.step,
  s.arrived_at, s.wake_at, s.entered_at, {REST}, {ACTIVE}, s.reason, s.entry, {WHY["held"]},
  s.passes, s.fresh
FROM decided AS s WHERE s.phase = {d.parameter("round")} AND s.outcome = {HELD}"""
