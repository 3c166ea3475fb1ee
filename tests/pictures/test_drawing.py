"""Drawings: text is text whatever stands in it, colours are the page's, figures add up."""

from __future__ import annotations

import re
from datetime import date
from html.parser import HTMLParser

import pytest

from journeylang.pictures import charts, daily, flow, markup
from journeylang.pictures.daily import Limit, Sent
from journeylang.pictures.flow import Way

HOSTILE = [
    "</svg><script>alert(1)</script>",
    '" role="none" onload="x',
    "a\0b\x1bc\ufffe",
    "\ud800 alone",
    "&amp; & 'quoted'",
    "الطلب\u2028🚚",
    "x" * 300,
    "",
]


class Words(HTMLParser):
    """What is read, and which elements and attributes there are."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.mark.parametrize("name", HOSTILE)
def test_text_stays_text(name: str) -> None:
    drawn = [
        charts.bars([(name, name, 3)], [name], unit=name),
        charts.columns([(name, 3)], unit=name, of=name),
        charts.intervals([(name, 0.1, -0.2, 0.4)], unit=name, share=True),
        charts.lines([("2026-03-01", name, 3)], [name], unit=name, limits=[(name, 4)]),
        charts.by_day([("2026-03-01", name, 3)], [name], unit=name),
    ]
    funnel = flow.funnel([Way(origin=None, to=None, outcome=name or None, runs=3)], [])
    assert funnel is not None
    drawn.append(markup.figure(funnel))
    for svg in drawn:
        seen = Words(svg)
        assert not seen.tags & {"script", "foreignobject", "image", "style", "a"}
        assert not {name for name in seen.attributes if name.startswith("on")}
        assert "http" not in svg


def test_colours_are_of_the_page() -> None:
    svg = charts.by_day(
        [("2026-03-01", "a", 3), ("2026-03-02", "b", 4)], ["a", "b"], unit="messages"
    )
    painted = set(re.findall(r'(?:fill|stroke)="([^"]*)"', svg))
    assert {one for one in painted if not one.startswith("var(--")} <= {"none", "transparent"}
    assert {"var(--c0)", "var(--c1)"} <= painted
    assert svg == charts.by_day(
        [("2026-03-01", "a", 3), ("2026-03-02", "b", 4)], ["a", "b"], unit="messages"
    )


def test_a_funnel_adds_up() -> None:
    ways = [
        Way(origin=None, to="a", runs=100),
        Way(origin=None, to=None, outcome="held out", runs=10),
        Way(origin="a", to="b", runs=70),
        Way(origin="a", to=None, outcome="ordered", runs=20),
        Way(origin="b", to=None, runs=60),
        Way(origin="b", to="a", runs=5),
        Way(origin="x", to=None, outcome="ordered", runs=4),
    ]
    made = flow.funnel(ways, ["a", "b", "x"])
    assert made is not None
    assert made.told == (
        "110 runs entered: 4 were there before; 60 end, 24 ordered, 10 held out, 20 still inside."
    )
    assert ("a", "(there now)", "15") in made.rows
    assert ("b", "(there now)", "5") in made.rows
    assert made.rows[:2] == (("entered", "a", "100"), ("entered", "(held out)", "10"))
    assert flow.funnel([], ["a"]) is None


DAYS = [
    Sent(day=date(2026, 3, day), journey=journey, channel=channel, messages=day, cost=day / 2)
    for day in (1, 2, 30, 31)
    for journey, channel in (("a", "email"), ("b", "sms"))
]


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        ({}, "At most 32.00 of 40.00 EUR was spent in its window (80%), on 2026-03-31."),
        ({"days": 2}, "At most 30.50 of 40.00 EUR was spent in its window (76%), on 2026-03-31."),
        ({"unit": "day"}, "At most 15.50 of 40.00 EUR was spent in its window (39%)"),
        ({"unit": "week"}, "At most 30.50 of 40.00 EUR"),
        ({"unit": "month", "channel": "sms"}, "At most 32.00 of 40.00 EUR"),
    ],
)
def test_budgets_and_their_windows(limit: dict[str, object], told: str) -> None:
    bound: dict[str, object] = {"journeys": frozenset({"a" if "channel" not in limit else "b"})}
    made = daily.against(
        DAYS,
        Limit(name="budget", amount=40, currency="EUR", **(bound | limit)),  # type: ignore[arg-type]
    )
    assert made is not None
    assert made.told.startswith(told)
    assert len(made.rows) == 31
    nobody = Limit(name="budget", amount=40, currency="EUR", journeys=frozenset({"c"}))
    assert daily.against(DAYS, nobody) is None


def test_messages_by_day() -> None:
    made = daily.messages(DAYS)
    assert made is not None
    assert made.told == "128 messages on 4 days, most on 2026-03-31: 62."
    assert made.head == ("day", "email", "sms")
    assert made.rows[0] == ("2026-03-01", "1", "1")
    assert daily.messages([]) is None
    assert daily.reasons([], "x", "times") is None
