"""The one way into a journey, and when it is open."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import assert_never, get_args

from journeylang.analysis.days import EVERY_DAY, weekdays
from journeylang.analysis.declared import head
from journeylang.analysis.expressions import Checker
from journeylang.analysis.lines import missing, only
from journeylang.analysis.predicates import segment_test
from journeylang.analysis.scope import NO_SHAPE, Scope, Shape
from journeylang.analysis.sources import unknown_event
from journeylang.analysis.spans import parameter, seconds, wait_span
from journeylang.analysis.starting import by_start
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.model import Label
from journeylang.model import entry as model
from journeylang.model.expressions import EventValue, Expression
from journeylang.model.journey import Calendar
from journeylang.model.types import Kind
from journeylang.syntax import nodes
from journeylang.syntax.headers import Entry

_ENTRIES = get_args(Entry)
_YEARS = (1970, 9998)
"""Outside of them a schedule would leave the calendar by a time zone."""


def entries(node: nodes.Journey) -> list[Entry]:
    """All ways in, as written."""
    return [header for header in node.headers if isinstance(header, _ENTRIES)]


def entry(node: nodes.Journey, scope: Scope, checker: Checker) -> tuple[model.Entry | None, Shape]:
    """The way in, None when it was reported; and the fields of `entry.x`.

    They are open where the way in is wrong or not yet understood.
    """
    findings = checker.findings
    found = entries(node)
    if not found:
        missing(
            f"journey `{node.name.text}`",
            "`enter`",
            node.name.span,
            findings,
            example="enter on signed_up",
        )
        return None, NO_SHAPE
    for further in found[1:]:
        findings.error(
            names.REPEATED_PART,
            head(further.span, "enter"),
            "a journey has one way in",
            labels=(Label(head(found[0].span, "enter"), "the first"),),
            help="write a journey for each, or one condition with `or`",
        )
    way_in, shape = _way_in(found[0], scope, checker)
    return way_in, shape if len(found) == 1 else NO_SHAPE


def _way_in(written: Entry, scope: Scope, checker: Checker) -> tuple[model.Entry | None, Shape]:
    match written:
        case nodes.EnterOn():
            return _on(written, scope, checker)
        case nodes.EnterWhen():
            return _when(written, scope, checker), Shape()
        case nodes.EnterJoins():
            return _joins(written, scope, checker), Shape()
        case nodes.EnterAt():
            return _scheduled(written, _once(written, checker), scope, checker), Shape()
        case nodes.EnterEvery():
            return _scheduled(written, _every(written), scope, checker), Shape()
        case nodes.EnterYearly():
            schedule = _yearly(written, scope, checker)
            return _scheduled(written, schedule, scope, checker), Shape()
        case nodes.EnterByStart():
            return by_start(written, checker.findings)
        case _:
            assert_never(written)


def _on(node: nodes.EnterOn, scope: Scope, checker: Checker) -> tuple[model.EnterOn | None, Shape]:
    event = checker.sources.event(node.event, scope)
    inner = replace(scope, event=event or unknown_event(node.event))
    where = None if node.where is None else checker.condition(node.where, inner)
    per = None if node.per is None else _per(node.per, inner, checker)
    broken = (node.where is not None and where is None) or (node.per is not None and per is None)
    if event is None or broken:
        return None, NO_SHAPE if event is None else event.shape
    fields = tuple((name, t) for name, t in event.shape.fields.items() if t is not None)
    way_in = model.EnterOn(event=event.source, where=where, per=per, fields=fields, span=node.span)
    return way_in, event.shape


def _per(node: nodes.Ref, scope: Scope, checker: Checker) -> str | None:
    """The event's field that tells runs apart."""
    found = checker.value(node, scope)
    if found is None:
        return None
    if isinstance(found, EventValue) and found.name != "at":
        return found.name
    event = scope.event
    assert event is not None
    listed = ", ".join(f"`{name}`" for name in list(event.shape.fields)[:5])
    checker.findings.error(
        names.OUT_OF_PLACE,
        node.span,
        f"`per` names what the rows of `{event.name}` are about: a field of theirs",
        help=f"its fields are {listed}" if listed else "",
    )
    return None


def _joins(node: nodes.EnterJoins, scope: Scope, checker: Checker) -> model.EnterJoins | None:
    inside = segment_test(node.segment, node.segment.span, checker)
    every = None if node.every is None else seconds(node.every, scope, checker.findings)
    if inside is None or (node.every is not None and every is None):
        return None
    return model.EnterJoins(inside=inside, every=every, span=node.span)


def _when(node: nodes.EnterWhen, scope: Scope, checker: Checker) -> model.EnterWhen | None:
    condition = checker.condition(node.condition, scope)
    every = None if node.every is None else seconds(node.every, scope, checker.findings)
    if condition is None or (node.every is not None and every is None):
        return None
    return model.EnterWhen(condition=condition, every=every, span=node.span)


# --- schedules ----------------------------------------------------------------

_Scheduled = nodes.EnterAt | nodes.EnterEvery | nodes.EnterYearly


