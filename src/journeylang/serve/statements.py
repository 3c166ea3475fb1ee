"""The statements by which answers come into the database. Each is one SQL text, set-based.

Parameters are lists of one length, a place per record; `{key}` is the type of customer keys. What
is there already is left out, so that the same records may be taken twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from journeylang.classes import dataclass
from journeylang.delivery.permission import granted, said, some_customers
from journeylang.model.binding import ConsentWhen
from journeylang.model.project import Project
from journeylang.model.walk import customer_fields, walk
from journeylang.serve.intake import Shape
from journeylang.sql.dialects import Dialect, quote, text
from journeylang.sql.expressions import Rows, Scope, value
from journeylang.sql.schema import FINAL

SOFT_BOUNCES = 7
SOFT_DAYS = 7
"""So many soft bounces in a row, over so many days at least, are a hard one."""

REACHED = ("delivered", "opened", "clicked", "replied", "answered")
"""Events by which an address has been reached."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """All of them, for one project on one database."""

    project: Project
    dialect: Dialect
    key: str

    def p(self, name: str) -> str:
        return self.dialect.parameter(name)

    def _lists(self, **kinds: str) -> str:
        """The parameters of these names as a table `a`."""
        stored = self.dialect.stored_type
        columns = ", ".join(
            f"unnest({self.p(name)}::{_plain(stored(kind.format(key=self.key)))}[])"
            f" AS {quote(name)}"
            for name, kind in kinds.items()
        )
        return f"(SELECT {columns}) AS a"

    # -- events

    def rows(self, shape: Shape, fields: Sequence[str]) -> str:
        """{key, customer, at, and the fields as f0, f1, …} of texts: rows of a bound event.

        A row whose key is there already is not written again.
        """
        by_name = {field.name: field for field in shape.fields}
        given = [shape.key, shape.customer, shape.at, *(by_name[name] for name in fields)]
        names = ["key", "customer", "at", *(f"f{n}" for n in range(len(fields)))]
        columns = ", ".join(
            quote(name)
            for name in (*(field.column for field in given), *(name for name, _, _ in shape.fixed))
        )
        values = ", ".join(
            [
                *(
                    f"CAST(a.{quote(name)} AS {field.kind})"
                    for name, field in zip(names, given, strict=True)
                ),
                *(f"CAST({text(fixed)} AS {kind})" for _, kind, fixed in shape.fixed),
            ]
        )
        key = quote(shape.key.column)
        rows = self._lists(**dict.fromkeys(names, "VARCHAR"))
        return f"""INSERT INTO {shape.table} ({columns})
SELECT {values} FROM {rows}
WHERE NOT EXISTS (SELECT 1 FROM {shape.table} AS t
  WHERE t.{key} = CAST(a."key" AS {shape.key.kind}))"""

    # -- what is said about messages

    @cached_property
    def messages(self) -> str:
        """{names} -> (name, customer_id, message_id, channel, topic, decided_at, step) of the
        messages that are called so, by us or by a provider."""
        return f"""SELECT DISTINCT n."names", m.customer_id, m.message_id, m.channel, m.topic,
  m.decided_at, m.step
FROM (SELECT DISTINCT * FROM {self._lists(names="VARCHAR")}) AS n
JOIN journey.receipt AS r ON r.provider_id = n."names"
JOIN journey.message AS m ON m.message_id = r.message_id AND m.customer_id = r.customer_id
WHERE m.action IS NULL"""

    @cached_property
    def numbered(self) -> str:
        """{messages} -> the same without the name, of messages by their numbers."""
        rows = self._lists(messages="BIGINT")
        return f"""SELECT m.customer_id, m.message_id, m.channel, m.topic, m.decided_at, m.step
FROM journey.message AS m JOIN {rows} ON a."messages" = m.message_id"""

    @cached_property
    def said(self) -> str:
        """{now, customers, messages, providers, events, names, ats, data} -> (message_id,
        provider, event_id) of what is new."""
        rows = self._lists(
            customers="{key}",
            messages="BIGINT",
            providers="VARCHAR",
            events="VARCHAR",
            names="VARCHAR",
            ats="TIMESTAMP",
            data="VARCHAR",
        )
        return f"""INSERT INTO journey.message_event (customer_id, message_id, provider, event_id,
  name, "at", data, received_at)
SELECT a."customers", a."messages", a."providers", a."events", a."names", a."ats", a."data",
  {self.p("now")}
FROM {rows}
WHERE NOT EXISTS (SELECT 1 FROM journey.message_event AS k
  WHERE k.customer_id = a."customers" AND k.message_id = a."messages"
    AND k.provider = a."providers" AND k.event_id = a."events")
RETURNING message_id, provider, event_id"""

    @cached_property
    def states(self) -> str:
        """{customers, messages, states, ats, providers}: receipts of what feedback tells."""
        rows = self._lists(
            customers="{key}",
            messages="BIGINT",
            states="VARCHAR",
            ats="TIMESTAMP",
            providers="VARCHAR",
        )
        ended = ", ".join(text(state) for state in FINAL)
        # Whatever is said of a message, a provider has taken it; where that is known already, and
        # of what has ended otherwise, there is nothing to add.
        return f"""INSERT INTO journey.receipt (customer_id, message_id, attempt, state, "at",
  provider, provider_id, detail, given_back)
