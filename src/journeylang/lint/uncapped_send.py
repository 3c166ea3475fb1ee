"""JRN302: a marketing message by a channel that no cap of the journey's policy limits."""

from __future__ import annotations

from collections.abc import Iterator

from journeylang.diagnostics.codes.consent import UNCAPPED_SEND
from journeylang.diagnostics.model import Diagnostic, Label
from journeylang.lint.rule import Checked, Rule
from journeylang.model.policy import Cap


def uncapped_send(checked: Checked) -> Iterator[Diagnostic]:
    """Per journey and channel the first such send: the policy is what has to be mended.

    Of other purposes nothing is asked: caps count marketing, and a service message is bound by
    what its occasion brings.
    """
    told: set[tuple[str, str]] = set()
    for journey, _, candidate in checked.candidates():
        policy = checked.policy(journey)
        if journey.purpose != "marketing" or policy is None:
            continue
        channel = candidate.channel
        capped = any(_for_all(cap) and cap.channel in (None, channel) for cap in policy.caps)
        if capped or (policy.name, channel) in told:
            continue
        told.add((policy.name, channel))
        yield Diagnostic(
            code=UNCAPPED_SEND,
            message=f"no cap of policy `{policy.name}` limits messages by `{channel}`",
            span=candidate.span,
            label="as many as all journeys together bring about",
            labels=(
                Label(checked.declared.policies[policy.name].name.span, "this policy holds here"),
            ),
            help=f"add a cap to the policy: `cap {channel} 3 per 7d`",
        )


def _for_all(cap: Cap) -> bool:
    """A topic's cap, a segment's and a customer's wish leave others without any."""
    return cap.topic is None and cap.segment is None and isinstance(cap.limit, int)


RULE = Rule(code=UNCAPPED_SEND, find=uncapped_send)
