"""Budgets, capacities and guards of generated programs: so small that they bind."""

from __future__ import annotations

from tests.agreement.expressions import Expressions

_PERIODS = ("1h", "1d", "3d", "7d", "day", "week", "month")
_THEN = ("", "", " then hold", " then skip")
_CHANNELS = {"email": ("0.0004", "0.0008"), "sms": ("0.06", "0.12"), "any": ("0.06", "0.0604")}


def rule(draw: Expressions) -> str:
    """A policy's budget or capacity."""
    per = f" per {draw.pick(_PERIODS)}"
    if draw.chance(5):
        channel = draw.pick(("email", "email", "sms", "push"))
        return f"capacity {channel} {draw.pick((1, 1, 2, 3))}{per}{draw.pick(_THEN)}"
    channel = draw.pick(("email", "email", "sms", "any"))
    amount = draw.pick(_CHANNELS[channel])
    if draw.chance(2):
        return f"budget {channel} {amount} EUR then skip"
    return f"budget {channel} {amount} EUR{per}{draw.pick(_THEN)}"


def header(draw: Expressions, steps: str) -> list[str]:
    """A journey's own budget, if something of it costs anything."""
    if not any(f'{channel} "t"' in steps for channel in ("email", "sms")):
        return []
    period = f" per {draw.pick(_PERIODS)}{draw.pick(_THEN)}" if draw.chance(4) else ""
    return [f"budget {draw.pick(('0.06', '0.0608', '0.12'))} EUR{period}"]


def results(draw: Expressions) -> list[str]:
    """Guards on what the first goal brings."""
    over = f" over {draw.pick(('1h', '6h', '1d', '7d'))}"
    few = draw.pick(("orders <= 1", "leads < 1", "leads <= 1", "orders < 3"))
    many = draw.pick(("orders >= 1", "leads > 1", "orders > 2"))
    return [f"guard {few}{draw.pick(('', over))}"] if draw.chance(6) else [f"guard {many}{over}"]


def guards(draw: Expressions) -> list[str]:
    """What pauses a journey that has hardly begun."""
    over = draw.pick((" over 1h", " over 1d", " per 7d", ""))
    return [
        f"guard {one}{over}"
        for one in (
            draw.pick(("entries <= 1", "entries < 3", "entries <= 2")),
            draw.pick(("sends <= 1", "sends of email < 2", "sends <= 3")),
            draw.pick(("cost < 0.06 EUR", "cost of sms <= 0.06 EUR", "bounce_rate < 1%")),
        )
        if draw.chance(4)
    ]
