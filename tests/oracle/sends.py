"""May this message leave, on which channel, and if not: why, and until when?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from journeylang.model.binding import Channel, ConsentTable
from journeylang.model.journey import Candidate, Journey, Send
from journeylang.model.policy import Action, Cap, Policy
from tests.oracle.chance import bucket
from tests.oracle.channels import best
from tests.oracle.clock import Window, next_quiet, period, quiet_until, zone
from tests.oracle.facts import Charge, Customer, Memory, Message, Run
from tests.oracle.rations import Asking, Ledger, Ration, along
from tests.oracle.reading import Reader
from tests.oracle.values import Subject

ORDER = (
    *("no_address", "suppressed", "no_consent", "global_control"),
    *("budget", "capacity", "quiet", "capped"),
)
"""Of the rules that fail the first one is the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """A rule that does not let a message through; `release` is set if it may be waited for."""

    reason: str
    release: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`channel` to send by; else a `reason`, and `until` when to hold if it is worth it."""

    channel: str | None = None
    reason: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A run that stands at a send, with the candidates whose `when` held as it came there.

    `lacking`: a catalogue has too few rows for what it gives, and the send says `else`.
    """

    run: Run
    journey: Journey
    send: Send
    open: tuple[Candidate, ...]
    lacking: bool

    @property
    def order(self) -> tuple[object, ...]:
        """Who goes first."""
        run = self.run
        return (
            -self.journey.priority,
            run.arrived_at,
            self.journey.name,
            self.send.path,
            run.customer,
            run.run_id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All rules that bind a message, at one instant."""

    reader: Reader
    memory: Memory

    def decide(self, intent: Intent, short: list[list[Ration]]) -> Verdict:
        """What becomes of an intent; `short`: what there is not enough of, per position."""
        run = intent.run
        limit = self.limit(intent)
        if self.reader.now >= limit:
            return Verdict(reason=run.reason or "expired")
        if intent.lacking:
            return Verdict(reason="too_few")
        if not intent.open:
            return Verdict(reason="no_channel")
        judged = []
        for position, candidate in enumerate(self._in_turn(intent)):
            if any(candidate is one for one in intent.open):
                lacking = [
                    Failing(reason=r.reason, release=self.ledger.release(r))
                    for r in short[position]
                ]
                failing = [*self._failing(intent, candidate), *lacking]
                judged.append((candidate, sorted(failing, key=lambda f: ORDER.index(f.reason))))
        for candidate, failing in judged:
            if not failing:
                return Verdict(channel=candidate.channel)
        waiting = [failing for _, failing in judged if all(f.release for f in failing)]
        if not waiting:
            return Verdict(reason=judged[0][1][0].reason)
        release = min(max(f.release for f in failing if f.release) for failing in waiting)
        return Verdict(reason=waiting[0][0].reason, until=min(release, limit))

    def limit(self, intent: Intent) -> datetime:
        return intent.run.arrived_at + timedelta(seconds=_limit(intent.send))

    @property
    def ledger(self) -> Ledger:
        return Ledger(reader=self.reader, memory=self.memory)

    def rations(self, intent: Intent, channel: str) -> list[Ration]:
        own = intent.send.otherwise.action if intent.send.otherwise is not None else None
        bound = self.reader.project.binding.channels[channel]
        return self.ledger.of(intent.journey, bound, own)

    def rationed(self, rank: list[Intent]) -> list[list[list[Ration]]]:
        """What there is not enough of, for each intent and each of its positions."""
        line: list[list[Asking | None]] = []
        for intent in rank:
            asked: list[Asking | None] = []
            for candidate in self._in_turn(intent):
                asks = any(candidate is one for one in intent.open) and not intent.lacking
                if not asks or self.reader.now >= self.limit(intent):
                    asked.append(None)
                    continue
                free = not any(True for _ in self._failing(intent, candidate))
                rations = self.rations(intent, candidate.channel)
                asked.append(Asking(rations=rations, free=free))
            line.append(asked)
        return along(line, self.ledger)

    def _in_turn(self, intent: Intent) -> list[Candidate]:
        """All candidates in the order in which they are tried."""
        written = list(intent.send.candidates)
        match intent.send.strategy:
            case "preferred":
                customer = intent.run.customer
                favourite = self.reader.customers[customer].prefers
                if favourite is None:
                    favourite = self.reader.last_answered(customer)
                return sorted(written, key=lambda c: c.channel != favourite)
            case "cheapest":
                channels = self.reader.project.binding.channels
                return sorted(written, key=lambda c: channels[c.channel].cost or 0)
            case "best":
                today = best(self.memory, self.reader.now, intent.run, intent.send)
                return sorted(written, key=lambda c: c.channel != today)
            case "first":
                return written

    def _failing(self, intent: Intent, candidate: Candidate) -> Iterator[Failing]:
        """The rules that fail for a channel, in the order in which they give the reason."""
        run, journey, send = intent.run, intent.journey, intent.send
        project = self.reader.project
        channel = project.binding.channels[candidate.channel]
        customer = self.reader.customers[run.customer]
        if self.reader.evaluator.value(channel.address, Subject(customer=customer)) is None:
            yield Failing(reason="no_address")
        if any(
            (who, of) == (customer.key, channel.name)
            # Who has had enough of marketing is still told of a booking.
            and not (why == "unsubscribe" and journey.purpose == "transactional")
            for who, of, why in self.reader.tables.suppressed
        ):
            yield Failing(reason="suppressed")
        if journey.purpose == "transactional":
            return
        if not all(self.consented(name, customer) for name in self._consents(send, channel)):
            yield Failing(reason="no_consent")
        if journey.purpose == "marketing" and self.controlled(customer):
            yield Failing(reason="global_control")
        own = send.otherwise.action if send.otherwise is not None else None
        tz = self.zone(customer)
        for action in ("hold", "skip"):
            windows = self._windows(journey, channel, own, action)
            until = quiet_until(tz, windows, self.reader.now)
            if until is not None:
                yield Failing(reason="quiet", release=until if action == "hold" else None)
        for cap in self._caps(journey, channel, send, customer):
            yield from self._cap(cap, own, customer, tz)

    def quiet_ahead(self, intent: Intent, name: str) -> tuple[datetime, datetime] | None:
        """The next quiet time of a channel, of whichever action."""
        channel = self.reader.project.binding.channels[name]
        windows = [
            window
            for action in ("hold", "skip")
            for window in self._windows(intent.journey, channel, None, action)
        ]
        customer = self.reader.customers[intent.run.customer]
        return next_quiet(self.zone(customer), windows, self.reader.now)

    # --- the policy -----------------------------------------------------------

    def _policy(self, journey: Journey, what: str) -> Policy | None:
        """The policy, unless it does not bind this journey in its caps or quiet times."""
        if journey.policy is None or journey.purpose == "transactional":
            return None
        policy = self.reader.project.policies[journey.policy]
        ignores = journey.purpose == "service" and what in policy.service_ignores
        return None if ignores else policy

    def _windows(
        self, journey: Journey, channel: Channel, own: Action | None, action: str
    ) -> list[Window]:
        policy = self._policy(journey, "quiet")
        return [
            (q.start, q.end)
            for q in (policy.quiets if policy is not None else ())
            if channel.name in q.channels and (own or q.action) == action
        ]

    def _caps(
        self, journey: Journey, channel: Channel, send: Send, customer: Customer
    ) -> list[Cap]:
        policy = self._policy(journey, "caps")
        return [
            cap
            for cap in (policy.caps if policy is not None else ())
            if cap.channel in (None, channel.name)
            and cap.topic in (None, send.topic)
            and (cap.segment is None or self.belongs(cap.segment.name, customer))
        ]

    def belongs(self, segment: str, customer: Customer) -> bool:
        condition = self.reader.project.segments[segment].condition
        return self.reader.evaluator.holds(condition, Subject(customer=customer))

    # --- consent --------------------------------------------------------------

    def _consents(self, send: Send, channel: Channel) -> list[str]:
        topics = self.reader.project.binding.topics
        asked = [channel.consent, topics[send.topic].consent if send.topic else None]
        return [name for name in asked if name is not None]

    def consented(self, name: str, customer: Customer) -> bool:
        """The newest word decides, of a yes and a no at once the no; silence is a no.

        Over consent by a predicate, a refusal said to the runtime wins.
        """
        bound = self.reader.project.binding.consents[name]
        said = [
            (row["at"], row["granted"])
            for row in self.reader.tables.consent_changes
            if row["consent"] == name and row["customer_id"] == customer.key
        ]
        if isinstance(bound, ConsentTable):
            rows = [*self.reader.consents(bound), *self.reader.collected(name)]
            said += [(at, granted) for who, at, granted in rows if who == customer.key]
        said = [(at, granted) for at, granted in said if at is not None and at <= self.reader.now]
        newest = max((at for at, _ in said), default=None)
        granted = newest is not None and all(yes for at, yes in said if at == newest)
        if isinstance(bound, ConsentTable):
            return granted
        refused = newest is not None and not granted
        subject = Subject(customer=customer)
        return not refused and self.reader.evaluator.holds(bound.condition, subject)

    def controlled(self, customer: Customer) -> bool:
        """In the project's one global control group, whichever policy names it."""
        controls = [p.control for p in self.reader.project.policies.values() if p.control]
        return any(bucket(c.salt, customer.key) < c.share for c in controls)

    # --- caps -----------------------------------------------------------------

    def zone(self, customer: Customer) -> ZoneInfo:
        bound = self.reader.project.binding.customers
        assert bound is not None
        found = zone(customer.zone) or zone(bound.zone_else)
        assert found is not None
        return found

    def _cap(
        self, cap: Cap, own: Action | None, customer: Customer, tz: ZoneInfo
    ) -> Iterator[Failing]:
        now = self.reader.now
        limit = cap.limit
        if not isinstance(limit, int):
            limit = self.reader.evaluator.value(limit, Subject(customer=customer))
            if limit is None:
                return
        counted = [
            m.decided_at
            for m in self.memory.messages
            if m.customer == customer.key
            and m.counted
            and cap.channel in (None, m.channel)
            and cap.topic in (None, m.topic)
            and (m.run_id, m.step, m.decided_at) not in self.reader.tables.given_back
        ]
        if cap.seconds is not None:
            window = timedelta(seconds=cap.seconds)
            counted = [at for at in counted if now - window < at]
            release = min(counted, default=now) + window
        else:
            assert cap.calendar is not None
            start, release = period(tz, now, cap.calendar)
            counted = [at for at in counted if start <= at]
        if len(counted) >= limit:
            holds = (own or cap.action) == "hold" and limit > 0
            yield Failing(reason="capped", release=release if holds else None)


def message(intent: Intent, channel: str, rules: Rules) -> Message:
    """The message that is decided."""
    run, send = intent.run, intent.send
    return Message(
        journey=intent.journey.name,
        version=run.pinned,
        customer=run.customer,
        run_id=run.run_id,
        step=send.path,
        occurrence=run.occurrence,
        channel=channel,
        counted=intent.journey.purpose == "marketing",
        decided_at=rules.reader.now,
        expires_at=run.arrived_at + timedelta(seconds=send.expires),
        quiet=rules.quiet_ahead(intent, channel),
        cost=rules.reader.project.binding.channels[channel].cost,
        topic=send.topic,
    )


def charges(intent: Intent, channel: str, rules: Rules) -> list[Charge]:
    """What the message takes: from each ledger once."""
    amounts = {r.ledger: r.amount for r in rules.rations(intent, channel)}
    return [
        Charge(
            ledger=name,
            amount=amount,
            at=rules.reader.now,
            run_id=intent.run.run_id,
            step=intent.send.path,
        )
        for name, amount in amounts.items()
    ]


def _limit(send: Send) -> int:
    """For how many seconds after its arrival a run may stand at a send."""
    if send.otherwise is not None and send.otherwise.seconds is not None:
        return min(send.expires, send.otherwise.seconds)
    return send.expires
