"""What stands for each channel of a send: the rules that bind it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from journeylang.classes import dataclass
from journeylang.model.binding import Channel
from journeylang.model.journey import Candidate, Journey, Send
from journeylang.model.policy import Action, Control, Policy
from journeylang.model.project import Project
from journeylang.plan.operations import (
    CAPACITY,
    Allowance,
    CapRule,
    Offer,
    QuietTimes,
    ZoneRule,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """Builds the offers of one journey's sends. `rule` numbers a rule over local time."""

    project: Project
    journey: Journey
    rule: Callable[[ZoneRule], int]

    def candidates(self, step: Send) -> tuple[Candidate, ...]:
        """In the order in which they are tried: by cost, where that is the strategy."""
        if step.strategy != "cheapest":
            return step.candidates
        channels = self.project.binding.channels
        return tuple(sorted(step.candidates, key=lambda c: channels[c.channel].cost or 0))

    def of(self, step: Send, number: int) -> tuple[Offer, ...]:
        """One offer per candidate, in that order; `number` is the step's."""
        policy, purpose = self.policy, self.journey.purpose
        own = step.otherwise.action if step.otherwise is not None else None
        ignored = policy.service_ignores if policy and purpose == "service" else ()
        bound = purpose != "transactional"
        offers = []
        for position, candidate in enumerate(self.candidates(step)):
            channel = self.project.binding.channels[candidate.channel]
            caps = self._caps(channel, step.topic, own) if bound and "caps" not in ignored else ()
            quiet = self._quiet(channel, own) if bound and "quiet" not in ignored else {}
            offers.append(
                Offer(
                    step=number,
                    position=position,
                    channel=channel.name,
                    template=candidate.template,
                    conditional=candidate.when is not None or may_lack(step),
                    transactional=not bound,
                    consents=self._consents(step, channel) if bound else (),
                    control=self.control if purpose == "marketing" else None,
                    counted=purpose == "marketing",
                    caps=caps,
                    allowances=self._allowances(channel, own) if bound else (),
                    quiet=quiet.get("any"),
                    quiet_hold=quiet.get("hold"),
                    quiet_skip=quiet.get("skip"),
                    cost=channel.cost,
                    currency=channel.currency,
                )
            )
        return tuple(offers)

    @property
    def policy(self) -> Policy | None:
        name = self.journey.policy
        return self.project.policies[name] if name is not None else None

    @property
    def control(self) -> Control | None:
        """The project's one global control group, whichever policy names it."""
        return next((p.control for p in self.project.policies.values() if p.control), None)

    def _consents(self, step: Send, channel: Channel) -> tuple[str, ...]:
        topic = self.project.binding.topics[step.topic].consent if step.topic else None
        return tuple(c for c in (channel.consent, topic) if c is not None)

    def _caps(self, channel: Channel, topic: str | None, own: str | None) -> tuple[CapRule, ...]:
        if self.policy is None:
            return ()
        return tuple(
            CapRule(
                channel=cap.channel,
                topic=cap.topic,
                limit=cap.limit,
                segment=cap.segment,
                seconds=cap.seconds,
                calendar=cap.calendar,
                action=_action(own, cap.action),
            )
            for cap in self.policy.caps
            if cap.channel in (None, channel.name) and cap.topic in (None, topic)
        )

    def _allowances(
        self, channel: Channel, own: str | None
    ) -> tuple[tuple[Allowance, Action], ...]:
        """Budgets and capacities; a channel without a cost takes nothing from a budget."""
        journey, policy = self.journey, self.policy
        found: list[tuple[Allowance, Action]] = []
        budgets = [(f"journey {journey.name}", b) for b in journey.budgets]
        if policy is not None:
            budgets += [
                (f"policy {policy.name}: budget {b.channel or 'any'}", b) for b in policy.budgets
            ]
        for name, budget in budgets if channel.cost else ():
            if budget.channel in (None, channel.name):
                allowance = Allowance(
                    name=name,
                    kind="budget",
                    quota=budget.amount,
                    currency=budget.currency,
                    seconds=budget.seconds,
                    calendar=budget.calendar,
                )
                found.append((allowance, _action(own, budget.action)))
        for capacity in policy.capacities if policy is not None else ():
            if capacity.channel == channel.name:
                allowance = Allowance(
                    name=f"policy {policy.name}{CAPACITY}{channel.name}" if policy else "",
                    kind="capacity",
                    quota=Decimal(capacity.limit),
                    currency=None,
                    seconds=capacity.seconds,
                    calendar=capacity.calendar,
                )
                found.append((allowance, _action(own, capacity.action)))
        return tuple(dict.fromkeys(found))

    def _quiet(self, channel: Channel, own: str | None) -> dict[str, int]:
        if self.policy is None:
            return {}
        rules: dict[str, int] = {}
        for action in ("any", "hold", "skip"):
            windows = tuple(
                (q.start, q.end)
                for q in self.policy.quiets
                if channel.name in q.channels and action in ("any", own or q.action)
            )
            if windows:
                rules[action] = self.rule(QuietTimes(windows=windows))
        return rules


def may_lack(step: Send) -> bool:
    """Whether too few rows of a catalogue keep the message back."""
    return any(pick.otherwise is not None for pick in step.picks)


def _action(own: str | None, policys: Action) -> Action:
    """A send's own `else` overrides what the policy says."""
    return "hold" if own == "hold" else "skip" if own == "skip" else policys
