"""Small programs and worlds, to put one case in few words."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.agreement.both import Both, Look
from tests.agreement.prelude import TABLE_OF, instant, record

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
START = instant("2026-03-02T08:00")  # a Monday


def program(steps: str, *headers: str, policy: str = "", enter: str = "enter on signed_up") -> str:
    """A project of one journey `j` and a policy `p`."""
    return project(journey("j", steps, *headers, enter=enter), policy=policy)


def project(*definitions: str, policy: str = "") -> str:
    rules = policy or "cap any 100 per 1d"
    return "\n".join(("language 1", f"policy p {{ {rules} }}", *definitions))


def journey(name: str, steps: str, *headers: str, enter: str = "enter on signed_up") -> str:
    lines = "\n  ".join((enter, *headers, "policy p", *steps.strip().splitlines()))
    return f'journey {name} "J" {{\n  owner "a@b.example"\n  {lines}\n}}'


def people(pair: Both, *numbers: int, **values: Any) -> None:
    """Customers who can be reached by e-mail, in UTC unless said otherwise."""
    pair.add("crm.customers", *(person(n, **values) for n in numbers))
    said = {"at": instant("2025-01-01T00:00"), "topic": "email", "status": "in"}
    pair.add("crm.consents", *(record("crm.consents", customer_id=n, **said) for n in numbers))


def person(number: int, **values: Any) -> dict[str, Any]:
    given = {"id": number, "tz": "UTC", "country": "DE", "points": 10}
    given |= {"email": f"{number}@x.example"}
    return record("crm.customers", **(given | values))


def goes(pair: Both, *numbers: int) -> None:
    """They are customers no longer. Somebody else still is: an empty table says nothing."""
    there = [row for row in pair.tables.rows["crm.customers"] if row["id"] not in numbers]
    pair.put("crm.customers", [*there, person(999)])


def happens(pair: Both, event: str, at: datetime, customer: int = 1, **values: Any) -> None:
    table = TABLE_OF[event]
    key = len(pair.tables.rows[table]) + 1
    given = {"id": key, "customer_id": customer, "at": at}
    given |= {"status": "paid"} if event == "ordered" else {}
    given |= {"changed": at} if event == "visited" else {}
    pair.add(table, record(table, **(given | values)))


def ends(look: Look) -> list[tuple[str, str | None]]:
    """Status and reason of all runs, in the order of their entries."""
    return [(row[4], row[8]) for row in sorted(look["runs"], key=lambda r: (r[3], r[0]))]


def sent(look: Look) -> list[tuple[str, str, datetime]]:
    """Step, channel and instant of all messages."""
    return sorted(((row[3], row[4], row[5]) for row in look["messages"]), key=lambda m: m[2])


def refusals(look: Look) -> list[str]:
    return sorted(row[5] for row in look["decisions"])


def enters(pair: Both, now: datetime = START + HOUR, **values: Any) -> Look:
    people(pair, 1, **values)
    happens(pair, "signed_up", now - MINUTE)
    return pair.tick(now)
