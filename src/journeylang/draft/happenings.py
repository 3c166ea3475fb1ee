"""Events, and consents, from tables that say whose they are and when."""

from __future__ import annotations

import re
from collections.abc import Iterator

from journeylang.classes import dataclass
from journeylang.draft import words
from journeylang.draft.fields import Currency, Field, fields, lines
from journeylang.draft.lines import column_name, guess, listed, quoted, table_name
from journeylang.draft.roles import People, changed, is_log, key_of, moment, whose
from journeylang.draft.tables import Column, Source, Table

MOST_KINDS = 12
"""One table of all events becomes at most so many."""

BUILT_IN = {"sent", "delivered", "opened", "clicked", "bounced", "complained", "unsubscribed",
            "replied", "answered", "called", "failed"}  # fmt: skip
"""Events of messages, which the runtime knows itself."""

_NAMES = ("event_name", "event", "event_type", "activity_type", "activity", "action", "type",
          "kind", "name")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """An event: its lines, and its fields for those that build on it."""

    name: str
    table: Table
    text: str
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A table that is not bound, and why."""

    table: Table
    why: str


def happenings(
    table: Table, base: People, source: Source, money: Currency, taken: set[str]
) -> list[Happening] | Left:
    """The events that a table tells of."""
    if is_log(table):
        return Left(table=table, why="who somebody is, not what happened")
    customer = whose(table, base)
    if customer is None:
        return Left(table=table, why="no column says which customer")
    at = moment(table)
    if at is None:
        return Left(table=table, why="no column says when")
    key = key_of(table, source)
    if key is None:
        return Left(table=table, why="no single column tells its rows apart")
    stem = words.stem(table.name)
    kinds = _kinds(table, stem, source)
    named = [(_past(stem), None)] if kinds is None else kinds
    if kinds is not None and is_general(table):
        named = [one for one in kinds if one[0] not in taken]
        if not named:
            return Left(table=table, why="each of its events has a table of its own")
    came = changed(table)
    alias = stem[:1] or "t"
    used = [found.column for found in (key, customer, at, came) if found is not None]
    if table.column("event_text") is not None and (named_by := table.column("event")) is not None:
        # Segment's: what the table is called, in each of its rows.
        used.append(named_by)
    cancelled = [c for c in (table.column(*words.CANCELLED),) if c is not None and stem == "order"]
    off = _off(table, source, alias) if stem == "order" and not cancelled else ""
    tests = [c for c in (table.column(*words.TESTS),) if c is not None and c.kind == "bool"]
    gone = [c for c in (table.column(*words.GONE_FLAGS),) if c is not None and c.kind == "bool"]
    found, left = fields(table, alias, [*used, *cancelled, *tests, *gone], money, ("at", "key"))
    made = []
    for name, value in named:
        unique = _free(name, taken)
        taken.add(unique)
        text = [f"event {unique} from {table_name(table)} as {alias} {{"]
        text.append(guess(f"  key {column_name(alias, key.column)}", key.why))
        text.append(guess(f"  customer {column_name(alias, customer.column)}", customer.why))
        late = "" if came is not None else " late 6h"
        text.append(guess(f"  at {column_name(alias, at.column)}{late}", at.why))
        if came is not None:
            line = f"  changed at {column_name(alias, came.column)}"
            text.append(guess(line, came.why))
        else:
            text.append(guess("  append only", "no column says when a row changed"))
        text += lines(found, left)
        conditions = [f"{column_name(alias, c)} is unknown" for c in cancelled]
        conditions += [f"not {column_name(alias, c)} = true" for c in (*tests, *gone)]
        if off:
            conditions.append(off)
        if value is not None:
            conditions.insert(0, f"{column_name(alias, value[0])} = {quoted(value[1])}")
        if conditions:
            text.append(f"  only where {' and '.join(conditions)}")
        text.append("}")
        made.append(Happening(name=unique, table=table, text="\n".join(text), fields=tuple(found)))
    return made


_JOINED = ("signed_up_at", "registered_at", "joined_at", "created_at", "created", "create_date",
           "created_date", "date_created", "signup_date")  # fmt: skip


def signed_up(base: People, taken: set[str]) -> Happening | None:
    """Becoming a customer, by the customers' own table, where no other says it."""
    if {"signed_up", "registered"} & taken:
        return None
    at = base.table.column(*_JOINED)
    if at is None or at.kind not in ("instant", "date", "unknown"):
        return None
    alias = "s"
    taken.add("signed_up")
    text = [
        f"event signed_up from {table_name(base.table)} as {alias} {{",
        f"  key {column_name(alias, base.key.column)}",
        f"  customer {column_name(alias, base.key.column)}",
        guess(f"  at {column_name(alias, at)} late 6h", "a customer begins with the row"),
        "  append only",
        "}",
    ]
    return Happening(name="signed_up", table=base.table, text="\n".join(text))


