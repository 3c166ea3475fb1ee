"""JRN303: a channel that rings, and no quiet hours for it."""

from __future__ import annotations

from collections.abc import Iterator

from journeylang.diagnostics.codes.consent import NO_QUIET_HOURS
from journeylang.diagnostics.model import Diagnostic, Fix, Label
from journeylang.lint.edits import line_behind
from journeylang.lint.rule import Checked, Rule
from journeylang.syntax import nodes

RINGING = ("call", "push", "sms")
"""Channels that are heard, by their names: what others do cannot be known."""


def no_quiet_hours(checked: Checked) -> Iterator[Diagnostic]:
    """Per policy and channel the first message; the policy is what has to be mended.

    A policy whose service messages ignore quiet hours says so itself.
    """
    told: set[tuple[str, str]] = set()
    for journey, _, candidate in checked.candidates():
        policy = checked.policy(journey)
        channel = candidate.channel
        if policy is None or journey.purpose == "transactional" or channel not in RINGING:
            continue
        if journey.purpose == "service" and "quiet" in policy.service_ignores:
            continue
        quiet = any(channel in hours.channels for hours in policy.quiets)
        if quiet or (policy.name, channel) in told:
            continue
        told.add((policy.name, channel))
        node = checked.declared.policies[policy.name]
        line = f"quiet {channel} 20:00 to 09:00"
        yield Diagnostic(
            code=NO_QUIET_HOURS,
            message=f"policy `{policy.name}` has no quiet hours for `{channel}`",
            span=candidate.span,
            label="may ring at night",
            labels=(Label(node.name.span, "this policy holds here"),),
            help=f"add them to the policy: `{line}`",
            fix=_fix(checked, node, line),
        )


def _fix(checked: Checked, policy: nodes.Policy, line: str) -> Fix | None:
    if not policy.rules:
        return None
    last = policy.rules[-1].span
    return Fix(
        title=f"add `{line}` to the policy",
        edits=(line_behind(checked.sources[last.path], last, line),),
    )


RULE = Rule(code=NO_QUIET_HOURS, find=no_quiet_hours)
