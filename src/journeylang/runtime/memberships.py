"""Who is inside a segment when a journey that is entered by joining it is first applied."""

from __future__ import annotations

from datetime import datetime

from journeylang.engines.base import Engine
from journeylang.runtime.program import Ready
from journeylang.runtime.rankings import make_answers
from journeylang.sql.dialects import text
from journeylang.sql.session import INSIDE, temporary


def begin_memberships(engine: Engine, ready: Ready, key_type: str, now: datetime) -> None:
    """Take down who is inside at `now`, once per journey: they have not come from outside.

    A journey that is entered otherwise begins anew if it is ever entered by joining again.
    """
    joining = [sql for sql in ready.journeys if sql.membership is not None]
    others = [sql.journey for sql in ready.journeys if sql.membership is None]
    known = {
        int(name.removeprefix(_MARK))
        for (name,) in engine.query(
            f"SELECT name FROM journey.watermark WHERE starts_with(name, {text(_MARK)})"
        )
    }
    left = known.intersection(others)
    if left:
        listed = ", ".join(str(journey) for journey in sorted(left))
        marks = ", ".join(text(f"{_MARK}{journey}") for journey in sorted(left))
        engine.execute(f"DELETE FROM journey.member WHERE journey IN ({listed})")
        engine.execute(f"DELETE FROM journey.watermark WHERE name IN ({marks})")
    new = [sql for sql in joining if sql.journey not in known]
    if new:
        engine.execute(temporary(engine.dialect, "inside", INSIDE, key_type))
        make_answers(engine, ready, key_type, [sql.journey for sql in new], now)
    for sql in new:
        assert sql.membership is not None
        engine.execute(sql.membership.inside, {"now": now})
        for statement in sql.membership.keep:
            engine.execute(statement)
        at = engine.dialect.instant(now)
        engine.execute(
            f"INSERT INTO journey.watermark (name, \"at\") VALUES ('{_MARK}{sql.journey}', {at})"
        )


_MARK = "joins "
