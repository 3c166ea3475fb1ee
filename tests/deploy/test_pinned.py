"""Several versions of a journey side by side: `upgrade pin` and `upgrade drain`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from journeylang.api.deploying import plan_project
from journeylang.deploy.show import text
from tests.runtime.test_apply import begun, codes
from tests.runtime.world import (
    BINDING,
    HOUR,
    JOURNEYS,
    NOW,
    TEMPLATES,
    WELCOME,
    loaded,
    make,
    opened,
    refused,
    sql,
    write,
)

DAY = 24 * HOUR
LATER = NOW + HOUR


def changed(*changes: tuple[str, str], upgrade: str = "pin", base: str = WELCOME) -> dict[str, str]:
    for old, new in (("  policy standard", f"  upgrade {upgrade}\n  policy standard"), *changes):
        assert old in base, old
        base = base.replace(old, new, 1)
    return {**JOURNEYS, "welcome": base}


def runs(root: Path, condition: str = "TRUE") -> int:
    count: int = sql(
        root, f"SELECT count(*) FROM journey.runs WHERE journey = 'welcome' AND {condition}"
    )[0][0]
    return count


def newcomers(root: Path) -> None:
    """Ten more sign up a day later."""
    sql(
        root,
        "INSERT INTO shop.signups SELECT 100 + i, i,"
        f" TIMESTAMP '{NOW + DAY}', 'late' FROM range(21, 31) AS r(i)",
    )
    sql(
        root,
        "INSERT INTO crm.customers SELECT i, 'Europe/Berlin', 'p' || i || '@shop.example',"
        " NULL, 10 FROM range(21, 31) AS r(i)",
    )


RENAMED = changed(("settle: wait 1d", "calm: wait 3d"), ("think: wait", "ponder: wait"))


def test_who_is_on_the_way_finishes_on_their_version(tmp_path: Path) -> None:
    begun(tmp_path)
    waiting = runs(tmp_path, "status = 'active'")
    newcomers(tmp_path)
    write(tmp_path, RENAMED)
    found = plan_project(loaded(tmp_path), "dev", now=LATER)
    assert found.value is not None
    assert found.diagnostics == ()
    assert f"{waiting} waiting: finish on v1" in text(found.value.plan)
    with opened(tmp_path, LATER) as runtime:
        assert runtime.problems == []
        runtime.tick(NOW + DAY + 2 * HOUR)
    # Their wait is what it was, and what stands behind it is theirs too.
    assert runs(tmp_path, "step = 'think' AND version = 1") > 10
    assert runs(tmp_path, "status = 'active' AND version = 1") == waiting
    assert runs(tmp_path, "step = 'calm' AND version = 2") == 8, "two are held out"
    with opened(tmp_path, NOW + DAY + 3 * HOUR) as runtime:
        runtime.tick(NOW + 10 * DAY)
    assert runs(tmp_path, "status = 'active'") == 0
    assert runs(tmp_path, "version = 1 AND reason = 'silent'") == waiting
    assert runs(tmp_path, "version = 2") == 10
    steps = sql(tmp_path, "SELECT count(*) FROM journey.step WHERE version IS NOT NULL")
    with opened(tmp_path, NOW + 11 * DAY) as runtime:
        assert runtime.session.ready.project.journeys["welcome"].earlier == ()
    assert sql(tmp_path, "SELECT count(*) FROM journey.step WHERE version IS NOT NULL") == steps


def test_they_are_sent_what_their_version_had(tmp_path: Path) -> None:
    """Templates, and what is asked by name, are those of then."""
    begun(tmp_path)
    sql(tmp_path, f"INSERT INTO shop.orders VALUES (1, 1, TIMESTAMP '{NOW + 26 * HOUR}', 5)")
    sql(tmp_path, f"INSERT INTO shop.orders VALUES (2, 25, TIMESTAMP '{NOW + 50 * HOUR}', 5)")
    newcomers(tmp_path)
    sql(tmp_path, "INSERT INTO crm.consents SELECT 25, TIMESTAMP '2026-01-01', 'in'")
    other = "---\nsubject: Many thanks\n---\nMany thanks\n\n{{ unsubscribe_url }}\n"
    write(tmp_path, RENAMED, templates={**TEMPLATES, "welcome/thanks.email.txt": other})
    for hours in (27, 100):
        with opened(tmp_path, LATER) as runtime:
            runtime.tick(NOW + hours * HOUR)
            runtime.tick(NOW + (hours + 8) * HOUR)
            runtime.deliver(NOW + (hours + 8) * HOUR)
    sent = [p.read_text("utf-8") for p in (tmp_path / "outbox").rglob("*") if p.is_file()]
    assert any("Subject: Thanks" in mail or '"Thanks"' in mail for mail in sent)
    thanks = "SELECT version FROM journey.messages WHERE step = 'think/thanks'"
    assert sql(tmp_path, thanks) == [(1,)]


def test_a_segment_of_then(tmp_path: Path) -> None:
    """The same name, and another meaning for those who come now."""
    base = WELCOME.replace(
        "  think: wait", "  if customer in segment rich { exit as rich_then }\n  think: wait"
    )
    segment = BINDING + "segment rich = customer.points >= 50\n"
    make(tmp_path)
    write(tmp_path, {**JOURNEYS, "welcome": base}, binding=segment)
    with opened(tmp_path, NOW - HOUR) as runtime:
        runtime.tick(NOW + HOUR)
    newcomers(tmp_path)
    write(tmp_path, changed(base=base), binding=segment.replace("50", "5"))
    with opened(tmp_path, LATER) as runtime:
        assert runtime.problems == []
        runtime.tick(NOW + DAY + 2 * HOUR)
        runtime.tick(NOW + 3 * DAY)
    of = "SELECT customer_id FROM journey.runs WHERE reason = 'rich_then' AND version = {}"
    assert {c for (c,) in sql(tmp_path, of.format(1))} <= {5, 10, 15, 20}
    assert len(sql(tmp_path, of.format(2))) >= 8


def test_a_journey_that_is_retired(tmp_path: Path) -> None:
    begun(tmp_path)
    count = runs(tmp_path)
    newcomers(tmp_path)
    write(tmp_path, changed(upgrade="drain"))
    with opened(tmp_path, LATER) as runtime:
        runtime.tick(NOW + DAY + 2 * HOUR)
        runtime.tick(NOW + 10 * DAY)
    assert runs(tmp_path) == count
    assert runs(tmp_path, "status = 'active'") == 0
    write(tmp_path, {"loyal": JOURNEYS["loyal"]})
    with opened(tmp_path, NOW + 10 * DAY) as runtime:
        assert runtime.problems == []


def test_a_journey_with_people_on_an_earlier_version_stays(tmp_path: Path) -> None:
    begun(tmp_path)
    write(tmp_path, RENAMED)
    with opened(tmp_path, LATER):
        pass
    write(tmp_path, {"loyal": JOURNEYS["loyal"]})
    assert set(codes(refused(tmp_path, LATER))) == {"JRN501"}


def test_they_can_be_taken_over_later(tmp_path: Path) -> None:
    begun(tmp_path)
    waiting = runs(tmp_path, "status = 'active'")
    write(tmp_path, changed(("settle: wait 1d", "settle: wait 3d"), ("as silent", "as quiet")))
    with opened(tmp_path, LATER):
        pass
    write(tmp_path, {**JOURNEYS, "welcome": WELCOME.replace("wait 1d", "wait 3d")})
    found = plan_project(loaded(tmp_path), "dev", now=LATER)
    assert found.value is not None
    assert f"{waiting} waiting: come over" in text(found.value.plan)
    with opened(tmp_path, LATER) as runtime:
        length = "SELECT DISTINCT wake_at - arrived_at FROM journey.runs WHERE step = 'settle'"
        assert runtime.engine.query(length) == [(3 * DAY,)]
        assert runtime.session.ready.project.journeys["welcome"].earlier == ()


def test_three_versions_at_once(tmp_path: Path) -> None:
    begun(tmp_path)
    first = runs(tmp_path, "status = 'active'")
    newcomers(tmp_path)
    write(tmp_path, RENAMED)
    with opened(tmp_path, LATER) as runtime:
        runtime.tick(NOW + DAY + HOUR)
    write(tmp_path, changed(("settle: wait 1d", "still: wait 9d")))
    with opened(tmp_path, NOW + DAY + HOUR) as runtime:
        assert {e.version for e in runtime.session.ready.project.journeys["welcome"].earlier} == {
            1,
            2,
        }
        runtime.tick(NOW + 20 * DAY)
        runtime.tick(NOW + 40 * DAY)
    done: Any = sql(
        tmp_path,
        "SELECT version, count(*) FROM journey.runs WHERE journey = 'welcome'"
        " AND reason = 'silent' GROUP BY version ORDER BY 1",
    )
    assert done == [(1, first), (2, 8)]


def test_a_version_that_asks_for_what_is_gone(tmp_path: Path) -> None:
    begun(tmp_path)
    gone = changed(
        ("exit when exists(ordered where total > 500 EUR since entry) as rich\n", ""),
        ("wait for ordered up to 2d", "wait for signed_up up to 2d"),
        ("on ordered", "on signed_up"),
    )
    at = BINDING.index("event ordered")
    binding = BINDING[:at] + BINDING[BINDING.index("consent email_ok") :]
    write(tmp_path, gone, binding=binding)
    (problem,) = refused(tmp_path, LATER)
    assert problem.code.id == "JRN509"
    assert "the event `ordered`, which is gone" in problem.message
    assert runs(tmp_path, "version = 1") == runs(tmp_path)
    planned = plan_project(loaded(tmp_path), "dev", now=LATER)
    assert codes(list(planned.diagnostics)) == ["JRN509"]


@pytest.mark.parametrize("upgrade", ["pin", "drain"])
def test_where_the_steps_are_the_same_nothing_is_doubled(tmp_path: Path, upgrade: str) -> None:
    begun(tmp_path)
    write(tmp_path, changed(("total > 500 EUR", "total > 400 EUR"), upgrade=upgrade))
    with opened(tmp_path, LATER) as runtime:
        assert runtime.session.ready.project.journeys["welcome"].earlier == ()
        doubled = "SELECT count(*) FROM journey.step WHERE version IS NOT NULL"
        assert runtime.engine.query(doubled) == [(0,)]


def test_exits_are_the_newest_for_all(tmp_path: Path) -> None:
    begun(tmp_path)
    waiting = runs(tmp_path, "status = 'active'")
    changes = (("settle: wait 1d", "calm: wait 3d"), ("total > 500 EUR", "total > 10 EUR"))
    write(tmp_path, changed(*changes))
    sql(
        tmp_path,
        f"INSERT INTO shop.orders SELECT i, i, TIMESTAMP '{NOW + 3 * HOUR}', 20"
        " FROM range(1, 21) AS r(i)",
    )
    with opened(tmp_path, LATER) as runtime:
        runtime.tick(NOW + 4 * HOUR)
    assert runs(tmp_path, "reason = 'rich' AND version = 1") == waiting
