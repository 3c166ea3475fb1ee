"""Deciding sends: may this message leave, on which channel, and if not, why and until when.

All journeys together, in three kinds of statement. `intents` lines up everybody who stands
at a send and ranks each customer's sends. `decide` settles one rank: what it grants counts
for the next. `proceed` sends the decided on their way.

For each channel of a send every rule is evaluated; the first failing one, in the order
no_address, suppressed, no_consent, global_control, quiet, capped, is its reason. The first
channel without one is taken. A channel *waits* if all its failing rules may be waited for.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from journeylang.model.binding import ConsentTable, ConsentWhen
from journeylang.model.types import Kind, Type
from journeylang.plan.operations import CapRule, Program
from journeylang.sql.compiler import Compiler
from journeylang.sql.dialects import quote, text
from journeylang.sql.expressions import Rows, Scope, predicate, value
from journeylang.sql.relations import consent_rows
from journeylang.sql.schema import ACTIVE
from journeylang.sql.session import (
    GO,
    HELD,
    REST,
    SEND,
    SENT,
    SKIPPED,
    caps_sets,
    consent_sets,
    offers,
    sends,
)


class Situation(NamedTuple):
    """Of what may stand against a message, whether there is any at all in the database."""

    changes: bool = True
    suppressions: bool = True
    given_back: bool = True


_SITUATION = """SELECT (SELECT max(rank) FROM intent),
  EXISTS (SELECT 1 FROM journey.consent_change), EXISTS (SELECT 1 FROM journey.suppression),
  EXISTS (SELECT 1 FROM journey.receipt AS b WHERE b.given_back)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArbitrationSql:
    """Parameters: `intents` {after}, the round of the last arbitration; `decide` {now, round,
    rank}; `messages` {now, round, rank, base}; `proceed` {now, round}. `situation` tells how
    many ranks there are, and a `Situation`.
    """

    intents: str
    messages: str
    proceed: str
    compiler: Compiler
    program: Program
    situation: str
    _decides: dict[tuple[frozenset[int], Situation], str] = field(
        default_factory=dict, compare=False, repr=False
    )

    def decide(self, steps: frozenset[int], situation: Situation) -> str:
        """The statement that settles one rank of those who stand at these sends."""
        key = (steps, situation)
        if key not in self._decides:
            self._decides[key] = _Decide(self.compiler, self.program, steps, situation).sql()
        return self._decides[key]


def arbitration_sql(compiler: Compiler, program: Program) -> ArbitrationSql:
    """The statements for a program with at least one send."""
    return ArbitrationSql(
        intents=_intents(compiler, program),
        messages=_messages(compiler),
        proceed=_proceed(compiler),
        compiler=compiler,
        program=program,
        situation=_SITUATION,
    )


def _intents(compiler: Compiler, program: Program) -> str:
    d = compiler.dialect
    # With a single journey nobody can stand at two sends at once.
    rank = (
        "row_number() OVER (PARTITION BY t.customer_id"
        " ORDER BY s.priority DESC, t.arrived_at, s.ordinal, t.run_id)"
        if sum(1 for j in program.journeys if sends(j)) > 1
        else "1"
    )
    return f"""INSERT INTO intent (customer_id, run_id, journey, step, arrived_at, entered_at,
  entry, last_reason, mask, content, fresh, limit_at, expires_at, rank)
SELECT t.customer_id, t.run_id, t.journey, t.step, t.arrived_at, t.entered_at, t.entry, t.reason,
  t.mask, t.content, t.fresh, {d.shift("t.arrived_at", "s.hold_seconds")},
  {d.shift("t.arrived_at", "s.expires")}, {rank}
FROM trail AS t JOIN plan_send AS s ON s.step = t.step
WHERE t.round > {d.parameter("after")} AND t.fate = {SEND}"""


