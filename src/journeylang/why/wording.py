"""Values, conditions and instants as texts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from journeylang.analysis.personal import Personal
from journeylang.classes import dataclass
from journeylang.model.expressions import Aggregate, EventSource, Expression, MessageEvent
from journeylang.model.journey import Journey
from journeylang.model.types import Type
from journeylang.runtime.zones import local
from journeylang.source import Source, Span
from journeylang.sql.caps import span_of_time
from journeylang.why.person import NotKept

PERSONAL = "(personal)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """How a journey's conditions, and what they read, are spoken of to whoever asked."""

    sources: Mapping[str, Source]
    personal: Personal
    tz: ZoneInfo
    journey: Journey

    def written(self, span: Span) -> str:
        """A stretch of the source in one line."""
        source = self.sources.get(span.path)
        return " ".join(source.excerpt(span).split()) if source is not None else ""

    def of(self, node: Expression) -> str:
        """An expression as it is written."""
        return self.written(node.span)

    def value(self, node: Expression, value: object) -> str:
        """The value of an expression; of personal data, whether it is known at all."""
        if isinstance(value, NotKept):
            return "(not kept)"
        if value is not None and self.personal.within(node, self.journey) is not None:
            return PERSONAL
        return self.plain(value, node.type)

    def plain(self, value: object, type_: Type | None = None) -> str:
        """A value of the language."""
        match value:
            case None:
                return "unknown"
            case bool():
                return "true" if value else "false"
            case datetime():
                return self.clock(value)
            case date() | time():
                return value.isoformat()
            case timedelta():
                return span_of_time(int(value.total_seconds()))
            case Decimal() if type_ is not None and type_.currency is not None:
                return f"{_amount(value)} {type_.currency}"
            case str():
                return f'"{value}"'
            case _:
                return str(value)

    def clock(self, instant: datetime) -> str:
        """An instant (naive UTC) as the customer's clock shows it."""
        wall = local(self.tz, instant)
        return f"{wall:%Y-%m-%d %H:%M}" + (f"{wall::%S}" if wall.second else "")

    def rows(self, node: Aggregate, count: int) -> str:
        """`2 order_placed`, with what is asked of them."""
        where = f" where {self.of(node.where)}" if node.where is not None else ""
        return f"{count:,} {event_name(node.event)}{where}"


def event_name(event: EventSource) -> str:
    """An event as one would say it: `opened of hello`."""
    if not isinstance(event, MessageEvent):
        return event.name
    path = event.path if event.own or event.path is None else f"{event.journey}/{event.path}"
    of = path or event.channel
    return f"{event.name} of {of}" if of is not None else event.name


def _amount(value: Decimal) -> str:
    """Money with two decimals, or with all that it has."""
    plain = f"{value:f}".rstrip("0")
    return f"{value:.2f}" if len(plain.partition(".")[2]) <= 2 else plain
