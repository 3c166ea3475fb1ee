"""The whole draft of a binding, as text of the language."""

from __future__ import annotations

from journeylang.classes import dataclass
from journeylang.draft import words
from journeylang.draft.fields import Currency, Field, currency, fields, lines, usual_currency
from journeylang.draft.happenings import (
    Consent,
    Happening,
    Left,
    consents,
    consents_of_customers,
    happenings,
    is_general,
    of_consent,
    signed_up,
)
from journeylang.draft.lines import column_name, guess, remark, table_name
from journeylang.draft.roles import People, key_of, people, whose
from journeylang.draft.tables import Source, Table
from journeylang.source import Source as Text
from journeylang.syntax.format import format_source

LISTED = 60
"""So many tables that were left out are named."""

PATH = "journeys/binding.journey"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A binding as text; what is in it, and the tables that are not. `people` is a table's name."""

    text: str
    people: str
    events: tuple[str, ...]
    consents: tuple[str, ...]
    channels: tuple[str, ...]
    left: tuple[Left, ...]


def draft(source: Source, *, whence: str, money: str = "EUR") -> Draft | None:
    """What the tables seem to mean; None where none of them has customers.

    `money` is the currency of amounts where no column says it.
    """
    base = people(source)
    if base is None:
        return None
    usual = usual_currency(source, money)
    alias = words.stem(base.table.name)[:1] or "c"
    customers, found, reach = _customers(base, alias, source, usual)
    left: list[Left] = []
    given: list[Consent] = []
    events: list[Happening] = []
    catalogs: list[str] = []
    taken: set[str] = set()
    for table in _once(source, base, left):
        if of_consent(table):
            told = consents(table, base, source)
            if isinstance(told, Left):
                left.append(told)
            else:
                given += [one for one in told if all(one.name != g.name for g in given)]
        elif (catalog := _catalog(table, base, source, usual, catalogs)) is not None:
            catalogs.append(catalog)
        else:
            happened = happenings(table, base, source, currency(table, source, usual), taken)
            if isinstance(happened, Left):
                left.append(happened)
            else:
                events += happened
    joined = signed_up(base, taken)
    events = [*([joined] if joined else []), *events]
    missing = set(reach) - {one.channel for one in given}
    names = {field.column.name: field.name for field in found}
    given += consents_of_customers(base.table, source, missing, names)
    channels, silent = _channels(reach, given)
    used = [one for one in given if one.channel in {name for name, _ in channels}]
    blocks = [
        _head(whence),
        customers,
        *(event.text for event in events),
        *(consent.text for consent in used),
        "\n".join(text for _, text in channels),
        silent,
        *catalogs,
        _value(events),
        _not_bound(left),
    ]
    text = "\n\n".join(block for block in blocks if block) + "\n"
    laid_out = format_source(Text(path=PATH, text=text)).value
    return Draft(
        text=text if laid_out is None else laid_out,
        people=table_name(base.table),
        events=tuple(event.name for event in events),
        consents=tuple(consent.name for consent in used),
        channels=tuple(name for name, _ in channels),
        left=tuple(left),
    )


def _head(whence: str) -> str:
    return (
        f"# Drafted from {remark(whence)}."
        " No data moves: this says which tables and columns mean what.\n"
        "# Behind `guess:` stands what was not to be known, and why this was taken: look at each,\n"
        "# correct it, and take the comment away.\n"
        "language 1"
    )


def _once(source: Source, base: People, left: list[Left]) -> list[Table]:
    """Tables but for the customers', each thing once: that nearest to the warehouse's end."""
    best: dict[str, Table] = {}
    for table in source.tables:
        stem = words.stem(table.name)
        if stem == words.stem(base.table.name):
            if table is not base.table:
                left.append(Left(table=table, why=f"the same people as {table_name(base.table)}"))
            continue
        other = best.get(stem)
        if other is None:
            best[stem] = table
            continue
        kept, dropped = sorted((other, table), key=lambda t: words.layer(t.parts), reverse=True)
        best[stem] = kept
        left.append(Left(table=dropped, why=f"the same as {table_name(kept)}, as it seems"))
    # Those of all kinds of events last: what has a table of its own is told by that.
    return sorted(best.values(), key=is_general)


