"""Which rules stand against a message at an instant, channel by channel, and what used them up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from journeylang.classes import dataclass
from journeylang.model.expressions import CustomerValue, Expression
from journeylang.plan.operations import Allowance, CapRule, Offer, Program, QuietTimes, SendPark
from journeylang.runtime.zones import local_days, quiet_times, zone
from journeylang.sql.allowances import shown
from journeylang.sql.caps import cap_name
from journeylang.sql.dialects import text
from journeylang.sql.schema import OF_MARKETING
from journeylang.why.chance import bucket
from journeylang.why.clauses import Clauses
from journeylang.why.consents import Consents
from journeylang.why.ledger import Ledger, Message
from journeylang.why.model import Rule, Use
from journeylang.why.person import Person, Since, Values

LISTED = 10
"""So many messages are named that have used up a cap."""

_LACKS = {
    "no_code": "no code was left for it",
    "too_few": "the catalogue has too few rows for it",
}

_ORDER = (
    *("when", "no_address", "suppressed", "no_consent", "global_control", "budget", "capacity"),
    *("quiet", "capped"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Who stands at a send, and when. `figures` are those that were stored with a non-send."""

    park: SendPark
    at: datetime
    run: Since
    reason: str | None = None
    figures: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rules of a project's sends, about one customer."""

    person: Person
    ledger: Ledger
    program: Program
    clauses: Clauses
    consents: Consents

    def against(self, standing: Standing) -> tuple[Rule, ...]:
        """Every rule that fails, by channel in the order tried; none of a channel is open."""
        park, at = standing.park, standing.at
        values = self.person.ask(list(self._asked(park)), at, standing.run)
        found: list[Rule] = []
        for candidate, offer in zip(park.candidates, park.offers, strict=True):
            if candidate.when is not None and values[candidate.when] is not True:
                conditions = self.clauses.asked([candidate.when], at, standing.run)
                found.append(
                    Rule(
                        channel=offer.channel,
                        reason="when",
                        text=f"only when {self.clauses.wording.of(candidate.when)}",
                        clauses=conditions,
                        needs=tuple(n for c in conditions for n in c.needs),
                    )
                )
                continue
            mine = sorted(self._rules(offer, standing, values), key=_rank)
            found += mine or self._told(offer, standing)
        return tuple(found)

    def _asked(self, park: SendPark) -> Iterator[Expression]:
        channels = self.person.whole.binding.channels
        yield from (c.when for c in park.candidates if c.when is not None)
        for offer in park.offers:
            yield channels[offer.channel].address
            yield from (c.segment for c in offer.caps if c.segment is not None)
            yield from (c.limit for c in offer.caps if isinstance(c.limit, CustomerValue))

    def _rules(self, offer: Offer, standing: Standing, values: Values) -> Iterator[Rule]:
        at, wording = standing.at, self.clauses.wording
        channel = self.person.whole.binding.channels[offer.channel]
        if values[channel.address] is None:
            address = wording.of(channel.address)
            yield Rule(
                channel=offer.channel,
                reason="no_address",
                text=f"{address} is unknown",
                needs=(f"{address} known",),
            )
        for one in self.ledger.suppressed:
            spared = offer.transactional and one.reason in OF_MARKETING
            if one.channel == offer.channel and one.at <= at and not spared:
                yield Rule(
                    channel=offer.channel,
                    reason="suppressed",
                    text=f"suppressed by {one.reason} since {wording.clock(one.at)};"
                    " nothing lifts that by itself",
                )
        for name in offer.consents:
            missing = self.consents.against(name, offer.channel, at, self.clauses)
            if missing is not None:
                yield missing
        control = offer.control
        if control is not None:
            mine = bucket(control.salt, self.person.key_text)
            if mine < control.share:
                yield Rule(
                    channel=offer.channel,
                    reason="global_control",
                    text=f"drawn into the global control group: bucket {mine:,} of 10,000,"
                    f" below {control.share:,}",
                )
        yield from self._allowances(offer, standing)
        yield from self._quiet(offer, at)
        yield from self._caps(offer, at, values)

    def _told(self, offer: Offer, standing: Standing) -> list[Rule]:
        """What was stored then, of a channel against which nothing can be found any more."""
        figures = standing.figures
        listed = str(figures.get("channels") or "")
        told = dict(part.split(": ", 1) for part in listed.split(", ") if ": " in part)
        reason = told.get(offer.channel)
        if reason is None and (
            figures.get("channel") == offer.channel or standing.reason in _LACKS
        ):
            reason = standing.reason
        if reason in (None, "open"):
            return []
        detail = figures.get("budgets") if reason in ("budget", "capacity") else None
        said = "so it was then; the tables say otherwise now"
        if detail:
            said = f"used up: {detail}"
        elif reason in _LACKS:
            said = _LACKS[reason]
        return [Rule(channel=offer.channel, reason=str(reason), text=said)]

    # --- caps -----------------------------------------------------------------

    def _caps(self, offer: Offer, at: datetime, values: Values) -> Iterator[Rule]:
        for cap in offer.caps:
            if cap.segment is not None and values[cap.segment] is not True:
                continue
            limit = values[cap.limit] if isinstance(cap.limit, CustomerValue) else cap.limit
            if not isinstance(limit, int):
                continue
            since, free = self._window(cap, at)
            used = [m for m in self.ledger.messages if self._counts(m, cap, since, at)]
            if len(used) < limit:
                continue
            wished = isinstance(cap.limit, CustomerValue)
            releases = free
            if cap.seconds is not None:
                # At the limit the oldest has to leave; beyond it, more of them.
                leaving = used[len(used) - limit].at if 0 < limit <= len(used) else None
                releases = leaving + timedelta(seconds=cap.seconds) if leaving else None
            needs: tuple[str, ...] = ()
            if releases is not None:
                needs = (f"after {self.clauses.wording.clock(releases)}",)
            yield Rule(
                channel=offer.channel,
                reason="capped",
                text=f"cap {cap_name(cap)}: {len(used):,} of {limit:,} used"
                + (" (the customer's own wish)" if wished else ""),
                uses=tuple(self._use(m) for m in used[-LISTED:]),
                free_at=releases,
                needs=needs,
            )

    def _window(self, cap: CapRule, at: datetime) -> tuple[datetime, datetime | None]:
        """From when on messages count, and when a calendar cap begins anew."""
        if cap.seconds is not None:
            return at - timedelta(seconds=cap.seconds), None
        day = next(iter(local_days(self.person.tz, at, at)))
        assert cap.calendar is not None
        starts = {"day": day.day, "week": day.week, "month": day.month}
        ends = {"day": day.next_day, "week": day.next_week, "month": day.next_month}
        # Rolling windows leave out their old end, a day has its beginning.
        return starts[cap.calendar] - timedelta(microseconds=1), ends[cap.calendar]

    def _counts(self, message: Message, cap: CapRule, since: datetime, at: datetime) -> bool:
        return (
            message.counted
            and not message.given_back
            and since < message.at <= at
            and cap.channel in (None, message.channel)
            and cap.topic in (None, message.topic)
        )

    def _use(self, message: Message) -> Use:
        journey = self.ledger.journeys.get(message.journey, "?")
        step = self.ledger.steps.get(message.step, "?")
        return Use(what=f"{journey}/{step} by {message.channel}", at=message.at)

    # --- quiet times, budgets -------------------------------------------------

    def _quiet(self, offer: Offer, at: datetime) -> Iterator[Rule]:
        numbers = {n for n in (offer.quiet_hold, offer.quiet_skip) if n is not None}
        for rule in (self.program.rules[n] for n in sorted(numbers)):
            assert isinstance(rule, QuietTimes)
            for piece in quiet_times(self.person.tz, rule, at, at):
                if not (piece.quiet and piece.since <= at < piece.until):
                    continue
                windows = ", ".join(f"{a:%H:%M} to {b:%H:%M}" for a, b in rule.windows)
                clock = self.clauses.wording.clock
                yield Rule(
                    channel=offer.channel,
                    reason="quiet",
                    text=f"quiet {windows}: it was {clock(at)[11:16]}",
                    free_at=piece.release,
                    needs=(f"after {clock(piece.until)}",),
                )

    def _allowances(self, offer: Offer, standing: Standing) -> Iterator[Rule]:
        for allowance, _ in offer.allowances:
            takes = offer.cost if allowance.kind == "budget" else Decimal(1)
            if takes is None:
                continue
            used, oldest = self._spent(allowance, standing.at)
            if used + takes <= allowance.quota:
                continue
            free = None
            if allowance.seconds is not None and oldest is not None:
                free = oldest + timedelta(seconds=allowance.seconds)
            yield Rule(
                channel=offer.channel,
                reason=allowance.kind,
                text=f"{shown(allowance)}: {used.normalize():f} used, {takes.normalize():f} needed",
                free_at=free,
                needs=(f"after {self.clauses.wording.clock(free)}",) if free else (),
            )

    def _spent(self, allowance: Allowance, at: datetime) -> tuple[Decimal, datetime | None]:
        """What an allowance has been charged, over all customers, and its oldest charge."""
        d = self.person.dialect
        conditions = [f"u.budget = {text(allowance.name)}", f'u."at" <= {d.instant(at)}']
        if allowance.seconds is not None:
            since = at - timedelta(seconds=allowance.seconds)
            conditions.append(f'u."at" > {d.instant(since)}')
        elif allowance.calendar is not None:
            day = next(iter(local_days(self._purse, at, at)))
            start = {"day": day.day, "week": day.week, "month": day.month}[allowance.calendar]
            conditions.append(f'u."at" >= {d.instant(start)}')
        rows = self.person.engine.query(
            'SELECT coalesce(sum(u.amount), 0), min(u."at") FROM journey.budget_use AS u'
            f" WHERE {' AND '.join(conditions)} AND NOT EXISTS (SELECT 1 FROM journey.receipt AS b"
            " WHERE b.given_back AND b.message_id = u.message_id"
            " AND b.customer_id = u.customer_id)"
        )
        return Decimal(rows[0][0]), rows[0][1]

    @property
    def _purse(self) -> ZoneInfo:
        """The zone in which a purse has its days."""
        bound = self.person.whole.binding.customers
        assert bound is not None
        return zone(bound.zone_else) or ZoneInfo("UTC")


def _rank(rule: Rule) -> int:
    return _ORDER.index(rule.reason) if rule.reason in _ORDER else len(_ORDER)


_WAITED = ("budget", "capacity", "quiet", "capped")


def waiting(rules: tuple[Rule, ...]) -> str | None:
    """For what somebody is held: of the first channel against which only time stands."""
    by_channel: dict[str, list[str]] = {}
    for rule in rules:
        by_channel.setdefault(rule.channel, []).append(rule.reason)
    return next((r[0] for r in by_channel.values() if all(x in _WAITED for x in r)), None)


def openings(rules: tuple[Rule, ...]) -> tuple[str, ...]:
    """What would let a message out: all needs of one channel, of whichever."""
    by_channel: dict[str, list[Rule]] = {}
    for rule in rules:
        by_channel.setdefault(rule.channel, []).append(rule)
    ways = []
    for channel, mine in by_channel.items():
        if any(not rule.needs for rule in mine):
            continue
        needs = dict.fromkeys(need for rule in mine for need in rule.needs)
        ways.append((channel, " and ".join(needs)))
    if len({way for _, way in ways}) == 1:
        return (ways[0][1],)
    return (" or ".join(f"{way} ({channel})" for channel, way in ways),) if ways else ()
