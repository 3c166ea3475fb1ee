"""One version of a project after another, with people inside."""

from __future__ import annotations

from pathlib import Path

from journeylang.diagnostics.model import Diagnostic
from tests.runtime.world import (
    HOUR,
    JOURNEYS,
    LOYAL,
    NOW,
    WELCOME,
    at,
    contents,
    loaded,
    make,
    opened,
    refused,
    sql,
    write,
)

BEFORE = NOW - HOUR


def begun(root: Path) -> Path:
    """A world whose people wait in both journeys."""
    make(root)
    with opened(root, BEFORE) as runtime:
        runtime.tick(NOW + HOUR)
    return root


def steps(root: Path) -> dict[str, int]:
    rows = sql(
        root,
        "SELECT v.name || '/' || s.path, s.step FROM journey.step AS s"
        " JOIN (SELECT DISTINCT journey, name FROM journey.version) AS v USING (journey)",
    )
    return dict(rows)


def everything(root: Path) -> object:
    engine = at(root)
    try:
        return contents(engine, without=())
    finally:
        engine.close()


def codes(problems: list[Diagnostic]) -> list[str]:
    return [d.code.id for d in problems]


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    begun(tmp_path)
    before = everything(tmp_path)
    with opened(tmp_path, NOW + HOUR):
        pass
    assert everything(tmp_path) == before


def test_steps_keep_their_numbers(tmp_path: Path) -> None:
    begun(tmp_path)
    before = steps(tmp_path)
    changed = WELCOME.replace(
        "  settle: wait 1d\n", "  early: wait 3h\n  settle: wait 2d\n  late: wait 4h\n"
    )
    write(
        tmp_path, {"welcome": changed, "a_new": LOYAL.replace("loyal {", "a_new {"), "loyal": LOYAL}
    )
    with opened(tmp_path, NOW + HOUR) as runtime:
        assert runtime.problems == []
    after = steps(tmp_path)
    assert {path: after[path] for path in before} == before
    assert len(set(after.values())) == len(after)
    added = {"welcome/early", "welcome/late", "a_new/morning", "a_new/reward"}
    assert added <= after.keys() - before.keys()
    versions = sql(tmp_path, "SELECT name, version FROM journey.version ORDER BY 1, 2")
    assert versions == [("a_new", 1), ("loyal", 1), ("welcome", 1), ("welcome", 2)]


def test_what_means_the_same_is_no_version(tmp_path: Path) -> None:
    begun(tmp_path)
    text = WELCOME.replace('owner "crm@shop.example"', 'owner "new@shop.example" # another')
    write(tmp_path, {"welcome": "\n\n" + text, "loyal": LOYAL})
    with opened(tmp_path, NOW + HOUR):
        pass
    assert sql(tmp_path, "SELECT max(version) FROM journey.version") == [(1,)]


def test_people_follow_a_step_by_its_path(tmp_path: Path) -> None:
    """The steps before theirs are others now, and they go on behind their own."""
    begun(tmp_path)
    waiting = sql(tmp_path, "SELECT count(*) FROM journey.runs WHERE step = 'settle'")[0][0]
    assert waiting > 10
    text = WELCOME.replace("  style: exp", "  pause: wait 1h\n  style: exp").replace(
        "  think:", '  word: send email "welcome/thanks"\n  think:'
    )
    write(tmp_path, {"welcome": text, "loyal": LOYAL})
    with opened(tmp_path, NOW + HOUR) as runtime:
        runtime.tick(NOW + 30 * HOUR)
        on = runtime.engine.query(
            "SELECT count(DISTINCT run_id) FROM journey.history WHERE from_step = 'settle'"
        )
        assert on == [(waiting,)]
        versions = runtime.engine.query(
            "SELECT DISTINCT version FROM journey.runs WHERE journey = 'welcome'"
            " AND status = 'active'"
        )
        assert versions == [(2,)]


def test_a_step_that_is_gone_while_people_wait_there(tmp_path: Path) -> None:
    begun(tmp_path)
    before = everything(tmp_path)
    write(tmp_path, {"welcome": WELCOME.replace("settle:", "calm:"), "loyal": LOYAL})
    (problem,) = refused(tmp_path, NOW + HOUR)
    assert problem.code.id == "JRN501"
    assert "`welcome/settle`" in problem.message
    assert problem.span is not None
    assert problem.span.path == "journeys/welcome.journey"
    assert everything(tmp_path) == before
    # A step that nobody waits at may go.
    write(tmp_path, {"welcome": WELCOME.replace("thanks:", "merci:"), "loyal": LOYAL})
    with opened(tmp_path, NOW + HOUR) as runtime:
        assert runtime.problems == []


def test_a_wait_whose_name_an_experiment_has_now(tmp_path: Path) -> None:
    """Nobody can wait at an experiment: the step is gone, whatever is called so."""
    begun(tmp_path)
    text = WELCOME.replace("settle: wait 1d", "later: wait 1d").replace("style:", "settle:")
    write(tmp_path, {"welcome": text, "loyal": LOYAL})
    assert set(codes(refused(tmp_path, NOW + HOUR))) == {"JRN501"}


