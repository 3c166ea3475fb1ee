"""Settling one rank of those who stand at a send.

For each channel of a send every rule is evaluated; the first failing one, in the order
no_address, suppressed, no_consent, global_control, budget, capacity, quiet, capped, is its
reason. The first channel without one is taken. A channel *waits* if all its failing rules may
be waited for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from journeylang.model.types import TEXT, Kind, Type
from journeylang.plan.operations import Program
from journeylang.sql.allowances import VERDICT, Rations, rations, release
from journeylang.sql.caps import Caps
from journeylang.sql.compiler import Compiler
from journeylang.sql.landing import wake as landing_wake
from journeylang.sql.learning import best_channel
from journeylang.sql.picks import TOO_FEW
from journeylang.sql.reach import Reach, Situation
from journeylang.sql.session import (
    CHOSEN,
    HELD,
    OFFER,
    SENT,
    SKIPPED,
    choice,
    decided_columns,
    offer_rows,
    offers,
    rivals,
    sends,
    worded,
)

_CARRIED = (
    *("customer_id", "run_id", "position", "channel", "cost", "counted"),
    *("quiet_from", "quiet_until", "caps"),
)


class Standing(NamedTuple):
    """Selects those who stand at a send: as rows of `intent`, and their customers alone.

    The latter is what relations are cut down by: a relation that is asked for twice is written
    down in between.
    """

    rows: str
    customers: str


class Deciding:
    """Statements for those who stand at the given sends; parameters {now, round, rank, after}.

    `standing` selects them. One, `sql`, unless `rations` limit them: then
    `verdicts`, the rations, `sql`. `limits` are rations of which there may be `enough`.
    """

    def __init__(
        self,
        compiler: Compiler,
        program: Program,
        steps: Collection[int],
        there: Situation,
        standing: Standing,
        landing: Mapping[int, bool],
        *,
        enough: bool = False,
    ) -> None:
        self.d = compiler.dialect
        self.standing = standing
        self.offers = [o for o in offers(program) if o.step in steps]
        self.caps = Caps(compiler, program, self.offers, there, standing.customers)
        self.reach = Reach(
            compiler, program, self.offers, there, self.caps.wishes, standing.customers
        )
        self.single = all(o.position == 0 for o in self.offers)
        self.now = self.d.parameter("now")
        self.program = program
        self.steps = steps
        self.parks = {
            p.otherwise != "skip" for j in program.journeys for p in sends(j) if p.step in steps
        }
        self.limits: Rations | None = rations(self.d, program, self.offers)
        self.rations = None if enough else self.limits
        # Nobody has more than one candidate: a verdict stays with the row that it is about.
        self.flat = self.single and self.rations is None
        # With all that is written of them, if no clock of their own is asked that is not at hand.
        self.lands = all(s in landing and (self.flat or not landing[s]) for s in steps)
        self.zoned = self.flat and not self.lands and "zone" in decided_columns(program)

    def verdicts(self) -> str:
        """The first half, if there are budgets: all rules but those; {now, rank}."""
        columns = ", ".join(f"k.{c}" for c in VERDICT)
        return f"""INSERT INTO verdict ({", ".join(VERDICT)})
WITH {("," + chr(10)).join(self._rules())}
SELECT {columns} FROM ruled AS k WHERE {self.now} < k.limit_at"""

    def sql(self) -> str:
        """All of it, or the half behind the budgets."""
        ctes = self._rules() if self.rations is None else [self._intents()]
        ctes.append(self._judged())
        chosen = "judged AS i"
        row = "i"
        if not self.flat:
            ctes.append(self._chosen())
            row = "k"
            chosen = (
                "i LEFT JOIN chosen AS k ON k.customer_id = i.customer_id AND k.run_id = i.run_id"
            )
        program = self.program
        outcome, joins = self._outcome(row), ""
        wake = f"least(coalesce({row}.release, i.limit_at), i.limit_at)"
        if self.lands:
            wake, joins = landing_wake(self.d, program, self.steps, f"{outcome} = {HELD}", wake)
        if len(self.parks) > 1:
            joins = f"\nJOIN plan_send AS s ON s.step = i.step{joins}"
        more = {
            **({"rank": "i.rank"} if rivals(program) else {}),
            **({name: f"{row}.{name}" for name in CHOSEN} if choice(program) else {}),
            **({"content": "i.content"} if worded(program) else {}),
            **({"zone": "i.zone"} if self.zoned else {}),
        }
        further, furthers = ("".join(f", {part}" for part in x) for x in (more, more.values()))
        return f"""INSERT INTO decided (phase, customer_id, run_id, journey, step, arrived_at,
  entered_at, entry, passes, fresh, outcome, reason, figures, wake_at, quiet_from,
  quiet_until{further})
