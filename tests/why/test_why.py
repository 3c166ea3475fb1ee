"""``journey why``: the same words on both engines, for everybody whom something happened to."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from journeylang.api import open_database
from journeylang.cli.main import cli
from tests.engines.databases import ENGINES
from tests.runtime.world import contents, loaded
from tests.schemas.validation import problems
from tests.why.people import PEOPLE, shop

HERE = Path(__file__).parent
SCHEMA = json.loads((HERE.parents[1] / "docs/schemas/why.json").read_text(encoding="utf-8"))
UPDATE = bool(os.environ.get("JOURNEY_UPDATE_GOLDEN"))


@pytest.fixture(scope="module", params=ENGINES)
def root(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "80")
        patch.setenv("NO_COLOR", "1")
        with shop(tmp_path_factory.mktemp("shop"), patch, request.param) as made:
            yield made


def why(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["why", *arguments], catch_exceptions=False)


def answer(*arguments: str) -> dict[str, Any]:
    result = why(*arguments, "--output", "json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.output)
    assert problems(found, SCHEMA) == []
    return found


def test_everybody(root: Path) -> None:
    told = []
    for key, case in PEOPLE.items():
        result = why(str(key))
        assert result.exit_code == 0, result.output
        told.append(f"=== {key} {case}\n{result.output}")
    text = "\n".join(told)
    golden = HERE / "people.golden"
    if UPDATE:
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
    assert "shop.example" not in text, "no personal data"
    assert max(map(len, text.splitlines())) <= 80


def test_json(root: Path) -> None:
    found = answer("3", "welcome")
    assert (found["format_version"], found["customer"], found["zone"]) == (1, "3", "Europe/Berlin")
    assert found["at"] == "2026-03-07T15:00:00"
    ((run,),) = [story["runs"] for story in found["stories"]]
    held = next(line for line in run["lines"] if line["kind"] == "held")
    assert held["at"] == "2026-03-02T22:30:00"
    (rule,) = held["rules"]
    assert (rule["channel"], rule["reason"], rule["free_at"]) == (
        "email",
        "quiet",
        "2026-03-03T06:00:00",
    )
    assert held["needs"] == ["after 2026-03-03 07:00"]


def test_an_instant_of_the_past(root: Path) -> None:
    (story,) = answer("3", "welcome", "--at", "2026-03-02T22:30")["stories"]
    (run,) = story["runs"]
    assert (run["status"], run["step"], run["ended_at"]) == ("active", "style/plain/hello", None)
    assert [line["kind"] for line in run["lines"]] == ["entered", "arm", "held"]
    assert story["outside"] is None
    (before,) = answer("3", "welcome", "--at", "2026-03-02T12:00")["stories"]
    assert before["runs"] == []


def test_what_used_up_a_cap(root: Path) -> None:
    (story,) = answer("10", "welcome")["stories"]
    line = next(x for x in story["runs"][0]["lines"] if x["kind"] == "not_sent")
    rules = [(r["channel"], r["reason"], r["free_at"]) for r in line["rules"]]
    assert ("email", "capped", "2026-03-02T23:00:00") in rules
    (use,) = next(r["uses"] for r in line["rules"] if r["channel"] == "email")
    assert use == {"what": "winback/ask by email", "at": "2026-03-02T11:00:00"}


@pytest.mark.parametrize(
    ("key", "help_"),
    [
        ("4711", "a customer is named by the key: `id` of crm.customers"),
        ("ada", "a customer is named by the key"),
        ("", "a customer is named by the key"),
        ("'; DROP TABLE crm.customers; --", "a customer is named by the key"),
        ("P4@shop.example", "did you mean `4`?"),
        ("99999999999999999999999", "a customer is named by the key"),
    ],
)
def test_nobody_has_this_key(root: Path, key: str, help_: str) -> None:
    result = why(key)
    assert result.exit_code == 2
    assert "error[JRN829]: no customer" in result.stderr
    assert help_ in result.stderr


def test_no_such_journey(root: Path) -> None:
    result = why("1", "welcom")
    assert result.exit_code == 2
    assert "did you mean `welcome`?" in result.stderr


def test_nothing_is_changed(root: Path) -> None:
    def there() -> object:
        opened = open_database(loaded(root), "dev")
        assert opened.value is not None
        try:
            return contents(opened.value, without=())
        finally:
            opened.value.close()

    before = there()
    why("2")
    assert there() == before