def test_an_experiment_changed_while_it_runs(tmp_path: Path) -> None:
    begun(tmp_path)
    before = everything(tmp_path)
    text = WELCOME.replace("plain 50%", "plain 60%").replace("bold 50%", "bold 40%")
    write(tmp_path, {"welcome": text, "loyal": LOYAL})
    (problem,) = refused(tmp_path, NOW + HOUR)
    assert problem.code.id == "JRN403"
    assert problem.span is not None
    shown = loaded(tmp_path).sources[problem.span.path].text[problem.span.start :]
    assert shown.startswith("style: experiment"), shown[:40]
    assert everything(tmp_path) == before
    write(tmp_path, {"welcome": text.replace("style-2026", "style-2027"), "loyal": LOYAL})
    with opened(tmp_path, NOW + HOUR) as runtime:
        assert runtime.problems == []
        assert runtime.engine.query("SELECT max(version) FROM journey.version") == [(2,)]


def test_an_experiment_changed_twice_with_the_first_salt_again(tmp_path: Path) -> None:
    """What counts is the version that ran last."""
    begun(tmp_path)
    other = WELCOME.replace("plain 50%", "plain 60%").replace("bold 50%", "bold 40%")
    write(tmp_path, {"welcome": other.replace("style-2026", "style-2027"), "loyal": LOYAL})
    with opened(tmp_path, NOW + HOUR):
        pass
    write(tmp_path, {"welcome": WELCOME.replace("style-2026", "style-2027"), "loyal": LOYAL})
    assert codes(refused(tmp_path, NOW + HOUR)) == ["JRN403"]


def test_triggers_count_from_the_first_apply(tmp_path: Path) -> None:
    """A journey added later enrols nobody for what was before it."""
    make(tmp_path, {"loyal": LOYAL})
    with opened(tmp_path, BEFORE) as runtime:
        runtime.tick(NOW + HOUR / 2)
    write(tmp_path, JOURNEYS)
    # All have signed up at NOW or in the twenty minutes behind it.
    at = NOW + HOUR / 6
    with opened(tmp_path, at) as runtime:
        runtime.tick(NOW + HOUR)
        entered = "SELECT count(*), min(entered_at) FROM journey.runs WHERE journey = 'welcome'"
        assert runtime.engine.query(entered) == [(10, at + HOUR / 60)]
    changed = WELCOME.replace("wait 1d", "wait 2d")
    write(tmp_path, {"welcome": changed, "loyal": LOYAL})
    with opened(tmp_path, NOW + HOUR) as runtime:
        runtime.engine.execute(
            f"INSERT INTO shop.signups VALUES (99, 15, TIMESTAMP '{at + HOUR / 5}', 'late')"
        )
        runtime.tick(NOW + HOUR)
        late = runtime.engine.query(
            "SELECT count(*) FROM journey.decision WHERE reason IN ('reentry', 'active')"
        )
        assert late == [(1,)], "a new version is no first apply: the late row is seen"


def test_a_journey_deleted_while_people_are_in_it(tmp_path: Path) -> None:
    begun(tmp_path)
    before = everything(tmp_path)
    write(tmp_path, {"loyal": LOYAL})
    problems = refused(tmp_path, NOW + HOUR)
    assert set(codes(problems)) == {"JRN501"}
    assert all("welcome" in problem.message for problem in problems)
    assert everything(tmp_path) == before


def test_a_journey_deleted_when_nobody_is_in_it(tmp_path: Path) -> None:
    begun(tmp_path)
    sql(tmp_path, "UPDATE journey.run SET status = 1 WHERE journey = 2")
    write(tmp_path, {"loyal": LOYAL})
    with opened(tmp_path, NOW + HOUR) as runtime:
        runtime.tick(NOW + 30 * HOUR)
        names = runtime.engine.query("SELECT DISTINCT journey FROM journey.runs ORDER BY 1")
        assert names == [("loyal",), ("welcome",)], "what was, is still told by its name"
    # And when it comes back it is the one that it was.
    write(tmp_path, JOURNEYS)
    numbers = steps(tmp_path)
    with opened(tmp_path, NOW + 30 * HOUR) as runtime:
        assert runtime.problems == []
    assert steps(tmp_path) == numbers


def test_a_journey_that_cannot_run_is_not_taken_for_a_deleted_one(tmp_path: Path) -> None:
    begun(tmp_path)
    sql(tmp_path, "ALTER TABLE shop.orders RENAME TO sales")
    with opened(tmp_path, NOW + HOUR) as runtime:
        assert codes(runtime.problems) == ["JRN803"]
        runtime.tick(NOW + 30 * HOUR)
        held = runtime.engine.query(
            "SELECT count(*) FROM journey.runs WHERE journey = 'welcome' AND status = 'active'"
        )
        assert held[0][0] > 10
