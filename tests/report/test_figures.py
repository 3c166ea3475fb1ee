"""Figures of a report against a count of the same tables, row by row."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from journeylang.engines.base import DatabaseUnavailableError, Engine
from journeylang.model.expressions import CustomerValue, SegmentTest
from journeylang.model.measures import Target
from journeylang.model.types import INT
from journeylang.report.channels import channels
from journeylang.report.divided import by_part, over_time
from journeylang.report.experiments import experiments, look, trials
from journeylang.report.funnel import by_arm, funnel, losses, overview
from journeylang.report.goals import GROUPS, goals
from journeylang.report.groups import by_first_entry
from journeylang.report.outcomes import outcomes
from journeylang.report.read import Asked, journey
from journeylang.report.source import Source
from journeylang.report.tables import Cell, Table
from journeylang.report.targets import targets
from journeylang.report.together import prepare
from journeylang.stats.moments import Rate
from journeylang.stats.proportions import compare
from tests.engines.databases import ENGINES
from tests.report import shop

pytestmark = pytest.mark.slow

WINDOW = timedelta(days=2)


@pytest.fixture(scope="module", params=ENGINES)
def read(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Source]:
    root = shop.make(tmp_path_factory.mktemp("shop"), request.param)
    with shop.source(root) as found:
        yield found


@dataclass(slots=True)
class Group:
    customers: int = 0
    mature: int = 0
    reached: int = 0
    value: Decimal = Decimal(0)
    squares: Decimal = Decimal(0)
    messages: int = 0


def counted(read: Source, exposed: dict[Any, tuple[str, datetime]]) -> dict[str, Group]:
    """By hand: `exposed` is the group and the instant of each customer."""
    orders = defaultdict(list)
    for customer, at, total in read.query('SELECT customer_id, "at", total FROM shop.orders'):
        orders[customer].append((at, total))
    messages = read.query("SELECT customer_id, decided_at FROM journey.messages")
    groups: dict[str, Group] = defaultdict(Group)
    for customer, (name, since) in exposed.items():
        group = groups[name]
        group.customers += 1
        if since + WINDOW > read.now:
            continue
        group.mature += 1
        mine = [
            total
            for at, total in orders[customer]
            if since < at <= since + WINDOW and at <= read.now
        ]
        worth = sum((Decimal(total) for total in mine if total is not None), Decimal(0))
        group.reached += bool(mine)
        group.value += worth
        group.squares += worth * worth
        group.messages += sum(
            who == customer and since <= at <= since + WINDOW for who, at in messages
        )
    return groups


def firsts(read: Source) -> dict[Any, tuple[str, datetime]]:
    found: dict[Any, tuple[str, datetime]] = {}
    for customer, status, at in read.query(
        "SELECT customer_id, status, entered_at FROM journey.runs ORDER BY entered_at DESC"
    ):
        found[customer] = ("held_out" if status == "held_out" else "treated", at)
    return found


def rows(table: Table) -> list[dict[str, Cell]]:
    names = [column.name for column in table.columns]
    return [dict(zip(names, row, strict=True)) for row in table.rows]


def test_goals_are_counted_from_the_first_entry(read: Source) -> None:
    welcome = read.project.journeys["welcome"]
    found = outcomes(read, welcome, welcome.goals[0], by_first_entry(read, welcome), worth=True)
    expected = counted(read, firsts(read))
    assert {one.arm for one in found} == set(expected) == {"treated", "held_out"}
    for one in found:
        by_hand = expected[one.arm]
        assert by_hand.mature < by_hand.customers
        assert by_hand.reached
        assert one.value is not None
        assert (one.customers, one.mature, one.reached, one.messages) == (
            by_hand.customers,
            by_hand.mature,
            by_hand.reached,
            by_hand.messages,
        )
        assert one.value.total == by_hand.value
        assert float(one.value.squares) == pytest.approx(float(by_hand.squares))
        assert one.cost == one.messages * Decimal("0.5")
        assert one.net is not None
        assert one.offers == 5 * codes_used(read, one.arm)
        assert one.net.total == by_hand.value - one.messages * Decimal("0.5") - Decimal(one.offers)


def codes_used(read: Source, group: str) -> int:
    """Within the window of those whose window is over, by whoever; a code is one customer's."""
    owners = dict(read.query("SELECT code, customer_id FROM journey.promo_code"))
    exposed = firsts(read)
    used = 0
    for code, at in read.query('SELECT code, "at" FROM shop.uses'):
        name, since = exposed.get(owners.get(code), ("nobody", at))
        mature = since + WINDOW <= read.now
        used += name == group and mature and since < at <= since + WINDOW
    assert used or group == "held_out"
    return used


