"""What people do in a dry run: answers to messages, and events of their own, by assumption.

Everything is drawn when its cause is there, with the instant at which it will happen. Rows of
bound events are written at once, for nothing sees a row whose instant has not come. Answers wait
in a table of their own until then, as providers tell them no earlier.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta

from journeylang.classes import dataclass
from journeylang.engines.base import Engine
from journeylang.model.assumptions import Assumption
from journeylang.model.binding import Binding
from journeylang.model.expressions import EventSource, MessageEvent
from journeylang.simulate.draws import OUT_OF, donor, drawn, limit, seconds, threshold
from journeylang.simulate.population import SCHEMA, Happening
from journeylang.simulate.wording import told
from journeylang.sql.dialects import quote, text
from journeylang.sql.relations import customers, event

Steps = Mapping[tuple[str, str], int]
"""The number of each step, by journey and path."""

NESTED = ("delivered", "opened", "clicked")
"""One draw says all of them of a message: who clicks has opened, and to them it was delivered."""

AGAINST = ("bounced", "failed")
"""The same draw from its other end: what bounced was not opened."""

SECOND = "unsubscribed"
"""Of other digits of the same md5; all else has one of its own."""

SUPPRESSING = {"unsubscribed": "unsubscribe", "complained": "complaint", "bounced": "hard_bounce"}
"""After which the channel is closed for the customer, and why."""

_ANSWER = {
    "customer_id": "{key}",
    "message_id": "BIGINT",
    "id": "VARCHAR",
    "name": "VARCHAR",
    '"at"': "TIMESTAMP",
    "journey": "INTEGER",
    "step": "INTEGER",
    "channel": "VARCHAR",
}
_FRESH = f"{SCHEMA}.fresh"
_NEXT = f"{SCHEMA}.next"
_ANSWERS = f"{SCHEMA}.answer"


def bound_names(lines: Iterable[Assumption]) -> list[str]:
    """The bound events of which something is assumed."""
    names = (line.event.name for line in lines if not isinstance(line.event, MessageEvent))
    return list(dict.fromkeys(names))


@dataclass(slots=True, kw_only=True)
class Behaviour:
    """Nothing is drawn that would happen behind `end`; `seed` is another course of events."""

    engine: Engine
    binding: Binding
    lines: Sequence[Assumption]
    happenings: Mapping[str, Happening]
    seed: int
    start: datetime
    end: datetime
    key_type: str
    steps: Steps
    heard: datetime = field(init=False)
    _next: datetime | None = None
    _drawn: bool = False
    last_message: int = 0
    told: tuple[str, str] | None = None
    """Answers go to the runtime as soon as they are drawn: which, and how suppressions group."""

    def begin(self) -> None:
        """Draw what happens by itself, and what follows from what has been."""
        for table in (_ANSWERS, _FRESH, _NEXT):
            self._empty(table)
        self.heard = self.start
        [[self.last_message]] = self.engine.query(
            "SELECT coalesce(max(message_id), 0) FROM journey.message"
        )
        for line in self.lines:
            if line.per:
                self._happen_by_themselves(line)
        if not self.lines:
            return
        # Causes from before may still have their effects.
        longest = max((line.seconds or 1 for line in self.lines), default=0)
        since = self.start - timedelta(seconds=longest)
        start = self.engine.dialect.instant(self.start)
        self._answer_those(f"m.decided_at > {self.engine.dialect.instant(since)}")
        # What they would have been by now is in the ledger, if it has been.
        self.engine.execute(f"""DELETE FROM {_FRESH} WHERE "at" <= {start} AND name <> 'sent'""")
        for cause in dict.fromkeys(x.after for x in self.lines if x.after is not None):
            self._remember(cause, since)
        self._follow()

    def _empty(self, table: str) -> None:
        """A new table: deleted rows are carried along until the end of a transaction."""
        listed = ", ".join(f"{c} {kind.format(key=self.key_type)}" for c, kind in _ANSWER.items())
        self.engine.execute(f"CREATE OR REPLACE TABLE {table} ({listed})")

    def hear(self, now: datetime) -> None:
        """Let the runtime know of the answers up to `now`."""
        if self.next_answer is not None and self.next_answer <= now:
            due = '"at" > $heard AND "at" <= $now'
            self._told(_ANSWERS, due, {"heard": self.heard, "now": now})
            self.heard = now
            self._drawn = True

    def answer(self) -> None:
        """Draw the answers to the messages that have been decided since."""
        if not self._answering:
            return
        self._answer_those(f"m.message_id > {self.last_message}")
        [[self.last_message]] = self.engine.query(
            f"SELECT coalesce(max(message_id), {self.last_message}) FROM journey.message"
        )
        self._follow()

    def answer_at_once(self, messages: str, path: str) -> None:
        """Draw the answers to these messages, all of one step and a run's first there.

        `messages` is a relation as `_answer` takes it.
        """
        if self._answering:
            self._answer(messages, text(path), text("1"))
            self._follow()

    @property
    def _answering(self) -> bool:
        return any(isinstance(x.event, MessageEvent) or x.after is not None for x in self.lines)

    def tell(self, until: datetime, tick: str) -> None:
        """Let the runtime know at once of all answers up to then, each with its own instant.

        `tick` is SQL of the tick that hears of one. So it goes for all that are drawn from now on.
        """
        self.told = f'"at" <= {self.engine.dialect.instant(until)}', f", {tick}"
        self._told(_ANSWERS, self.told[0], {}, self.told[1])
        self._empty(_ANSWERS)

    def _told(self, answers: str, due: str, given: Mapping[str, datetime], apart: str = "") -> None:
        """Write down the answers that are due; those of a group are one suppression."""
        self.engine.execute(
            f"""INSERT INTO journey.message_event (customer_id, message_id, provider, event_id,
  name, "at", data, received_at)
