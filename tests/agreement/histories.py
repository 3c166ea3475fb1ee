"""Generated histories: who is there, what happens, and when ticks look.

A history is a list of moments; at each, the changes become visible, then both forms tick.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tests.agreement.both import Both
from tests.agreement.expressions import Draw
from tests.agreement.prelude import TABLE_OF, Theme, instant, record

# Days before clocks change (Berlin, New York, Lord Howe, Casablanca), and ordinary ones.
STARTS = (
    instant("2026-03-02T08:00"),
    instant("2026-03-28T12:00"),
    instant("2026-10-24T12:00"),
    instant("2026-03-07T20:30"),
    instant("2026-10-31T20:00"),
    instant("2026-04-04T02:00"),
    instant("2026-02-14T14:00"),
    instant("2026-01-31T06:15"),
)
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Europe/Dublin",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    None,
    "",
    "Mars/Olympus",
)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
STEPS = (
    *(HOUR, HOUR, HOUR, HOUR, 30 * MINUTE, 6 * HOUR, 6 * HOUR, DAY, DAY),
    *(timedelta(0), timedelta(seconds=1033, microseconds=7), 3 * DAY, 8 * DAY, 35 * DAY, -HOUR),
)
# How long before a tick something happened that the tick is the first to see.
AGES = (
    *(HOUR, 30 * MINUTE, MINUTE, timedelta(0), timedelta(microseconds=1), 45 * MINUTE) * 2,
    *(90 * MINUTE, 2 * HOUR, 5 * HOUR, 7 * HOUR, DAY, 2 * DAY, 40 * DAY, -30 * MINUTE, -2 * DAY),
)
VALUES: dict[str, tuple[Any, ...]] = {
    "email": ("a@x.example",) * 8 + ("b@x.example", None),
    "favourite": ("email", "sms", "sms", "push", "pigeon", None),
    "mobile": ("+49",) * 4 + (None,),
    "token": ("t", "t", "t", None),
    "country": ("DE", "DE", "DE", "DE", "a", "FR", None),
    "points": (0, 1, 10, 2, -(2**63), 2**63 - 1, None),
    "rate": (0.5, 0.0, 2.0, -1.25, 1e308, None),
    "vip": (True, False, None),
    "born": (
        *(date(1990, 2, 28), date(2026, 3, 28), date(2000, 2, 29), date(1971, 3, 3)),
        *(date(1999, 1, 31), date(2001, 10, 25), date(2026, 11, 1), None),
        *(date(2026, 3, 3), date(2026, 3, 29), date(2026, 4, 5), date(2077, 7, 1)),
    ),
    "joined": (instant("2026-03-28T22:00"), instant("2020-01-01T00:00"), None),
    "deleted": (None,) * 9 + (instant("2026-01-01T00:00"),),
    "source": ("web", "a", None),
    "score": (1, 10, 0, 2**62, None),
    "total": (Decimal("20.00"), Decimal("5.00"), Decimal("0.01"), Decimal("0.00"), None),
    "items": (1, 2, None),
    "status": ("paid", "paid", "cancelled", None),
    "page": ("web", "a", "", None),
    "weight": (0.5, 2.0, 0.0, 0.375, None),
    "gift": (True, False, None),
    "due": (date(2026, 3, 28), date(1990, 2, 28), date(2026, 10, 25), date(2026, 3, 8), None),
    "seen": (instant("2026-03-28T23:30"), instant("2026-03-28T22:00:00.000001"), None),
    "daily": (time(9), time(17, 30), time(2, 30), time(0), time(23, 59, 59, 999999), None),
}
FIELDS_OF = {
    "crm.customers": (
        *("favourite", "email", "mobile", "token", "country", "points", "rate"),
        *("vip", "born", "joined", "daily", "deleted"),
    ),
    "shop.signups": ("source", "score"),
    "shop.orders": ("total", "items", "gift", "due", "status"),
    "shop.visits": ("page", "weight", "seen", "daily"),
}
MESSAGE_EVENTS = (
    *("opened", "opened", "opened", "clicked", "clicked", "bounced", "delivered"),
    *("called", "called", "answered", "replied", "failed", "complained", "unsubscribed"),
)
OUTCOMES = ("reached", "no_answer", "refused", "later")

Change = tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A tick, and what became visible since the one before."""

    now: datetime
    changes: tuple[Change, ...]

    def without(self, *kinds: str) -> Moment:
        """The same but for changes of these kinds."""
        return replace(self, changes=tuple(c for c in self.changes if c[0] not in kinds))

    def __repr__(self) -> str:
        lines = "".join(f"\n    {change}" for change in self.changes)
        return f"{self.now}:{lines}"