def test_arms_are_counted_from_the_exposure(read: Source) -> None:
    welcome = read.project.journeys["welcome"]
    (trial,) = trials(welcome)
    assert [name for name, _ in trial.arms] == ["plain", "bold"]
    seen = look(read, welcome, trial, welcome.goals[0])
    exposed = {
        customer: (arm, at)
        for customer, arm, at in read.query(
            "SELECT customer_id, arm, \"at\" FROM journey.exposures WHERE experiment = 'style'"
        )
    }
    expected = counted(read, exposed)
    for one in seen.arms:
        by_hand = expected[one.arm]
        assert (one.customers, one.mature, one.reached) == (
            by_hand.customers,
            by_hand.mature,
            by_hand.reached,
        )
        assert one.value is not None
        assert one.value.total == by_hand.value
    assert seen.comparable


def test_what_was_caused_is_the_difference_of_the_groups(read: Source) -> None:
    welcome = read.project.journeys["welcome"]
    tables = {table.name: table for table in goals(read, welcome)}
    groups = {row["group"]: row for row in rows(tables["goal:1"])}
    treated, held = groups[GROUPS["treated"]], groups[GROUPS["held_out"]]
    (caused,) = rows(tables["caused:1"])
    own = compare(
        Rate(n=int(str(held["mature"])), hits=int(str(held["reached"]))),
        Rate(n=int(str(treated["mature"])), hits=int(str(treated["reached"]))),
    )
    assert caused["p"] == own.p  # type: ignore[union-attr]
    assert caused["interval"] == own.interval  # type: ignore[union-attr]
    (in_all,) = rows(tables["caused_in_all:1"])
    assert in_all["caused"] == pytest.approx(own.difference * int(str(treated["mature"])))  # type: ignore[union-attr]
    worth = {row["what"]: row["amount"] for row in rows(tables["worth:1"])}
    assert worth["revenue"] == treated["value"]
    points = dict(read.query("SELECT id, points FROM crm.customers"))
    acquired = sum(
        points.get(customer) or 0
        for customer, (name, since) in firsts(read).items()
        if name == "treated" and since + WINDOW <= read.now
    )
    assert worth["cost of acquisition"] == acquired > 0
    behind = treated["value"] - worth["cost of offers"] - worth["cost of messages"] - acquired  # type: ignore[operator]
    left = worth["left (customer lifetime value within the window)"]
    assert left == pytest.approx(float(behind))
    assert worth["left per customer"] == pytest.approx(float(behind) / int(str(treated["mature"])))
    ratios = {row["what"]: row["ratio"] for row in rows(tables["roi:1"])}
    spent = float(worth["cost of messages"]) + acquired  # type: ignore[arg-type]
    assert ratios["per unit spent on messages and acquisition"] == pytest.approx(
        float(behind) / spent
    )
    # The second goal is worth nothing of its own: what is sold counts.
    assert "value" in rows(tables["goal:2"])[0]


