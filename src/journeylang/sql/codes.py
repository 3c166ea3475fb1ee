"""Codes for the messages of a rank: drawn when all else is decided, each of them once.

Those who would be sent something with a code stand in the line of the rank, and the codes that
are free in theirs: the first gets the first. Made codes come from a hash; one that is taken is
made anew, all of a rank together, attempt by attempt.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import field

from journeylang.classes import dataclass
from journeylang.model.binding import Pattern, Pool, Promo
from journeylang.plan.operations import Program, SendPark
from journeylang.sql.compiler import Compiler
from journeylang.sql.dialects import Dialect, text
from journeylang.sql.relations import pool
from journeylang.sql.session import SENT, SKIPPED, of_rank, sends
from journeylang.sql.written import table

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
ATTEMPTS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """How codes of one promo are drawn; parameters {now, tick, round, rank}.

    `wanted` counts who needs one. Of a pool `attempts` is one statement, else several, each for
    those who still have none.
    """

    wanted: str
    attempts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodesSql:
    """`fill` writes the drawn codes into the messages' values, `refuse` skips who got none."""

    compiler: Compiler
    parks: tuple[SendPark, ...]
    fill: str
    refuse: str
    ranked: str
    _made: dict[frozenset[int], tuple[Drawing, ...]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def draws(self, steps: frozenset[int]) -> tuple[Drawing, ...]:
        """For those who stand at these sends, promo by promo."""
        asking = frozenset(p.step for p in self.parks if p.step in steps)
        if asking not in self._made:
            self._made[asking] = tuple(self._drawings(asking))
        return self._made[asking]

    def _drawings(self, steps: Collection[int]) -> list[Drawing]:
        by_promo: dict[str, list[int]] = {}
        for park in self.parks:
            if park.step in steps and park.code is not None:
                by_promo.setdefault(park.code.promo, []).append(park.step)
        promos = self.compiler.project.binding.promos
        return [
            _drawing(promos[name], at, self.compiler.dialect, self.ranked)
            for name, at in sorted(by_promo.items())
        ]


def codes_sql(compiler: Compiler, program: Program) -> CodesSql | None:
    """None if no message has a code."""
    parks = tuple(p for j in program.journeys for p in sends(j) if p.code is not None)
    if not parks:
        return None
    d = compiler.dialect
    ranked = of_rank(d, program)
    mine = f"s.phase = {d.parameter('round')}{ranked}"
    mine += f" AND s.outcome = {SENT}"
    drawn = _drawn(d, "s")
    return CodesSql(
        compiler=compiler,
        parks=parks,
        ranked=ranked,
        fill=f"""UPDATE decided AS s SET content = {d.json_with("s.content", "p.name", "k.code")}
FROM plan_code AS p JOIN journey.promo_code AS k ON k.promo = p.promo
WHERE p.step = s.step AND {mine} AND {drawn}""",
        refuse=f"""UPDATE decided AS s SET outcome = {SKIPPED}, reason = 'no_code'
WHERE {mine} AND s.step IN (SELECT step FROM plan_code) AND NOT EXISTS (
  SELECT 1 FROM plan_code AS p JOIN journey.promo_code AS k ON k.promo = p.promo
  WHERE p.step = s.step AND {drawn})""",
    )


def _drawn(d: Dialect, rows: str) -> str:
    """The code `k` of promo `p` is that of the row: of its decision, or of its customer."""
    return (
        f"k.customer_id = {rows}.customer_id AND (p.per_customer OR k.run_id = {rows}.run_id"
        f" AND k.step = {rows}.step AND k.tick = {d.parameter('tick')})"
        f" AND (p.until IS NULL OR {d.parameter('now')} < p.until)"
    )


def plan_tables(compiler: Compiler, program: Program) -> list[str]:
    """The sends with a code, and of which promo."""
    d, promos = compiler.dialect, compiler.project.binding.promos
    rows: list[Sequence[object]] = []
    for park in (p for j in program.journeys for p in sends(j)):
        if park.code is None:
            continue
        promo = promos[park.code.promo]
        per = isinstance(promo.source, Pattern) and promo.source.per_customer
        until = None if promo.until is None else d.instant(promo.until)
        name, code = text(park.path), text(park.code.name)
        rows.append((park.step, name, code, text(promo.name), "TRUE" if per else "FALSE", until))
    columns = "step INTEGER, path VARCHAR, name VARCHAR, promo VARCHAR, per_customer BOOLEAN,"
    return [table(d, "plan_code", f"{columns} until TIMESTAMP", rows)] if rows else []


def _drawing(promo: Promo, steps: Sequence[int], d: Dialect, ranked: str) -> Drawing:
    needing = _needing(promo, steps, d, ranked)
    left = (
        ""
        if promo.first is None
        else f"n <= {promo.first} - (SELECT count(*) FROM journey.promo_code AS c"
        f" WHERE c.promo = {text(promo.name)})"
    )
    source = promo.source
    attempts = (
        (_from_pool(promo, source, needing, left, d),)
        if isinstance(source, Pool)
        else tuple(_made(promo, source, needing, left, n, d) for n in range(ATTEMPTS))
    )
    return Drawing(wanted=f"WITH w AS ({needing}) SELECT count(*) FROM w", attempts=attempts)


def _needing(promo: Promo, steps: Sequence[int], d: Dialect, ranked: str) -> str:
    """Who needs a code and has none, numbered along the line."""
    in_time = "" if promo.until is None else f" AND {d.parameter('now')} < {d.instant(promo.until)}"
    return f"""SELECT s.customer_id, s.run_id, s.journey, s.step, p.path,
    row_number() OVER (ORDER BY o.priority DESC, s.arrived_at, o.ordinal, s.customer_id, s.run_id)
      AS n
  FROM decided AS s JOIN plan_code AS p ON p.step = s.step JOIN plan_send AS o ON o.step = s.step
  WHERE s.phase = {d.parameter("round")}{ranked}
    AND s.outcome = {SENT} AND s.step IN ({", ".join(str(step) for step in steps)}){in_time}
    AND NOT EXISTS (SELECT 1 FROM journey.promo_code AS k
      WHERE k.promo = p.promo AND {_drawn(d, "s")})"""


_COLUMNS = 'customer_id, promo, code, run_id, journey, step, tick, "at", expires_at'


def _row(promo: Promo, code: str, d: Dialect) -> str:
    now = d.parameter("now")
    expires = "NULL" if promo.expires is None else f"{now} + {d.interval(promo.expires)}"
    return (
        f"w.customer_id, {text(promo.name)}, {code}, w.run_id, w.journey, w.step,"
        f" {d.parameter('tick')}, {now}, {expires}"
    )


def _from_pool(promo: Promo, source: Pool, needing: str, left: str, d: Dialect) -> str:
    return f"""INSERT INTO journey.promo_code ({_COLUMNS})
WITH w AS (
  {needing}
), free AS (
  SELECT f.code, row_number() OVER (ORDER BY f.code) AS n FROM (
    SELECT b.code FROM {pool(source, d)} AS b
    WHERE b.code IS NOT NULL AND NOT EXISTS (
      SELECT 1 FROM journey.promo_code AS c WHERE c.code = b.code)
    ORDER BY b.code LIMIT (SELECT count(*) FROM w)) AS f
)
SELECT {_row(promo, "f.code", d)} FROM w JOIN free AS f ON f.n = w.n
{f"WHERE w.{left}" if left else ""}"""


def _made(promo: Promo, source: Pattern, needing: str, left: str, attempt: int, d: Dialect) -> str:
    key = [text(f"promo:{promo.name}"), d.as_text("w.customer_id")]
    if not source.per_customer:
        key += [d.as_text("w.run_id"), "w.path"]
    digest = d.md5(*key, text(str(attempt)))
    return f"""INSERT INTO journey.promo_code ({_COLUMNS})
WITH w AS (
  {needing}
), h AS (
  SELECT w.*, {digest} AS digest FROM w{f" WHERE w.{left}" if left else ""}
), c AS (
  SELECT h.*, {_spelled(source.text, d)} AS code FROM h
), one AS (
  SELECT c.*, row_number() OVER (PARTITION BY c.code ORDER BY c.n) AS turn FROM c
)
SELECT {_row(promo, "w.code", d)} FROM one AS w
WHERE w.turn = 1 AND NOT EXISTS (SELECT 1 FROM journey.promo_code AS c WHERE c.code = w.code)"""


def _spelled(pattern: str, d: Dialect) -> str:
    """The pattern with a letter for each `#`: one of 32 by two hex digits of the digest."""
    parts = []
    for at, piece in enumerate(pattern.split("#")):
        if at:
            place = f"{d.hex_number(f'substr(h.digest, {2 * at - 1}, 2)')} % {len(LETTERS)} + 1"
            parts.append(d.letter(text(LETTERS), place))
        if piece:
            parts.append(text(piece))
    return " || ".join(parts)
