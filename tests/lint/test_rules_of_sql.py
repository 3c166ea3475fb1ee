"""The rules about SQL of the project's own."""

import pytest

from journeylang.lint import Settings
from tests.lint.linted import found

TWO = Settings(dialects=("duckdb", "postgres"))


def told(sql: str, settings: Settings, code: str = "601") -> list[str]:
    text = f"segment a = sql`select customer_id from crm.scores where {sql}`"
    return [d.message for d in found(code, text, settings=settings)]


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("dayofweek(created) > 5", "day_of_week"),
        ("upper(regexp_replace(country, 'a', 'b')) = 'A'", "regexp_replace"),
        ("try_cast(x as int) = 3", "try_cast"),
        ("date_diff('day', a, b) > 3", "datediff"),
        ("payload->>'$.level' = 'gold'", "json_extract_scalar"),
    ],
)
def test_functions_that_are_not_everywhere(sql: str, name: str) -> None:
    assert told(sql, TWO) == [f"`{name}` is not the same on duckdb and postgres"]
    assert told(sql, Settings()) == []


@pytest.mark.parametrize(
    "sql",
    [
        "score > 0.8 and not (upper(country) = 'DE' or name like 'A%')",
        "coalesce(score, 0) between 1 and 5 and cast(x as int) = 3",
        "round(score, 2) > 0.5 and extract(week from created) = 7",
        "case when score > 5 then true else false end",
        "length(trim(name)) > 0 and score in (select max(score) from crm.scores)",
    ],
)
def test_functions_that_are(sql: str) -> None:
    assert told(sql, TWO) == []


def test_a_project_may_do_without() -> None:
    assert told("score > 1", Settings(), code="603") == []
    for wish in ("warning", "error"):
        text = "segment a = sql`select customer_id from crm.scores`"
        (diagnostic,) = found("603", text, settings=Settings(sql_escape=wish))
        assert (diagnostic.message, str(diagnostic.severity)) == (
            "this project does without `sql`",
            wish,
        )
