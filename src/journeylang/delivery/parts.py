"""Text messages are paid by the part, and in how many one goes is known when it is written.

A decision charges one part. As a message goes out, its cost and what it takes from budgets become
those of all its parts, as of the decision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import assert_never

from journeylang.delivery.chunks import Mail
from journeylang.delivery.mime import Email
from journeylang.delivery.provider import Call, Finished, Note, Outgoing
from journeylang.engines.base import Engine
from journeylang.sql.allowances import of_money
from journeylang.sql.dialects import Dialect


def parts_of(one: Outgoing) -> int:
    """1 for everything that is no text message."""
    match one:
        case Finished() | Note():
            return one.parts
        case Email() | Call():
            return 1
        case _:
            assert_never(one)


def charge_parts(engine: Engine, mails: Sequence[Mail]) -> None:
    """Inside the transaction that lets them out. Again with the same parts, nothing changes."""
    # An earlier attempt may have been longer.
    counted = {
        mail.of.message: number
        for mail in mails
        if (number := parts_of(mail.outgoing)) > 1 or mail.of.attempt > 1
    }
    if counted:
        charge(engine, counted)


def charge(engine: Engine, parts: Mapping[int, int]) -> None:
    """The messages `parts` go in so many."""
    ids = list(parts)
    if engine.execute(_message(engine.dialect), {"ids": ids, "parts": list(parts.values())}):
        engine.execute(_budgets(engine.dialect), {"ids": ids})


def _message(d: Dialect) -> str:
    """{ids, parts}: what they cost; of a channel without a cost the parts alone."""
    each = "journey.message.cost / coalesce(journey.message.parts, 1)"
    return f"""UPDATE journey.message
SET cost = CAST(least({each} * a.parts, 99999999999999) AS DECIMAL(18,4)), parts = a.parts
FROM (SELECT unnest({d.parameter("ids")}::BIGINT[]) AS message_id,
  unnest({d.parameter("parts")}::INTEGER[]) AS parts) AS a
WHERE journey.message.message_id = a.message_id
  AND coalesce(journey.message.parts, 1) <> a.parts"""


def _budgets(d: Dialect) -> str:
    """{ids}: what they take from budgets is what they cost."""
    return f"""UPDATE journey.budget_use SET amount = m.cost FROM journey.message AS m
WHERE m.message_id IN (SELECT unnest({d.parameter("ids")}::BIGINT[]))
  AND m.cost IS NOT NULL AND {of_money("journey.budget_use.budget")}
  AND journey.budget_use.message_id = m.message_id
  AND journey.budget_use.customer_id = m.customer_id"""
