"""JRN305: a journey that needs more messages than its own policy lets through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field

from journeylang.analysis.capping import (
    binds,
    counted,
    held_at_most,
    plain,
    sure_window,
    window,
)
from journeylang.analysis.feasible import feasible
from journeylang.analysis.flow import Flow, Path, Stop, most_messages
from journeylang.analysis.lapses import HOUR, at_most, words
from journeylang.classes import dataclass
from journeylang.diagnostics.codes.consent import CAP_INFEASIBLE
from journeylang.diagnostics.model import Diagnostic, Label
from journeylang.lint.places import first_line, written
from journeylang.lint.rule import Checked, Rule
from journeylang.model.journey import Journey, Send
from journeylang.model.policy import Cap, Policy

_SHOWN = 4


def cap_infeasible(checked: Checked) -> Iterator[Diagnostic]:
    """Of sends that a cap stops every time, on some path, by the journey's own messages alone.

    With waits at their longest, with all holds there may be, and without any other journey: a path
    that needs more only if somebody clicks at once may well be meant so. Two messages within
    half a day, week or month of the calendar count as within one, for most of them are.
    """
    for journey in checked.project.journeys.values():
        policy = checked.policy(journey)
        if policy is None or journey.purpose != "marketing":
            continue
        graph = checked.graph(journey)
        if graph is None or not any(_may_bind(cap, graph) for cap in policy.caps):
            continue
        told: set[str] = set()
        for path in checked.paths(journey) or ():
            stopped = next((s for s in _stopped(path, policy) if s.send.path not in told), None)
            if stopped is not None and feasible(path, journey, checked.project):
                # What is stopped first changes the rest.
                told.add(stopped.send.path)
                yield _found(stopped, journey, checked)


def _may_bind(cap: Cap, graph: Flow) -> bool:
    """Whether on any path there are more messages within the window than the cap allows."""
    if not plain(cap) or not isinstance(cap.limit, int):
        return False
    most = most_messages(graph, lambda send: binds(cap, send), window(cap), enough=cap.limit + 1)
    return len(most) > cap.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stopped:
    """A send, the messages that have used up the cap, and the most seconds since the first."""

    send: Send
    cap: Cap
    before: tuple[Send, ...]
    since: int


def _stopped(path: Path, policy: Policy) -> Iterator[_Stopped]:
    """The sends that are always stopped, in the order of the path."""
    stops = [stop for stop in path if isinstance(stop.step, Send)]
    sends = [stop.step for stop in stops if isinstance(stop.step, Send)]
    held = [0]
    for index, send in enumerate(sends):
        held.append(held[-1] + held_at_most(send, index, policy))
    caps = [_Using(cap=cap, limit=cap.limit) for cap in policy.caps if isinstance(cap.limit, int)]
    for index, send in enumerate(sends):
        for using in caps:
            cap = using.cap
            if not plain(cap) or not binds(cap, send):
                continue
            used = using.last(send)
            if used:
                since = _between(stops[used[0]], stops[index])
                if since is not None:
                    since += held[index] - held[used[0] + 1]
                if since is not None and since < sure_window(cap):
                    before = tuple(sends[i] for i in used)
                    yield _Stopped(send=send, cap=cap, before=before, since=since)
            if counted(cap, send):
                using.by_topic.setdefault(send.topic, []).append(index)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Using:
    """The sends so far that use up a cap: their indexes on the path, by their topic."""

    cap: Cap
    limit: int
    by_topic: dict[str | None, list[int]] = field(default_factory=dict)

    def last(self, beside: Send) -> list[int]:
        """The last ones that use it up for whom `beside` reaches; none if too few do."""
        used = self.by_topic.get(None, [])[-self.limit :]
        if beside.topic is not None and beside.topic in self.by_topic:
            used = sorted(used + self.by_topic[beside.topic][-self.limit :])[-self.limit :]
        return used if len(used) == self.limit else []


def _between(first: Stop, last: Stop) -> int | None:
    """The most seconds from the arrival at one step to that at another, without holds."""
    begin, end = first.arrival.high, last.arrival.high
    return None if begin is None or end is None else end - begin


def _found(stopped: _Stopped, journey: Journey, checked: Checked) -> Diagnostic:
    send, cap = stopped.send, stopped.cap
    count = len(stopped.before) + 1
    within = "at once" if stopped.since == 0 else f"within {at_most(stopped.since)}"
    what = "messages" if cap.channel is None else f"messages by `{cap.channel}`"
    names = ", ".join(f"`{one.label}`" for one in (*stopped.before, send))
    return Diagnostic(
        code=CAP_INFEASIBLE,
        message=f"`{journey.name}` needs {count} {what} {within} ({names}), and"
        f" `{written(cap.span, checked)}` lets {cap.limit} through",
        span=first_line(send.span, checked),
        label=_outcome(stopped),
        labels=(
            *(
                Label(first_line(one.span, checked), "this one counts")
                for one in list(dict.fromkeys(stopped.before))[:_SHOWN]
            ),
            Label(cap.span, "the cap"),
        ),
        help="let more time pass between them, or send fewer",
    )


def _outcome(stopped: _Stopped) -> str:
    """What becomes of the message that is one too many."""
    send, cap = stopped.send, stopped.cap
    action = cap.action if send.otherwise is None else send.otherwise.action
    limit = send.expires
    if send.otherwise is not None and send.otherwise.seconds is not None:
        limit = min(limit, send.otherwise.seconds)
    unless = "" if cap.seconds is not None else _UNLESS[cap.calendar or "day"]
    if action == "skip":
        return f"always skipped{unless}"
    if cap.seconds is None:
        return f"always held{unless}"
    rest = cap.seconds - stopped.since
    if rest >= limit:
        return f"always held for {words(limit)}, and then skipped"
    return f"always held, for {words(max(rest, HOUR))} or more"


_UNLESS = {
    "day": ", unless midnight falls in between",
    "week": ", unless a Monday begins in between",
    "month": ", unless a month begins in between",
}

RULE = Rule(code=CAP_INFEASIBLE, find=cap_infeasible)
