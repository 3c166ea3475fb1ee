"""When a moment in the data is: an instant, or what a customer's clock is to show.

A date is the midnight with which it begins on that clock; a time of day the next such time
strictly after the arrival (`left_at` of the rows).
"""

from __future__ import annotations

from journeylang.model.types import INSTANT
from journeylang.plan.operations import Moment, OpeningHour
from journeylang.sql.best_hour import HOUR
from journeylang.sql.expressions import value
from journeylang.sql.relations import customer_column
from journeylang.sql.scope import Scope

EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)
# Clocks that skip days, or go back over midnight, take one or two more than the week.
_DAYS_ON = 3
_A_WEEK_ON = 10

# What lies behind is as good as never, and some databases know dates that nothing else does.
_LAST_DAY = "TIMESTAMP '9999-12-31 00:00:00'"


def instant(moment: Moment | OpeningHour, scope: Scope) -> str:
    """The instant, NULL where it is unknown; the joins that it needs are left with the scope.

    The own best hour is under the alias `best_hour.HOUR`.
    """
    d = scope.dialect
    if isinstance(moment, OpeningHour):
        hour = d.full_hour(f"coalesce({HOUR}.hour, {d.parameter('best_hour')})")
        return next_time(hour, moment.wall, EVERY_DAY, scope, within=moment.within)
    if moment.wall is None:
        return value(moment.value, scope)
    if moment.weekdays is None:
        midnight = f"CAST({value(moment.value, scope)} AS {d.column_type(INSTANT)})"
        wall = f"CASE WHEN {midnight} > {_LAST_DAY} THEN {_LAST_DAY} ELSE {midnight} END"
        return _shown(wall, moment.wall, scope)
    return next_time(value(moment.value, scope), moment.wall, moment.weekdays, scope)


def _zone(scope: Scope) -> str:
    scope.fields["timezone"] = None
    return f'{scope.customer}."{customer_column("timezone")}"'


def _shown(wall: str, rule: int, scope: Scope) -> str:
    """When the customer's clock first shows `wall`, or has gone past it."""
    key = (rule, wall)
    scope.further.setdefault(key, "")
    alias = f"v{list(scope.further).index(key)}"
    scope.further[key] = (
        f"\nLEFT JOIN zone_rule AS {alias} ON {alias}.zone = {_zone(scope)}"
        f" AND {alias}.rule = {rule} AND {wall} >= {alias}.since AND {wall} < {alias}.until"
    )
    return f"coalesce({alias}.instant, {scope.dialect.shift(wall, f'{alias}.shift')})"


def next_time(
    at: str,
    rule: int,
    weekdays: tuple[int, ...],
    scope: Scope,
    *,
    within: int | None = None,
) -> str:
    """The first instant after the arrival at which the clock shows the TIME `at`, on such a day.

    NULL if that is more than `within` seconds on.
    """
    arrival, zone = f"{scope.rows.alias}.left_at", _zone(scope)
    scope.further["today"] = (
        f"\nLEFT JOIN zone_day AS today ON today.zone = {zone}"
        f" AND {arrival} >= today.since AND {arrival} < today.until"
    )
    every_day = weekdays == EVERY_DAY
    days = ", ".join(f"({n})" for n in range(1 + (_DAYS_ON if every_day else _A_WEEK_ON)))
    day = "(today.date + n.days)"
    wall = f"({day} + {at})"
    found = f"coalesce(z.instant, {scope.dialect.shift(wall, 'z.shift')})"
    allowed = ", ".join(str(number) for number in weekdays)
    on = "" if every_day else f" AND extract(isodow FROM {day}) IN ({allowed})"
    soon = "" if within is None else f" AND {found} <= {arrival} + {scope.dialect.interval(within)}"
    return (
        f"(SELECT min({found}) FROM (VALUES {days}) AS n(days), zone_rule AS z"
        f" WHERE z.zone = {zone} AND z.rule = {rule} AND {wall} >= z.since AND {wall} < z.until"
        f" AND {found} > {arrival}{on}{soon})"
    )
