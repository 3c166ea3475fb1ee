"""JRN405: only where somebody has said how many there are, what is usual, and what is hoped for."""

import pytest

from journeylang.lint import Settings
from tests.lint.linted import found

JOURNEY = """
policy standard {{ cap any 1 per day }}
{assume}
journey welcome {{
  owner "a@b.example" enter on signed_up {goal} {more} policy standard
  subject: experiment salt "s1" {expect} {{
    arm a {a}% control {{ hello: send email "welcome/hello" }}
    arm b {b}% {{ hello: send email "welcome/warm" }}
    {c}
  }}
}}
"""
ASSUME = "assume typical { order_placed 3% per 30d }"
GOAL = "goal order_placed within 30d"


def told(
    expect: str,
    *,
    volume: int | None = 20_000,
    assume: str = ASSUME,
    goal: str = GOAL,
    more: str = "",
    shares: tuple[int, int] = (50, 50),
    third: str = "",
) -> list[str]:
    text = JOURNEY.format(
        assume=assume,
        goal=goal,
        more=more,
        expect=f'expect "{expect}"' if expect else "",
        a=shares[0],
        b=shares[1],
        c=third,
    )
    volumes = {} if volume is None else {"welcome": volume}
    return [d.message for d in found("405", text, settings=Settings(volumes=volumes))]


def test_the_figures_are_told() -> None:
    (message,) = told("+10% more orders", volume=1_000)
    assert message == (
        "`subject` cannot see what it expects: 3.00% against 3.30% takes 106,422 customers in two"
        " arms, and that is 3,193 days at 1,000 entries in 30 days"
    )


@pytest.mark.parametrize(
    ("expect", "volume"),
    [("+1%", 20_000), ("-5%", 20_000), ("+30%", 1_000), ("+0.1pp", 20_000), ("+0.5pp", 2_000)],
)
def test_too_few(expect: str, volume: int) -> None:
    assert len(told(expect, volume=volume)) == 1


@pytest.mark.parametrize(
    "expect",
    [
        "+30%",
        "+1pp",
        # No figure at the beginning, and none at all.
        "the name brings 1% more",
        "1%",
        "",
        # Nothing is expected, and more than all.
        "+0%",
        "+9000%",
    ],
)
def test_enough_or_nothing_to_go_by(expect: str) -> None:
    assert told(expect) == []


def test_without_a_volume_or_a_rate_nothing_is_told() -> None:
    assert told("+1%", volume=None) == []
    assert told("+1%", assume="") == []
    assert told("+1%", goal="") == []
    assert told("+1%", goal="goal order_placed") == []
    assert told("+1%", assume="assume typical { app_opened 3% per 30d }") == []


def test_the_largest_rate_counts() -> None:
    """The larger the rate, the fewer are needed to see a tenth of it."""
    more = f"{ASSUME} assume rich {{ order_placed 30% per 30d }}"
    assert told("+10%", volume=2_000) != []
    assert told("+10%", volume=2_000, assume=more) == []
    assert told("+10%", volume=2_000, more="kpi conversion >= 30%") == []
    assert told("+10%", volume=2_000, assume="", more="kpi conversion >= 3%") != []
    # A kpi that is a ceiling says nothing of what is usual.
    assert told("+10%", volume=2_000, assume="", more="kpi conversion <= 3%") == []


def test_windows_and_what_follows_add_up() -> None:
    daily = "assume typical { order_placed 1% per 1d }"
    assert "26.03% against" in told("+1%", assume=daily)[0]
    after = "assume typical { order_placed 2% per 30d order_placed after app_opened 10% within 3d }"
    assert "11.80% against" in told("+1%", assume=after)[0]


def test_shares_hold_outs_and_runs_count() -> None:
    assert told("+10%", volume=10_000) == []
    assert told("+10%", volume=10_000, shares=(95, 5)) != []
    assert told("+10%", volume=10_000, more='holdout 50% salt "h"') != []
    runs = told("+10%", volume=10_000, more="runs from 2026-03-01 until 2026-05-01")
    assert "within the 62 days that the journey runs" in runs[0]
    third = 'arm c 80% { hello: send email "welcome/cold" }'
    assert told("+10%", volume=10_000, shares=(10, 10), third=third) != []
