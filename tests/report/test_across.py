"""What is told of all journeys together, against a count of the same tables."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from journeylang.model.expressions import MessageEvent
from journeylang.report.base import base
from journeylang.report.customers import customers
from journeylang.report.effects import effects
from journeylang.report.hypotheses import hypotheses
from journeylang.report.offers import offers
from journeylang.report.source import Source
from journeylang.report.tables import Table
from tests.engines.databases import ENGINES
from tests.report import shop
from tests.report.test_figures import rows

pytestmark = pytest.mark.slow

WINDOW = timedelta(days=2)
_OWN = "style/plain/hello"


@pytest.fixture(scope="module", params=ENGINES)
def read(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Source]:
    root = shop.make(tmp_path_factory.mktemp("shop"), request.param)
    with shop.source(root) as found:
        yield found


def test_messages_are_judged_by_the_goal_behind_them(read: Source) -> None:
    orders = defaultdict(list)
    for customer, at in read.query('SELECT customer_id, "at" FROM shop.orders'):
        orders[customer].append(at)
    judged = [
        (customer, at)
        for customer, at in read.query("SELECT customer_id, decided_at FROM journey.messages")
        if at + WINDOW <= read.now
    ]
    hits = sum(any(at < o <= at + WINDOW for o in orders[customer]) for customer, at in judged)
    (email,) = rows(effects(read, list(read.project.journeys.values())))
    assert (email["messages"], email["reached"]) == (len(judged), hits)
    assert hits
    assert email["cost"] == len(judged) * Decimal("0.5")
    # There is no other channel to compare it with.
    assert email["call"] == "watch"


def test_codes(read: Source) -> None:
    (ten,) = rows(offers(read))
    codes = read.query("SELECT code, expires_at FROM journey.promo_code")
    uses = read.query("SELECT code FROM shop.uses WHERE code <> 'TEN-none'")
    assert (ten["issued"], ten["redeemed"]) == (len(codes), len(uses))
    assert ten["expired"] == sum(expires <= read.now for _, expires in codes)
    assert 0 < int(str(ten["expired"])) < len(codes)
    assert ten["cost"] == 5 * len(uses)
    assert ten["margin"] is None


def test_the_base(read: Source) -> None:
    everybody, channels = base(read)
    assert rows(everybody)[0]["customers"] == shop.PEOPLE
    by_name = {str(row["channel"]): row for row in rows(channels)}
    agreed = {row[0] for row in read.query("SELECT DISTINCT customer_id FROM crm.consents")}
    assert by_name["email"]["address"] == shop.PEOPLE
    assert by_name["email"]["consent"] == by_name["email"]["reachable"] == len(agreed)
    mobile = {row[0] for row in read.query("SELECT id FROM crm.customers WHERE mobile IS NOT NULL")}
    # Consent by text follows from the number.
    assert by_name["sms"]["address"] == by_name["sms"]["reachable"] == len(mobile)
    # Everybody's consent is from January.
    assert by_name["email"]["joined"] == 0
    active = {row[0] for row in read.query("SELECT customer_id FROM shop.signups")}
    assert rows(everybody)[1]["customers"] == shop.PEOPLE - len(active) == 0


def test_who_cannot_be_reached_any_more(read: Source) -> None:
    before = {str(row["channel"]): row for row in rows(base(read)[1])}["email"]
    with shop.undone(read):
        read.engine.execute(
            'INSERT INTO journey.suppression (customer_id, channel, "at", reason)'
            f" VALUES (1, 'email', TIMESTAMP '{read.now}', 'hard_bounce')"
        )
        read.engine.execute(
            'INSERT INTO journey.consent_change (customer_id, consent, "at", granted)'
            f" VALUES (2, 'email_ok', TIMESTAMP '{read.now}', FALSE)"
        )
        read.engine.execute("UPDATE crm.customers SET email = 'p3@shop.example' WHERE id = 4")
        after = {str(row["channel"]): row for row in rows(base(read)[1])}["email"]
    assert int(str(after["reachable"])) == int(str(before["reachable"])) - 2
    assert (after["suppressed"], after["left"], after["shared"]) == (1, 1, 2)


def test_purchases_pressure_and_overlap(read: Source) -> None:
    tables = {table.name: table for table in customers(read, list(read.project.journeys.values()))}
    bought = Counter(row[0] for row in read.query("SELECT customer_id FROM shop.orders"))
    often = Counter(
        0 if n == 1 else 1 if n == 2 else 2 if n < 5 else 3 if n < 10 else 4
        for n in bought.values()
    )
    (recent, *older) = rows(tables["rfm"])
    assert [recent[name] for name in ("once", "twice", "3 to 4")] == [often[0], often[1], often[2]]
    assert all(row["once"] == 0 for row in older)
    (cohort,) = rows(tables["cohorts"])
    assert cohort["cohort"] == "2026-03-01"
    assert cohort["customers"] == len(bought)
    assert cohort["again"] == sum(n > 1 for n in bought.values()) / len(bought)
    sent = Counter(row[0] for row in read.query("SELECT customer_id FROM journey.messages"))
    pressure = rows(tables["pressure"])
    assert sum(int(str(row["messages"])) for row in pressure) == sent.total()
    assert pressure[0]["customers"] == sum(n == 1 for n in sent.values())
    assert tables["overlap"].rows == ()
    (domain,) = rows(tables["domains"])
    assert (domain["domain"], domain["sent"]) == ("shop.example", sent.total())


def test_what_was_expected(read: Source) -> None:
    assert outcome(read) == "undecided"
    for arm, told in (("bold", "confirmed"), ("plain", "refuted")):
        assert with_orders_of(read, arm) == told


def with_orders_of(read: Source, arm: str) -> str:
    """The outcome if everybody of an arm orders soon after; it is taken back."""
    told = ""
    with shop.undone(read):
        read.engine.execute(
            'INSERT INTO shop.orders (id, customer_id, "at", total)'
            " SELECT 9000 + x.customer_id, x.customer_id, x.at + INTERVAL '1' HOUR, 9"
            f" FROM journey.exposures AS x WHERE x.arm = '{arm}'"
        )
        told = outcome(read)
    assert told
    return told


def outcome(read: Source) -> str:
    table: Table = hypotheses(read, list(read.project.journeys.values()))
    (style,) = rows(table)
    assert style["expected"] == "+5pp by the bold one"
    return str(style["outcome"])


def test_messages_are_judged_by_a_goal_of_their_own_run(read: Source) -> None:
    welcome = read.project.journeys["welcome"]
    (number,) = {step for (_, path), step in read.numbering.steps.items() if path == _OWN}
    clicked = MessageEvent(
        name="clicked", journey="welcome", path=_OWN, own=True, span=welcome.span
    )
    goal = replace(welcome.goals[0], event=clicked, where=None, within=2 * 86400, worth=None)
    (email,) = rows(effects(read, [replace(welcome, goals=(goal,))]))
    # Whoever is in the journey again has another run.
    clicks = defaultdict(list)
    for run, at in read.query(
        "SELECT CAST(m.customer_id AS VARCHAR) || ':' || m.run_id, f.at"
        " FROM journey.message_event AS f JOIN journey.message AS m"
        "   ON m.message_id = f.message_id AND m.customer_id = f.customer_id"
        f" WHERE f.name = 'clicked' AND m.step = {number}"
    ):
        clicks[run].append(at)
    judged = [
        (run, at)
        for run, at in read.query(
            "SELECT CAST(m.customer_id AS VARCHAR) || ':' || m.run_id, m.decided_at"
            " FROM journey.message AS m WHERE m.action IS NULL"
        )
        if at + WINDOW <= read.now
    ]
    hits = sum(any(at < click <= at + WINDOW for click in clicks[run]) for run, at in judged)
    assert hits
    assert (email["messages"], email["reached"]) == (len(judged), hits)
