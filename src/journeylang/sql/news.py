"""Customers for whom a condition may have changed since it was last looked at.

Selects of customer keys, {looked} being the instant of that look: new rows of its sources, and
rows with an edge in `looked < … <= now`. {news_EVENT} is the instant behind which all rows of an
event lie that have come since (see `late_rows`). They may name people for whom nothing has changed;
they leave out nobody for whom something has.
"""

from __future__ import annotations

from typing import assert_never

from journeylang.classes import dataclass
from journeylang.model.binding import Event
from journeylang.model.expressions import Aggregate, BoundEvent, MessageEvent, SinceEntry
from journeylang.model.types import INSTANT
from journeylang.plan.incremental import (
    CustomerRows,
    Edge,
    EventRows,
    Incremental,
    NonSends,
    ProfileRows,
    Returns,
    RunRows,
    Source,
)
from journeylang.plan.operations import JourneyPlan
from journeylang.sql.aggregates import event_fields, message_scope
from journeylang.sql.compiler import Compiler
from journeylang.sql.dialects import Dialect, text
from journeylang.sql.expressions import Rows, value
from journeylang.sql.late_rows import counts_late
from journeylang.sql.relations import bound_value, event, table_name
from journeylang.sql.schema import ACTIVE
from journeylang.sql.scope import at_step
from journeylang.sql.session import END

CHANGED_LATE = 3600
"""Seconds for which a changed row of the customers may come behind its `changed at`."""

FEEDBACK_LATE = 86400
"""What a provider says about a message may come a day late."""

DAY = 86400
# A local day of N days ago begins N - 1 to N days before now, give or take what zones skip.
SLACK = 26 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """A condition's `parts`, each a select; {looked, now}. `people` is all of them together.

    `people` also reads who has left in this tick, and so is none of the probe's.
    """

    found: Incremental
    parts: tuple[str, ...]
    people: str


def news(compiler: Compiler, found: Incremental, *, leaving: bool) -> News:
    """The statements of a look; `leaving`: people may have left in this tick, and may return."""
    parts = [part for source in found.sources for part in _new_rows(compiler, source)]
    parts += [_passed(compiler, edge) for edge in found.edges]
    parts = list(dict.fromkeys(parts))
    people = list(parts)
    if leaving:
        people += [
            f"SELECT x.customer_id FROM trail AS x WHERE x.journey = {s.journey} AND x.fate = {END}"
            " AND x.round = 0"
            for s in found.sources
            if isinstance(s, Returns)
        ]
    return News(
        found=found,
        parts=tuple(parts),
        people="\n  UNION ".join(people) if len(people) > 1 else _distinct(people),
    )


def new_rows_tell(compiler: Compiler, plan: JourneyPlan, found: Incremental) -> str:
    """The instant behind which all rows lie that can have made an exit true since {looked}.

    Empty unless the one exit asks for nothing but that an event has been there since the entry,
    and no row of it changes: whoever leaves then leaves by a row that is new.
    """
    if found.edges or len(plan.exits) != 1:
        return ""
    match plan.exits[0].condition:
        # With a `where` a row of those that came too late could count, and the new one not.
        case (
            Aggregate(
                function="exists",
                event=BoundEvent(name=name),
                where=None,
                windows=(SinceEntry(),),
            ) as asked
        ):
            event = compiler.project.binding.events[name]
            if event.changed_at is not None or set(found.sources) != {EventRows(event=asked.event)}:
                return ""
            return news_behind(event, compiler.dialect)
        case _:
            return ""


def news_behind(bound: Event, d: Dialect) -> str:
    """The instant behind which a row of an event is news, if it has one."""
    if counts_late(bound):
        return d.parameter(f"news_{bound.name}")
    return f"{d.parameter('looked')} - {d.interval(bound.late)}"


def _distinct(people: list[str]) -> str:
    """Nobody can change if there is no source at all."""
    if not people:
        return "SELECT r.customer_id FROM journey.run AS r WHERE FALSE"
    return f"SELECT DISTINCT n.customer_id FROM ({people[0]}) AS n"


def changed_people(news: News, name: str = "changed", only: str = "") -> str:
    """The people of a look as a CTE of distinct customer keys; `only` those `n`, if any."""
    people = news.people
    if only:
        people = f"SELECT n.customer_id FROM ({people}) AS n WHERE {only}"
    return f"{name} AS MATERIALIZED (\n  {people}\n)"


def probed(number: int, part: str) -> str:
    """A part in the shape of the tick's probe."""
    return f"SELECT 'news', '{number}', CASE WHEN EXISTS ({part}) THEN 1 ELSE 0 END, NULL, NULL"


