"""JRN208: time is given for something, and its rows may take longer than that."""

from __future__ import annotations

from collections.abc import Iterator

from journeylang.analysis.feasible import feasible
from journeylang.analysis.flow import Path, Stop, flow, paths
from journeylang.analysis.lapses import lapse, words
from journeylang.diagnostics.codes.flow import LATE_DATA_RACE
from journeylang.diagnostics.model import Diagnostic, Label
from journeylang.lint.places import first_line
from journeylang.lint.rule import Checked, Rule
from journeylang.lint.tree import with_named
from journeylang.model.expressions import Aggregate, BoundEvent, Expression, SinceEntry
from journeylang.model.journey import If, Journey, Race, Send, Wait, WaitState
from journeylang.model.steps import steps
from journeylang.source import Span
from journeylang.syntax import nodes


def late_data_race(checked: Checked) -> Iterator[Diagnostic]:
    """Of events whose lateness somebody has written down.

    Found are a wait for the event that ends before its rows must be there, and an `if`, an `exit
    when` or the end of a `wait until` that asks for it `since entry` when all the time since then
    is shorter. A question for longer than that does not hang on the last rows, nor does a loop's,
    which is asked again. What providers report about messages is taken for up to a day, but comes
    within seconds.
    """
    late = dict(_written(checked))
    if not late:
        return
    for journey in checked.project.journeys.values():
        for step in steps(journey.body):
            if isinstance(step, Race):
                yield from _race(step, late, checked)
        asked = [way_out.condition for way_out in journey.exits]
        if _asks(asked, late, checked) or any(
            _asks([step.condition], late, checked)
            for step in steps(journey.body)
            if isinstance(step, If | WaitState)
        ):
            yield from _since_entry(journey, late, checked)


def _written(checked: Checked) -> Iterator[tuple[str, Span]]:
    """Events with a `late` of their own, and where it stands."""
    for name, event in checked.declared.events.items():
        for item in event.items:
            if isinstance(item, nodes.At) and item.late is not None:
                yield name, item.late.span


def _race(race: Race, late: dict[str, Span], checked: Checked) -> Iterator[Diagnostic]:
    deadline = lapse(race.deadline).high
    for branch in race.branches:
        event = branch.event
        if not isinstance(event, BoundEvent) or event.name not in late or deadline is None:
            continue
        bound = checked.project.binding.events[event.name].late
        if deadline < bound:
            yield _found(
                event.name,
                f"and this waits {words(deadline)} for it",
                first_line(race.span, checked),
                "whoever did it in time may be taken for one who did not",
                [Label(late[event.name], f"its rows may be {words(bound)} late")],
                bound,
            )


def _since_entry(journey: Journey, late: dict[str, Span], checked: Checked) -> Iterator[Diagnostic]:
    graph = flow(journey)
    # What is asked in each pass of a loop, or behind a fork, is told of once.
    told: set[tuple[Span, str]] = set()
    for path in (paths(graph) if graph is not None else None) or ():
        found = [
            (at, diagnostic)
            for at, diagnostic in _on(path, journey, late, checked)
            if at not in told
        ]
        if found and feasible(path, journey, checked.project):
            for at, diagnostic in found:
                if at not in told:
                    told.add(at)
                    yield diagnostic


def _on(
    path: Path, journey: Journey, late: dict[str, Span], checked: Checked
) -> Iterator[tuple[tuple[Span, str], Diagnostic]]:
    """What is asked too soon on a path, with the place of the question and the event."""
    waited: Stop | None = None
    for stop in path:
        step, since = stop.step, stop.arrival.high
        timed_out = isinstance(step, Wait | Race | WaitState) and stop.way.kind != "on"
        if timed_out and stop.way.lapse.low:
            waited = stop
        if isinstance(step, WaitState) and stop.way.kind == "timeout":
            since = (stop.arrival + stop.way.lapse).high
        if waited is None or since is None:
            continue
        if isinstance(step, If):
            asked, what = [(step.condition, step.condition.span)], "what is decided"
        elif isinstance(step, WaitState) and timed_out and (step.then or step.timeout):
            asked, what = [(step.condition, step.condition.span)], "who times out"
        elif isinstance(step, Send):
            asked, what = [(e.condition, e.condition.span) for e in journey.exits], "who leaves"
        else:
            continue
        for condition, place in asked:
            for event in _asks([condition], late, checked):
                bound = checked.project.binding.events[event].late
                if since >= bound:
                    continue
                then = f"`{step.label}` goes out" if isinstance(step, Send) else "this is asked"
                found = _found(
                    event,
                    f"and {then} {words(since)} after the entry",
                    first_line(waited.step.span, checked),
                    "what happened in the meantime may not be seen yet",
                    [
                        Label(place, f"{what} here rests on it"),
                        Label(late[event], f"its rows may be {words(bound)} late"),
                    ],
                    bound,
                )
                yield (first_line(step.span, checked), event), found


def _asks(conditions: list[Expression], late: dict[str, Span], checked: Checked) -> dict[str, None]:
    """Events with a written `late` of which the conditions want to know `since entry`."""
    return dict.fromkeys(
        node.event.name
        for condition in conditions
        for node in with_named(condition, checked.project)
        if isinstance(node, Aggregate)
        and isinstance(node.event, BoundEvent)
        and node.event.name in late
        and any(isinstance(window, SinceEntry) for window in node.windows)
    )


def _found(
    event: str, what: str, span: Span, label: str, labels: list[Label], bound: int
) -> Diagnostic:
    return Diagnostic(
        code=LATE_DATA_RACE,
        message=f"`{event}` may be seen {words(bound)} late, {what}",
        span=span,
        label=label,
        labels=tuple(labels),
        help=f"wait longer than {words(bound)}; or, if the rows come sooner, say so:"
        f" `late …` of `{event}`",
    )


RULE = Rule(code=LATE_DATA_RACE, find=late_data_race)
