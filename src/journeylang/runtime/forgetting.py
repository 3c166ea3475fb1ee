"""Taking a person out of the runtime's tables, as the law gives everybody a right to.

What reports count stays, under a key that is nobody's and that nothing leads to from the former.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from journeylang.classes import dataclass
from journeylang.engines.base import ConflictError, Engine
from journeylang.model.project import Project
from journeylang.runtime.keys import key_literal, nobody
from journeylang.runtime.lease import Lease
from journeylang.runtime.session import TRIES
from journeylang.sql import forget as sql
from journeylang.sql.relations import customers

_PATIENCE = 10
"""Seconds that another runtime's tick is waited for."""

_DRAWS = 1_000
"""So many keys of nobody are tried: a short type may have all of them in use."""


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
    """Why nobody was forgotten: messages are on their way until then (naive UTC), or there is no
    key of nobody to be had of the type that the customers' keys are of, or the customer is still
    among the customers.
    """

    sending_until: datetime | None = None
    key_type: str | None = None


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

    def once() -> Forgotten | NotYet:
        lease.hold_within(_PATIENCE)
        with engine.transaction():
            return _forget(engine, project, customer, addresses, known=known, now=now)

    try:
        for _ in range(TRIES - 1):
            try:
                return once()
            except ConflictError:
                # A worker renewed what it had of theirs, or the connection is gone.
                if engine.recover():
                    lease.forget()
        return once()
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
    base = f"{customers(project.binding, d, ())} AS c"
    # A text that the runtime keeps is compared with the customers' own column.
    own = engine.shape(f"SELECT customer_id FROM {base}")["customer_id"]
    kind = d.key_type(own)
    if nobody(own) is None:
        return NotYet(key_type=own)
    key = None if key_literal(customer, own) is None else key_literal(customer, kind)
    found: dict[str, int] = {}
    if key is not None:
        if not known and engine.query(f"SELECT 1 FROM {base} WHERE c.customer_id = {key}"):
            return NotYet()
        leases = [until for (until,) in engine.query(sql.in_hand(key)) if until is not None]
        # Where one process has the database, whoever has a lease is gone.
        if d.shared and leases and max(leases) > now:
            return NotYet(sending_until=max(leases))
        found = dict(engine.query(sql.rows(key)))
        tick = engine.query("SELECT token FROM journey.lock WHERE name = 'tick'")[0][0]
        other = _unused(engine, own, base)
        if other is None:
            return NotYet(key_type=own)
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


def _unused(engine: Engine, own: str, base: str) -> str | None:
    """A key as SQL that no row of the runtime has, and no customer of `base`; of the type `own`."""
    kind = engine.dialect.key_type(own)
    for _ in range(_DRAWS):
        key = key_literal(nobody(own) or "", kind)
        assert key is not None
        taken = f"{sql.used(key)} UNION ALL SELECT 1 FROM {base} WHERE c.customer_id = {key}"
        if not engine.query(taken):
            return key
    return None
