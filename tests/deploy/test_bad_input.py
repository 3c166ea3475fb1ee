"""What is refused before anything is changed, as it is told on either engine."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from journeylang.cli import plan as plan_verb
from journeylang.cli.main import cli
from journeylang.deploy.plan import Plan
from journeylang.runtime.lease import Lease
from tests.engines.databases import ENGINES
from tests.runtime.test_apply import everything
from tests.runtime.world import CONFIG, HOUR, JOURNEYS, NOW, WELCOME, at, make, sql, write

BY_HAND = CONFIG.replace("[env.dev]", "[env.dev]\nauto_apply = false")
LONGER = WELCOME.replace("settle: wait 1d", "settle: wait 2d")


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str) -> Path:
    """A shop to which nothing was applied yet."""
    return shop(tmp_path / "shop", monkeypatch, engine)


def shop(root: Path, monkeypatch: pytest.MonkeyPatch, engine: str) -> Path:
    make(root, engine=engine)
    monkeypatch.chdir(write(root, config=BY_HAND))
    return root


def verb(*arguments: str, hours: int = 1) -> Result:
    now = ["--now", str(NOW + hours * HOUR)] if arguments[0] in ("plan", "apply", "run") else []
    return CliRunner().invoke(cli, [*arguments, *now], catch_exceptions=False)


def done(*arguments: str, hours: int = 1) -> str:
    result = verb(*arguments, hours=hours)
    assert result.exit_code == 0, result.output
    return result.stdout


def begun(root: Path, welcome: str = LONGER) -> None:
    """Applied and ticked once; then the welcome is changed."""
    done("apply", "dev", hours=-1)
    done("run", "dev")
    write(root, {**JOURNEYS, "welcome": welcome}, config=BY_HAND)


def refused(root: Path, code: str, says: str, *arguments: str, way_out: str) -> None:
    before = everything(root)
    result = verb(*arguments)
    assert result.exit_code == 1, result.output
    assert f"error[{code}]" in result.stderr
    assert says in result.stderr
    assert way_out in result.stderr
    assert everything(root) == before


def test_the_first_plan_of_a_database(root: Path) -> None:
    assert "nothing was applied" in done("versions", "dev")
    assert '"revisions": []' in done("versions", "dev", "--output", "json")
    assert "Plan: 2 added" in done("plan", "dev", "--out", "plan.json")
    assert "revision 1" in done("apply", "dev", "plan.json")
    assert verb("plan", "dev", "--detailed-exitcode").exit_code == 0


def test_a_plan_for_another_database(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    begun(root)
    done("plan", "dev", "--out", "plan.json")
    other = shop(tmp_path / "other", monkeypatch, engine)
    begun(other)
    shutil.copy(root / "plan.json", other / "plan.json")
    refused(other, "JRN504", "database than", "apply", "dev", "plan.json", way_out="--out FILE")


def test_a_plan_file_that_was_edited(root: Path) -> None:
    begun(root)
    done("plan", "dev", "--out", "plan.json")
    file = root / "plan.json"
    file.write_text(file.read_text("utf-8").replace("wait 2d", "wait 3d"), "utf-8")
    refused(root, "JRN503", "not as it was made", "apply", "dev", "plan.json", way_out="plan again")


def test_a_plan_that_was_applied(root: Path) -> None:
    begun(root)
    done("plan", "dev", "--out", "plan.json")
    done("apply", "dev", "plan.json")
    refused(root, "JRN505", "moved on", "apply", "dev", "plan.json", way_out="plan again")


def test_two_applies_at_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the second has shown is not what it would do."""
    begun(root)
    shown = plan_verb.show
    told: list[str] = []

    def meanwhile(plan: Plan, about: str, output: str) -> None:
        shown(plan, about, output)
        monkeypatch.setattr(plan_verb, "show", shown)
        told.append(done("apply", "dev", hours=2))

    monkeypatch.setattr(plan_verb, "show", meanwhile)
    result = verb("apply", "dev", hours=3)
    assert "revision 2" in told[0]
    assert result.exit_code == 1, result.output
    assert "error[JRN505]" in result.stderr
    assert "revision 2 was applied meanwhile" in result.stderr
    assert "`journey apply dev` plans and shows it anew" in result.stderr
    assert "revision 2" in done("apply", "dev", hours=4)


@contextmanager
def in_use(root: Path, engine: str) -> Iterator[None]:
    """Another process moves the people of the database."""
    if engine == "postgres":
        other = at(root)
        lease = Lease(engine=other)
        lease.hold()
        try:
            yield
        finally:
            lease.give_back()
            other.close()
        return
    held = "import duckdb; c = duckdb.connect('shop.duckdb'); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", held], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield
        finally:
            process.communicate(b"\n")


def test_while_another_process_moves_people(root: Path, engine: str) -> None:
    """It is waited for, ten seconds, and then named."""
    begun(root)
    done("plan", "dev", "--out", "plan.json")
    before = everything(root)
    with in_use(root, engine):
        result = verb("apply", "dev", "plan.json")
    assert result.exit_code in (1, 2), result.output
    assert "error[JRN802]" in result.stderr
    assert "process" in result.stderr
    assert "end" in result.stderr
    assert everything(root) == before
    assert "revision 2" in done("apply", "dev", "plan.json")


def test_a_step_that_is_gone_with_people_on_it(root: Path) -> None:
    begun(root, WELCOME.replace("settle: wait 1d", ""))
    assert "no target (JRN501)" in verb("plan", "dev").stdout
    refused(root, "JRN501", "people wait", "apply", "dev", way_out="moved in welcome: settle ->")


def test_arms_that_change_under_the_same_salt(root: Path) -> None:
    shares = WELCOME.replace("plain 50%", "plain 40%").replace("bold 50%", "bold 60%")
    begun(root, shares)
    refused(root, "JRN403", "without a new salt", "apply", "dev", way_out="a new salt")
    salted = shares.replace("welcome-style-2026", "welcome-style-2027")
    write(root, {**JOURNEYS, "welcome": salted}, config=BY_HAND)
    assert "revision 2" in done("apply", "dev")


def test_an_apply_of_what_stands_changes_nothing(root: Path) -> None:
    begun(root, WELCOME)
    versions = "SELECT name, version FROM journey.version ORDER BY 1, 2"
    before = sql(root, versions)
    done("apply", "dev")
    assert sql(root, versions) == before
