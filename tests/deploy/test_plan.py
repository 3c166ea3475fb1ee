"""What `plan` tells is what an apply then does, and nothing is written by it."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from journeylang.api.deploying import Planned, plan_project
from journeylang.cli.main import cli
from journeylang.deploy.plan import Line
from journeylang.deploy.show import as_json, markdown, text
from tests.runtime.test_apply import begun, everything
from tests.runtime.world import (
    BINDING,
    HOUR,
    JOURNEYS,
    LOYAL,
    NOW,
    TEMPLATES,
    WELCOME,
    loaded,
    make,
    opened,
    sql,
    write,
)
from tests.schemas.validation import problems

LATER = NOW + HOUR


def planned(root: Path, now: datetime = LATER) -> Planned:
    found = plan_project(loaded(root), "dev", now=now)
    assert found.value is not None, found.diagnostics
    return found.value


def lines(root: Path, now: datetime = LATER) -> dict[str, Line]:
    return {line.change.name: line for line in planned(root, now).plan.lines}


def waiting(root: Path, step: str) -> int:
    count: int = sql(root, f"SELECT count(*) FROM journey.runs WHERE step = '{step}'")[0][0]
    return count


def welcome(root: Path, *changes: tuple[str, str], binding: str = BINDING) -> None:
    changed = WELCOME
    for old, new in changes:
        assert old in changed
        changed = changed.replace(old, new)
    write(root, {**JOURNEYS, "welcome": changed}, binding=binding)


def test_nothing_was_applied_yet(tmp_path: Path) -> None:
    make(tmp_path)
    plan = planned(tmp_path).plan
    assert [(j.sign, j.name, j.after) for j in plan.journeys] == [
        ("+", "loyal", 1),
        ("+", "welcome", 1),
    ]
    schemas = "SELECT count(*) FROM information_schema.schemata WHERE schema_name = 'journey'"
    assert sql(tmp_path, schemas) == [(0,)]


def test_nothing_has_changed(tmp_path: Path) -> None:
    begun(tmp_path)
    changed = WELCOME.replace('owner "crm@shop.example"', 'owner "new@shop.example" # other')
    write(tmp_path, {**JOURNEYS, "welcome": "\n" + changed})
    plan = planned(tmp_path).plan
    assert plan.journeys == ()
    assert text(plan) == "No changes: it means the same."


def test_a_wait_of_another_length(tmp_path: Path) -> None:
    """What is counted is what then happens, and until then nothing has."""
    begun(tmp_path)
    before = everything(tmp_path)
    welcome(tmp_path, ("settle: wait 1d", "settle: wait 2d"))
    line = lines(tmp_path)["settle"]
    assert everything(tmp_path) == before
    count = waiting(tmp_path, "settle")
    assert (line.change.category, line.waiting) == ("retime", count)
    assert line.waits is not None
    assert line.waits.later == count > 10
    ends = "SELECT run_id, wake_at FROM journey.run WHERE step IN (SELECT step FROM journey.step"
    ends += " WHERE path = 'settle') ORDER BY run_id"
    was = sql(tmp_path, ends)
    with opened(tmp_path, LATER):
        pass
    # No change of clocks lies between: a day is 24 hours.
    assert sql(tmp_path, ends) == [(run, end + 24 * HOUR) for run, end in was]


def test_a_wait_that_is_over_by_its_new_length(tmp_path: Path) -> None:
    begun(tmp_path)
    welcome(tmp_path, ("settle: wait 1d", "settle: wait 5m"))
    then = LATER + HOUR
    found = lines(tmp_path, then)["settle"].waits
    assert found is not None
    assert found.at_once == waiting(tmp_path, "settle")
    with opened(tmp_path, then) as runtime:
        runtime.tick(then)
        ends = "SELECT DISTINCT arrived_at FROM journey.runs WHERE step = 'think'"
        assert runtime.engine.query(ends) == [(then,)], "not before the apply"


def test_a_step_that_is_gone(tmp_path: Path) -> None:
    begun(tmp_path)
    welcome(tmp_path, ("settle: wait 1d", "calm: wait 1d"))
    plan = planned(tmp_path)
    (journey,) = plan.plan.journeys
    assert journey.category == "breaking"
    count = waiting(tmp_path, "settle")
    assert f"{count} waiting: no target (JRN501)" in text(plan.plan)
    (problem,) = plan.diagnostics
    assert problem.code.id == "JRN501"
    assert "moved in welcome: settle -> STEP" in (problem.help or "")


@pytest.mark.parametrize(
    ("target", "later"),
    [("calm: wait 1d", False), ("calm: wait 3d", True)],
)
def test_a_step_that_was_renamed(tmp_path: Path, target: str, later: bool) -> None:
    begun(tmp_path)
    count = waiting(tmp_path, "settle")
    welcome(tmp_path, ("settle: wait 1d", target))
    with (tmp_path / "journeys/welcome.journey").open("a") as file:
        file.write("moved in welcome: settle -> calm\n")
    line = lines(tmp_path)["settle"]
    assert line.fate == "go to calm"
    was = sql(tmp_path, "SELECT min(wake_at) FROM journey.runs WHERE step = 'settle'")[0][0]
    with opened(tmp_path, LATER) as runtime:
        query = runtime.engine.query
        assert query("SELECT count(*) FROM journey.runs WHERE step = 'calm'") == [(count,)]
        why = "SELECT count(*) FROM journey.history WHERE why = 'moved' AND to_step = 'calm'"
        assert query(why) == [(count,)]
        now = query("SELECT min(wake_at) FROM journey.runs WHERE step = 'calm'")[0][0]
        assert now == was + 48 * HOUR if later else now == was
        runtime.tick(NOW + 100 * HOUR)
        on = query("SELECT count(*) FROM journey.history WHERE from_step = 'calm'")
        assert on == [(count,)], "all go on from there"


def test_those_who_are_let_go(tmp_path: Path) -> None:
    begun(tmp_path)
    count = waiting(tmp_path, "settle")
    welcome(tmp_path, ("  settle: wait 1d\n", ""))
    with (tmp_path / "journeys/welcome.journey").open("a") as file:
        file.write("moved in welcome: settle -> exit\n")
    assert lines(tmp_path)["settle"].fate == "leave"
    with opened(tmp_path, LATER) as runtime:
        gone = "SELECT count(*) FROM journey.runs WHERE status = 'exited' AND reason = 'moved'"
        assert runtime.engine.query(gone) == [(count,)]


def test_every_kind_of_change(tmp_path: Path) -> None:
    begun(tmp_path)
    templates = {**TEMPLATES, "welcome/loud.sms.txt": "Hello there\n"}
    changed = WELCOME
    for old, new in (
        ("total > 500 EUR", "total > 400 EUR"),
        ("  settle:", "  early: wait 3h\n  settle:"),
        ("with { source: entry.source }", 'with { source: "web" }'),
        ('salt "welcome-style-2026"', 'salt "welcome-style-2027"'),
        ("policy standard", "priority 3\n  policy standard"),
        ("exit as silent", "exit as quiet"),
    ):
        changed = changed.replace(old, new)
    policy = BINDING.replace("cap email 2 per 7d", "cap email 3 per 7d")
    write(tmp_path, {**JOURNEYS, "welcome": changed}, templates=templates, binding=policy)
    found = {
        (line.change.kind, line.change.name): line.change.category
        for journey in planned(tmp_path).plan.journeys
        if journey.name == "welcome"
        for line in journey.lines
    }
    assert found == {
        ("priority", "priority"): "review",
        ("exit when", "exit when"): "review",
        ("step", "style"): "experiment",
        ("step", "style/plain/hello"): "content",
        ("step", "style/bold/loud"): "content",
        ("step", "early"): "compatible",
        ("exit", "exit"): "review",
        ("policy", "standard"): "review",
    }


def test_arms_under_the_same_salt(tmp_path: Path) -> None:
    begun(tmp_path)
    welcome(tmp_path, ("plain 50%", "plain 60%"), ("bold 50%", "bold 40%"))
    found = planned(tmp_path)
    assert [d.code.id for d in found.diagnostics] == ["JRN403"]
    assert list(found.plan.lines)
    assert "plain 50%, bold 50% -> 60%, bold 40%" in text(found.plan)


def test_who_comes_into_a_segment_and_who_goes(tmp_path: Path) -> None:
    segment = "segment rich = customer.points >= {}\n"
    asking = LOYAL.replace("customer.points >= 50", "customer in segment rich")
    make(tmp_path)
    write(tmp_path, {"loyal": asking}, binding=BINDING + segment.format(50))
    with opened(tmp_path, NOW):
        pass
    write(tmp_path, {"loyal": asking}, binding=BINDING + segment.format(5))
    line = lines(tmp_path)["rich"]
    assert line.gains is not None
    assert (line.gains.gained, line.gains.lost, line.gains.now) == (16, 0, 20)
    assert "segment rich" in text(planned(tmp_path).plan)


@pytest.mark.parametrize(
    ("before", "after", "counted"),
    [
        # Twenty customers: of the four with 60 points the first two, and of those with 10.
        ("top 10% by points", "top 30% by points", (4, 0, 6)),
        ("top 50% by reversed", "top 10% by points", (2, 10, 2)),
        ("tile 4 by points >= 3", "tile 4 by points = 4", (0, 5, 5)),
        ("age(customer.born) >= 18", "age(customer.born) >= 27", (0, 9, 1)),
        ('in list "lists/ten.csv"', "customer.points >= 50", (2, 8, 4)),
    ],
)
def test_rankings_ages_and_lists_are_counted_too(
    tmp_path: Path, before: str, after: str, counted: tuple[int, int, int]
) -> None:
    binding = BINDING.replace(
        "field points: int?", "field born: date? = c.born pii\n  field points: int?"
    )
    binding += "metric points = customer.points\nmetric reversed = 0 - customer.points\n"
    asking = LOYAL.replace("customer.points >= 50", "customer in segment rich")
    make(tmp_path)
    sql(
        tmp_path,
        "ALTER TABLE crm.customers ADD COLUMN born DATE;"
        " UPDATE crm.customers SET born = DATE '2026-01-01' - INTERVAL '1' YEAR * (id + 7)",
    )
    (tmp_path / "lists").mkdir()
    ten = "\n".join(map(str, range(1, 11)))
    (tmp_path / "lists" / "ten.csv").write_text(f"key\n{ten}\n", encoding="utf-8")
    write(tmp_path, {"loyal": asking}, binding=f"{binding}segment rich = {before}\n")
    with opened(tmp_path, NOW):
        pass
    stored = sql(tmp_path, "SELECT * FROM journey.list_entry ORDER BY 2")
    write(tmp_path, {"loyal": asking}, binding=f"{binding}segment rich = {after}\n")
    gains = lines(tmp_path)["rich"].gains
    assert gains is not None
    assert (gains.gained, gains.lost, gains.now) == counted
    assert sql(tmp_path, "SELECT * FROM journey.list_entry ORDER BY 2") == stored


def test_in_other_forms(tmp_path: Path) -> None:
    begun(tmp_path)
    welcome(tmp_path, ("settle: wait 1d", "settle: wait 2d"))
    plan = planned(tmp_path).plan
    shown = json.loads(json.dumps(as_json(plan)))
    schema = json.loads(
        (Path(__file__).parents[2] / "docs/schemas/plan.json").read_text(encoding="utf-8")
    )
    assert problems(shown, schema) == []
    assert markdown(plan, "dev").startswith("<!-- journey plan: dev -->\n")
    assert all(len(line) <= 80 for line in text(plan, 80).splitlines())


def test_exit_codes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(tmp_path)
    monkeypatch.chdir(tmp_path)

    def code(*more: str) -> int:
        return CliRunner().invoke(cli, ["plan", "--now", str(LATER), *more]).exit_code

    assert code("--detailed-exitcode") == 0
    welcome(tmp_path, ("as rich", "as wealthy"))
    assert code() == 0
    assert code("--detailed-exitcode") == 3
    welcome(tmp_path, ("settle: wait 1d", "settle: wait 2d"))
    assert code("--detailed-exitcode") == 4
    welcome(tmp_path, ("settle: wait 1d", "calm: wait 1d"))
    assert code("--detailed-exitcode") == 1
    assert code() == 1


def test_what_a_channel_costs_now_and_what_is_sent_for_it(tmp_path: Path) -> None:
    def at(cost: str) -> str:
        return BINDING.replace("consent: email_ok }", f"consent: email_ok, cost: {cost} EUR }}")

    make(tmp_path)
    write(tmp_path, JOURNEYS, binding=at("0.01"))
    with opened(tmp_path, NOW) as runtime:
        for hours in (0, 1, 25, 26):
            runtime.tick(NOW + hours * HOUR)
    later = NOW + 27 * HOUR
    # Nothing that is sent is another, and no price: no message is counted.
    write(
        tmp_path,
        {**JOURNEYS, "welcome": WELCOME.replace("settle: wait 1d", "settle: wait 3d")},
        binding=at("0.01"),
    )
    assert all(one.volume is None for one in planned(tmp_path, later).plan.journeys)
    write(tmp_path, JOURNEYS, binding=at("0.02"))
    found = {one.name: one for one in planned(tmp_path, later).plan.journeys}["welcome"]
    [change] = [line.change for line in found.lines if line.change.kind == "channel"]
    assert (change.name, change.before, change.after) == ("email", "cost 0.01 EUR", "cost 0.02 EUR")
    volume = found.volume
    assert volume is not None
    assert volume.before == volume.after > 0
    assert volume.cost_after == 2 * (volume.cost_before or 0)
