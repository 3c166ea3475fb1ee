"""JRN210: journeys that take the same people at one moment, where a cap has not enough for both."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, islice
from typing import assert_never

from journeylang.analysis.capping import binds, plain, sure_window
from journeylang.analysis.feasible import decided, feasible
from journeylang.analysis.flow import Path
from journeylang.analysis.ranges import implies, possible
from journeylang.classes import dataclass
from journeylang.diagnostics.codes.flow import JOURNEYS_COMPETE
from journeylang.diagnostics.model import Diagnostic, Label
from journeylang.lint.places import first_line, written
from journeylang.lint.rule import Checked, Rule
from journeylang.model.entry import EnterBySchedule, EnterByStart, EnterJoins, EnterOn, EnterWhen
from journeylang.model.expressions import All, Constant, Expression
from journeylang.model.journey import Journey, Race, Send, Wait, WaitMoment, WaitState
from journeylang.model.policy import Cap
from journeylang.model.project import Project
from journeylang.model.types import BOOL

_MOST_PAIRS = 1_000
_MOST_PATHS = 24


def journeys_compete(checked: Checked) -> Iterator[Diagnostic]:
    """Of marketing journeys of one policy and one priority that begin by the same thing.

    The audience of one must surely be part of the other's, and both must have a message at one
    moment when the cap has not enough left for them. Different priorities are an answer already.
    """
    groups: dict[object, list[Journey]] = {}
    for journey in checked.project.journeys.values():
        if journey.purpose == "marketing" and checked.policy(journey) is not None:
            groups.setdefault(_moment(journey), []).append(journey)
    ways = _Ways(checked)
    for journeys in groups.values():
        found: set[str] = set()
        for one, other in islice(combinations(journeys, 2), _MOST_PAIRS):
            if other.name not in found and _same_people(one, other, checked.project):
                diagnostic = _compared(one, other, ways)
                if diagnostic is not None:
                    found.add(other.name)
                    yield diagnostic


def _moment(journey: Journey) -> object:
    """What journeys have in common that one thing begins, for whom one line is formed."""
    beside = (journey.policy, journey.priority)
    entry = journey.entry
    match entry:
        case EnterOn():
            return ("event", entry.event, entry.per, *beside)
        case EnterWhen():
            return ("condition", entry.every, *beside)
        case EnterJoins():
            return ("joining", entry.every, *beside)
        case EnterBySchedule():
            return ("schedule", entry.schedule, entry.local, *beside)
        case EnterByStart():
            # Each by its own starts.
            return ("start", journey.name)
        case _:
            assert_never(entry)


def _same_people(one: Journey, other: Journey, project: Project) -> bool:
    """Whether everybody whom the one takes the other takes too, at that moment, or the reverse."""
    mine, others = _audience(one), _audience(other)
    if isinstance(one.entry, EnterWhen | EnterJoins):
        # A wider condition has come true before, at another moment.
        return implies(mine, others, project) and implies(others, mine, project)
    return implies(mine, others, project) or implies(others, mine, project)


def _audience(journey: Journey) -> Expression:
    asked: Expression | None
    entry = journey.entry
    match entry:
        case EnterOn():
            asked = entry.where
        case EnterWhen() | EnterBySchedule():
            asked = entry.condition
        case EnterJoins():
            asked = entry.inside
        case EnterByStart():
            asked = None
        case _:
            assert_never(entry)
    parts = [part for part in (asked, journey.only) if part is not None]
    anybody = Constant(value=True, type=BOOL, span=journey.span)
    return All(parts=(anybody, *parts), span=journey.span)


def _compared(one: Journey, other: Journey, ways: _Ways) -> Diagnostic | None:
    checked = ways.checked
    policy = checked.policy(one)
    assert policy is not None
    caps = [cap for cap in policy.caps if plain(cap)]
    if not caps:
        return None
    for mine in ways.of(one):
        for others in ways.of(other):
            for cap in caps:
                found = _clash(cap, _timed(mine, cap), _timed(others, cap))
                if found is not None and possible(
                    [*decided(mine), *decided(others)], checked.project
                ):
                    return _found(one, other, cap, found, checked)
    return None


class _Ways:
    """The paths that people take through journeys, each journey looked at once."""

    def __init__(self, checked: Checked) -> None:
        self.checked = checked
        self._found: dict[str, tuple[Path, ...]] = {}

    def of(self, journey: Journey) -> tuple[Path, ...]:
        if journey.name not in self._found:
            every = self.checked.paths(journey) or ()
            project = self.checked.project
            few = every if len(every) <= _MOST_PATHS else ()
            likely = tuple(path for path in few if feasible(path, journey, project))
            self._found[journey.name] = likely
        return self._found[journey.name]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Timed:
    """A send that surely counts, between so many seconds after the entry, behind such waits."""

    send: Send
    low: int
    high: int
    waits: tuple[object, ...]


def _timed(path: Path, cap: Cap) -> list[_Timed]:
    found: list[_Timed] = []
    waits: list[object] = []
    for stop in path:
        step = stop.step
        if isinstance(step, Wait):
            waits.append(step.until)
        elif isinstance(step, Race | WaitState):
            # Whenever the event comes, or the state, is a moment of its own.
            waits.append(step.deadline if stop.way.kind == "timeout" else stop)
        elif isinstance(step, WaitMoment):
            waits.append((step.moment, step.weekdays) if stop.way.kind == "next" else None)
        elif (
            isinstance(step, Send)
            and stop.arrival.high is not None
            and binds(cap, step)
            and step.topic is None
            and any(candidate.when is None for candidate in step.candidates)
        ):
            low, high = stop.arrival.low, stop.arrival.high
            found.append(_Timed(send=step, low=low, high=high, waits=tuple(waits)))
    return found


def _clash(cap: Cap, mine: list[_Timed], others: list[_Timed]) -> tuple[Send, Send] | None:
    """A message of each at one moment, when the cap has not enough left for both.

    Of either journey alone there are not too many: that is another matter. And of messages at
    different moments the earlier one goes first, whatever the priorities.
    """
    assert isinstance(cap.limit, int)
    window = sure_window(cap)
    for one in mine:
        for other in others:
            if one.waits != other.waits:
                continue
            here, there = (
                sum(
                    t.waits == one.waits or (t.low <= one.low and one.high - t.low < window)
                    for t in timed
                )
                for timed in (mine, others)
            )
            if max(here, there) <= cap.limit < here + there:
                return one.send, other.send
    return None


def _found(
    one: Journey, other: Journey, cap: Cap, sends: tuple[Send, Send], checked: Checked
) -> Diagnostic:
    first, second = sorted((one.name, other.name))
    what = "the same event" if isinstance(one.entry, EnterOn) else "the same condition"
    if isinstance(one.entry, EnterBySchedule):
        what = "the same hour"
    journeys = checked.declared.journeys
    return Diagnostic(
        code=JOURNEYS_COMPETE,
        message=f"{what} begins `{one.name}` and `{other.name}`, both of priority {one.priority},"
        f" and `{written(cap.span, checked)}` is not enough for both",
        span=journeys[other.name].name.span,
        label=f"`{first}` goes before `{second}` by nothing but its name",
        labels=(
            Label(journeys[one.name].name.span, "the other journey"),
            Label(first_line(sends[0].span, checked), "a message of one"),
            Label(first_line(sends[1].span, checked), "and of the other"),
            Label(cap.span, "the cap"),
        ),
        help="give the one that matters more the higher `priority`, or leave the people of one"
        " out of the other",
    )


RULE = Rule(code=JOURNEYS_COMPETE, find=journeys_compete)
