"""JRN206: messages that quiet hours never let out, or never when they were meant."""

from __future__ import annotations

from collections.abc import Iterator

from journeylang.analysis.clock import Arrival, Night, at_entry, behind, hours, nights
from journeylang.analysis.feasible import feasible
from journeylang.analysis.flow import Path, Stop
from journeylang.analysis.lapses import HOUR, words
from journeylang.classes import dataclass
from journeylang.diagnostics.codes.flow import QUIET_HOURS_STARVE
from journeylang.diagnostics.model import Diagnostic, Label
from journeylang.lint.places import first_line
from journeylang.lint.rule import Checked, Rule
from journeylang.model.journey import Journey, Send, Wait, WaitMoment
from journeylang.model.policy import Policy, Quiet


def quiet_hours_starve(checked: Checked) -> Iterator[Diagnostic]:
    """Of sends all of whose channels are quiet at once.

    If everybody comes to it at a clock time within, it is skipped or held every time. If people
    come at any time and are held, but not for as long as the quiet time lasts, those who come
    early in it wait for nothing. To skip at once (`else skip`) those who come at night is a choice.
    """
    for journey in checked.project.journeys.values():
        policy = checked.policy(journey)
        if policy is None or not policy.quiets or not _keeps_quiet(journey, policy):
            continue
        for send, comings in _comings(journey, checked):
            # Of several times nothing can be said of everybody; of any time, that it may be night.
            alone = len({coming.arrival for coming in comings}) == 1
            for coming in comings:
                found = None
                if alone or coming.arrival.any:
                    found = _look(send, coming, policy, checked)
                if found is not None and feasible(coming.path, journey, checked.project):
                    yield found
                    break


@dataclass(frozen=True, slots=True, kw_only=True)
class _Coming:
    """How people come to a send on some path; ``wait`` is the last one before it."""

    arrival: Arrival
    wait: Stop | None
    path: Path


def _comings(journey: Journey, checked: Checked) -> list[tuple[Send, list[_Coming]]]:
    """Every send, with all the ways of coming to it.

    Also those that nobody is likely to take: of those nothing is told, but it may be that
    somebody does.
    """
    found: dict[str, tuple[Send, list[_Coming]]] = {}
    for path in checked.paths(journey) or ():
        arrival, wait = at_entry(journey.entry), None
        for stop in path:
            if isinstance(stop.step, Send):
                comings = found.setdefault(stop.step.path, (stop.step, []))[1]
                comings.append(_Coming(arrival=arrival, wait=wait, path=path))
            if isinstance(stop.step, Wait | WaitMoment):
                wait = stop
            arrival = behind(stop, arrival)
    return list(found.values())


def _keeps_quiet(journey: Journey, policy: Policy) -> bool:
    return journey.purpose == "marketing" or (
        journey.purpose == "service" and "quiet" not in policy.service_ignores
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Quiet:
    """When a send's channels are all quiet, and for how long it holds: 0 if it is skipped."""

    nights: tuple[Night, ...]
    rules: tuple[Quiet, ...]
    limit: int


def _of(send: Send, policy: Policy) -> _Quiet | None:
    """None if it hangs on the channel what happens."""
    by_channel = [
        [quiet for quiet in policy.quiets if channel in quiet.channels]
        for channel in dict.fromkeys(candidate.channel for candidate in send.candidates)
    ]
    rules = tuple(dict.fromkeys(quiet for each in by_channel for quiet in each))
    action = send.otherwise.action if send.otherwise is not None else None
    actions = {quiet.action for quiet in rules} if action is None else {action}
    if len(actions) != 1:
        return None
    limit = send.expires
    if send.otherwise is not None and send.otherwise.seconds is not None:
        limit = min(limit, send.otherwise.seconds)
    return _Quiet(nights=nights(by_channel), rules=rules, limit=0 if actions == {"skip"} else limit)


def _look(send: Send, coming: _Coming, policy: Policy, checked: Checked) -> Diagnostic | None:
    arrival = coming.arrival
    quiet = _of(send, policy)
    if quiet is None:
        return None
    for night in quiet.nights:
        if arrival.at is not None:
            message = _at(send, arrival, arrival.at, night, quiet.limit)
        elif arrival.any and 0 < quiet.limit < night.length:
            message = (
                f"`{send.label}` is held for up to {words(quiet.limit)}, and its quiet time lasts"
                f" {words(night.length)}: who comes between {hours(night.start)} and"
                f" {hours(night.end - quiet.limit)} waits for nothing"
            )
        else:
            continue
        if message is not None:
            return _found(
                send, message, quiet, coming.wait if arrival.at is not None else None, checked
            )
    return None


def _at(send: Send, arrival: Arrival, at: int, night: Night, limit: int) -> str | None:
    """What becomes of everybody, who all come at one time of day; None if they are not lost."""
    left = night.left(at)
    if left is None:
        return None
    # Behind elapsed time the clock may show an hour more or less, where it has been changed.
    slack = 0 if arrival.exact else HOUR
    if slack and (left <= slack or night.length - left < slack):
        return None
    when = f"at {hours(at)}, within its quiet time until {hours(night.end)}"
    if limit == 0:
        return f"`{send.label}` is always skipped: everybody comes to it {when}"
    if left - slack >= limit:
        return (
            f"`{send.label}` is never sent: everybody comes to it {when}, and it is held for"
            f" {words(limit)} at most"
        )
    if arrival.exact:
        return f"`{send.label}` is always held: everybody comes to it {when}"
    return None


def _found(
    send: Send, message: str, quiet: _Quiet, wait: Stop | None, checked: Checked
) -> Diagnostic:
    labels = [Label(rule.span, "quiet by this rule") for rule in quiet.rules]
    if wait is not None:
        labels.append(Label(first_line(wait.step.span, checked), "everybody goes on at this time"))
    return Diagnostic(
        code=QUIET_HOURS_STARVE,
        message=message,
        span=first_line(send.span, checked),
        labels=tuple(labels),
        help="wait until a time at which the channel is not quiet"
        if wait is not None
        else "hold it for longer than the quiet time, or write `else skip` if it is good at once"
        " or not at all",
    )


RULE = Rule(code=QUIET_HOURS_STARVE, find=quiet_hours_starve)
