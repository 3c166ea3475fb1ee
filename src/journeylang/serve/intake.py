"""Events that calls, forms and sites post: what they must look like, by the binding.

An event is written as a row of the table that it is bound to, so its key, customer, instant and
fields have to be plain columns of that table. What was said about a message (a call's outcome,
an answer) has the message's public name instead, and the fields of the built-in event.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, assert_never
from uuid import UUID

from journeylang.analysis.sources import message_fields
from journeylang.classes import dataclass
from journeylang.model.binding import Event
from journeylang.model.expressions import (
    All,
    Column,
    Comparison,
    Constant,
    Expression,
    Known,
)
from journeylang.model.types import TEXT, Kind, Type
from journeylang.serve.records import Happened, Record, Said

MOST = 1_000
"""Events of one request."""

LONGEST = 10_000
"""Characters of a text; of a key or a customer 255."""

AHEAD = timedelta(minutes=5)
"""An instant that lies further ahead than clocks differ is a mistake."""

TOLD = ("called", "answered", "replied", "delivered", "opened", "clicked", "unsubscribed")
"""Built-in events that may be posted."""

OUTCOMES = ("reached", "no_answer", "refused", "later")
"""What `called.outcome` may be."""

_MESSAGE = re.compile(r"[0-9a-f]{32}")
_UNFIT = re.compile("[\x00\ud800-\udfff]")
_WHOLE = re.compile(r"-?\d{1,19}")
_WHOLE_KINDS = ("bigint", "integer", "smallint", "hugeint", "ubigint", "uinteger", "tinyint")


class UnfitError(ValueError):
    """What was posted is not understood; the message quotes nothing of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of an event: the column that holds it, of what type the database has it."""

    name: str
    type: Type
    column: str
    kind: str
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A bound event that may be written: its table (quoted) and where its parts go."""

    event: str
    table: str
    key: Field
    customer: Field
    at: Field
    fields: tuple[Field, ...]
    fixed: tuple[tuple[str, str, str], ...] = ()
    """Column, the database's type, and the text of what `only where` asks of every row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotWritable:
    """Why rows of a bound event cannot be written."""

    event: str
    why: str


def shape(bound: Event, columns: Mapping[str, str], table: str) -> Shape | NotWritable:
    """How an event is written; `columns` are those of its table with the database's types."""
    if bound.redeems is not None or bound.origin is not None:
        return NotWritable(event=bound.name, why="it is no table's event")
    fixed = _fixed(bound.only_where)
    if fixed is None:
        return NotWritable(event=bound.name, why="its `only where` may hide what is written")
    parts: list[Field] = []
    asked: list[tuple[str, Expression, Type]] = [
        ("key", bound.key, TEXT),
        ("customer", bound.customer, TEXT),
        ("at", bound.at, Type(kind=Kind.INSTANT)),
        *((field.name, field.value, field.type) for field in bound.fields),
    ]
    for name, value, type_ in asked:
        if not isinstance(value, Column):
            return NotWritable(event=bound.name, why=f"`{name}` is worked out, and no column")
        kind = _kind(columns, value.name)
        if kind is None:
            return NotWritable(event=bound.name, why=f"there is no column `{value.name}`")
        required = not type_.optional
        parts.append(Field(name=name, type=type_, column=value.name, kind=kind, required=required))
    key, customer, at, *fields = parts
    named = {key.column, customer.column, at.column}
    written: list[tuple[str, str, str]] = []
    for column, text in fixed.items():
        kind = _kind(columns, column)
        if kind is None or column in {field.column for field in parts}:
            return NotWritable(event=bound.name, why="its `only where` may hide what is written")
        if text is not None:
            written.append((column, kind, text))
    return Shape(
        event=bound.name,
        table=table,
        key=key,
        customer=customer,
        at=at,
        fields=tuple(field for field in fields if field.column not in named),
        fixed=tuple(written),
    )


def _kind(columns: Mapping[str, str], name: str) -> str | None:
    return columns.get(name) or columns.get(name.lower())