SELECT customer_id, message_id, 'simulated', id, name, "at",
  CASE WHEN name = 'bounced' THEN '{{"kind": "hard"}}' END, "at"
FROM {answers} WHERE {due}""",
            given,
        )
        if any(line.event.name in SUPPRESSING for line in self.lines):
            reasons = " ".join(f"WHEN {text(n)} THEN {text(r)}" for n, r in SUPPRESSING.items())
            names = ", ".join(text(name) for name in SUPPRESSING)
            self.engine.execute(
                f"""INSERT INTO journey.suppression (customer_id, channel, "at", reason)
SELECT customer_id, channel, max("at"), CASE name {reasons} END
FROM {answers} WHERE {due} AND name IN ({names}) GROUP BY customer_id, channel, name{apart}""",
                given,
            )

    @property
    def next_answer(self) -> datetime | None:
        """When the next answer comes. Looked up when it is asked for, if there may be another."""
        if self._drawn:
            [[self._next]] = self.engine.query(
                f'SELECT min("at") FROM {_ANSWERS} WHERE "at" > $heard', {"heard": self.heard}
            )
            self._drawn = False
        return self._next

    # --- messages -------------------------------------------------------------

    def _answer_those(self, which: str) -> None:
        """The answers to some of the messages `m` that there are."""
        self._answer(
            "(SELECT m.customer_id, m.message_id, m.run_id, m.occurrence, m.decided_at, m.journey,"
            " m.step, m.channel, s.path FROM journey.message AS m"
            f" JOIN journey.step AS s ON s.step = m.step WHERE m.action IS NULL AND {which})",
            "m.path",
            self.engine.dialect.as_text("m.occurrence"),
        )

    def _answer(self, messages: str, path: str, occurrence: str) -> None:
        """The answers to some messages into `fresh`; with `sent`, if something follows from it.

        `messages` is a relation with customer_id, message_id, run_id, decided_at, journey, step and
        channel; the step's path and the occurrence are SQL of texts, of a row `m`.
        """
        d = self.engine.dialect
        named: dict[str, list[Assumption]] = {}
        for line in self.lines:
            if isinstance(line.event, MessageEvent) and line.after is None:
                named.setdefault(line.event.name, []).append(line)
        # A run is one customer's; what fits into 55 letters takes an md5 half the time.
        one = drawn(
            d,
            self.seed,
            "answer",
            d.as_text("m.run_id"),
            path,
            occurrence,
            known=True,
        )
        some: dict[str, str] = {}
        after: dict[str, str] = {}
        for name, lines in named.items():
            h, first = "m.h", 1
            digits = h
            if name == SECOND:
                first = 16
                digits = "substr(m.h, 16)"
            elif name not in (*NESTED, *AGAINST):
                h = digits = d.md5("m.h", text(name))
            lines.sort(key=_how_narrow, reverse=True)
            chances = [threshold(x.chance) for x in lines]
            if name in AGAINST:
                chances = [OUT_OF - chance for chance in chances]
            nobody = limit(OUT_OF if name in AGAINST else 0)
            chance = _narrowest(lines, map(limit, chances), self.steps, nobody)
            within = _narrowest(lines, (str(x.seconds or 0) for x in lines), self.steps, "0")
            some[name] = f"{digits} {'>=' if name in AGAINST else '<'} {chance}"
            after[name] = seconds(d, h, within, first + 7)
        if any(isinstance(x.after, MessageEvent) and x.after.name == "sent" for x in self.lines):
            some["sent"], after["sent"] = "TRUE", "0"
        self._empty(_FRESH)
        if not some:
            return
        told = ", ".join(f"CASE WHEN {yes} THEN {text(name)} END" for name, yes in some.items())
        whens = " ".join(f"WHEN {text(name)} THEN {later}" for name, later in after.items())
        # Nothing goes ahead of an `unnest`: so each digest is made once, and kept nowhere.
        self.engine.execute(
            f"""INSERT INTO {_FRESH} (customer_id, message_id, id, name, "at", journey, step,
  channel)
