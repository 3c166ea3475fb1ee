"""``journey run``: real parts, a small shop, and everything that can be in the way."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from journeylang.cli.main import cli, main
from journeylang.delivery.links import key_id
from journeylang.engines.duckdb import DuckDbEngine
from tests.runtime.world import (
    CONFIG,
    HOUR,
    JOURNEYS,
    NOW,
    contents,
    make,
    opened,
    orders,
    sql,
    write,
)

LINE = re.compile(
    r"(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d) UTC: (?P<ticks>[\d,]+) ticks?"
    r"(?: \((?P<idle>[\d,]+) idle\))?:"
    r" (?P<entered>[\d,]+) entered, (?P<sent>[\d,]+) messages decided, [\d,]+ not sent"
    r"(?:, (?P<delivered>[\d,]+) delivered)?(?:, (?P<failed>[\d,]+) failed)?"
)
FROM, TO = "2026-03-02T09:00", "2026-03-04T12:00"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small shop, which is also the working folder."""
    monkeypatch.chdir(make(tmp_path))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["run", *arguments])


def line(result: Result) -> dict[str, str]:
    found = LINE.fullmatch(result.stdout.strip().splitlines()[-1])
    assert found is not None, result.output
    return {name: value or "0" for name, value in found.groupdict().items()}


def rows(root: Path) -> dict[str, int]:
    names = ("run", "message", "receipt")
    found = sql(root, " UNION ALL ".join(f"SELECT '{n}', count(*) FROM journey.{n}" for n in names))
    return dict(found)


def refuse(result: Result, code: int, *words: str) -> None:
    """The verb ended with this code, said these words, and showed no traceback."""
    assert result.exit_code == code, result.output
    for word in words:
        assert word in result.stderr, result.stderr
    assert "Traceback" not in result.output
    assert "internal error" not in result.output


def test_virtual_days(root: Path) -> None:
    result = run("--from", FROM, "--to", TO, "--step", "1h")
    assert result.exit_code == 0, result.output
    found = line(result)
    assert found["at"] == "2026-03-04 12:00"
    assert found["ticks"] == "52"
    there = rows(root)
    assert int(found["entered"]) == there["run"] > 20
    assert int(found["sent"]) == int(found["delivered"]) == there["message"] > 0
    assert len(list((root / "outbox").rglob("*.*"))) == there["message"]
    # No bar where there is no terminal; the zone that is none is told, once.
    assert result.stderr.count("JRN807") == 2
    assert "ticks" not in result.stderr


def test_the_step_makes_no_difference_to_who_enters(root: Path) -> None:
    assert run("--from", FROM, "--to", TO, "--step", "6h").exit_code == 0
    assert rows(root)["run"] == 24


def test_one_instant(root: Path) -> None:
    assert run("--now", FROM).exit_code == 0
    result = run("--once", "--now", "2026-03-02T11:00+00:00")
    found = line(result)
    assert (found["at"], found["ticks"], found["idle"]) == ("2026-03-02 11:00", "1", "0")
    again = line(run("--now", "2026-03-02T12:00+01:00"))
    assert (again["entered"], again["sent"], again["delivered"]) == ("0", "0", "0")


def test_an_instant_before_the_last_counts_as_the_last(root: Path) -> None:
    run("--from", FROM, "--to", TO)
    assert line(run("--now", FROM))["at"] == "2026-03-04 12:00"


def test_now_is_the_real_clock(root: Path) -> None:
    before = datetime.now(UTC).replace(tzinfo=None, second=0, microsecond=0)
    found = line(run())
    assert before <= datetime.fromisoformat(found["at"]) <= before + timedelta(minutes=5)


def test_without_delivery_the_outbox_waits(root: Path) -> None:
    result = run("--from", FROM, "--to", TO, "--no-deliver")
    assert line(result)["delivered"] == "0"
    assert "delivered" not in result.stdout
    there = rows(root)
    assert there["message"] > 0
    assert there["receipt"] == 0
    assert int(line(run("--now", TO))["delivered"]) > 0


