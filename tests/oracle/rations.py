"""Budgets and capacities, taken along the line of those who stand at a send."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from journeylang.model.binding import Channel
from journeylang.model.journey import Journey
from journeylang.model.policy import Action, Budget, Capacity
from tests.oracle.clock import period, zone
from tests.oracle.facts import Charge, Memory
from tests.oracle.reading import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Ration:
    """What stands for a message by a channel: `ledger` names where it is charged."""

    rule: Budget | Capacity
    ledger: tuple[str, ...]
    amount: Decimal
    action: Action

    @property
    def reason(self) -> str:
        return "budget" if isinstance(self.rule, Budget) else "capacity"

    @property
    def quota(self) -> Decimal:
        rule = self.rule
        return rule.amount if isinstance(rule, Budget) else Decimal(rule.limit)

    @property
    def key(self) -> object:
        """Two with one key are one: they close together."""
        rule = self.rule
        return self.ledger, self.quota, rule.seconds, rule.calendar


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What was taken until now."""

    reader: Reader
    memory: Memory

    def of(self, journey: Journey, channel: Channel, own: Action | None) -> list[Ration]:
        """All that binds a message, budgets first."""
        if journey.purpose == "transactional":
            return []
        budgets: list[tuple[tuple[str, ...], Budget | Capacity]] = [
            (("journey", journey.name), budget) for budget in journey.budgets
        ]
        able: list[tuple[tuple[str, ...], Budget | Capacity]] = []
        if journey.policy is not None:
            policy = self.reader.project.policies[journey.policy]
            budgets += [
                (("policy", policy.name, str(budget.channel)), budget)
                for budget in policy.budgets
                if budget.channel in (None, channel.name)
            ]
            able = [
                (("capacity", policy.name, channel.name), capacity)
                for capacity in policy.capacities
                if capacity.channel == channel.name
            ]
        costly = [(*b, channel.cost) for b in budgets if channel.cost]
        return [
            Ration(rule=rule, ledger=name, amount=amount, action=own or rule.action)
            for name, rule, amount in [*costly, *((*c, Decimal(1)) for c in able)]
        ]

    def charged(self, ration: Ration) -> list[Charge]:
        """What counts against a ration: in its window, and not given back."""
        rule, now = ration.rule, self.reader.now
        back = self.reader.tables.given_back
        mine = [
            c
            for c in self.memory.charges
            if c.ledger == ration.ledger and (c.run_id, c.step, c.at) not in back
        ]
        if rule.seconds is not None:
            return [c for c in mine if now - timedelta(seconds=rule.seconds) < c.at]
        if rule.calendar is not None:
            start, _ = self._period(rule.calendar)
            return [c for c in mine if start <= c.at]
        return mine

    def amount(self, ration: Ration, charge: Charge) -> Decimal:
        """Of a budget each part is paid, of a capacity a message is one."""
        parts = self.reader.tables.parts.get((charge.run_id, charge.step, charge.at), 1)
        return charge.amount * (parts if isinstance(ration.rule, Budget) else 1)

    def release(self, ration: Ration) -> datetime | None:
        """When something is free again, if that may be waited for."""
        rule, now = ration.rule, self.reader.now
        if ration.action == "skip" or (rule.seconds is None and rule.calendar is None):
            return None
        if rule.calendar is not None:
            return self._period(rule.calendar)[1]
        assert rule.seconds is not None
        oldest = min((c.at for c in self.charged(ration)), default=now)
        return oldest + timedelta(seconds=rule.seconds)

    def _period(self, unit: str) -> tuple[datetime, datetime]:
        """On the project's own clock, whoever the customer is."""
        customers = self.reader.project.binding.customers
        assert customers is not None
        tz = zone(customers.zone_else)
        assert tz is not None
        return period(tz, self.reader.now, unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A candidate in the line: what it would take, and whether nothing else stops it."""

    rations: Sequence[Ration]
    free: bool


def along(line: Sequence[Sequence[Asking | None]], ledger: Ledger) -> list[list[list[Ration]]]:
    """What there is not enough of, for each of a rank and each of their positions.

    Position by position; in each, along the line. Where one does not fit, all behind it get
    nothing of that either.
    """
    taken: dict[tuple[str, ...], Decimal] = {}
    done: set[int] = set()
    short: list[list[list[Ration]]] = [[[] for _ in asked] for asked in line]
    for position in range(max((len(asked) for asked in line), default=0)):
        closed: set[object] = set()
        for number, asked in enumerate(line):
            asking = asked[position] if position < len(asked) else None
            if asking is None or number in done:
                continue
            lacking = [
                r
                for r in asking.rations
                if r.key in closed
                or sum((ledger.amount(r, c) for c in ledger.charged(r)), Decimal(0))
                + taken.get(r.ledger, Decimal(0))
                + r.amount
                > r.quota
            ]
            short[number][position] = lacking
            if not asking.free:
                continue
            if lacking:
                closed |= {r.key for r in lacking}
                continue
            done.add(number)
            for name, amount in {r.ledger: r.amount for r in asking.rations}.items():
                taken[name] = taken.get(name, Decimal(0)) + amount
    return short