def _customers(
    base: People, alias: str, source: Source, usual: Currency
) -> tuple[str, list[Field], dict[str, str]]:
    """The declaration, its fields, and by which of them each channel reaches people."""
    table = base.table
    zone = table.column(*words.ZONE)
    locale = table.column(*words.LOCALE)
    gone = table.column(*words.GONE)
    flag = table.column(*words.GONE_FLAGS)
    key = base.key
    text = [guess(f"customers from {table_name(table)} as {alias} {{", base.why or "the only one")]
    line = f"  key {column_name(alias, key.column)}"
    text.append(guess(line, key.why))
    if zone is not None and zone.kind in ("text", "unknown"):
        zoned = f'  timezone {column_name(alias, zone)} else "UTC"'
        text.append(guess(zoned, "`else` is for zones with no such name"))
    else:
        zone = None
        text.append(guess('  timezone "UTC"', "nothing says where they live"))
    if locale is not None and locale.kind in ("text", "unknown"):
        text.append(f'  locale {column_name(alias, locale)} else "en"')
    else:
        locale = None
    used = [c for c in (key.column, zone, locale) if c is not None]
    money = currency(table, source, usual)
    reach: dict[str, str] = {}
    named: dict[str, str] = {}
    for channel, names, field in (
        ("email", words.EMAIL, "email"),
        ("sms", words.MOBILE, "mobile"),
        ("push", words.PUSH, "push_token"),
    ):
        column = table.column(*names)
        if column is not None and column.kind in ("text", "unknown"):
            named[column.name] = field
            reach[channel] = field
    found, left = fields(table, alias, used, money, ("key", "timezone", "locale"), named)
    text += lines(found, left)
    conditions = []
    if gone is not None and gone.kind in ("instant", "date", "unknown"):
        conditions.append(f"{column_name(alias, gone)} is unknown")
    if flag is not None and flag.kind == "bool":
        conditions.append(f"not {column_name(alias, flag)} = true")
    if conditions:
        text.append(f"  only where {' and '.join(conditions)}")
    text.append("}")
    return "\n".join(text), found, reach


def _catalog(
    table: Table, base: People, source: Source, usual: Currency, catalogs: list[str]
) -> str | None:
    """Things that are offered, with a key and something to tell of them."""
    stem = words.stem(table.name)
    if catalogs or stem not in words.WARES or whose(table, base) is not None:
        return None
    key = key_of(table, source)
    if key is None:
        return None
    alias = stem[:1]
    found, left = fields(
        table,
        alias,
        [key.column],
        currency(table, source, usual),
        ("key",),
        personal=False,
    )
    line = f"  key {column_name(alias, key.column)}"
    text = [
        f"catalog {stem}s from {table_name(table)} as {alias} {{",
        guess(line, key.why),
        *lines(found, left),
        "}",
    ]
    return "\n".join(text)


def _channels(reach: dict[str, str], given: list[Consent]) -> tuple[list[tuple[str, str]], str]:
    """Channels that somebody agreed to; the others stand as a comment, since nobody did."""
    agreed = {one.channel: one.name for one in given}
    channels = [
        (name, f"channel {name} {{ address: customer.{field}, consent: {agreed[name]} }}")
        for name, field in reach.items()
        if name in agreed
    ]
    silent = []
    for name, field in reach.items():
        if name in agreed:
            continue
        silent += [
            f"# Nothing was found that says who agreed to {name}, so there is no such channel:",
            f'# consent {name}_marketing when customer.… = true basis "where they agreed"',
            f"# channel {name} {{ address: customer.{field}, consent: {name}_marketing }}",
        ]
    return channels, "\n".join(silent)


def _value(events: list[Happening]) -> str:
    """What customers are worth: by the orders, or by the purchases."""
    for wanted in ("order_placed", "purchased", "transaction_made", "paid", "order_completed"):
        for event in events:
            amounts = [field for field in event.fields if field.money is not None]
            if event.name != wanted or not amounts:
                continue
            ranked = sorted(amounts, key=_rank)
            line = f"value {{ revenue: {wanted}.{ranked[0].name} }}"
            others = ", ".join(field.name for field in ranked[1:4])
            return guess(line, f"of {others} this is the whole") if others else line
    return ""


_WHOLE = ("grand_total", "total_price", "total_amount", "total", "revenue", "order_total",
          "amount", "value", "sales", "spend", "price", "subtotal")  # fmt: skip


def _rank(field: Field) -> tuple[int, str]:
    return (_WHOLE.index(field.name) if field.name in _WHOLE else len(_WHOLE), field.name)


def _not_bound(left: list[Left]) -> str:
    if not left:
        return ""
    named = [f"#   {remark(f'{table_name(one.table)}: {one.why}')}" for one in left[:LISTED]]
    if len(left) > LISTED:
        named.append(f"#   and {len(left) - LISTED} more")
    return "\n".join(["# Not bound:", *named])
