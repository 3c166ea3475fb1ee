"""JRN204: people may enter again by the rule, and are still inside by the steps."""

from __future__ import annotations

from collections.abc import Iterator

from journeylang.analysis.feasible import ends_the_run, feasible
from journeylang.analysis.flow import Path
from journeylang.analysis.lapses import DAY, words
from journeylang.diagnostics.codes.flow import REENTRY_OVERLAPS
from journeylang.diagnostics.model import Diagnostic, Label
from journeylang.lint.places import first_line
from journeylang.lint.rule import Checked, Rule
from journeylang.model.entry import EnterOn
from journeylang.model.expressions import BoundEvent
from journeylang.model.journey import Journey, Race, Wait, WaitState
from journeylang.syntax import nodes

_SHOWN = 3


def reentry_overlaps(checked: Checked) -> Iterator[Diagnostic]:
    """Of journeys that an event begins and whose waits alone take longer, on some way through.

    Waits count at their shortest, and holds not at all. An event that comes in the meantime is
    lost, whereas a condition is looked at again. Where a new event ends the run first, or `reenter
    always` says that only the run itself keeps people out, nothing overlaps.
    """
    for journey in checked.project.journeys.values():
        if journey.reenter.rule != "after" or not isinstance(journey.entry, EnterOn):
            continue
        if journey.entry.per is not None:
            # What comes in the meantime is mostly about something else.
            continue
        event = journey.entry.event
        if isinstance(event, BoundEvent) and ends_the_run(
            event, journey.entry.where, journey, checked.project
        ):
            continue
        every = checked.paths(journey)
        bound = journey.reenter.days * DAY
        longer = sorted(
            (path for path in every or () if _length(path) > bound), key=_length, reverse=True
        )
        for path in longer:
            if feasible(path, journey, checked.project):
                yield _found(journey, path, checked)
                break


def _length(path: Path) -> int:
    """Seconds, at least, from the entry to the end."""
    return path[-1].arrival.low + path[-1].way.lapse.low if path else 0


def _found(journey: Journey, path: Path, checked: Checked) -> Diagnostic:
    days = journey.reenter.days
    takes = _length(path)
    # Of a loop's passes one is shown.
    waited = {
        stop.step.path: stop
        for stop in path
        if isinstance(stop.step, Wait | WaitState | Race) and stop.way.lapse.low
    }
    waits = sorted(waited.values(), key=lambda stop: -stop.way.lapse.low)
    written = checked.declared.journeys[journey.name]
    header = next((h for h in written.headers if isinstance(h, nodes.Reenter)), None)
    again = "1 day" if days == 1 else f"{days:,} days"
    return Diagnostic(
        code=REENTRY_OVERLAPS,
        message=f"one may enter again after {again}, and the journey takes up to {words(takes)}",
        span=journey.span if header is None else header.span,
        label="who comes back while still inside does not enter",
        labels=tuple(
            Label(
                first_line(stop.step.span, checked),
                f"{words(stop.way.lapse.low)}"
                + (" without the event" if isinstance(stop.step, Race) else ""),
            )
            for stop in waits[:_SHOWN]
        ),
        help=f"write `reenter after {takes // DAY + 1}d`, or `reenter always` if nothing but the"
        " run itself is to keep people out",
    )


RULE = Rule(code=REENTRY_OVERLAPS, find=reentry_overlaps)