SELECT * FROM (
  SELECT m.customer_id, m.message_id, m.name || ' ' || m.h, m.name,
    {d.shift("m.decided_at", f"CASE m.name {whens} END")} AS "at", m.journey, m.step, m.channel
  FROM (SELECT m.*, unnest(CASE WHEN {" OR ".join(some.values())} THEN [{told}] END) AS name
    FROM (SELECT m.*, {one} AS h FROM {messages} AS m) AS m) AS m
  WHERE m.name IS NOT NULL
) AS x WHERE x."at" <= {d.instant(self.end)}"""
        )
        self._keep_answers()

    def _keep_answers(self) -> None:
        d = self.engine.dialect
        answers = f"message_id IS NOT NULL AND name <> 'sent' AND \"at\" > {d.instant(self.start)}"
        if self.told is not None:
            due, apart = self.told
            self._told(_FRESH, f"{answers} AND {due}", {}, apart)
            return
        self.engine.execute(f"INSERT INTO {_ANSWERS} SELECT * FROM {_FRESH} WHERE {answers}")
        self._drawn = True

    # --- what happens by itself, or after something -----------------------------

    def _happen_by_themselves(self, line: Assumption) -> None:
        """Once at most in each stretch of time, for each customer."""
        assert line.seconds is not None
        d, one = self.engine.dialect, self.happenings[line.event.name]
        stretches = -(-int((self.end - self.start).total_seconds()) // line.seconds)
        h = drawn(
            d,
            self.seed,
            f"per {line.event.name}",
            d.as_text("c.customer_id"),
            d.as_text("k.nth"),
        )
        began = d.shift(d.instant(self.start), f"x.nth * {line.seconds}")
        self._write(
            one,
            f"""SELECT x.customer_id, x.h, {d.shift(began, seconds(d, "x.h", str(line.seconds)))}
    AS "at"
  FROM (SELECT c.customer_id, k.nth, {h} AS h FROM {customers(self.binding, d, ())} AS c
    CROSS JOIN (SELECT unnest(range({stretches})) AS nth) AS k) AS x
  WHERE x.h < {limit(threshold(line.chance))}""",
        )

    def _remember(self, cause: EventSource, since: datetime) -> None:
        """Rows of a cause from before the beginning, and those that the tables already hold."""
        d = self.engine.dialect
        if isinstance(cause, MessageEvent) and cause.name == "sent":
            return
        bounds = f'e."_at" > {d.instant(since)} AND e."_at" <= {d.instant(self.end)}'
        key = d.as_text('e."_key"')
        if isinstance(cause, MessageEvent):
            columns = (
                f'e.customer_id, NULL, {key}, {text(cause.name)}, e."_at", NULL, e.step, e.channel'
            )
        else:
            columns = f'e.customer_id, NULL, {key}, {text(cause.name)}, e."_at", NULL, NULL, NULL'
        self.engine.execute(
            f"INSERT INTO {_FRESH} SELECT {columns}"
            f" FROM {event(self.binding, cause, (), d)} AS e WHERE {bounds}"
        )

    def _follow(self) -> None:
        """What follows from what is fresh, and from that, until nothing does."""
        lines = [x for x in self.lines if x.after is not None]
        while lines and self.engine.query(f"SELECT 1 FROM {_FRESH} LIMIT 1"):
            self._empty(_NEXT)
            for line in lines:
                self._effects(line)
            self._empty(_FRESH)
            self.engine.execute(f"INSERT INTO {_FRESH} SELECT * FROM {_NEXT}")
            self._keep_answers()

    def _effects(self, line: Assumption) -> None:
        d, cause = self.engine.dialect, line.after
        assert cause is not None
        about = _about(cause, self.steps, "f")
        purpose = f"{line.event.name} after {told(cause)}"
        h = drawn(d, self.seed, purpose, d.as_text("f.customer_id"), "f.id")
        within = str(line.seconds or 1)
        rows = f"""SELECT x.*, {d.shift('x."at"', seconds(d, "x.h", within))} AS later
  FROM (SELECT f.*, {h} AS h FROM {_FRESH} AS f WHERE f.name = {text(cause.name)}{about}) AS x
  WHERE x.h < {limit(threshold(line.chance))}"""
        if isinstance(line.event, MessageEvent):
            name = line.event.name
            self.engine.execute(
                f"""INSERT INTO {_NEXT} SELECT y.customer_id, y.message_id,
  {text(name + " ")} || y.h, {text(name)}, y.later, y.journey, y.step, y.channel