_GENERIC = {"event", "track", "activity", "interaction", "action", "touchpoint", "log", "history"}


def is_general(table: Table) -> bool:
    """Whether it is called like one of all kinds of events."""
    return words.stem(table.name).rpartition("_")[2] in _GENERIC


def _kinds(
    table: Table, stem: str, source: Source
) -> list[tuple[str, tuple[Column, str] | None]] | None:
    """The events of a table of several, each with the column and value that mean it.

    A table of all events says by a name what each is; one of carts, whether it was `abandoned`.
    """
    by_name = {words.snake(column.name): column for column in table.columns}
    general = is_general(table)
    for name in _NAMES:
        column = by_name.get(name)
        values = source.values(table, column) if column is not None else None
        if column is None or not values or len(values) > MOST_KINDS:
            continue
        if general:
            return [(_past(words.snake(value)), (column, value)) for value in values]
        if all(re.fullmatch(r"[a-z]+(ed|en)", value) for value in values):
            return [(f"{stem}_{value}", (column, value)) for value in values]
    return None


def _off(table: Table, source: Source, alias: str) -> str:
    """The condition that an order was not called off, by its status."""
    status = table.column("status", "order_status", "state")
    values = source.values(table, status) if status is not None else None
    off = tuple(v for v in values or () if v.lower() in ("cancelled", "canceled", "voided"))
    if status is None or not off:
        return ""
    name = column_name(alias, status)
    return f"{name} != {quoted(off[0])}" if len(off) == 1 else f"{name} not in ({listed(off)})"


def _past(name: str) -> str:
    """`order` as `order_placed`; what is not known keeps its name."""
    return words.HAPPENED.get(name, name) or "happened"


def _free(name: str, taken: set[str]) -> str:
    wanted = f"{name}_event" if name in BUILT_IN else name
    number = 2
    free = wanted
    while free in taken:
        free = f"{wanted}_{number}"
        number += 1
    return free


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """Whether somebody may be written to by a channel."""

    channel: str
    name: str
    text: str


_CHANNELS = (
    ("email", re.compile(r"(^|_)e?_?mail|newsletter")),
    ("sms", re.compile(r"(^|_)(sms|text|mobile|phone)(_|$)")),
    ("push", re.compile(r"(^|_)push(_|$)")),
)
_NAMES_OF = {"email": "email_marketing", "sms": "sms_marketing", "push": "push_marketing"}
_STATUS = ("status", "state", "consent", "granted", "is_granted", "opt_in", "opted_in", "optin",
           "subscribed", "is_subscribed", "consented", "value", "action", "decision")  # fmt: skip
_ABOUT = ("channel", "topic", "medium", "consent_type", "type", "purpose", "kind")
_PROOF = ("source", "origin", "proof", "collected_by", "method")


def of_consent(table: Table) -> bool:
    """Whether it is called like one of consents."""
    stem = words.stem(table.name)
    return any(word in stem for word in words.CONSENTS)


