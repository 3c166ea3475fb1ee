"""Nobody is sent the same message twice, however a journey's steps were put into another order.

A message is one of a run, a step and a pass. Where an apply lets people come to a send, a call or a
start that they have been through, those are passed by; everywhere else nothing is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeGuard

from journeylang.classes import dataclass
from journeylang.plan.operations import Act, ActionPark, Begin, Call, Program, SendPark
from journeylang.plan.passes import weight
from journeylang.sql.dialects import Dialect
from journeylang.sql.schema import WHY
from journeylang.sql.session import ACT, GO, SEND

REPEATED = "repeated"
"""Why a message was not sent: this run has had it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """Statements for those who come to such steps in a round; {now, round, tick}."""

    record: str
    pass_by: tuple[str, ...]


def repeats(
    d: Dialect, program: Program, again: Collection[int], aliases: Mapping[int, tuple[int, ...]]
) -> Repeats | None:
    """None where nobody can come to a step again. `aliases`: its numbers in other versions."""
    sends: dict[int, SendPark] = {}
    acts: dict[int, Call | Begin] = {}
    for plan in program.journeys:
        for park in plan.parks:
            if park.step not in again:
                continue
            if isinstance(park, SendPark):
                sends[park.step] = park
            elif isinstance(park, ActionPark) and _is_once(park.act):
                acts[park.step] = park.act
    if not sends and not acts:
        return None
    now = f"CAST({d.parameter('now')} AS TIMESTAMP)"
    here = f"t.round = {d.parameter('round')}"
    record, pass_by = [], []
    for step, park in sends.items():
        numbers = (step, *aliases.get(step, ()))
        had = f"{here} AND t.fate = {SEND} AND t.step = {step} AND {_had(d, numbers, park.depth)}"
        record.append(
            f"SELECT t.customer_id, t.run_id, t.journey, t.step, {now},"
            f" {d.parameter('tick')}, '{REPEATED}' FROM trail AS t WHERE {had}"
        )
        pass_by.append(
            f"UPDATE trail AS t SET fate = {GO}, edge = {park.edge}, left_at = {now},"
            f" going = {WHY['skipped']} WHERE {had}"
        )
    for step, act in acts.items():
        numbers = (step, *aliases.get(step, ()))
        had = _had(d, numbers, act.depth) if isinstance(act, Call) else _been(numbers)
        pass_by.append(
            f"UPDATE trail AS t SET fate = {GO}"
            f" WHERE {here} AND t.fate = {ACT} AND t.step = {step} AND {had}"
        )
    columns = 'customer_id, run_id, journey, step, "at", tick, reason'
    return Repeats(
        record=f"INSERT INTO journey.decision ({columns})\n" + "\nUNION ALL ".join(record)
        if record
        else "",
        pass_by=tuple(pass_by),
    )


def _is_once(act: Act) -> TypeGuard[Call | Begin]:
    """In a loop a start counts anew each time that somebody comes there."""
    return isinstance(act, Call) or (isinstance(act, Begin) and not act.depth)


def _had(d: Dialect, numbers: Collection[int], depth: int) -> str:
    """The run of `t` was decided for there in this pass."""
    passes = d.whole_quotient("t.passes", str(weight(depth))) if depth else "1"
    return (
        "EXISTS (SELECT 1 FROM journey.message AS k WHERE k.customer_id = t.customer_id"
        f" AND k.run_id = t.run_id AND k.step IN ({_listed(numbers)}) AND k.occurrence = {passes})"
    )


def _been(numbers: Collection[int]) -> str:
    """The run of `t` has been there in an earlier tick."""
    return (
        "EXISTS (SELECT 1 FROM journey.transition AS k WHERE k.customer_id = t.customer_id"
        f" AND k.run_id = t.run_id AND k.to_step IN ({_listed(numbers)}))"
    )


def _listed(numbers: Collection[int]) -> str:
    return ", ".join(str(n) for n in numbers)
