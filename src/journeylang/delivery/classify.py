"""What a provider's answer means: the manifest's rules in order, and then its status alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, assert_never

from journeylang.delivery import wording
from journeylang.delivery.declared import Cost, Match, Outcome, Response, Rule, Wanted
from journeylang.delivery.outcome import Accepted, Answer, Refused, TryLater, Unknown
from journeylang.delivery.outcome import Cost as Paid
from journeylang.delivery.paths import Reply, first, found, members

LONGEST_WAIT = 3600
"""Seconds that an answer is believed when it says how long to wait."""


def outcome(reply: Reply, rules: Sequence[Rule], *, keyed: bool) -> Outcome:
    """The first rule that fits; `keyed`: asking again does no harm."""
    for rule in rules:
        if _fits(reply, rule):
            return rule.outcome
    return by_status(reply.status, keyed=keyed)


class Meanings:
    """Outcomes of one provider's answers. Nearly all say the same wherever a rule looks: these are
    known by what stands there."""

    def __init__(self, rules: Sequence[Rule], *, keyed: bool) -> None:
        self._rules = rules
        self._keyed = keyed
        self._places = tuple(dict.fromkeys((place,) for rule in rules for place in rule.where))
        # At such a place there may be several values.
        self._single = not any("*" in place for (place,) in self._places)
        self._members = members([place for (place,) in self._places])
        self._known: dict[tuple[object, ...], Outcome] = {}
        self._by_status: dict[int, Outcome | None] = {}

    def of(self, reply: Reply) -> Outcome:
        """As `outcome`."""
        status = reply.status
        try:
            alone = self._by_status[status]
        except KeyError:
            alone = self._by_status[status] = self._of_status(status)
        if alone is not None:
            return alone
        if not self._single:
            return outcome(reply, self._rules, keyed=self._keyed)
        key: tuple[object, ...]
        if self._members is not None and type(reply.body) is dict:
            key = status, *map(reply.body.get, self._members)
        else:
            key = status, *[first(reply, one) for one in self._places]
        # `True` is equal to 1, and no status or code.
        typed = (*key, *map(type, key))
        try:
            known = self._known.get(typed)
        except TypeError:
            return outcome(reply, self._rules, keyed=self._keyed)
        if known is None:
            known = outcome(reply, self._rules, keyed=self._keyed)
            if all(type(one) in _PLAIN and len(str(one)) <= _SHORT for one in key):
                if len(self._known) >= _MOST:
                    self._known.clear()
                self._known[typed] = known
        return known

    def _of_status(self, status: int) -> Outcome | None:
        """What it means whatever else is said; None: that depends."""
        for rule in self._rules:
            if rule.status and not _among(status, rule.status):
                continue
            return None if rule.where else rule.outcome
        return by_status(status, keyed=self._keyed)


_SHORT, _MOST = 64, 256
_PLAIN = frozenset({int, str, bool, type(None)})


def by_status(status: int, *, keyed: bool) -> Outcome:
    """What a status means where nothing else is said."""
    match status:
        case _ if 200 <= status < 300:
            return "accepted"
        case 429 | 503:
            return "throttle"
        case 401 | 403 | 407:
            return "auth"
        case 404 | 405 | 410:
            return "config"
        case 408 | 425:
            return "retry"
        case _ if 300 <= status < 400:
            return "config"
        case _ if status >= 500:
            return "retry" if keyed else "unknown"
        case _:
            return "rejected"


def _fits(reply: Reply, rule: Rule) -> bool:
    if rule.status and not _among(reply.status, rule.status):
        return False
    return all(_holds(list(found(reply, place)), wanted) for place, wanted in rule.where.items())


@lru_cache(maxsize=1024)
def _among(status: int, wanted: tuple[int | str, ...]) -> bool:
    return any(_in(status, one) for one in wanted)


def _in(status: int, wanted: int | str) -> bool:
    text = str(wanted)
    if text.endswith("xx"):
        return status // 100 == int(text[0])
    low, _, high = text.partition("-")
    return int(low) <= status <= int(high or low)


def _holds(values: list[Any], wanted: Wanted) -> bool:
    match wanted:
        case Match(present=bool() as present):
            return bool(values) == present
        case Match():
            pattern = re.compile(wanted.matches or "", re.IGNORECASE)
            return any(pattern.search(_shown(value)) for value in values)
        case tuple():
            return any(_same(value, one) for value in values for one in wanted)
        case _:
            return any(_same(value, wanted) for value in values)


def _same(value: Any, wanted: str | float | bool) -> bool:
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    # Providers change between 200 and "200".
    return value == wanted or _shown(value) == str(wanted)


def _shown(value: Any) -> str:
    if isinstance(value, str | int | float):
        return str(value)[:4096]
    return str(value)[:4096] if value else ""


def answer(
    reply: Reply,
    meaning: Outcome,
    response: Response,
    cost: Cost | None,
    *,
    now: datetime,
    fallback_id: str,
    personal: Callable[[], Sequence[str]] = tuple,
) -> Answer:
    """The answer for one message; what is `personal` is taken out of the provider's words."""
    if meaning == "accepted":
        known = first(reply, response.id)
        return Accepted(
            provider_id=wording.recordable(_shown(known)[:200])
            if known is not None
            else fallback_id,
            cost=_paid(reply, cost),
        )
    said = first(reply, response.detail)
    detail = f"HTTP {reply.status}"
    if said is not None:
        detail = f"{detail}: {wording.words(_shown(said), *personal())}"
    match meaning:
        case "throttle":
            return TryLater(detail=detail, after=wait(reply, response, now), of_channel=True)
        case "retry":
            return TryLater(detail=detail, after=wait(reply, response, now))
        case "unknown":
            return Unknown(detail=f"{detail}: it may have been taken")
        case "invalid_recipient" | "opted_out" | "auth" | "config" | "rejected":
            return Refused(kind=meaning, detail=detail)
        case _:
            assert_never(meaning)


def wait(reply: Reply, response: Response, now: datetime) -> int | None:
    """Seconds to wait as the answer says; None if it says nothing that is understood."""
    for place in response.retry_after:
        for value in found(reply, place.place):
            seconds = _seconds(value, place.unit, now)
            if seconds is not None:
                return min(max(seconds, 0), LONGEST_WAIT)
    return None


def _seconds(value: Any, unit: str, now: datetime) -> int | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return _until(value, now) if isinstance(value, str) else None
    if not 0 <= number < 1e15:
        return None
    match unit:
        case "milliseconds":
            number /= 1000
        case "epoch":
            number -= now.replace(tzinfo=now.tzinfo or UTC).timestamp()
        case _:
            pass
    whole = int(number)
    return whole if whole == number else whole + 1


def _until(value: str, now: datetime) -> int | None:
    """Of a date as in HTTP."""
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return int((at.replace(tzinfo=at.tzinfo or UTC) - now.replace(tzinfo=UTC)).total_seconds())


def _paid(reply: Reply, cost: Cost | None) -> Paid | None:
    if cost is None:
        return None
    amount = first(reply, (cost.amount,))
    currency = first(reply, (cost.currency,)) if ":" in cost.currency else cost.currency
    if amount is None or not isinstance(currency, str) or len(currency) != 3:
        return None
    try:
        # Some write what is taken from an account with a minus.
        number = abs(Decimal(str(amount)))
    except InvalidOperation:
        return None
    return Paid(amount=number, currency=currency.upper()) if number.is_finite() else None