def _scheduled(
    node: _Scheduled, schedule: model.Schedule | None, scope: Scope, checker: Checker
) -> model.EnterBySchedule | None:
    condition = None if node.condition is None else checker.condition(node.condition, scope)
    if schedule is None or (node.condition is not None and condition is None):
        return None
    # A date in somebody's data is a day of theirs.
    local = node.local or isinstance(schedule, model.Yearly)
    return model.EnterBySchedule(
        schedule=schedule, local=local, condition=condition, span=node.span
    )


def _once(node: nodes.EnterAt, checker: Checker) -> model.Once | None:
    at = node.at.value
    if not _YEARS[0] <= at.year <= _YEARS[1]:
        checker.findings.error(
            names.BAD_VALUE,
            node.at.span,
            f"the year {at.year} is too far away",
            help=f"from {_YEARS[0]} to {_YEARS[1]}",
        )
        return None
    if at.tzinfo is None:
        return model.Once(at=at)
    if node.local:
        checker.findings.error(
            names.OUT_OF_PLACE,
            node.at.span,
            "an instant with a zone is the same for everybody, whatever their clocks show",
            help=f"write `{at.replace(tzinfo=None).isoformat(timespec='minutes')} local`,"
            " or leave out `local`",
        )
        return None
    return model.Once(at=_utc(at))


def _every(node: nodes.EnterEvery) -> model.Schedule:
    if node.days_of_month:
        days = tuple(sorted({day.value for day in node.days_of_month}))
        return model.Monthly(days=days, at=node.at.value)
    return model.Weekly(weekdays=weekdays(node.days) or EVERY_DAY, at=node.at.value)


def _yearly(node: nodes.EnterYearly, scope: Scope, checker: Checker) -> model.Yearly | None:
    """The anniversary comes first, then the span is taken off: `DATE - 7d`."""
    written, offset = node.date, Calendar()
    if (
        isinstance(written, nodes.Binary)
        and written.op in ("+", "-")
        and _is_span(written.right, scope)
    ):
        assert isinstance(written.right, nodes.Duration | nodes.Ref)
        found = _offset(written.right, written.op, scope, checker)
        if found is None:
            return None
        written, offset = written.left, found
    value = checker.value(written, scope)
    if value is None or not _is_date(value, written, checker):
        return None
    return model.Yearly(date=value, months=offset.months, days=offset.days, at=node.at.value)


def _is_span(node: nodes.Expression, scope: Scope) -> bool:
    is_parameter = isinstance(node, nodes.Ref) and node.text in scope.parameters
    return isinstance(node, nodes.Duration) or is_parameter


def _offset(node: nodes.DurationLike, op: str, scope: Scope, checker: Checker) -> Calendar | None:
    span = wait_span(node, scope, checker.findings)
    if span is None:
        return None
    if not isinstance(span, Calendar):
        checker.findings.error(
            names.BAD_VALUE,
            node.span,
            "a day of the year is moved by whole days",
            help="write `7d`, `2w` or `1mo`; the time of day stands behind `at`",
        )
        return None
    sign = -1 if op == "-" else 1
    return Calendar(months=sign * span.months, days=sign * span.days)


def _is_date(value: Expression, written: nodes.Expression, checker: Checker) -> bool:
    if value.type is None or value.type.kind is Kind.DATE:
        return True
    instant = value.type.kind is Kind.INSTANT
    checker.findings.error(
        names.TYPE_MISMATCH,
        written.span,
        f"a date is expected, this is {value.type}",
        label="an instant is on different days in different zones"
        if instant
        else f"this is {value.type}",
        help="bind it as `date`" if instant else "name a field of type `date`",
    )
    return False


# --- when it is open ----------------------------------------------------------


def runs(node: nodes.Journey, scope: Scope, checker: Checker) -> model.Runs | None:
    """`runs from … until …`: entries outside of it do not count. Both days belong to it."""
    written = only(node.headers, nodes.Runs, "runs", checker.findings)
    if written is None:
        return None
    start = None if written.start is None else _moment(written.start, time(), scope, checker)
    end = None
    if written.end is not None:
        end = _moment(written.end, None, scope, checker)
    if start is not None and end is not None and end <= start:
        checker.findings.error(
            names.BAD_VALUE,
            written.span,
            "it ends before it begins, so nobody can ever enter",
            help="write the earlier day behind `from`",
        )
        return None
    return model.Runs(start=start, end=end, span=written.span)


def _moment(
    node: nodes.Expression, of_day: time | None, scope: Scope, checker: Checker
) -> datetime | None:
    """The instant meant, naive UTC; of a day its beginning, or (`of_day` None) its end."""
    match node:
        case nodes.DateTime():
            return _utc(node.value)
        case nodes.Date():
            if of_day is not None:
                return datetime.combine(node.value, of_day)
            # The last day of all calendars has no day behind it: there is no end.
            last = node.value == date.max
            return None if last else datetime.combine(node.value, time()) + _DAY
        case nodes.Ref():
            held = scope.parameters.get(node.text)
            instant = held is not None and held.type is not None and held.type.name == "instant"
            given = parameter(node, "instant" if instant else "date", scope, checker.findings)
            return None if given is None else _moment(given, of_day, scope, checker)
        case _:
            raise AssertionError("the grammar has dates there and names of parameters")


_DAY = timedelta(days=1)


def _utc(at: datetime) -> datetime:
    """Naive UTC; an instant without a zone is UTC."""
    if at.tzinfo is None:
        return at
    try:
        return at.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        return at.replace(tzinfo=None)
