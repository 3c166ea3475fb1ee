"""`invoke` on its whole way: decided by a tick, let out like a message, and recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from journeylang.api import Runtime, load
from journeylang.delivery.outbox import doubtful
from journeylang.runtime.pauses import pause, resume
from tests.delivery.hookserver import LOST, hook_server
from tests.runtime.world import (
    CONFIG,
    HOUR,
    NOW,
    TEMPLATES,
    Count,
    contents,
    loaded,
    make,
    opened,
    orders,
    sql,
    write,
)

AWARD = """journey award {
  owner "crm@shop.example"
  enter on signed_up
  holdout 20% salt "award-2026"
  exit when exists(ordered where total > 500 EUR since entry) as rich
  policy standard

  bonus: invoke loyalty "award" with {
    points: 100, spent: 12.5 EUR, at: entry.at, tags: ["new", entry.source], left: customer.points
  }
  hello: send email "welcome/hello" with { source: "x" }
  settle: wait 1d
}
"""
SERVICES = CONFIG + 'invoke = { loyalty = "file" }\n'


def project(root: Path, number: int = 20) -> None:
    make(root, number=number)
    write(root, {"award": AWARD}, config=SERVICES, templates=TEMPLATES)
    sql(root, "UPDATE crm.customers SET tz = 'UTC'; UPDATE crm.customers SET points = NULL")


def files(root: Path) -> list[dict[str, Any]]:
    return [json.loads(p.read_text()) for p in sorted((root / "outbox" / "invoke").glob("*.json"))]


def test_each_call_is_one_line_and_is_made_once(tmp_path: Path) -> None:
    project(tmp_path)
    with opened(tmp_path, NOW - HOUR) as runtime:
        runtime.tick(NOW + 2 * HOUR)
        before = contents(runtime.engine)
        runtime.tick(NOW + 2 * HOUR)
        assert contents(runtime.engine) | {"tick": []} == before | {"tick": []}
        held_out = runtime.engine.query("SELECT count(*) FROM journey.runs WHERE status='held_out'")
        summary = runtime.deliver(NOW + 2 * HOUR)
        again = runtime.deliver(NOW + 3 * HOUR)
        assert runtime.problems == []
        calls = runtime.engine.query("SELECT call, state, service, action FROM journey.calls")
        messages = runtime.engine.query("SELECT count(*) FROM journey.messages")
        receipts = runtime.engine.query("SELECT count(*) FROM journey.receipt")
    called = files(tmp_path)
    [(held,)] = held_out
    assert 0 < held < 20
    assert len(called) == len(calls) == 20 - held
    assert {c["id"] for c in called} == {id_ for id_, *_ in calls}
    assert {c[1:] for c in calls} == {("accepted", "loyalty", "award")}
    assert all(b"\n" not in p.read_bytes()[:-1] for p in (tmp_path / "outbox").rglob("*.json"))
    [(decided,)] = messages
    assert summary.accepted == len(calls) + decided
    assert again.handled == 0
    assert receipts == [(2 * summary.accepted,)]
    one = next(c for c in called if c["customer"] == "2")
    assert one | {"id": "", "data": {}} == {
        "id": "",
        "service": "loyalty",
        "action": "award",
        "customer": "2",
        "at": (NOW + 2 * HOUR).isoformat() + "+00:00",
        "data": {},
    }
    assert one["data"] == {
        "points": 100,
        "spent": {"amount": "12.50", "currency": "EUR"},
        "at": "2026-03-02T10:02:00+00:00",
        "tags": ["new", "web"],
        "left": None,
    }


def test_who_left_by_an_exit_is_not_spoken_of(tmp_path: Path) -> None:
    project(tmp_path, number=6)
    with opened(tmp_path, NOW - HOUR) as runtime:
        runtime.tick(NOW + 2 * HOUR)
        runtime.engine.execute(orders(6, NOW + 2 * HOUR, every=6))
        runtime.engine.execute("DELETE FROM crm.customers WHERE id = 5")
        runtime.tick(NOW + 3 * HOUR)
        runtime.deliver(NOW + 3 * HOUR)
        states = dict(runtime.engine.query("SELECT customer_id, state FROM journey.calls"))
        details = runtime.engine.query(
            "SELECT customer_id, detail FROM journey.receipt AS r"
            " JOIN journey.calls USING (customer_id, message_id) WHERE r.state = 'cancelled'"
        )
    assert states.pop(6) == states.pop(5) == "cancelled"
    assert set(states.values()) == {"accepted"}
    assert sorted(details) == [(5, "gone"), (6, "exit: rich")]
    assert {c["customer"] for c in files(tmp_path)} == {str(number) for number in states}


def test_a_paused_journey_keeps_its_calls(tmp_path: Path) -> None:
    project(tmp_path, number=5)
    with opened(tmp_path, NOW - HOUR) as runtime:
        runtime.tick(NOW + 2 * HOUR)
        pause(runtime.engine, "award", cause="person", detail="")
        assert runtime.deliver(NOW + 2 * HOUR).accepted == 0
        assert files(tmp_path) == []
        resume(runtime.engine, "award")
        assert runtime.deliver(NOW + 3 * HOUR).accepted > 0
    assert files(tmp_path)


def test_one_statement_however_many_there_are(tmp_path: Path) -> None:
    counts = []
    for number in (5, 40):
        root = tmp_path / str(number)
        root.mkdir()
        project(root, number)
        count = Count()
        with opened(root, NOW - HOUR, before=count) as runtime:
            counts.append(count.of(lambda: runtime.tick(NOW + 2 * HOUR)))
            [written] = [s for s in count.seen if "called AS" in s]
            assert written
    assert counts[0] == counts[1]


def test_calls_count_for_no_figure_of_messages(tmp_path: Path) -> None:
    guarded = AWARD.replace("  policy standard", "  guard sends <= 3\n  policy standard")
    make(tmp_path, number=20)
    guarded = guarded.replace('  hello: send email "welcome/hello" with { source: "x" }\n', "")
    write(tmp_path, {"award": guarded}, config=SERVICES, templates=TEMPLATES)
    with opened(tmp_path, NOW - HOUR) as runtime:
        result = runtime.tick(NOW + 2 * HOUR)
        assert result.sent == 0
        runtime.tick(NOW + 3 * HOUR)
        assert not [p for p in runtime.problems if p.code.id != "JRN807"]
        assert runtime.engine.query("SELECT sum(sent) FROM journey.tick") == [(0,)]
        assert runtime.engine.query("SELECT count(*) FROM journey.messages") == [(0,)]


def test_a_service_that_nobody_answers_for_is_an_error(tmp_path: Path) -> None:
    make(tmp_path, number=1)
    config = CONFIG + 'invoke = { loyality = "file" }\n'
    write(tmp_path, {"award": AWARD}, config=config, templates=TEMPLATES)
    found = [d for d in load(tmp_path, "dev").diagnostics if d.is_error]
    assert [d.message for d in found] == ["unknown service `loyalty`"]
    assert found[0].help == "did you mean `loyality`?"
    write(tmp_path, {"award": AWARD}, config=CONFIG, templates=TEMPLATES)
    [one] = [d for d in load(tmp_path, "dev").diagnostics if d.is_error]
    assert '`[env.dev.invoke]`, `loyalty = "file"`' in one.help
    more = SERVICES + '[env.prod]\ndatabase = "prod.duckdb"\n'
    write(tmp_path, {"award": AWARD}, config=more, templates=TEMPLATES)
    [one] = [d for d in load(tmp_path).diagnostics if d.is_error]
    assert "`[env.prod.invoke]`" in one.help
    assert loaded(tmp_path).project.journeys.keys() == {"award"}


def hooked(root: Path, url: str, more: str = "") -> None:
    project(root, number=4)
    lines = (
        "[env.dev.invoke.loyalty]",
        'provider = "webhook"',
        f'url = "{url}"',
        "private = true",
        more,
    )
    config = CONFIG + "\n".join(lines) + "\n"
    journey = AWARD.replace('  holdout 20% salt "award-2026"\n', "")
    write(root, {"award": journey}, config=config, templates=TEMPLATES)


def states(runtime: Runtime) -> dict[str, int]:
    return dict(runtime.engine.query("SELECT state, count(*) FROM journey.calls GROUP BY state"))


def test_a_call_in_doubt_is_held(tmp_path: Path) -> None:
    with hook_server(LOST, (204, {})) as server:
        hooked(tmp_path, server.url)
        with opened(tmp_path, NOW - HOUR) as runtime:
            runtime.tick(NOW + 2 * HOUR)
            runtime.deliver(NOW + 2 * HOUR)
            assert states(runtime) == {"unknown": 1, "accepted": 3}
            assert [d.channel for d in doubtful(runtime.engine)] == ["invoke loyalty"]
            runtime.deliver(NOW + 24 * HOUR)
            assert states(runtime) == {"unknown": 1, "accepted": 3}
        assert len({got.headers["webhook-id"] for got in server.got}) == len(server.got) == 4


def test_a_call_in_doubt_is_made_once_more_where_that_is_said(tmp_path: Path) -> None:
    with hook_server(LOST, (204, {})) as server:
        hooked(tmp_path, server.url, 'on_unknown = "retry"')
        with opened(tmp_path, NOW - HOUR) as runtime:
            runtime.tick(NOW + 2 * HOUR)
            runtime.deliver(NOW + 2 * HOUR)
            runtime.deliver(NOW + 3 * HOUR)
            assert states(runtime) == {"accepted": 4}
        ids = [got.headers["webhook-id"] for got in server.got]
        assert len(ids) == 5
        assert ids.count(ids[0]) == 2


def test_a_service_that_is_down_keeps_its_calls_and_messages_go_out(tmp_path: Path) -> None:
    # Three times in one delivery, some seconds apart, and then it is left alone.
    with hook_server(*[(503, {})] * 3, (200, {})) as server:
        hooked(tmp_path, server.url)
        with opened(tmp_path, NOW - HOUR) as runtime:
            runtime.tick(NOW + 2 * HOUR)
            runtime.deliver(NOW + 2 * HOUR)
            assert states(runtime).keys() <= {"queued", "retry"}
            assert [p.message for p in runtime.problems] == [
                "nothing goes out by `invoke loyalty`: HTTP 503"
            ]
            mails = runtime.engine.query("SELECT DISTINCT state FROM journey.messages")
            assert mails == [("accepted",)]
            for hours in (4, 6, 8):
                runtime.deliver(NOW + hours * HOUR)
            assert states(runtime) == {"accepted": 4}