WITH {("," + chr(10)).join(ctes)}
SELECT {self.d.parameter("round")}, i.customer_id, i.run_id, i.journey, i.step, i.arrived_at,
  i.entered_at, i.entry, i.passes, i.fresh, {outcome} AS outcome,
  CASE WHEN {self.now} >= i.limit_at THEN coalesce(i.last_reason, 'expired')
    ELSE coalesce({row}.reason,
      CASE WHEN i.mask = {TOO_FEW} THEN 'too_few' ELSE 'no_channel' END) END,
  {self._figures(row)}, {wake}, {row}.quiet_from, {row}.quiet_until{furthers}
FROM {chosen}{joins}"""

    def _rules(self) -> list[str]:
        reach, caps = self.reach.ctes(), self.caps.ctes()
        return [self._intents(), *reach, *caps, self._candidates(), self._ruled()]

    def _intents(self) -> str:
        if self.rations is None:
            return f"i AS (\n  {self.standing.rows}\n)"
        return f"""i AS (
  SELECT n.*, row_number() OVER (
    ORDER BY p.priority DESC, n.arrived_at, p.ordinal, n.customer_id, n.run_id) AS line
  FROM ({self.standing.rows}) AS n JOIN plan_send AS p ON p.step = n.step
)"""

    def _outcome(self, row: str) -> str:
        parks = "s.parks" if len(self.parks) > 1 else "TRUE" if True in self.parks else "FALSE"
        return (
            f"CASE WHEN {self.now} >= i.limit_at OR {row}.channel IS NULL THEN {SKIPPED}"
            f" WHEN {row}.reason IS NULL THEN {SENT}"
            f" WHEN {row}.waiting AND {parks} THEN {HELD} ELSE {SKIPPED} END"
        )

    def _now_in(self, alias: str) -> str:
        return f" AND {self.now} >= {alias}.since AND {self.now} < {alias}.until"

    def _controlled(self) -> str:
        control = next((o.control for o in self.offers if o.control is not None), None)
        if control is None:
            return "FALSE"
        return (
            f"(o.controlled AND {self.d.bucket(control.salt, 'i.customer_id')} < {control.share})"
        )

    def _candidates(self) -> str:
        conditional = any(o.conditional for o in self.offers)
        when = (
            " AND (i.mask = -1 OR i.mask >= 0 AND (i.mask >> o.position) & 1 = 1)"
            if conditional
            else ""
        )
        join = "LEFT JOIN" if self.flat else "JOIN"
        alike = {row[1:] for row in offer_rows(self.program, self.offers)}
        if self.flat and len(alike) == 1 and not conditional:
            joins = f"\n  CROSS JOIN ({self._constant(*alike)}) AS o"
        else:
            joins = f"\n  {join} plan_offer AS o ON o.step = i.step{when}"
        joins += f"\n  {join} reach AS r ON r.customer_id = i.customer_id"
        position = "o.position"
        firsts = ["y.arm"] if self.reach.learned else []
        firsts += ["r.favourite"] if self.reach.preferring else []
        if self.reach.learned:
            joins += best_channel(self.d, self.reach.learned)
        if firsts:
            joins += (
                "\n  LEFT JOIN plan_turn AS q ON q.step = i.step AND q.position = o.position"
                f" AND q.favourite = coalesce({', '.join(firsts)})"
            )
            position = "coalesce(q.turn, o.position)"
        joins += self.caps.joins()
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
        line = "0" if self.rations is None else "i.line"
        row = f"i.customer_id, i.run_id, i.step, i.limit_at, {line} AS line, {position} AS position"
        channel = "o.channel"
        caps = f", {self.caps.figures('n', 'o')} AS caps"
        if self.flat:
            row = "i.*, r.zone" if self.zoned or self.lands else "i.*"
            caps = self.caps.counted()
            channel = "CASE WHEN r.customer_id IS NOT NULL THEN o.channel END AS channel"
        return f"""candidate AS (
  SELECT {row},
    {channel}, o.cost, o.counted,
    {self.reach.no_address()} AS no_address,
    {self.reach.suppressed()} AS suppressed,
    {self.reach.no_consent()} AS no_consent, {self._controlled()} AS controlled,
    {quiet["quiet_hold"]} AS quiet_hold, {quiet["quiet_skip"]} AS quiet_skip,
    {quiet["quiet_release"]} AS quiet_release, {quiet["quiet_from"]} AS quiet_from,
    {quiet["quiet_until"]} AS quiet_until,
    coalesce({self.caps.used_up("hold")}, FALSE) AS capped_hold,
    coalesce({self.caps.used_up("skip")}, FALSE) AS capped_skip,
    {self.caps.release()} AS cap_release{caps}
  FROM i{joins}
)"""

    def _constant(self, row: Sequence[object]) -> str:
        """What all are offered alike: it stands in the statement, and is not looked up."""
        cells = ["NULL" if value is None else str(value) for value in row]
        kinds = list(OFFER.items())[1:]
        listed = (
            f"{self.d.as_text(cell) if kind == 'VARCHAR' else f'CAST({cell} AS {kind})'} AS {name}"
            for (name, kind), cell in zip(kinds, cells, strict=True)
        )
        return f"SELECT {', '.join(listed)}"

    def _ruled(self) -> str:
        """The reasons before and behind those of budgets, and whether waiting may help."""
        return """ruled AS (
  SELECT k.*, CASE WHEN k.no_address THEN 'no_address' WHEN k.suppressed THEN 'suppressed'
      WHEN k.no_consent THEN 'no_consent' WHEN k.controlled THEN 'global_control' END AS early,
    CASE WHEN k.quiet_hold OR k.quiet_skip THEN 'quiet'
      WHEN k.capped_hold OR k.capped_skip THEN 'capped' END AS late,
    k.no_address OR k.suppressed OR k.no_consent OR k.controlled OR k.quiet_skip
      OR k.capped_skip AS stuck,
    k.quiet_hold OR k.capped_hold AS held,
    greatest(CASE WHEN k.quiet_hold THEN k.quiet_release END,
      CASE WHEN k.capped_hold THEN k.cap_release END) AS release
  FROM candidate AS k
)"""

    def _judged(self) -> str:
        """What came of each candidate."""
        columns = ", ".join(f"k.{column}" for column in _CARRIED)
        if self.flat:
            return f"""judged AS (
  SELECT k.*, CASE WHEN k.channel IS NOT NULL THEN coalesce(k.early, k.late) END AS reason,
    NOT k.stuck AND k.held AS waiting
  FROM ruled AS k{self.d.barrier}
)"""
        if self.rations is None:
            return f"""judged AS (
  SELECT {columns}, coalesce(k.early, k.late) AS reason, NOT k.stuck AND k.held AS waiting,
    k.release, NULL AS budgets
  FROM ruled AS k
)"""
        free = release(self.d, self.program, "s.allowance", "u.oldest")
        pairs = self.d.as_text("s.amount")
        return f"""short AS (
  SELECT s.customer_id, s.run_id, s.position, min(b.kind) AS kind, max({free}) AS release,
    bool_or(NOT a.holds OR {free} IS NULL) AS stuck,
    string_agg(b.shown || ': ' || {pairs}, ', ' ORDER BY s.allowance) AS budgets
  FROM stopped AS s JOIN plan_budget AS b ON b.allowance = s.allowance
  JOIN verdict AS v ON v.customer_id = s.customer_id AND v.run_id = s.run_id
    AND v.position = s.position
  JOIN plan_allowance AS a ON a.step = v.step AND a.channel = v.channel
    AND a.allowance = s.allowance
  LEFT JOIN (SELECT allowance, min("at") AS oldest FROM spent GROUP BY allowance) AS u
    ON u.allowance = s.allowance
  GROUP BY s.customer_id, s.run_id, s.position
), judged AS (
  SELECT {columns}, coalesce(k.early, s.kind, k.late) AS reason,
    NOT k.stuck AND NOT coalesce(s.stuck, FALSE) AND (k.held OR s.run_id IS NOT NULL) AS waiting,
    greatest(k.release, s.release) AS release, s.budgets
  FROM verdict AS k LEFT JOIN short AS s ON s.customer_id = k.customer_id
    AND s.run_id = k.run_id AND s.position = k.position
)"""

    def _chosen(self) -> str:
        if self.single:
            return "chosen AS (SELECT *, NULL AS others FROM judged)"
        # Put in order as an aggregate they would be sorted person by person.
        last = max(o.position for o in self.offers)
        others = ", ".join(
            f"max(CASE WHEN position = {n} THEN channel || ': ' || coalesce(reason, 'open') END)"
            for n in range(last + 1)
        )
        return f"""settled AS (
  SELECT customer_id, run_id, min(CASE WHEN reason IS NULL THEN position END) AS open,
    min(CASE WHEN waiting THEN position END) AS held, min(position) AS first,
    min(CASE WHEN waiting THEN release END) AS release,
    concat_ws(', ', {others}) AS others
  FROM judged GROUP BY customer_id, run_id
),
chosen AS (
  SELECT j.customer_id, j.run_id, j.position, j.channel, j.cost, j.counted, j.quiet_from,
    j.quiet_until, j.caps, j.reason, j.waiting, s.release, j.budgets, s.others
  FROM settled AS s JOIN judged AS j ON j.customer_id = s.customer_id AND j.run_id = s.run_id
    AND j.position = coalesce(s.open, s.held, s.first)
)"""

    def _budgets(self, row: str) -> str:
        return self.d.literal(None, TEXT) if self.rations is None else f"{row}.budgets"

    def _figures(self, row: str) -> str:
        pairs = [
            ("channel", f"{row}.channel"),
            ("channels", self.d.literal(None, TEXT) if self.flat else f"{row}.others"),
            ("counted", self.d.as_json(self.caps.figures("i") if self.flat else f"{row}.caps")),
            *([] if self.limits is None else [("budgets", self._budgets(row))]),
        ]
        figures = self.d.json_object(pairs)
        return f"CASE WHEN {row}.reason IS NOT NULL THEN {figures} END"