def _fixed(condition: Expression | None) -> dict[str, str | None] | None:
    """What columns must hold for a row to count (None: nothing), if the condition says so plainly:
    `k.kind = "abandoned" and k.deleted_at is unknown`. None: it says something else."""
    match condition:
        case None:
            return {}
        case Comparison(operator="=", left=Column(name=name), right=Constant(value=str() as text)):
            return {name: text}
        case Known(subject=Column(name=name), known=False):
            return {name: None}
        case All(parts=parts):
            found: dict[str, str | None] = {}
            for one in parts:
                part = _fixed(one)
                if part is None or part.keys() & found.keys():
                    return None
                found |= part
            return found
        case _:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Everything that may be posted."""

    shapes: Mapping[str, Shape]

    def read(self, document: object, now: datetime) -> list[Record | str]:
        """Each event of a request as a record, or why it is none.

        Raises:
            UnfitError: the document is no event and no list of events.
        """
        if isinstance(document, Mapping) and "events" in document:
            document = document["events"]
        listed = document if isinstance(document, list) else [document]
        if len(listed) > MOST:
            raise UnfitError(f"more than {MOST:,} events; post them in several requests")
        if not any(isinstance(one, Mapping) for one in listed):
            raise UnfitError("an event is an object, and several are a list of objects")
        return [
            self._read(one, now) if isinstance(one, Mapping) else "an event is an object"
            for one in listed
        ]

    def _read(self, event: Mapping[str, Any], now: datetime) -> Record | str:
        try:
            name = event.get("event")
            if isinstance(name, str) and name in self.shapes:
                return _happened(self.shapes[name], event, now)
            if isinstance(name, str) and name in TOLD:
                return _told(name, event, now)
        except UnfitError as error:
            return str(error)
        known = ", ".join(f"`{one}`" for one in (*sorted(self.shapes), *TOLD))
        return f"`event` is none that may be posted; there are {known}"


def _happened(shape: Shape, event: Mapping[str, Any], now: datetime) -> Happened:
    _only(event, ("event", "key", "customer", "at", "data"))
    data = event.get("data", {})
    if not isinstance(data, Mapping):
        raise UnfitError("`data` is no object")
    known = {field.name: field for field in shape.fields}
    for name in data:
        if name not in known:
            listed = ", ".join(f"`{one}`" for one in known) or "none"
            raise UnfitError(f"`data` has a field that the event has not; there are {listed}")
    values = {}
    for name, field in known.items():
        if data.get(name) is None:
            if field.required:
                raise UnfitError(f"`{name}` is missing in `data`")
        else:
            values[name] = as_text(f"`{name}`", data[name], field.type)
    return Happened(
        event=shape.event,
        key=_key("`key`", event.get("key"), shape.key),
        customer=_key("`customer`", event.get("customer"), shape.customer),
        at=_at(event.get("at"), now),
        values=values,
    )


def _told(name: str, event: Mapping[str, Any], now: datetime) -> Said:
    _only(event, ("event", "key", "message", "at", "data"))
    message = event.get("message")
    if not isinstance(message, str) or not _MESSAGE.fullmatch(message):
        raise UnfitError("`message` is no name of a message: 32 hexadecimal digits")
    data = event.get("data", {})
    if not isinstance(data, Mapping):
        raise UnfitError("`data` is no object")
    fields = message_fields(name)
    if not data.keys() <= fields.keys():
        listed = ", ".join(f"`{one}`" for one in fields) or "none"
        raise UnfitError(f"`data` has a field that `{name}` has not; there are {listed}")
    for field, type_ in fields.items():
        if type_ is not None and not type_.optional and data.get(field) is None:
            raise UnfitError(f"`{field}` is missing in `data`")
    if name == "called" and data["outcome"] not in OUTCOMES:
        raise UnfitError(f"`outcome` is none of {', '.join(OUTCOMES)}")
    return Said(
        name=name,
        message=message,
        provider="events",
        event_id=_text("`key`", event.get("key"), 255),
        at=_at(event.get("at"), now),
        data={
            field: as_text(f"`{field}`", value, TEXT)
            for field, value in data.items()
            if value is not None
        },
    )


def _only(event: Mapping[str, Any], known: Sequence[str]) -> None:
    if not event.keys() <= set(known):
        listed = ", ".join(f"`{one}`" for one in known)
        raise UnfitError(f"there is a member that is not known; there are {listed}")


def _text(what: str, value: object, longest: int = LONGEST) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value:
        raise UnfitError(f"{what} is no text")
    if len(value) > longest:
        raise UnfitError(f"{what} is longer than {longest:,} characters")
    if _UNFIT.search(value):
        raise UnfitError(f"{what} has characters that no text has")
    return value


def _key(what: str, value: object, field: Field) -> str:
    """A key that the column can hold."""
    text = _text(what, value, 255)
    kind = field.kind.lower()
    if kind.startswith(_WHOLE_KINDS) and not _WHOLE.fullmatch(text):
        raise UnfitError(f"{what} is no whole number, as its column is")
    if kind == "uuid":
        try:
            return str(UUID(text))
        except ValueError:
            raise UnfitError(f"{what} is no UUID, as its column is") from None
    return text


def _at(value: object, now: datetime) -> datetime:
    """Without an instant it is now."""
    if value is None:
        return now
    if not isinstance(value, str):
        raise UnfitError("`at` is no instant like `2026-03-02T10:00:00Z`")
    at = _instant("`at`", value)
    if at > now + AHEAD:
        raise UnfitError("`at` lies in the future")
    if at.year < 1970:
        raise UnfitError("`at` lies before 1970")
    return at


def _instant(what: str, value: str) -> datetime:
    """Naive UTC; without a zone it is UTC already."""
    try:
        at = datetime.fromisoformat(value)
        return at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at
    except (ValueError, OverflowError):
        raise UnfitError(f"{what} is no instant like `2026-03-02T10:00:00Z`") from None


def as_text(what: str, value: object, type_: Type) -> str:
    """A JSON value as the text from which a column is cast.

    Raises:
        UnfitError: it is none of the type.
    """
    match type_.kind:
        case Kind.TEXT:
            return _text(what, value)
        case Kind.BOOL:
            if isinstance(value, bool):
                return "true" if value else "false"
            raise UnfitError(f"{what} is neither true nor false")
        case Kind.INT:
            number = value if not isinstance(value, float) or value.is_integer() else None
            text = str(int(number)) if isinstance(number, int | float) else str(value)
            if isinstance(value, bool) or not _WHOLE.fullmatch(text) or abs(int(text)) >= 2**63:
                raise UnfitError(f"{what} is no whole number")
            return text
        case Kind.NUMBER:
            return str(_decimal(what, value))
        case Kind.MONEY:
            return str(_money(what, value, type_.currency))
        case Kind.INSTANT:
            return _instant(what, value if isinstance(value, str) else "").isoformat(sep=" ")
        case Kind.DATE | Kind.TIME:
            reads = date.fromisoformat if type_.kind is Kind.DATE else time.fromisoformat
            try:
                return reads(value if isinstance(value, str) else "").isoformat()
            except ValueError:
                raise UnfitError(f"{what} is no {type_.kind.value}") from None
        case Kind.DURATION:
            raise UnfitError(f"{what} is a span of time, which no column holds")
        case _:
            assert_never(type_.kind)


def _decimal(what: str, value: object) -> Decimal:
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            raise UnfitError(f"{what} is no number") from None
        if number.is_finite() and abs(number.adjusted()) < 300:
            return number
    raise UnfitError(f"{what} is no number")


def _money(what: str, value: object, currency: str | None) -> Decimal:
    """A number in the field's currency, or `{"amount": "12.50", "currency": "EUR"}`."""
    if isinstance(value, Mapping):
        if value.get("currency") != currency:
            raise UnfitError(f"{what} is not in {currency}")
        value = value.get("amount")
    amount = _decimal(what, value)
    if amount.adjusted() > 13:
        raise UnfitError(f"{what} is larger than money can be")
    return amount.quantize(Decimal("0.0001"))
