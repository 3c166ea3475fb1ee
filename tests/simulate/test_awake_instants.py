"""An instant at which everybody is asked again finds everybody in their place."""

from __future__ import annotations

from pathlib import Path

from tests.runtime.world import sql
from tests.simulate.test_awake import both_ways
from tests.simulate.test_both_ways import OFTEN, Rows, world

ENTERED_ONCE = """journey j "J" {
  owner "a@b.example"
  enter at 2026-03-02T11:00
  exit when 2026-03-04T00:00 older than 2h as over
  policy p
  hello: send email "m/m"
  rest: wait 30d
}"""
# It passes at 17:00, and is asked for again at midnight.
ASKED_DAILY = """journey j "J" {
  owner "a@b.example"
  enter when customer.points >= 50 and 2026-03-02T16:00 older than 1h every 1d
  policy p
  hello: send email "m/m"
  rest: wait 30d
}"""


def left_behind(root: Path) -> Rows:
    """By both ways the same; some were put aside in one of them."""
    until, _, left = both_ways(root, days=3)
    assert until
    return left


def test_of_those_whom_a_schedule_has_let_in(tmp_path: Path) -> None:
    root = world(tmp_path / "shop", ENTERED_ONCE, OFTEN)
    assert {row[8] for row in left_behind(root)["run"]} == {"over"}


def test_that_has_passed_before_it_is_asked_for_again(tmp_path: Path) -> None:
    root = world(tmp_path / "shop", ASKED_DAILY, OFTEN)
    binding = root / "journeys/binding.journey"
    text = binding.read_text(encoding="utf-8").replace("{\n", "{\n  changed at c.changed\n", 1)
    binding.write_text(text, encoding="utf-8")
    sql(root, "ALTER TABLE crm.customers ADD COLUMN changed TIMESTAMP DEFAULT '2026-01-01'")
    assert left_behind(root)["run"]
