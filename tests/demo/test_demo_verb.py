"""`journey demo` from end to end, on a shop of some hundred people."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from journeylang.cli.demo import command

pytestmark = pytest.mark.slow

SMALL = ("--customers", "600", "--days", "6", "--step", "6h")


def demo(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    root = tmp_path_factory.mktemp("demo") / "coffee"
    return root, demo(str(root), *SMALL)


def figure(pattern: str, output: str) -> int:
    found = re.search(pattern, output)
    assert found is not None, output
    return int(found[1].replace(",", ""))


def rows(root: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(root / "acme.duckdb", read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_it_ends_well_and_says_what_happened(made: tuple[Path, Result]) -> None:
    root, result = made
    assert result.exit_code == 0, result.output
    assert "Made a shop of 600 customers" in result.output
    assert "5 journeys, nothing found." in result.output
    assert "Ran 6 virtual days in 25 ticks" in result.output
    for journey in ("cart", "post_purchase", "replenishment", "welcome", "winback"):
        assert re.search(rf"^{journey}  ", result.output, re.MULTILINE)
    for line in result.output.splitlines():
        assert len(line.rstrip()) <= 80 or str(root) in line
    assert str(root / "acme.duckdb") in result.output
    assert "journey -C" in result.output


def test_the_messages_lie_in_the_outbox(made: tuple[Path, Result]) -> None:
    root, result = made
    delivered = figure(r"Delivered ([\d,]+) messages", result.output)
    files = [path for path in (root / "outbox").rglob("*") if path.is_file()]
    assert delivered == len(files) > 0
    accepted = rows(root, "SELECT count(*) FROM journey.messages WHERE state = 'accepted'")
    assert accepted == [(delivered,)]


def test_the_figures_are_those_of_the_database(made: tuple[Path, Result]) -> None:
    root, result = made
    decided = figure(r"([\d,]+) messages decided", result.output)
    assert rows(root, "SELECT count(*) FROM journey.messages") == [(decided,)]
    shown = re.findall(r"^ +([\d,]+) entered", result.output, re.MULTILINE)
    entered = sum(int(number.replace(",", "")) for number in shown)
    assert rows(root, "SELECT count(*) FROM journey.runs") == [(entered,)]


def test_nobody_is_messaged_who_must_not_be(made: tuple[Path, Result]) -> None:
    """By SQL over the shop's own tables, without anything of the compiler's."""
    root, _ = made
    assert rows(
        root,
        """SELECT count(*) FROM journey.messages AS m JOIN journey.runs AS r USING (run_id)
        WHERE r.status IN ('held_out', 'global_control')""",
    ) == [(0,)]
    assert rows(
        root,
        """SELECT count(*) FROM journey.messages AS m WHERE m.channel IN ('email', 'sms') AND
          coalesce((SELECT arg_max(c.status, (c.changed_at, c.consent_id)) FROM crm.consents AS c
            WHERE c.customer_id = m.customer_id AND c.topic = m.channel
              AND c.changed_at <= m.decided_at), 'none') <> 'opt_in'""",
    ) == [(0,)]
    assert rows(
        root,
        """SELECT count(*) FROM journey.messages AS m JOIN crm.customers AS c USING (customer_id)
        WHERE c.deleted_at IS NOT NULL OR CASE m.channel WHEN 'email' THEN c.email
          WHEN 'sms' THEN c.mobile ELSE c.push_token END IS NULL""",
    ) == [(0,)]


def test_a_demo_that_is_there_is_made_anew_on_demand(made: tuple[Path, Result]) -> None:
    root, first = made
    again = demo(str(root), *SMALL)
    assert again.exit_code != 0
    assert "--force" in again.output
    forced = demo(str(root), *SMALL, "--force")
    assert forced.exit_code == 0
    # Messages go out while ticks run: how many are called back in time is a matter of seconds.
    timed = re.compile(r"All of it took .*|Delivered .*")
    assert timed.sub("", forced.output) == timed.sub("", first.output)


def test_without_delivery_nothing_is_written_out(tmp_path: Path) -> None:
    result = demo(
        *(str(tmp_path / "quiet"), "--customers", "100", "--days", "1", "--step", "12h"),
        "--no-deliver",
    )
    assert result.exit_code == 0, result.output
    assert "Delivered" not in result.output
    assert not (tmp_path / "quiet" / "outbox").exists()


@pytest.mark.parametrize(
    "wrong", [("--days", "0"), ("--step", "soon"), ("--customers", "-1"), ("--seed", "x")]
)
def test_wrong_options(tmp_path: Path, wrong: tuple[str, str]) -> None:
    result = demo(str(tmp_path / "x"), *wrong)
    assert result.exit_code == 2
    assert not (tmp_path / "x").exists()


def test_a_folder_of_somebody_else(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    result = demo(str(tmp_path), "--force")
    assert result.exit_code != 0
    assert "is no demo" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]