def consents(table: Table, base: People, source: Source) -> list[Consent] | Left:
    """The consents that a table tells of, a row for each time that somebody said so."""
    customer = whose(table, base)
    at = moment(table) or changed(table)
    by_name = {words.snake(column.name): column for column in table.columns}
    status = next((by_name[name] for name in _STATUS if name in by_name), None)
    if customer is None or at is None or status is None:
        return Left(table=table, why="consents, but not who, when and whether")
    alias = "m"
    granted, why = _granted_by(table, status, source, column_name(alias, status))
    if granted is None:
        return Left(table=table, why=f"no value of `{status.name}` is known to mean yes")
    about = next((by_name[n] for n in _ABOUT if n in by_name and by_name[n] is not status), None)
    values = source.values(table, about) if about is not None else None
    proof = next((by_name[name] for name in _PROOF if name in by_name), None)
    cases: list[tuple[str, str | None]] = [
        (channel, value)
        for channel, pattern in _CHANNELS
        for value in (values or ())
        if pattern.search(words.snake(value))
    ]
    made: list[Consent] = []
    for channel, value in cases or [("email", None)]:
        if any(one.channel == channel for one in made):
            continue
        name = _NAMES_OF[channel]
        text = [f"consent {name} from {table_name(table)} as {alias} {{"]
        text.append(guess(f"  customer {column_name(alias, customer.column)}", customer.why))
        text.append(f"  at {column_name(alias, at.column)}")
        text.append(guess(f"  granted {granted}", why))
        if proof is not None:
            text.append(f"  source {column_name(alias, proof)}")
        if value is not None and about is not None:
            text.append(f"  only where {column_name(alias, about)} = {quoted(value)}")
        text.append("}")
        made.append(Consent(channel=channel, name=name, text="\n".join(text)))
    return made


def consents_of_customers(
    table: Table, source: Source, channels: set[str], names: dict[str, str]
) -> Iterator[Consent]:
    """By columns of the customers' own table: `names` is what the fields are called."""
    for channel, pattern in _FLAGS:
        if channel not in channels:
            continue
        for column in table.columns:
            if column.name not in names or not pattern.search(words.snake(column.name)):
                continue
            value = f"customer.{names[column.name]}"
            said, why = _granted_by(table, column, source, value)
            if said is None:
                continue
            name = _NAMES_OF[channel]
            basis = quoted(f"{table_name(table)}.{column.name}".replace('"', ""))
            yield Consent(
                channel=channel,
                name=name,
                text=guess(f"consent {name} when {said} basis {basis}", why),
            )
            break


_FLAGS = (
    (
        "email",
        re.compile(
            r"^(is_|has_)?(accepts?_(email_?)?(marketing|newsletter)?$|accepts_(email_)?marketing"
            r"|e?mail_?(marketing_)?(opt_?in|opted_in|consent|subscribed|marketing|permission"
            r"|allowed|status)|marketing_(e?mails?_?)?(opt_?in|consent|allowed|permission)"
            r"|newsletter|opt_?in$|opted_in$|subscribed|gdpr_consent|consent$|allow_marketing)"
        ),
    ),
    (
        "sms",
        re.compile(
            r"^(is_|has_)?(accepts_sms|(sms|text|mobile|phone)_?(marketing_)?"
            r"(opt_?in|opted_in|consent|subscribed|marketing|permission|allowed|status))"
        ),
    ),
    (
        "push",
        re.compile(r"^(is_|has_)?(accepts_push|push_?(opt_?in|opted_in|consent|enabled|allowed))"),
    ),
)


def _granted_by(table: Table, column: Column, source: Source, value: str) -> tuple[str | None, str]:
    """The condition that says yes, and why; None where no value is known to."""
    if column.kind == "bool" or (column.kind == "unknown" and _is_flag(column)):
        return f"{value} = true", "called so; ask whoever collects it"
    values = source.values(table, column)
    if column.kind in ("int", "number"):
        return (f"{value} = 1", "called so; 1 for yes") if values == ("0", "1") else (None, "")
    yes = tuple(v for v in values or () if v.strip().lower() in words.YES)
    if not yes:
        return None, ""
    others = ", ".join(v for v in values or () if v not in yes)
    why = f"not {others}" if others else "nothing else is in it"
    if len(yes) == 1:
        return f"{value} = {quoted(yes[0])}", why
    return f"{value} in ({listed(yes)})", why


def _is_flag(column: Column) -> bool:
    return words.snake(column.name).startswith(("is_", "has_", "accepts_"))