FROM ({rows}) AS y WHERE y.message_id IS NOT NULL AND y.later <= {d.instant(self.end)}"""
            )
            return
        self._write(
            self.happenings[line.event.name],
            f'SELECT y.customer_id, y.h, y.later AS "at" FROM ({rows}) AS y',
            into_next=True,
        )

    def _write(self, one: Happening, rows: str, *, into_next: bool = False) -> None:
        """Rows (customer_id, h, at) as rows of an event, with the fields of one that was there."""
        d = self.engine.dialect
        bounds = f'r."at" > {d.instant(self.start)} AND r."at" <= {d.instant(self.end)}'
        columns = ", ".join(quote(f) for f in ("customer_id", "_key", "_at", *one.fields))
        lent = "".join(f", o.{quote(f)}" if one.donors else ", NULL" for f in one.fields)
        join = ""
        if one.donors and one.fields:
            join = f" LEFT JOIN {one.lenders} AS o ON o.n = {donor(d, 'r.h', one.donors)}"
        self.engine.execute(
            f"INSERT INTO {one.table} ({columns}) SELECT r.customer_id, {one.made(d, 'r.h')},"
            f' r."at"{lent} FROM ({rows}) AS r{join} WHERE {bounds}'
        )
        name = one.event.name
        if into_next and any(x.after is not None and x.after.name == name for x in self.lines):
            self.engine.execute(
                f"INSERT INTO {_NEXT} SELECT r.customer_id, NULL, {d.as_text(one.made(d, 'r.h'))},"
                f' {text(name)}, r."at", NULL, NULL, NULL FROM ({rows}) AS r WHERE {bounds}'
            )


def _how_narrow(line: Assumption) -> int:
    source = line.event
    assert isinstance(source, MessageEvent)
    return 2 if source.path is not None else int(source.channel is not None)


def _narrowest(
    lines: Sequence[Assumption], values: Iterable[str], steps: Steps, otherwise: str
) -> str:
    """Of the lines of one event, the narrowest first, the value of that which a message meets."""
    whens = ""
    for line, value in zip(lines, values, strict=True):
        about = _about(line.event, steps, "m").removeprefix(" AND ") or "TRUE"
        whens += f" WHEN {about} THEN {value}"
    return f"CASE{whens} ELSE {otherwise} END"


def _about(source: EventSource, steps: Steps, alias: str) -> str:
    """Which messages an event is of: conditions, each with AND before it."""
    if not isinstance(source, MessageEvent):
        return ""
    if source.path is not None and source.journey is not None:
        # A step that the database does not know has sent nothing.
        return f" AND {alias}.step = {steps.get((source.journey, source.path), -1)}"
    return f" AND {alias}.channel = {text(source.channel)}" if source.channel is not None else ""