def test_every(root: Path) -> None:
    until = datetime.now(UTC) + timedelta(seconds=3)
    result = run("--every", "1s", "--until", until.isoformat())
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert 1 <= len(lines) <= 4
    assert all(LINE.fullmatch(text) for text in lines)
    assert datetime.now(UTC) < until + timedelta(seconds=5)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--once", "--every", "1m"], "choose one of"),
        (["--every", "1m", "--from", FROM, "--to", TO], "choose one of"),
        (["--now", TO, "--from", FROM, "--to", TO], "--now is a single tick"),
        (["--now", TO, "--every", "1m"], "--now is a single tick"),
        (["--from", FROM], "--from and --to go together"),
        (["--to", TO], "--from and --to go together"),
        (["--from", TO, "--to", FROM], "--to lies before --from"),
        (["--step", "1h"], "--step goes with"),
        (["--accept-gone", "--from", FROM, "--to", TO], "--accept-gone is for one tick"),
        (["--accept-gone", "--every", "1m"], "--accept-gone is for one tick"),
        (["--accept-gone", "--no-tick"], "--accept-gone is for one tick"),
        (["--until", TO], "--until goes with --every"),
        (["--every", "1m", "--until", FROM], "--until lies in the past"),
        (["--every", "0s"], "is no span of time"),
        (["--every", "soon"], "is no span of time"),
        (["--every", "-1m"], "is no span of time"),
        (["--step", "1y", "--from", FROM, "--to", TO], "is no span of time"),
        (["--now", "yesterday"], "is no instant"),
        (["--now", "2026-02-30"], "is no instant"),
        (["--now", ""], "is no instant"),
        (["--now", "9999-12-31T23:59"], "lies outside"),
        (["--now", "0001-01-01"], "lies outside"),
        (["--now", "0001-01-01T00:00+14:00"], "is no instant"),
        (["--sooner"], "--sooner"),
        (["dev", "prod"], "prod"),
    ],
)
def test_what_does_not_go_together(root: Path, arguments: list[str], words: str) -> None:
    result = run(*arguments)
    refuse(result, 2, words)
    assert "journey" not in {s for (s,) in sql(root, "SELECT schema_name FROM duckdb_schemas()")}


def test_a_long_grid_is_not_laid_out_first(root: Path) -> None:
    """Two hundred years of seconds; it is interrupted at once, and has not begun by then."""
    write(root, config=CONFIG.replace('database = "', 'database = "not/'))
    refuse(run("--from", "1990-01-01", "--to", "2190-01-01", "--step", "1s"), 2, "JRN801")


# --- the database -------------------------------------------------------------


def test_no_database(root: Path) -> None:
    (root / "shop.duckdb").unlink()
    refuse(run(), 2, "error[JRN801]", "`shop.duckdb`", "journey.toml:5:")
    assert not (root / "shop.duckdb").exists()


def test_no_database_but_a_text(root: Path) -> None:
    (root / "shop.duckdb").write_text("a list of customers\n" * 1000)
    refuse(run(), 2, "error[JRN801]", "journey.toml:5:")


def test_a_folder_for_a_database(root: Path) -> None:
    write(root, config=CONFIG.replace("shop.duckdb", "journeys"))
    refuse(run(), 2, "error[JRN801]", "journey.toml:5:")