class _Decide:
    def __init__(
        self, compiler: Compiler, program: Program, steps: Collection[int], there: Situation
    ) -> None:
        self.there = there
        self.compiler = compiler
        self.d = compiler.dialect
        self.binding = compiler.project.binding
        self.program = program
        self.offers = [o for o in offers(program) if o.step in steps]
        self.channels = list(dict.fromkeys(o.channel for o in self.offers))
        # Sets keep their numbers in the whole program; those of no offer here are left out.
        asked = {o.consents for o in self.offers}
        self.consents = [(n, c) for n, c in enumerate(consent_sets(program)) if c in asked]
        bound = {o.caps for o in self.offers}
        self.cap_sets = [(n, o.caps) for n, o in enumerate(caps_sets(program)) if o.caps in bound]
        self.caps = list(dict.fromkeys(c for _, caps in self.cap_sets for c in caps))
        self.calendar = any(c.calendar for c in self.caps)
        self.single = all(o.position == 0 for o in self.offers)
        self.now = self.d.parameter("now")
        self.scope: Scope = compiler.scope(Rows(name="i", alias="i"))

    def sql(self) -> str:
        ctes = [f"i AS (SELECT * FROM intent WHERE rank = {self.d.parameter('rank')})"]
        ctes += self._consent_ctes()
        ctes.append(self._reach())
        if self.caps:
            ctes.append(self._counts())
        ctes.append(self._candidates())
        ctes.append(self._judged())
        ctes.append(self._chosen())
        return f"""INSERT INTO decided (phase, customer_id, run_id, journey, step, arrived_at,
  entered_at, entry, content, fresh, expires_at, rank, outcome, channel, reason, figures, wake_at,
  quiet_from, quiet_until, cost, counted)
WITH {("," + chr(10)).join(ctes)}
SELECT {self.d.parameter("round")}, i.customer_id, i.run_id, i.journey, i.step, i.arrived_at,
  i.entered_at, i.entry, i.content,
  i.fresh, i.expires_at, i.rank, {self._outcome()} AS outcome, k.channel,
  CASE WHEN {self.now} >= i.limit_at THEN coalesce(i.last_reason, 'expired')
    ELSE coalesce(k.reason, 'no_channel') END,
  {self._figures()}, least(coalesce(k.release, i.limit_at), i.limit_at),
  k.quiet_from, k.quiet_until, k.cost, k.counted
FROM i LEFT JOIN chosen AS k ON k.customer_id = i.customer_id AND k.run_id = i.run_id
JOIN plan_send AS s ON s.step = i.step"""

    def _outcome(self) -> str:
        return (
            f"CASE WHEN {self.now} >= i.limit_at THEN {SKIPPED}"
            f" WHEN k.run_id IS NULL THEN {SKIPPED} WHEN k.reason IS NULL THEN {SENT}"
            f" WHEN k.waiting AND s.parks THEN {HELD} ELSE {SKIPPED} END"
        )

    # --- reach: address, consent, suppression ---------------------------------

    def _named_consents(self) -> list[str]:
        return list(dict.fromkeys(c for _, names in self.consents for c in names))

    def _said(self) -> list[str]:
        """Consents about which there are rows: who said what, and when."""
        return [
            n
            for n in self._named_consents()
            if self.there.changes or isinstance(self.binding.consents[n], ConsentTable)
        ]

    def _consent_ctes(self) -> list[str]:
        """Per consent from a table: who has said yes last."""
        ctes = []
        for name in self._said():
            bound = self.binding.consents[name]
            changes = (
                'SELECT customer_id, "at", granted FROM journey.consent_change'
                f" WHERE consent = {text(name)}"
            )
            rows = changes
            if isinstance(bound, ConsentTable):
                rows = f"SELECT * FROM {consent_rows(bound, self.d)} AS b"
                rows += f" UNION ALL {changes}" if self.there.changes else ""
            # Of a yes and a no at the same instant the no wins.
            ctes.append(
                f"{quote('said_' + name)} AS (SELECT k.customer_id,"
                " max(k.at) FILTER (WHERE k.granted) AS yes,"
                " max(k.at) FILTER (WHERE NOT k.granted) AS no"
                f" FROM ({rows}) AS k WHERE k.at <= {self.now}"
                " AND k.customer_id IN (SELECT customer_id FROM i) GROUP BY k.customer_id)"
            )
        return ctes

    def _granted(self, name: str) -> str:
        bound = self.binding.consents[name]
        said = quote("said_" + name)
        latest = f"{said}.yes IS NOT NULL AND ({said}.no IS NULL OR {said}.yes > {said}.no)"
        if isinstance(bound, ConsentWhen):
            condition = predicate(bound.condition, self.scope)
            if not self.there.changes:
                return f"coalesce({condition}, FALSE)"
            refused = f"{said}.no IS NOT NULL AND ({said}.yes IS NULL OR {said}.no >= {said}.yes)"
            return f"(coalesce({condition}, FALSE) AND NOT ({refused}))"
        return f"({latest})"

    def _reach(self) -> str:
        scope = self.scope
        columns = ['c.customer_id, c."_zone" AS zone']
        for channel in self.channels:
            address = value(self.binding.channels[channel].address, scope)
            columns.append(f"{address} IS NOT NULL AS {quote('address_' + channel)}")
            suppressed = (
                f"u.customer_id IS NOT NULL AND list_contains(u.channels, {text(channel)})"
                if self.there.suppressions
                else "FALSE"
            )
            columns.append(f"{suppressed} AS {quote('suppressed_' + channel)}")
        names = self._named_consents()
        columns += [f"{self._granted(n)} AS {quote('granted_' + n)}" for n in names]
        said = [quote("said_" + n) for n in self._said()]
        joins = "".join(f"\n  LEFT JOIN {s} ON {s}.customer_id = c.customer_id" for s in said)
        if self.there.suppressions:
            joins += """
  LEFT JOIN (SELECT customer_id, array_agg(channel) AS channels FROM journey.suppression
    WHERE customer_id IS NOT NULL GROUP BY customer_id) AS u ON u.customer_id = c.customer_id"""
        return f"""reach AS (
  SELECT {", ".join(columns)}
  FROM {self.compiler.base("timezone", *scope.fields)} AS c{joins}
  WHERE c.customer_id IN (SELECT customer_id FROM i)
)"""

    def _now_in(self, alias: str) -> str:
        return f" AND {self.now} >= {alias}.since AND {self.now} < {alias}.until"

    # --- caps -----------------------------------------------------------------

    def _since(self, cap: CapRule) -> str:
        if cap.seconds is not None:
            return f"{self.now} - {self.d.interval(cap.seconds)}"
        return f"z.{cap.calendar}"

    def _counts(self) -> str:
        """Per customer and cap: messages counted, and when the oldest of them was decided."""
        columns = []
        for n, cap in enumerate(self.caps):
            # Rolling windows are half-open at their old end, a calendar day begins with its start.
            operator = ">" if cap.seconds is not None else ">="
            of = f" AND m.channel = {text(cap.channel)}" if cap.channel else ""
            within = f"FILTER (WHERE m.decided_at {operator} {self._since(cap)}{of})"
            columns.append(f"count(*) {within} AS n{n}, min(m.decided_at) {within} AS o{n}")
        zone = ""
        if self.calendar:
            zone = (
                " JOIN reach AS r ON r.customer_id = m.customer_id"
                f"\n  LEFT JOIN zone_day AS z ON z.zone = r.zone{self._now_in('z')}"
            )
        # A month on the calendar, its 31 days and a day for zones, bounds what is scanned.
        longest = max(
            [c.seconds for c in self.caps if c.seconds is not None]
            + [33 * 86400 if self.calendar else 0]
        )
        given_back = (
            """
    AND NOT EXISTS (SELECT 1 FROM journey.receipt AS b WHERE b.given_back
      AND b.message_id = m.message_id AND b.customer_id = m.customer_id)"""
            if self.there.given_back
            else ""
        )
        return f"""counts AS (
  SELECT m.customer_id, {", ".join(columns)}
  FROM journey.message AS m{zone}
  WHERE m.counted AND m.decided_at > {self.now} - {self.d.interval(longest)}
    AND m.customer_id IN (SELECT customer_id FROM i){given_back}
  GROUP BY m.customer_id
)"""

    def _capped(self, action: str) -> str:
        whens = []
        for number, caps in self.cap_sets:
            full = [
                f"coalesce(n.n{self.caps.index(c)}, 0) >= {c.limit}"
                for c in caps
                if c.action == action
            ]
            if full:
                whens.append(f"WHEN {number} THEN ({' OR '.join(full)})")
        return f"CASE o.caps {' '.join(whens)} ELSE FALSE END" if whens else "FALSE"

    def _cap_release(self) -> str:
        """When the last of the full caps that may be waited for lets a message through."""
        whens = []
        for number, caps in self.cap_sets:
            releases = []
            for cap in caps:
                if cap.action != "hold":
                    continue
                n = self.caps.index(cap)
                free = (
                    f"n.o{n} + {self.d.interval(cap.seconds)}"
                    if cap.seconds is not None
                    else f"z.next_{cap.calendar}"
                )
                releases.append(f"CASE WHEN coalesce(n.n{n}, 0) >= {cap.limit} THEN {free} END")
            if releases:
                latest = f"greatest({', '.join(releases)})" if len(releases) > 1 else releases[0]
                whens.append(f"WHEN {number} THEN {latest}")
        missing = self.d.literal(None, Type(kind=Kind.INSTANT))
        return f"CASE o.caps {' '.join(whens)} ELSE {missing} END" if whens else missing

    def _cap_figures(self) -> str:
        whens = []
        for number, caps in self.cap_sets:
            if caps:
                pairs = ((cap_name(c), f"coalesce(n.n{self.caps.index(c)}, 0)") for c in caps)
                whens.append(f"WHEN {number} THEN {self.d.json_object(pairs)}")
        return f"CASE o.caps {' '.join(whens)} END" if whens else "NULL"

    # --- rules ----------------------------------------------------------------

    def _pick(self, prefix: str, column: str, names: Sequence[str], otherwise: str) -> str:
        whens = " ".join(f"WHEN {text(n)} THEN r.{quote(prefix + n)}" for n in names)
        return f"CASE {column} {whens} ELSE {otherwise} END" if names else otherwise

    def _consented(self) -> str:
        whens = []
        for number, names in self.consents:
            if names:
                granted = " AND ".join(f"r.{quote('granted_' + n)}" for n in names)
                whens.append(f"WHEN {number} THEN {granted}")
        return f"CASE o.consents {' '.join(whens)} ELSE TRUE END" if whens else "TRUE"

    def _controlled(self) -> str:
        control = next((o.control for o in self.offers if o.control is not None), None)
        if control is None:
            return "FALSE"
        return (
            f"(o.controlled AND {self.d.bucket(control.salt, 'i.customer_id')} < {control.share})"
        )

    def _candidates(self) -> str:
        conditional = any(o.conditional for o in self.offers)
        when = " AND (i.mask = -1 OR (i.mask >> o.position) & 1 = 1)" if conditional else ""
        joins = f"\n  JOIN plan_offer AS o ON o.step = i.step{when}"
        joins += "\n  JOIN reach AS r ON r.customer_id = i.customer_id"
        capped_hold = capped_skip = "FALSE"
        cap_release = self.d.literal(None, Type(kind=Kind.INSTANT))
        cap_figures = "NULL"
        if self.caps:
            joins += "\n  LEFT JOIN counts AS n ON n.customer_id = i.customer_id"
            if self.calendar:
                joins += f"\n  LEFT JOIN zone_day AS z ON z.zone = r.zone{self._now_in('z')}"
            capped_hold, capped_skip = self._capped("hold"), self._capped("skip")
            cap_release, cap_figures = self._cap_release(), self._cap_figures()
        nothing = self.d.literal(None, Type(kind=Kind.INSTANT))
        quiet = {
            "quiet_hold": "FALSE",
            "quiet_skip": "FALSE",
            "quiet_release": nothing,
            "quiet_from": nothing,
            "quiet_until": nothing,
        }
        kinds = {"qh": "quiet_hold", "qs": "quiet_skip"}
        if any(o.quiet not in (o.quiet_hold, o.quiet_skip) for o in self.offers):
            kinds["qa"] = "quiet"
        asked = [
            alias
            for alias, kind in kinds.items()
            if any(getattr(o, kind) is not None for o in self.offers)
        ]
        for alias in asked:
            kind = kinds[alias]
            joins += (
                f"\n  LEFT JOIN zone_quiet AS {alias}"
                f" ON {alias}.zone = r.zone AND {alias}.rule = o.{kind}{self._now_in(alias)}"
            )
            if alias != "qa":
                quiet[kind] = f"coalesce({alias}.quiet, FALSE)"
        if "qh" in asked:
            quiet["quiet_release"] = "qh.release"
        # The next quiet time of all goes with the message.
        ahead = ["qa"] if "qa" in asked else asked
        for column in ("from", "until") if ahead else ():
            quiet[f"quiet_{column}"] = f"coalesce({', '.join(f'{a}.next_{column}' for a in ahead)})"
        return f"""candidate AS (
  SELECT i.customer_id, i.run_id, o.position, o.channel, o.cost, o.counted,
    NOT {self._pick("address_", "o.channel", self.channels, "FALSE")} AS no_address,
    {self._pick("suppressed_", "o.channel", self.channels, "FALSE")} AS suppressed,
    NOT ({self._consented()}) AS no_consent, {self._controlled()} AS controlled,
    {quiet["quiet_hold"]} AS quiet_hold, {quiet["quiet_skip"]} AS quiet_skip,
    {quiet["quiet_release"]} AS quiet_release, {quiet["quiet_from"]} AS quiet_from,
    {quiet["quiet_until"]} AS quiet_until,
    coalesce({capped_hold}, FALSE) AS capped_hold, coalesce({capped_skip}, FALSE) AS capped_skip,
    {cap_release} AS cap_release, {cap_figures} AS caps
  FROM i{joins}
)"""

    def _judged(self) -> str:
        return """judged AS (
  SELECT k.customer_id, k.run_id, k.position, k.channel, k.cost, k.counted, k.quiet_from,
    k.quiet_until, k.caps,
    CASE WHEN k.no_address THEN 'no_address' WHEN k.suppressed THEN 'suppressed'
      WHEN k.no_consent THEN 'no_consent' WHEN k.controlled THEN 'global_control'
      WHEN k.quiet_hold OR k.quiet_skip THEN 'quiet'
      WHEN k.capped_hold OR k.capped_skip THEN 'capped' END AS reason,
    NOT (k.no_address OR k.suppressed OR k.no_consent OR k.controlled OR k.quiet_skip
      OR k.capped_skip) AND (k.quiet_hold OR k.capped_hold) AS waiting,
    greatest(CASE WHEN k.quiet_hold THEN k.quiet_release END,
      CASE WHEN k.capped_hold THEN k.cap_release END) AS release
  FROM candidate AS k
)"""

    def _chosen(self) -> str:
        if self.single:
            return "chosen AS (SELECT *, NULL AS others FROM judged)"
        return """settled AS (
  SELECT customer_id, run_id, min(CASE WHEN reason IS NULL THEN position END) AS open,
    min(CASE WHEN waiting THEN position END) AS held, min(position) AS first,
    min(CASE WHEN waiting THEN release END) AS release,
    string_agg(channel || ': ' || coalesce(reason, 'open'), ', ' ORDER BY position) AS others
  FROM judged GROUP BY customer_id, run_id
),
chosen AS (
  SELECT j.customer_id, j.run_id, j.position, j.channel, j.cost, j.counted, j.quiet_from,
    j.quiet_until, j.caps, j.reason, j.waiting, s.release, s.others
  FROM settled AS s JOIN judged AS j ON j.customer_id = s.customer_id AND j.run_id = s.run_id
    AND j.position = coalesce(s.open, s.held, s.first)
)"""

    def _figures(self) -> str:
        pairs = [
            ("channel", "k.channel"),
            ("channels", "k.others"),
            ("counted", self.d.as_json("k.caps")),
        ]
        figures = self.d.json_object(pairs)
        return f"CASE WHEN k.reason IS NOT NULL THEN {figures} END"


