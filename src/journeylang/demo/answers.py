"""How the shop's people answer to the journeys: more of them order, and how many is set here.

The buckets are those of the language (`md5(salt:key) mod 10000`), so that whoever a
journey holds out does not answer to its messages. With another salt in a journey the answers
fall on other people than the journey's own, and its experiment finds nothing: a null
result to practise on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeylang.classes import dataclass

if TYPE_CHECKING:
    from journeylang.demo.shop import Shop

GLOBAL_SALT = "global-2026"
GLOBAL_SHARE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Shares of those messaged who order because of it; `holdout` in basis points.

    `plain` holds for buckets below 5,000 of `arm_salt` (the control arm), `better` for the
    rest; without an experiment both are the same.
    """

    journey: str
    holdout_salt: str
    holdout: int
    arm_salt: str | None
    plain: float
    better: float


WELCOME = Answer(
    journey="welcome",
    holdout_salt="welcome-holdout-2026",
    holdout=1000,
    arm_salt="welcome-subject-2026q1",
    plain=0.045,
    better=0.085,
)
CART = Answer(
    journey="cart",
    holdout_salt="cart-holdout-2026",
    holdout=1000,
    arm_salt=None,
    plain=0.09,
    better=0.09,
)
WINBACK = Answer(
    journey="winback",
    holdout_salt="winback-holdout-2026",
    holdout=1000,
    arm_salt="winback-approach-2026q1",
    plain=0.025,
    better=0.06,
)
REPLENISHMENT = Answer(
    journey="replenishment",
    holdout_salt="replenishment-holdout-2026",
    holdout=500,
    arm_salt="replenishment-hour-2026q1",
    plain=0.05,
    better=0.07,
)
ANSWERS = (WELCOME, CART, WINBACK, REPLENISHMENT)


def answers(answer: Answer, key: str, draw: str) -> str:
    """SQL: the customer `key` is messaged by the journey and orders because of it.

    `draw` is an expression in [0, 1).
    """
    share = str(answer.plain)
    if answer.arm_salt is not None:
        arm = _bucket(answer.arm_salt, key)
        share = f"CASE WHEN {arm} < 5000 THEN {answer.plain} ELSE {answer.better} END"
    return (
        f"({draw} < {share} AND {_bucket(answer.holdout_salt, key)} >= {answer.holdout}"
        f" AND {_bucket(GLOBAL_SALT, key)} >= {GLOBAL_SHARE})"
    )


def prompted(shop: Shop) -> str:
    """The orders that the welcome, the win-back and the reminder bring (carts bring their own)."""
    opening = f"TIMESTAMP '{shop.opening}'"
    # A last order and the next one: in the gap between, coffee runs low and interest cools.
    return f"""CREATE OR REPLACE TEMP TABLE prompted AS
WITH gap AS (
  SELECT i, key, mark, ts, lead(ts) OVER (PARTITION BY i ORDER BY ts, mark) AS next_at,
    row_number() OVER (PARTITION BY i ORDER BY ts, mark) AS nth
  FROM habit
), reached AS (
  SELECT i, key, 'w' || i AS mark, signed_up_at AS ts, 5 AS days,
    {answers(WELCOME, "key", "u('welcomed', i)")} AS yes
  FROM person WHERE signed_up_at >= {opening}
  UNION ALL
  SELECT i, key, 'b' || mark, greatest(ts + INTERVAL 121 DAY, {opening} + INTERVAL 1 DAY), 8,
    {answers(WINBACK, "key", "u('won back', mark)")}
  FROM gap WHERE nth >= 2 AND coalesce(next_at, TIMESTAMP 'infinity') > ts + INTERVAL 125 DAY
    AND ts BETWEEN {opening} - INTERVAL 150 DAY AND TIMESTAMP '{shop.last}' - INTERVAL 121 DAY
  UNION ALL
  SELECT i, key, 'r' || mark, greatest(ts + INTERVAL 38 DAY, {opening}), 4,
    {answers(REPLENISHMENT, "key", "u('reminded', mark)")}
  FROM gap WHERE coalesce(next_at, TIMESTAMP 'infinity') > ts + INTERVAL 43 DAY
    AND ts BETWEEN {opening} - INTERVAL 45 DAY AND TIMESTAMP '{shop.last}' - INTERVAL 38 DAY
)
SELECT r.i, r.key, r.mark, r.ts + to_seconds((86400 * (0.2 + r.days * u('answer', r.mark)))::INT)
  AS ts
FROM reached AS r
JOIN person AS p USING (i)
WHERE r.yes AND p.wants_email AND p.tired IS NULL AND p.email IS NOT NULL"""


def _bucket(salt: str, key: str) -> str:
    from journeylang.sql.dialects import DUCKDB

    return DUCKDB.bucket(salt, key)