def test_another_database(root: Path) -> None:
    write(root, config=CONFIG.replace("shop.duckdb", "mysql://localhost/shop"))
    refuse(run(), 2, "error[JRN009]", "not supported yet: mysql", "journey.toml:5:")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a database that somebody else has."""
    real = DuckDbEngine.open.__func__  # type: ignore[attr-defined]

    def at_once(path: str, **options: object) -> DuckDbEngine:
        made: DuckDbEngine = real(DuckDbEngine, path, **{**options, "wait": 0.2})
        return made

    monkeypatch.setattr(DuckDbEngine, "open", at_once)


HOLDER = """import sys, duckdb
held = duckdb.connect(sys.argv[1])
print("up", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def held(root: Path, impatient: None) -> Path:
    return root


def test_a_database_in_use(held: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(held / "shop.duckdb")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        refuse(run(), 2, "error[JRN802]", f"process {holder.pid}", "journey.toml:5:")
        # Again and again: the next beat may find it free.
        until = (datetime.now(UTC) + timedelta(seconds=1.5)).isoformat()
        result = run("--every", "1s", "--until", until)
        refuse(result, 1, "error[JRN802]")
        assert result.stderr.count("error[JRN802]") == 1
        assert holder.stdin is not None
        holder.stdin.close()
        holder.wait(timeout=20)
    assert run().exit_code == 0


def test_it_is_waited_for(root: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(root / "shop.duckdb")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        running = subprocess.Popen(
            [sys.executable, "-m", "journeylang", "run", "--now", FROM],
            cwd=root,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        time.sleep(1.5)
        assert holder.stdin is not None
        holder.stdin.close()
        answer, problems = running.communicate(timeout=30)
        assert running.returncode == 0, problems
        assert "1 tick" in answer


# --- the environment ----------------------------------------------------------


def test_an_environment_that_is_none(root: Path) -> None:
    refuse(run("prod"), 1, "error[JRN816]", "`prod`")
    write(root, config=CONFIG.replace("[env.dev]", "[env.production]"))
    refuse(run("produciton"), 1, "did you mean `production`?")


def test_an_environment_that_needs_an_apply(root: Path) -> None:
    write(root, config=CONFIG.replace("[env.dev]", "[env.prod]"))
    refuse(run("prod"), 2, "error[JRN506]", "`journey apply prod`")
    write(root, config=CONFIG.replace("[env.dev]", "[env.prod]\nauto_apply = true"))
    assert run("prod", "--now", FROM).exit_code == 0


def test_a_variable_that_is_not_set(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHOP_DATABASE", raising=False)
    write(root, config=CONFIG.replace('"shop.duckdb"', '"env:SHOP_DATABASE"'))
    refuse(run(), 2, "error[JRN810]", "SHOP_DATABASE", "journey.toml:5:")
    monkeypatch.setenv("SHOP_DATABASE", "shop.duckdb")
    assert run("--now", FROM).exit_code == 0


def test_where_links_lead_and_who_signs_them(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = root / "journey.toml"
    named = '[env.dev]\nbase_url = "https://m.shop.example"\nlink_key = "env:SHOP_LINK_KEY"\n'
    config.write_text(config.read_text().replace("[env.dev]\n", named))
    refuse(run("--now", FROM), 2, "error[JRN810]", "SHOP_LINK_KEY", "journey.toml:6:")
    monkeypatch.setenv("SHOP_LINK_KEY", "a long secret")
    run("--now", FROM)
    assert run("--now", "2026-03-02T12:00").exit_code == 0
    mails = [file.read_text() for file in (root / "outbox" / "email").glob("*.eml")]
    signer = key_id(b"a long secret")
    assert all("<https://m.shop.example/u/" in mail and signer in mail for mail in mails)
    assert mails


def test_an_unknown_provider(root: Path) -> None:
    write(root, config=CONFIG.replace('email = "file"', 'email = "flie"'))
    run("--now", FROM)
    result = run("--now", "2026-03-02T12:00")
    refuse(result, 1, "error[JRN817]", "did you mean `file`?")
    assert int(line(result)["delivered"]) > 0, "the other channel's went out"


def test_an_outbox_that_cannot_be_written(root: Path) -> None:
    (root / "outbox").write_text("in the way")
    run("--now", FROM)
    result = run("--now", "2026-03-02T12:00")
    refuse(result, 1, "error[JRN8")
    assert line(result)["delivered"] == "0"
    decided = int(line(result)["sent"])
    assert decided > 0
    (root / "outbox").unlink()
    assert line(run("--now", "2026-03-02T12:01"))["delivered"] == str(decided)


# --- the binding and the files ------------------------------------------------


def test_a_table_that_is_missing_stops_whom_it_concerns(root: Path) -> None:
    run("--now", FROM)
    sql(root, "DROP TABLE shop.orders")
    result = run("--now", "2026-03-03T10:00")
    refuse(result, 1, "error[JRN803]", "`shop.orders`", "journeys/binding.journey:19:15")
    assert line(result)["delivered"] == "3"
    journeys = sql(root, "SELECT DISTINCT journey FROM journey.messages")
    assert journeys == [("loyal",)]


def test_everything_is_missing(root: Path) -> None:
    sql(root, "DROP TABLE crm.customers")
    refuse(run(), 2, "error[JRN803]", "journeys/binding.journey:3:11")


@pytest.mark.parametrize(
    ("change", "code", "exits"),
    [
        ("ALTER TABLE crm.customers DROP COLUMN points", "JRN804", 2),
        ("ALTER TABLE shop.signups DROP COLUMN source", "JRN804", 1),
    ],
)
def test_a_binding_that_is_not_true(root: Path, change: str, code: str, exits: int) -> None:
    sql(root, change)
    result = run("--now", FROM)
    refuse(result, exits, f"error[{code}]", "journeys/binding.journey:")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("INSERT INTO crm.customers SELECT * FROM crm.customers LIMIT 1", "JRN805"),
        ("INSERT INTO crm.customers (id) VALUES (NULL)", "JRN806"),
        ("INSERT INTO shop.signups SELECT * FROM shop.signups LIMIT 1", "JRN805"),
        ("INSERT INTO shop.signups (id) VALUES (NULL)", "JRN806"),
    ],
)
def test_rows_whose_keys_are_wrong_are_told_and_the_rest_goes_on(
    root: Path, change: str, code: str
) -> None:
    sql(root, change)
    result = run("--now", FROM)
    refuse(result, 0, f"warning[{code}]", "journeys/binding.journey:")


def test_an_error_in_a_file(root: Path) -> None:
    write(root, {**JOURNEYS, "bad": "segment a = exists(odered)\n"})
    refuse(run(), 1, "error[JRN101]", "journeys/bad.journey:1:20", "did you mean `ordered`?")


def test_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    refuse(run(), 2, "error[JRN808]")


def test_a_step_that_is_gone(root: Path) -> None:
    run("--now", FROM)
    run("--now", "2026-03-02T12:00")
    welcome = JOURNEYS["welcome"].replace("settle:", "calm:")
    write(root, {**JOURNEYS, "welcome": welcome})
    refuse(run(), 2, "error[JRN501]", "`welcome/settle`", "journeys/welcome.journey:1:")


def test_a_broken_database_in_the_midst(root: Path) -> None:
    """What the runtime itself needs is gone: one message, and nothing internal."""
    run("--now", FROM)
    sql(root, "DROP VIEW journey.runs; ALTER TABLE journey.run DROP COLUMN wake_at")
    refuse(run("--now", TO), 2, "error[JRN815]")


# --- interrupts ---------------------------------------------------------------


# Tests that a shell runs in the background have the signal ignored, and hand that on.
_INTERRUPTIBLE = """import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from journeylang.delivery.links import key_id
from journeylang.cli.main import main
main()"""


def test_an_interrupt_leaves_whole_ticks(root: Path, tmp_path: Path) -> None:
    sql(root, orders(20, NOW + 29 * HOUR))
    running = subprocess.Popen(
        [sys.executable, "-c", _INTERRUPTIBLE, "run", "--from", FROM, "--to", "2026-06-01"],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "200"},
    )
    deadline = time.monotonic() + 60
    while not list((root / "outbox").glob("*/*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    try:
        answer, problems = running.communicate(timeout=30)
    finally:
        running.kill()
    assert running.returncode == 130, problems
    assert "interrupted" in problems
    assert "Traceback" not in problems
    assert LINE.fullmatch(answer.strip().splitlines()[-1]), answer
    with opened(root, NOW) as runtime:
        now = runtime.engine.query("SELECT now FROM journey.lock")[0][0]
        assert now > NOW
        before = contents(runtime.engine)
        runtime.tick(now)
        assert contents(runtime.engine) == before


def test_the_program_itself(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", "--now", FROM])
    assert ended.value.code == 0
    assert LINE.fullmatch(capsys.readouterr().out.strip())