def cap_name(cap: CapRule) -> str:
    """A cap as one would say it: `email 2 per 30d`."""
    window: str
    if cap.calendar is not None:
        window = cap.calendar
    else:
        seconds = cap.seconds or 0
        unit = next(
            (u for u in ((86400, "d"), (3600, "h"), (60, "m")) if seconds % u[0] == 0), (1, "s")
        )
        window = f"{seconds // unit[0]}{unit[1]}"
    return f"{cap.channel or 'any'} {cap.limit} per {window}"


def _messages(compiler: Compiler) -> str:
    d = compiler.dialect
    message_id = f"{d.parameter('base')} + row_number() OVER () - 1"
    return f"""INSERT INTO journey.message (customer_id, message_id, batch_id, run_id, journey,
  version, step, occurrence, channel, counted, decided_at, expires_at, quiet_from, quiet_until,
  cost, content)
SELECT m.customer_id, m.message_id, m.message_id // {BATCH}, m.run_id, m.journey, m.version,
  m.step, 1, m.channel, m.counted, {d.parameter("now")}, m.expires_at, m.quiet_from,
  m.quiet_until, m.cost, m.content
FROM (SELECT s.*, v.version, {message_id} AS message_id
  FROM decided AS s JOIN plan_version AS v ON v.journey = s.journey
  WHERE s.phase = {d.parameter("round")} AND s.rank = {d.parameter("rank")}
    AND s.outcome = {SENT}) AS m"""


BATCH = 500


def _proceed(compiler: Compiler) -> str:
    d = compiler.dialect
    now = d.parameter("now")
    return f"""INSERT INTO trail (round, customer_id, run_id, journey, edge, from_step, step,
  arrived_at, left_at, wake_at, entered_at, fate, status, reason, entry, why, going, fresh, moved)
SELECT {d.parameter("round")} + 1, s.customer_id, s.run_id, s.journey, p.edge, s.step, s.step,
  s.arrived_at, {now}, CASE WHEN s.outcome = {HELD} THEN s.wake_at END, s.entered_at,
  CASE WHEN s.outcome = {HELD} THEN {REST} ELSE {GO} END, {ACTIVE},
  CASE WHEN s.outcome = {HELD} THEN s.reason END, s.entry, 'held',
  CASE WHEN s.outcome = {SENT} THEN 'sent' ELSE 'skipped' END, s.fresh, s.outcome = {HELD}
FROM decided AS s JOIN plan_send AS p ON p.step = s.step
WHERE s.phase = {d.parameter("round")}"""