SELECT a."customers", a."messages", coalesce((SELECT max(r.attempt) FROM journey.receipt AS r
    WHERE r.message_id = a."messages"), 1), a."states", a."ats", a."providers", NULL, NULL, FALSE
FROM {rows}
WHERE NOT EXISTS (SELECT 1 FROM journey.receipt AS k WHERE k.message_id = a."messages"
  AND (k.state = a."states" OR (a."states" = 'accepted' AND k.state IN ({ended}))))"""

    @cached_property
    def consents(self) -> str:
        """{customers, consents, ats, granted, sources}: words on consents."""
        rows = self._lists(
            customers="{key}",
            consents="VARCHAR",
            ats="TIMESTAMP",
            granted="BOOLEAN",
            sources="VARCHAR",
        )
        return f"""INSERT INTO journey.consent_change (customer_id, consent, "at", granted, source)
SELECT a."customers", a."consents", a."ats", a."granted", a."sources" FROM {rows}
WHERE NOT EXISTS (SELECT 1 FROM journey.consent_change AS k
  WHERE k.customer_id = a."customers" AND k.consent = a."consents" AND k.at = a."ats"
    AND k.granted = a."granted")"""

    @cached_property
    def suppress(self) -> str:
        """{customers, channels, hashes, ats, reasons}."""
        rows = self._lists(
            customers="{key}",
            channels="VARCHAR",
            hashes="VARCHAR",
            ats="TIMESTAMP",
            reasons="VARCHAR",
        )
        return f"""INSERT INTO journey.suppression (customer_id, channel, address_hash,
  "at", reason)
SELECT a."customers", a."channels", a."hashes", a."ats", a."reasons" FROM {rows}
WHERE NOT EXISTS (SELECT 1 FROM journey.suppression AS k
  WHERE k.customer_id = a."customers" AND k.channel = a."channels" AND k.reason = a."reasons"
    AND k.address_hash IS NOT DISTINCT FROM a."hashes")"""

    @cached_property
    def lift(self) -> str:
        """{customers, channels, hashes}: whoever asks for messages again is no longer
        unsubscribed; what a bounce or a complaint has suppressed stays so."""
        rows = self._lists(customers="{key}", channels="VARCHAR", hashes="VARCHAR")
        return f"""DELETE FROM journey.suppression AS s WHERE s.reason = 'unsubscribe'
  AND EXISTS (SELECT 1 FROM {rows} WHERE a."channels" = s.channel
    AND (a."customers" = s.customer_id OR a."hashes" = s.address_hash))"""

    @cached_property
    def worn_out(self) -> str:
        """{customers, channels} -> (customer_id, channel) of those whose soft bounces are too many:
        in a row, over days, without anything that reached them between."""
        rows = self._lists(customers="{key}", channels="VARCHAR")
        reached = ", ".join(text(name) for name in REACHED)
        kind = self.dialect.json_text("f.data", "kind")
        soft = "e.name = 'bounced' AND e.kind = 'soft'"
        return f"""WITH a AS (SELECT DISTINCT * FROM {rows}),
e AS (SELECT m.customer_id, m.channel, f.name, f.at, {kind} AS kind,
    max(CASE WHEN f.name IN ({reached}) THEN f.at END)
      OVER (PARTITION BY m.customer_id, m.channel) AS reached
  FROM journey.message_event AS f
  JOIN journey.message AS m ON m.customer_id = f.customer_id AND m.message_id = f.message_id
  JOIN a ON a."customers" = f.customer_id AND a."channels" = m.channel)
SELECT e.customer_id, e.channel FROM e
WHERE {soft} AND (e.reached IS NULL OR e.at > e.reached) GROUP BY e.customer_id, e.channel
HAVING count(*) >= {SOFT_BOUNCES}
  AND max(e.at) >= min(e.at) + {self.dialect.interval(SOFT_DAYS * 86400)}"""

    @cached_property
    def wishes(self) -> str:
        """{customers, names, values, ats}: what people wish for, besides consents."""
        rows = self._lists(customers="{key}", names="VARCHAR", values="VARCHAR", ats="TIMESTAMP")
        return f"""INSERT INTO journey.preference (customer_id, name, value, "at")
SELECT a."customers", a."names", a."values", a."ats" FROM {rows}"""

    @cached_property
    def notices(self) -> str:
        """{service, ids, customers, data, ats}: what a service outside is to be told."""
        rows = self._lists(ids="VARCHAR", customers="{key}", data="VARCHAR", ats="TIMESTAMP")
        return f"""INSERT INTO journey.notice (notice_id, customer_id, service, data, "at", attempt,
  state, not_before, detail)
