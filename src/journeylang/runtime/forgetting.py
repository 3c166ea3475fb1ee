"""Taking a person out of the runtime's tables, as the law gives everybody a right to.

What reports count stays, under a key that is nobody's and that nothing leads to from the former.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from journeylang.classes import dataclass
from journeylang.engines.base import Engine
from journeylang.model.project import Project
from journeylang.runtime.keys import key_literal, nobody
from journeylang.runtime.lease import Lease
from journeylang.runtime.numbers import key_type
from journeylang.sql import forget as sql
from journeylang.sql.relations import customers

_PATIENCE = 10
"""Seconds that another runtime's tick is waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """How many rows of each table were the customer's: those that stay without them, those that
    are gone, and those of lists.
    """

    kept: dict[str, int]
    deleted: dict[str, int]
    listed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotYet:
    """Why nobody was forgotten: messages are on their way until then (naive UTC), or the customer
    is still among the customers.
    """

    sending_until: datetime | None = None


def forget(
    engine: Engine,
    project: Project,
    customer: str,
    *,
    addresses: Sequence[str] = (),
    known: bool = False,
    now: datetime,
) -> Forgotten | NotYet:
    """Forget the customer of that key, with rows of lists that have one of their `addresses`.

    Whoever is still among the customers is refused, but where they may be `known`. `now` is naive
    UTC. Belongs between ticks.

    Raises:
        DatabaseBusyError: another runtime moves people.
        StatementError: the database refused.
    """
    lease = Lease(engine=engine)
    lease.hold_within(_PATIENCE)
    try:
        with engine.transaction():
            return _forget(engine, project, customer, addresses, known=known, now=now)
    finally:
        lease.give_back()


def _forget(
    engine: Engine,
    project: Project,
    customer: str,
    addresses: Sequence[str],
    *,
    known: bool,
    now: datetime,
) -> Forgotten | NotYet:
    d = engine.dialect
    kind = key_type(engine, project)
    key = key_literal(customer, kind)
    found: dict[str, int] = {}
    if key is not None:
        base = customers(project.binding, d, ())
        if not known and engine.query(f"SELECT 1 FROM {base} AS c WHERE c.customer_id = {key}"):
            return NotYet()
        leases = [until for (until,) in engine.query(sql.in_hand(key, d)) if until is not None]
        # Where one process has the database, whoever has a lease is gone.
        if d.shared and leases and max(leases) > now:
            return NotYet(sending_until=max(leases))
        found = dict(engine.query(sql.rows(key)))
        tick = engine.query("SELECT token FROM journey.lock WHERE name = 'tick'")[0][0]
        other = _unused(engine, kind)
        for statement in sql.forget(key, other, secrets.token_hex(16), tick, d) if found else ():
            engine.execute(statement, {"now": now})
    bound = project.binding.customers
    assert bound is not None, "checked: a project with journeys binds customers"
    engine.execute(sql.unset(bound, d), {"key": customer})
    values = {"values": [customer, *addresses]}
    return Forgotten(
        kept={name: found[name] for name in sql.KEPT if name in found},
        deleted={name: found[name] for name in found if name not in sql.KEPT},
        listed=sum(engine.execute(statement, values) for statement in sql.unlist(d)),
    )


def _unused(engine: Engine, kind: str) -> str:
    """A key as SQL that no row of the runtime has."""
    while True:
        key = key_literal(nobody(kind), kind)
        assert key is not None
        if not engine.query(sql.used(key)):
            return key