def test_steps_and_entries(read: Source) -> None:
    welcome = read.project.journeys["welcome"]
    runs = read.query("SELECT status, reason, customer_id FROM journey.runs")
    table = overview(read, welcome)
    assert rows(table)[0]["runs"] == len(runs)
    assert rows(table)[0]["customers"] == len({row[2] for row in runs}) < len(runs)
    assert sum(int(str(row["runs"])) for row in rows(table)[1:]) == len(runs)
    came = Counter(
        step for (step,) in read.query("SELECT DISTINCT to_step FROM journey.history") if step
    )
    steps = {str(row["step"]): row for row in rows(funnel(read, welcome))}
    assert set(came) <= set(steps)
    distinct = dict(
        read.query(
            "SELECT to_step, count(DISTINCT (customer_id, run_id)) FROM journey.history"
            " GROUP BY to_step"
        )
    )
    assert {name: row["runs"] for name, row in steps.items() if row["runs"]} == {
        name: runs for name, runs in distinct.items() if name
    }
    sent = dict(read.query("SELECT step, count(*) FROM journey.messages GROUP BY step"))
    assert {n: r["decided"] for n, r in steps.items() if r["decided"]} == sent
    (arms,) = by_arm(read, welcome)
    assert [c.name for c in arms.columns] == ["step", "bold", "plain"]
    loud = next(row for row in rows(arms) if row["step"] == "style/bold/loud")
    assert loud["bold"]
    assert not loud["plain"]
    lost = rows(losses(read, welcome))
    counted = Counter(
        (step or "(entry)", reason)
        for step, reason in read.query("SELECT step, reason FROM journey.non_sends")
    )
    assert {(row["step"], row["reason"]): row["times"] for row in lost} == counted


def test_rates_are_of_messages_sent(read: Source) -> None:
    counts, rates = channels(read, read.project.journeys["welcome"])
    (email,) = rows(counts)
    messages = {row[0] for row in read.query("SELECT message_id FROM journey.messages")}
    back = {row[0] for row in read.query("SELECT message_id FROM journey.receipt WHERE given_back")}
    said = defaultdict(set)
    for name, message, data in read.query(
        "SELECT name, message_id, data FROM journey.message_event"
    ):
        said[f"{name} soft" if "soft" in (data or "") else name].add(message)
    assert email["decided"] == len(messages)
    assert email["sent"] == len(messages - back)
    settled = "state NOT IN ('submitting', 'retry', 'unknown', 'queued')"
    done = {row[0] for row in read.query(f"SELECT message_id FROM journey.receipt WHERE {settled}")}
    assert email["waiting"] == len(messages - back - done)
    for name in ("opened", "clicked", "complained", "unsubscribed"):
        assert email[name] == len(said[name] - back) > 0
    assert email["hard_bounced"] == len(said["bounced"] - back) > 0
    assert email["soft_bounced"] == len(said["bounced soft"] - back) > 0
    assert email["by_machines"] == len(said["prefetched"] - back) > 0
    (shares,) = rows(rates)
    assert shares["clicked"] == len(said["clicked"] - back) / len(messages - back)


def test_targets_are_held_against_their_figures(read: Source) -> None:
    found = targets(read, read.project.journeys["welcome"])
    assert found is not None
    states = {str(row["target"]): row["state"] for row in rows(found)}
    assert states["entries <= 5000 over 1d"] == "holds"
    assert states["click_rate of email >= 50%"] == "MISSED"
    assert str(states["conversion >= 1%"]).startswith(("holds", "not judged"))


def test_what_is_read_together_is_as_if_it_were_read_alone(read: Source) -> None:
    together = read.for_one_report()
    prepare(together, read.project.journeys["welcome"])
    assert together.kept is not None
    found = {of: rows for of, rows in together.kept.items() if "every AS" in of}
    # Two goals, of those who entered and of the arms.
    assert len(found) == 4
    for of, rows_of in found.items():
        alone = read.query(of)
        assert len(alone) == len(rows_of) > 1
        for one, other in zip(rows_of, alone, strict=True):
            assert list(one) == [pytest.approx(x) if isinstance(x, float) else x for x in other]