SELECT a."ids", a."customers", {self.p("service")}, a."data", a."ats", 0, 'open', a."ats", NULL
FROM {rows}
WHERE NOT EXISTS (SELECT 1 FROM journey.notice AS k WHERE k.notice_id = a."ids")"""

    @cached_property
    def sums(self) -> str:
        """{steps, channels, days, names, numbers}: opens and clicks of nobody in particular."""
        rows = self._lists(
            steps="INTEGER", channels="VARCHAR", days="DATE", names="VARCHAR", numbers="BIGINT"
        )
        return f"""INSERT INTO journey.tracking_sum (step, channel, day, name, number)
SELECT a."steps", a."channels", a."days", a."names", a."numbers" FROM {rows}"""

    @cached_property
    def leave(self) -> str:
        """{now, providers, events, lines}: what is said of messages that are not known yet."""
        rows = self._lists(providers="VARCHAR", events="VARCHAR", lines="VARCHAR")
        return f"""INSERT INTO journey.unclaimed (provider, event_id, received_at, line)
SELECT a."providers", a."events", {self.p("now")}, a."lines" FROM {rows}
WHERE NOT EXISTS (SELECT 1 FROM journey.unclaimed AS k
  WHERE k.provider = a."providers" AND k.event_id = a."events")"""

    # -- people

    def addresses(self, channel: str) -> str:
        """{customers} -> (customer_id, address) of a channel."""
        address, needed = self._address(channel)
        base = some_customers(self.project.binding, needed, self.dialect)
        rows = self._lists(customers="{key}")
        return f"""SELECT c.customer_id, {address} FROM {base} AS c
WHERE c.customer_id IN (SELECT a."customers" FROM {rows})"""

    def writers(self, channel: str) -> str:
        """{addresses, phones} -> (address, customer_id, message_id): whose address it is, letter by
        letter or as a telephone number, and the newest message that they had over the channel."""
        address, needed = self._address(channel)
        base = some_customers(self.project.binding, needed, self.dialect)
        rows = self._lists(addresses="VARCHAR", phones="VARCHAR")
        given = f'SELECT a."addresses" AS address, c.customer_id FROM {base} AS c JOIN {rows} ON'
        same = f'{given} lower(trim({address})) = a."addresses"'
        if channel != "email":
            phone = self.dialect.phone_number(address)
            same += f"""\n  UNION {given} {phone} = a."phones" AND a."phones" <> ''"""
        return f"""SELECT w.address, w.customer_id, (SELECT max(m.message_id)
  FROM journey.message AS m WHERE m.customer_id = w.customer_id AND m.channel = {text(channel)}
    AND m.action IS NULL)
FROM ({same}) AS w"""

    def _address(self, channel: str) -> tuple[str, list[str]]:
        bound = self.project.binding.channels[channel].address
        scope = Scope(
            project=self.project, dialect=self.dialect, steps={}, rows=Rows(name="i", alias="i")
        )
        return self.dialect.as_text(value(bound, scope)), list(customer_fields(walk(bound)))

    def standing(self, consents: Sequence[str]) -> str:
        """{now, customers} -> (customer_id, then of each consent whether it is given)."""
        fields = [f for name in consents for f in self._asked(name)]
        base = some_customers(self.project.binding, fields, self.dialect)
        rows = self._lists(customers="{key}")
        ctes = [
            f'i AS (SELECT DISTINCT a."customers" AS customer_id FROM {rows})',
            *(said(self.project, self.dialect, name) for name in consents),
            f"c AS (SELECT * FROM {base} AS c WHERE c.customer_id IN (SELECT customer_id FROM i))",
        ]
        joins = "".join(
            f" LEFT JOIN {quote(f'said_{name}')} ON {quote(f'said_{name}')}.customer_id"
            " = i.customer_id"
            for name in consents
        )
        given = "".join(f", {granted(self.project, self.dialect, name)}" for name in consents)
        return f"""WITH {", ".join(ctes)}
SELECT i.customer_id{given} FROM i JOIN c ON c.customer_id = i.customer_id{joins}"""

    @cached_property
    def locale(self) -> str:
        """{customers} -> (locale,) in which they are written to; nothing where none is bound."""
        bound = self.project.binding.customers
        rows = self._lists(customers="{key}")
        if bound is None or bound.locale is None:
            return f"SELECT NULL FROM {rows} WHERE FALSE"
        base = some_customers(self.project.binding, ["locale"], self.dialect)
        return f"""SELECT c."_locale" FROM {base} AS c
WHERE c.customer_id IN (SELECT a."customers" FROM {rows})"""

    def _asked(self, consent: str) -> list[str]:
        bound = self.project.binding.consents[consent]
        if not isinstance(bound, ConsentWhen):
            return []
        return list(customer_fields(walk(bound.condition)))

    @cached_property
    def unsubscribed(self) -> str:
        """{customers} -> (customer_id, channel) of those who have unsubscribed."""
        rows = self._lists(customers="{key}")
        return f"""SELECT DISTINCT s.customer_id, s.channel FROM journey.suppression AS s
JOIN {rows} ON a."customers" = s.customer_id WHERE s.reason = 'unsubscribe'"""


def _plain(kind: str) -> str:
    """A type without its collation, as casts have it."""
    return kind.replace(' COLLATE "C"', "")