@dataclass(frozen=True, kw_only=True)
class History:
    start: datetime
    moments: tuple[Moment, ...]

    def __repr__(self) -> str:
        return f"from {self.start}\n  " + "\n  ".join(repr(m) for m in self.moments)


class _History:
    def __init__(self, draw: Draw[Any], events: tuple[str, ...], theme: Theme) -> None:
        self.draw = draw
        self.events = events
        self.theme = theme
        # Everybody has addresses and has consented, as it begins.
        self.reachable = theme in (Theme.MESSAGES, Theme.RACES)
        self.start = self.pick(STARTS)
        self.keys = 0
        self.instants: list[datetime] = []

    def pick(self, options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def history(self) -> History:
        start = now = before = self.start
        races = self.theme is Theme.RACES
        people = self.pick((1, 1, 2) if races else (1, 2, 3, 3, 4))
        steps = (*STEPS, *(DAY, 6 * HOUR) * 4) if self.theme is Theme.ENTRIES else STEPS
        moments = []
        for number in range(self.pick((2, 3, 4, 5, 6, 7, 8))):
            # A tick does not go back: what has been seen has been seen.
            before = max(before, now)
            now = now + self.pick(steps)
            changes = [self._somebody(n, start) for n in range(1, people + 1)] * (number == 0)
            changes += self._consents(people, start) * (number == 0)
            count = self.pick((0, 2, 4, 6, 8) if number else (4, 6, 8, 10))
            since = before if number else None
            changes += [self._change(people, since, now) for _ in range(count)]
            moments.append(Moment(now=now, changes=tuple(changes)))
        return History(start=start, moments=tuple(moments))

    def _somebody(self, number: int, start: datetime) -> Change:
        values = {name: self.pick(VALUES[name]) for name in FIELDS_OF["crm.customers"]}
        if self.reachable:
            values |= {"email": "a@x.example", "mobile": "+49", "token": "t", "country": "DE"}
        return ("customer", number, values | {"tz": self.pick(ZONES)})

    def _consents(self, people: int, start: datetime) -> list[Change]:
        return [
            ("consent", n, "email", "in", start - DAY)
            for n in range(1, people + 1)
            if self.reachable or self.pick((True,) * 6 + (False,))
        ]

    def _change(self, people: int, before: datetime | None, now: datetime) -> Change:
        kind = self.pick(
            ("event",) * 14
            + ("event at another's instant",) * (5 if self.theme is Theme.RACES else 1)
            + ("feedback", "feedback", "feedback", "change a row")
            + ("customer field", "customer field", "customer goes", "consent", "preference")
            + ("suppression", "given back", "in parts", "row goes", "pause", "resume", "redeem")
        )
        who = self.pick((*range(1, people + 1),) * 3 + (people + 1,))
        match kind:
            case "event" | "event at another's instant":
                return self._event(kind, who, before, now)
            case "feedback":
                index, name = self.draw(st.integers(0, 9)), self.pick(MESSAGE_EVENTS)
                return ("feedback", index, name, self._at(now), self._said(name))
            case "change a row" | "row goes":
                table = self.pick(("shop.orders", "shop.orders", "shop.visits"))
                if kind == "row goes":
                    return ("row goes", "shop.orders", self.draw(st.integers(0, 5)))
                field = self.pick(FIELDS_OF[table])
                changed = (
                    self.pick((now, max(now, before) - abs(now - before) / 2)) if before else now
                )
                value = self.pick(VALUES[field])
                return (kind, table, self.draw(st.integers(0, 5)), field, value, changed)
            case "customer field":
                field = self.pick((*FIELDS_OF["crm.customers"], "tz"))
                value = self.pick(ZONES if field == "tz" else VALUES[field])
                return ("customer field", who, field, value)
            case "consent":
                topic = self.pick(("email", "email", "offers"))
                status = self.pick(("in", "out", None))
                at = self.pick((self.start - DAY, self._at(now)))
                return ("consent", who, topic, status, at)
            case "preference":
                consent = self.pick(("email_ok", "sms_ok", "offers_ok"))
                return ("preference", who, consent, self._at(now), self.pick((False, True)))
            case "suppression":
                reason = self.pick(("hard_bounce", "complaint", "unsubscribe"))
                return ("suppression", who, self.pick(("email", "sms")), now, reason)
            case "pause" | "resume":
                return (kind, self.pick(("j1", "j2")))
            case "redeem":
                self.keys += 1
                return (kind, self.keys, self.draw(st.integers(0, 5)), who, self._at(now))
            case "given back":
                return ("given back", self.draw(st.integers(0, 9)))
            case "in parts":
                return ("in parts", self.draw(st.integers(0, 9)), self.pick((1, 2, 3)))
            case _:
                return (kind, who)

    def _said(self, name: str) -> dict[str, str]:
        match name:
            case "called":
                return {"outcome": self.pick(OUTCOMES)}
            case "answered":
                return {"question": "q", "value": self.pick("ab")}
            case "replied":
                return {"text": "A b.", "keyword": self.pick("ab")}
            case _:
                return {"device": "a", "link": "b"}

    def _at(self, now: datetime) -> datetime:
        at: datetime = now - self.pick(AGES)
        self.instants.append(at)
        return at

    def _event(self, kind: str, who: int, before: datetime | None, now: datetime) -> Change:
        self.keys += 1
        event = self.pick(self.events)
        table = TABLE_OF[event]
        repeated = kind != "event" and self.instants
        at = self.pick(self.instants) if repeated else self._at(now)
        if event == "signed_up" and before is not None:
            # Append only is a promise: no row comes later than its `late`.
            at = max(at, before - HOUR + timedelta(microseconds=1))
        values = {name: self.pick(VALUES[name]) for name in FIELDS_OF[table]}
        # Keys do not come in the order of the instants.
        values |= {"id": self.keys * 7 % 100, "customer_id": self.pick((who,) * 9 + (None,))}
        values |= {"at": self.pick((at,) * 19 + (None,))}
        if event == "visited":
            values["changed"] = now if before is None else max(now, before)
        return ("event", table, values)


@st.composite
def histories(draw: Draw[Any], events: tuple[str, ...], theme: Theme) -> History:
    """A history in which `events` happen, the oftener the oftener they are named."""
    return _History(draw, events, theme).history()


def apply(pair: Both, change: Change) -> None:
    """Make a change in both worlds; one that finds nothing to change does nothing."""
    kind, *rest = change
    _APPLY[kind](pair, *rest)


def _customer(pair: Both, number: int, values: dict[str, Any]) -> None:
    pair.add("crm.customers", record("crm.customers", id=number, **values))


def _customer_field(pair: Both, number: int, field: str, value: Any) -> None:
    rows = pair.tables.rows["crm.customers"]
    pair.put("crm.customers", [r | {field: value} if r["id"] == number else r for r in rows])


def _customer_goes(pair: Both, number: int) -> None:
    rows = pair.tables.rows["crm.customers"]
    if any(r["id"] == number for r in rows):
        pair.put("crm.customers", [r for r in rows if r["id"] != number])
    else:
        _customer(pair, number, {"email": "n@x.example", "country": "DE"})


def _event(pair: Both, table: str, values: dict[str, Any]) -> None:
    pair.add(table, record(table, **values))


def _row(pair: Both, table: str, index: int, field: str, value: Any, changed: datetime) -> None:
    rows = pair.tables.rows[table]
    if index < len(rows):
        row = rows[index] | {field: value}
        if "changed" in row:
            row["changed"] = changed
        pair.put(table, [*rows[:index], row, *rows[index + 1 :]])


def _row_goes(pair: Both, table: str, index: int) -> None:
    rows = pair.tables.rows[table]
    pair.put(table, [row for number, row in enumerate(rows) if number != index])


def _feedback(pair: Both, index: int, name: str, at: datetime, data: dict[str, str]) -> None:
    if pair.memory.messages:
        pair.say(index % len(pair.memory.messages), name, at, **data)


def _consent(pair: Both, who: int, topic: str, status: str | None, at: datetime) -> None:
    row = record("crm.consents", customer_id=who, topic=topic, status=status, at=at)
    pair.add("crm.consents", row)


def _given_back(pair: Both, index: int) -> None:
    if pair.memory.messages:
        pair.give_back(index % len(pair.memory.messages))


def _in_parts(pair: Both, index: int, parts: int) -> None:
    if pair.memory.messages:
        pair.goes_in(index % len(pair.memory.messages), parts)


def _redeem(pair: Both, key: int, index: int, who: int, at: datetime) -> None:
    """Somebody uses a code that was drawn; not always who has got it."""
    if pair.memory.codes:
        code = pair.memory.codes[index % len(pair.memory.codes)].code
        pair.add("shop.uses", record("shop.uses", id=key, customer_id=who, at=at, code=code))


_APPLY: dict[str, Callable[..., object]] = {
    "customer": _customer,
    "customer field": _customer_field,
    "customer goes": _customer_goes,
    "event": _event,
    "change a row": _row,
    "row goes": _row_goes,
    "feedback": _feedback,
    "consent": _consent,
    "preference": Both.prefer,
    "suppression": Both.suppress,
    "pause": Both.pause,
    "resume": Both.resume,
    "given back": _given_back,
    "in parts": _in_parts,
    "redeem": _redeem,
    "apply": Both.apply,
}