def test_targets_are_those_that_guards_would_find(
    read: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of customers who have come once the report has read it all already.
    monkeypatch.setattr("journeylang.runtime.readings.ENOUGH", 1)
    journey = read.project.journeys["welcome"]
    target = Target(
        measure="conversion",
        channel=None,
        operator=">=",
        bound=Decimal("0.01"),
        currency=None,
        over=None,
        by=None,
        span=journey.span,
    )
    wanted = (target, replace(target, measure="roi"))
    with shop.undone(read):
        again = "(SELECT u.customer_id FROM journey.run AS u GROUP BY u.customer_id"
        read.engine.execute(
            f"DELETE FROM journey.run WHERE customer_id IN {again} HAVING count(*) > 1)"
        )
        told = replace(journey, kpis=wanted, guards=())
        found = targets(read, told)
        monkeypatch.setattr("journeylang.report.targets._from_goals", lambda *_: None)
        assert found == targets(read, told)
    assert found is not None
    assert len({row[-2] for row in found.rows}) == 2
    assert all(row[-1] in ("holds", "MISSED") for row in found.rows), found.rows


def test_parts_add_up_to_the_whole(read: Source) -> None:
    welcome = read.project.journeys["welcome"]
    span = welcome.span
    whole = {row["group"]: row for row in rows(goals(read, welcome)[0])}
    for by in (
        SegmentTest(name="many", span=span),
        CustomerValue(name="points", type=INT, span=span),
    ):
        table, against = by_part(read, welcome, by)
        for group, row in whole.items():
            parts = [part for part in rows(table) if part["group"] == group]
            assert len(parts) == 2
            assert sum(int(str(part["customers"])) for part in parts) == row["customers"]
            assert sum(int(str(part["reached"])) for part in parts) == row["reached"]
        assert len(against.rows) == 2
    (periods,) = over_time(read, welcome, "day")
    assert [row["period"] for row in rows(periods)] == ["2026-03-02", "2026-03-05"]
    assert (
        sum(int(str(row["customers"])) for row in rows(periods))
        == whole["in the journey"]["customers"]
    )


def test_an_experiment_is_told_with_its_state(read: Source) -> None:
    tables = {table.name: table for table in experiments(read, read.project.journeys["welcome"])}
    state = {row["what"]: str(row["found"]) for row in rows(tables["experiment:style:1:state"])}
    assert state["balance of the arms"].startswith("as drawn")
    assert state["in another arm before"] == "nobody"
    assert "against" in state["needed"]
    assert "days still needed" in state
    (arm,) = rows(tables["experiment:style:1:shares"])
    assert arm["group"] == "bold"


def test_arms_that_are_not_as_drawn_are_not_compared(read: Source) -> None:
    with shop.undone(read):
        read.engine.execute(
            "DELETE FROM journey.exposure WHERE arm = 'bold' AND customer_id % 3 > 0"
        )
        verdict, state = told(read)
        assert verdict == "not comparable"
        assert state.startswith("NOT AS DRAWN")
    assert told(read)[0] != "not comparable"


def told(read: Source) -> tuple[Cell, str]:
    tables = {t.name: t for t in experiments(read, read.project.journeys["welcome"])}
    (arm,) = rows(tables["experiment:style:1:shares"])
    state = {row["what"]: str(row["found"]) for row in rows(tables["experiment:style:1:state"])}
    return arm["verdict"], state["balance of the arms"]


def test_groups_that_were_drawn_elsewhere(read: Source) -> None:
    welcome = read.project.journeys["welcome"]
    field = CustomerValue(name="points", type=INT, span=welcome.span)
    part = journey(read, welcome, Asked(drawn=field, control="60"))
    (table,) = [t for t in part.tables if t.name == "drawn:points:1:shares"]
    assert [row["group"] for row in rows(table)] == ["10"]
    part = journey(read, welcome, Asked(drawn=field, control="61"))
    (refused,) = {note for t in part.tables if t.name.startswith("drawn") for note in t.notes}
    assert refused.startswith("Not measured: `points` has 2 values, none of them `61`")
    # Even shares were not drawn here, and that is noticed.
    assert rows(table)[0]["verdict"] == "not comparable"


def test_a_report_does_with_one_connection(read: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    welcome = read.project.journeys["welcome"]
    wanted = journey(read.for_one_report(), welcome, Asked())

    def none(_: Engine) -> Engine:
        raise DatabaseUnavailableError("too many connections")

    monkeypatch.setattr(type(read.engine), "beside", none)
    assert journey(read.for_one_report(), welcome, Asked()) == wanted