def _new_rows(compiler: Compiler, source: Source) -> list[str]:
    d, project = compiler.dialect, compiler.project
    looked = d.parameter("looked")
    match source:
        case CustomerRows():
            bound = project.binding.customers
            assert bound is not None
            if bound.changed_at is None:
                return []
            changed = d.cast(bound_value(bound.changed_at, d), INSTANT)
            late = d.interval(CHANGED_LATE)
            who = f"SELECT {bound_value(bound.key, d)} AS customer_id"
            rows = f"{table_name(bound.table)} AS t"
            return [f"{who} FROM {rows} WHERE {changed} > {looked} - {late} OR {changed} IS NULL"]
        case EventRows(event=rows_of):
            if isinstance(rows_of, BoundEvent):
                return _new_events(project.binding.events[rows_of.name], d)
            return _new_messages(compiler, rows_of)
        case NonSends():
            step = at_step(project, compiler.steps, source.journey, source.path)
            rows = "journey.decision AS l"
            return [f"SELECT l.customer_id FROM {rows} WHERE l.step {step} AND l.at >= {looked}"]
        case ProfileRows():
            named = f"p.name = {text(source.name)}"
            rows = "journey.profile AS p"
            return [f"SELECT p.customer_id FROM {rows} WHERE {named} AND p.at >= {looked}"]
        case RunRows():
            # Who has entered was asked on the way in.
            return []
        case Returns():
            return _returning(source, d)
        case _:
            assert_never(source)


def _new_events(bound: Event, d: Dialect) -> list[str]:
    """By the instant at which it happened, and by that of its last change.

    A row that is changed may have been taken out by `only where`, and then changes most.
    """
    now = d.parameter("now")
    late = news_behind(bound, d)
    who = bound_value(bound.customer, d)
    head = f"SELECT {who} AS customer_id FROM {table_name(bound.table)} AS t"
    at = d.cast(bound_value(bound.at, d), INSTANT)
    found = [f"{head} WHERE {at} > {late} AND {at} <= {now}"]
    if bound.changed_at is not None:
        found.append(f"{head} WHERE {d.cast(bound_value(bound.changed_at, d), INSTANT)} > {late}")
    return found


def _new_messages(compiler: Compiler, message: MessageEvent) -> list[str]:
    """A message is decided behind the looks of its tick, so that the next one sees it."""
    d = compiler.dialect
    looked, now = d.parameter("looked"), d.parameter("now")
    scope = compiler.of_event(Rows())
    relation = event(compiler.project.binding, message, (), d)
    about = "".join(f" AND {c}" for c in message_scope(message, scope))
    head = f"SELECT e.customer_id FROM {relation} AS e"
    if message.name == "sent":
        return [f'{head} WHERE e."_at" >= {looked}{about}']
    late = f"{looked} - {d.interval(FEEDBACK_LATE)}"
    return [
        f'{head} WHERE e."_at" > {late} AND e."_at" <= {now}{about}',
        f'{head} WHERE e."_received" >= {looked}{about}',
    ]


def _returning(source: Returns, d: Dialect) -> list[str]:
    looked, now = d.parameter("looked"), d.parameter("now")
    first = d.interval(source.days * DAY + SLACK)
    last = d.interval((source.days - 1) * DAY - SLACK)
    head = f"SELECT r.customer_id FROM journey.run AS r WHERE r.journey = {source.journey}"
    return [
        f"{head} AND r.ended_at >= {looked}",
        f"{head} AND r.entered_at > {looked} - {first} AND r.entered_at <= {now} - {last}",
    ]


def _passed(compiler: Compiler, edge: Edge) -> str:
    """Whose instant lies `seconds` before one in `looked < … <= now`."""
    d, project = compiler.dialect, compiler.project
    match edge.of:
        case EventRows(event=source):
            scope = compiler.of_event(Rows())
            at = value(edge.instant, scope)
            fields = event_fields((edge.instant,), scope)
            rows = f"{event(project.binding, source, fields, d)} AS e"
            where = message_scope(source, scope) if isinstance(source, MessageEvent) else []
            who = "e"
        case CustomerRows():
            scope = compiler.scope(Rows())
            at = value(edge.instant, scope)
            rows, where, who = f"{compiler.base(*scope.fields)} AS c", [], "c"
        case ProfileRows(name=name):
            assert edge.instant.type is not None
            at = d.cast("p.value", edge.instant.type)
            rows, where, who = "journey.profile AS p", [f"p.name = {text(name)}"], "p"
        case RunRows(journey=journey):
            at = "r.entered_at"
            where = [f"r.journey = {journey}", f"r.status = {ACTIVE}"]
            rows, who = "journey.run AS r", "r"
        case NonSends() | Returns():
            raise AssertionError("nothing is compared with their instants")
        case _:
            assert_never(edge.of)
    after = d.interval(edge.seconds)
    conditions = [
        f"{at} > {d.parameter('looked')} - {after}",
        f"{at} <= {d.parameter('now')} - {after}",
        *where,
    ]
    return f"SELECT {who}.customer_id FROM {rows} WHERE {' AND '.join(conditions)}"
