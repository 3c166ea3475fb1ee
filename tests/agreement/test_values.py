"""What expressions are worth, and when waits end: in both forms."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from tests.agreement.both import both
from tests.agreement.prelude import instant
from tests.agreement.small import (
    DAY,
    HOUR,
    MINUTE,
    START,
    ends,
    enters,
    happens,
    people,
    program,
)


def wakes(zone: str, entered: datetime, wait: str) -> datetime:
    """When somebody wakes who begins to wait at an instant."""
    with both(program(f"w: wait {wait}"), entered - DAY) as pair:
        people(pair, 1, tz=zone)
        happens(pair, "signed_up", entered)
        woken = pair.tick(entered)["runs"][0][7]
        assert isinstance(woken, datetime)
        return woken


@pytest.mark.parametrize(
    ("zone", "entered", "wait", "woken"),
    [
        # Spring: 02:00 to 03:00 does not exist in Berlin on 29 March.
        ("Europe/Berlin", "2026-03-28T01:30", "1d", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-03-28T12:00", "until 02:15", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-03-28T12:00", "1d", "2026-03-29T11:00"),
        ("Europe/Berlin", "2026-03-28T12:00", "24h", "2026-03-29T12:00"),
        # Autumn: 02:00 to 03:00 happens twice on 25 October.
        ("Europe/Berlin", "2026-10-24T00:30", "1d", "2026-10-25T00:30"),
        ("Europe/Berlin", "2026-10-25T00:45", "until 02:30", "2026-10-26T01:30"),
        # The second half past two; a year and a week later clocks are put back again.
        ("Europe/Berlin", "2026-10-25T01:30", "53w", "2027-10-31T00:30"),
        # Half an hour, at the other end of the world.
        ("Australia/Lord_Howe", "2026-04-04T12:00", "until 01:45", "2026-04-04T14:45"),
        ("Australia/Lord_Howe", "2026-10-03T12:00", "until 02:15", "2026-10-03T15:30"),
        ("Asia/Kathmandu", "2026-03-02T08:00", "until 09:00 on monday", "2026-03-09T03:15"),
        ("UTC", "2026-01-31T06:00", "1mo", "2026-02-28T06:00"),
        ("Mars/Olympus", "2026-01-31T06:00", "until 09:00", "2026-01-31T08:00"),
        ("UTC", "2026-03-02T09:00", "until 09:00", "2026-03-03T09:00"),
    ],
)
def test_waits_keep_the_customers_clock(zone: str, entered: str, wait: str, woken: str) -> None:
    assert wakes(zone, instant(entered), wait) == instant(woken)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("customer.rate != 5.0", False),
        ("not (customer.rate = 5.0)", True),
        ("customer.rate is unknown", True),
        ("sum(signed_up.score) = 0", False),
        ("sum(signed_up.score) is unknown", True),
        ("sum(visited.weight) = 0.0", True),
        ("count(visited) = 0", True),
        ("avg(visited.weight) is unknown", True),
        ("(customer.points / 0) is unknown", True),
        ("(9223372036854775807 + 1) is unknown", True),
        ("avg(ordered.total) = 0.0002 EUR", True),
        ("(sum(ordered.total) / 2) = 0.0002 EUR", True),
        ("(0.0001 EUR * 0.5) = 0 EUR", True),
        ("(0.0003 EUR * 0.5) = 0.0002 EUR", True),
        ('customer.timezone = "UTC"', True),
        # Half-open at the old end: two orders an hour ago, and this run's own sign-ups.
        ("count(ordered within 1h) = 0", True),
        ("count(ordered within 61m) = 2", True),
        ("count(signed_up since entry) = 0", True),
        ("count(signed_up since last(ordered)) = 2", True),
        ("count(signed_up since last(visited)) = 0", True),
        ("last(ordered) older than 1h", True),
        ("last(ordered) newer than 1h", False),
        ("last(ordered.items) is unknown", True),
        ("first(ordered.items) = 1", True),
        ("(1000000000000.0 * 1000000000000.0) is known", True),
    ],
)
def test_expressions_are_total(condition: str, holds: bool) -> None:
    with both(program("w: wait 1h", f"exit when {condition} as held"), START) as pair:
        people(pair, 1)
        for score in (2**62, 2**62):
            happens(pair, "signed_up", START + MINUTE, score=score)
        for total, items in (("0.0001", 1), ("0.0002", None)):
            happens(pair, "ordered", START, total=Decimal(total), items=items)
        look = pair.tick(START + HOUR)
        assert ends(look) == [("exited", "held") if holds else ("active", None)]


def test_a_number_that_grows_beyond_all_bounds_is_unknown() -> None:
    with both(program("w: wait 1h", "exit when (customer.rate * 10.0) is known"), START) as pair:
        assert ends(enters(pair, rate=1e308)) == [("active", None)]
