"""Tests in the language, each clause kept and broken: what is told is what happened."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from journeylang.analysis.check import check_files
from journeylang.model.project import Project
from journeylang.source import Source
from journeylang.syntax.parse import parse
from journeylang.trial.clock import Clock
from journeylang.trial.coverage import Coverage, Point, coverage
from journeylang.trial.run import Result, chosen, run_trials
from tests.runtime.world import BINDING, LOYAL, WELCOME

MORE = """
segment scored = sql`select customer_id from shop.scores where score > 5`
catalog teas from shop.teas as t {
  key t.sku
  field price: money(EUR) = t.price
}
promo pool from shop.codes as c { code c.code }
journey parts {
  owner "crm@shop.example"
  enter on ordered
  reenter always
  policy standard

  which: experiment factors salt "parts-2026" { tone: ["warm", "cool"] }
  if customer in segment scored {
    gift: send email "x" with { code: promo(pool) else skip }
  }
  teas: send sms "x" with { picks: top 2 of teas by price else skip }
  after: start child with { total: entry.total }
  think: wait for clicked of gift where link = "shop" up to 2d {
    on clicked { exit as bought }
    timeout { }
  }
  morning: wait until 09:00 on weekdays
  last: send email "x"
}
journey child {
  owner "crm@shop.example"
  enter by start with { total: money(EUR)? }
  policy standard
  hello: send email "x"
}
journey thank {
  owner "crm@shop.example"
  enter on ordered
  policy standard
  settle: wait 1d
  bonus: invoke loyalty "award" with { points: 100 }
  then: wait 1d
}
journey birthday {
  owner "crm@shop.example"
  enter every monday at 10:00 local when customer.points > 5
  reenter always
  policy standard
  hello: send email "x"
}
"""
GIVEN = """
  given customer { id: "c1", timezone: "America/New_York", email: "a@x.example", mobile: "+49" }
  given consent email_ok
"""


def project(text: str) -> Project:
    """The small shop's project with these tests."""
    sources = [("binding", BINDING), ("journeys", WELCOME + LOYAL + MORE), ("tests", text)]
    parsed = [parse(Source(path=f"{name}.journey", text=text)) for name, text in sources]
    assert all(p.ok for p in parsed), [p.diagnostics for p in parsed]
    checked = check_files([p.value for p in parsed if p.value is not None])
    errors = [(d.message, d.span) for d in checked.diagnostics if d.is_error]
    assert checked.value is not None
    assert not errors, errors
    return checked.value


def played(lines: str, journey: str = "welcome", given: str = GIVEN) -> Result:
    found = project(f'test "this" for {journey} {{{given} {lines}}}')
    (result,) = run_trials(found, found.trials)
    assert result.error is None
    return result


def told(result: Result) -> list[tuple[str, str]]:
    return [(f.message, f.found) for f in result.failures]


NOW = "2026-03-02T10:00"
NOW_UTC = datetime.fromisoformat(NOW)
PLAIN = f"assign style = plain {NOW} signed_up"


@pytest.mark.parametrize(
    "lines",
    [
        f"{PLAIN} expect send hello via email at {NOW} expect in settle at +1h",
        # Days are the customer's own: a clock was put forward between.
        (
            "assign style = bold 2026-03-07T10:00 signed_up expect send loud via sms at +0m"
            " expect in think at 2026-03-08T10:00"
        ),
        f"{PLAIN} +2d ordered expect send thanks at +2d expect exit end expect no exit silent",
        (
            f"{PLAIN} expect exit silent at 2026-03-05T10:00 expect no send thanks"
            " expect nothing else expect send hello"
        ),
        f"{PLAIN} +1d ordered {{ total: 501 EUR }} expect exit rich at +1d",
        f"{PLAIN} +1d ordered {{ total: 500 EUR }} expect no exit rich",
        f"given ordered at 2026-03-01T10:00 {{ total: 900 EUR }} {PLAIN} expect no exit rich",
        f"assign holdout = yes {NOW} signed_up expect no send hello expect nothing else",
        f"{PLAIN} expect send hello at 2026-03-02T15:00Z",
        f"{PLAIN} +1h signed_up expect send hello expect no send hello",
    ],
)
def test_what_comes_true(lines: str) -> None:
    assert told(played(lines)) == []


@pytest.mark.parametrize(
    ("lines", "message", "found"),
    [
        (
            f"{PLAIN} expect send hello at +1h",
            "`style/plain/hello` is expected to be sent at 2026-03-02T11:00",
            "sent by email at 2026-03-02T10:00",
        ),
        (
            f"{PLAIN} expect send hello via sms",
            "`style/plain/hello` is expected to be sent by sms",
            "sent by email at 2026-03-02T10:00",
        ),
        (
            f"{PLAIN} expect send hello expect send hello",
            "`style/plain/hello` is expected to be sent",
            "sent by email at 2026-03-02T10:00",
        ),
        (
            f"{PLAIN} expect send thanks",
            "`think/thanks` is expected to be sent",
            "never decided; left as silent at 2026-03-05T10:00",
        ),
        (
            f"{PLAIN} expect no send hello",
            "`style/plain/hello` is not expected to be sent",
            "sent by email at 2026-03-02T10:00",
        ),
        (
            f"{PLAIN} expect in think at +1h",
            "a run is expected in `think` at 2026-03-02T11:00",
            "it is in `settle`",
        ),
        (
            f"{PLAIN} expect in think",
            "a run is expected in `think`",
            "nobody is in the journey then",
        ),
        (
            f"{PLAIN} expect exit rich",
            "an exit `rich` is expected",
            "left as silent at 2026-03-05T10:00",
        ),
        (
            f"{PLAIN} expect no exit silent",
            "no such exit is expected",
            "left as silent at 2026-03-05T10:00",
        ),
        (
            f"{PLAIN} expect nothing else",
            "nothing else is expected to happen",
            (
                "`style/plain/hello` was sent by email at 2026-03-02T10:00 and left as silent at"
                " 2026-03-05T10:00"
            ),
        ),
        (
            f"{PLAIN} expect not sent hello because capped",
            "`style/plain/hello` is expected not to be sent, as capped",
            "sent by email at 2026-03-02T10:00",
        ),
        (
            f"{NOW} ordered expect exit",
            "an exit is expected",
            "nobody came into the journey",
        ),
        (
            f"{PLAIN} +1h clicked of thanks",
            "nothing was sent that could be clicked",
            "no such message by then",
        ),
    ],
)
def test_what_does_not(lines: str, message: str, found: str) -> None:
    assert told(played(lines)) == [(message, found)]


def test_a_reason_by_its_name() -> None:
    lines = f"{PLAIN} expect not sent hello because no_consent at {NOW} expect nothing else"
    silent = played(
        f"{lines} expect exit silent", given="given customer { email: 'a' }".replace("'", '"')
    )
    assert told(silent) == []
    assert "2026-03-02T10:00  style/plain/hello: not sent, no_consent (by email)" in silent.lines


def test_entries_that_are_refused() -> None:
    result = played(f"{PLAIN} +10d signed_up expect send hello at +10d")
    assert [found for _, found in told(result)] == ["sent by email at 2026-03-02T10:00"]
    assert any("not let in: " in line for line in result.lines)


def test_a_condition_lets_in_at_the_first_dated_line() -> None:
    given = 'given customer { email: "a@x.example", points: 50 } given consent email_ok'
    lines = (
        "expect in morning at 2026-03-02T10:00 expect send reward at 2026-03-03T09:00"
        " expect nothing else"
    )
    assert told(played(lines, "loyal", given)) == []
    assert told(played(lines, "loyal", given.replace("50", "49")))


def test_a_schedule_is_a_line_of_its_own() -> None:
    given = 'given customer { email: "a@x.example", points: 6 } given consent email_ok'
    lines = "expect send hello at 2026-03-02T10:00 expect send hello at 2026-03-09T10:00"
    assert told(played(lines, "birthday", given)) == []


def test_segments_codes_rows_and_children() -> None:
    lines = f"""
      given in segment scored
      given teas {{ key: "a", price: 5 EUR }}
      given teas {{ key: "b", price: 6 EUR }}
      assign which/tone = cool
      {NOW} ordered {{ total: 5 EUR }}
      +47h clicked of gift {{ link: "shop" }}
      expect send gift at +0h
      expect send teas via sms at 2026-03-03T07:00
      expect exit bought at +47h
    """
    result = played(lines, "parts")
    assert told(result) == []
    assert "2026-03-02T10:00  which/tone: arm cool" in result.lines
    without = played(lines.replace("given in segment scored", ""), "parts")
    assert "nothing was sent that could be clicked" in [message for message, _ in told(without)]


def test_too_few_rows() -> None:
    given = 'given customer { mobile: "+49" } given teas { price: 5 EUR }'
    lines = f"{NOW} ordered expect not sent teas because too_few expect in think at +1h"
    assert told(played(lines, "parts", given)) == []


def test_answers_are_of_the_newest_message() -> None:
    lines = f"""
      given in segment scored
      {NOW} ordered
      +1h clicked of gift {{ link: "elsewhere" }}
      expect no exit bought
      expect in think at +2h
    """
    assert told(played(lines, "parts")) == []


def test_which_tests_are_chosen() -> None:
    found = project(
        f'test "An order ends it" for welcome {{ {NOW} signed_up }}'
        f'test "Nobody orders" for welcome {{ {NOW} signed_up }}'
        f'test "Nobody is let in" for loyal {{ expect no exit at {NOW} }}'
    )

    def titles(words: str | None) -> list[str]:
        return [trial.title for trial in chosen(found.trials, words)]

    assert titles(None) == ["An order ends it", "Nobody orders", "Nobody is let in"]
    assert titles("order WELCOME") == ["An order ends it", "Nobody orders"]
    assert titles("loyal") == ["Nobody is let in"]
    assert titles("refund") == []


def test_what_no_test_has_reached() -> None:
    text = f'test "a" for welcome {{{GIVEN}{PLAIN}}}'
    found = project(text)
    reached = coverage(found, run_trials(found, found.trials))
    missed = {(p.path, p.what) for p in reached.missed if p.journey == "welcome"}
    assert missed == {
        ("exit", "rich"),
        ("style", "arm bold"),
        ("style/bold/loud", "sent"),
        ("think", "event"),
        ("think/thanks", "sent"),
    }
    assert {p.journey for p in reached.missed} >= {"loyal", "parts", "child", "birthday"}
    assert reached.percent == 100 * reached.reached // reached.total < 100


def test_seconds_are_shown_where_there_are_some() -> None:
    clock = Clock(zone=ZoneInfo("Europe/Berlin"), start=NOW_UTC)
    assert clock.shown(NOW_UTC) == "2026-03-02T11:00"
    assert clock.shown(NOW_UTC + timedelta(seconds=1)) == "2026-03-02T11:00:01"


def test_all_is_only_all() -> None:
    found = project("")
    span = found.journeys["welcome"].span
    missed = (Point(journey="j", path="p", what="sent", span=span),)
    assert Coverage(reached=999, missed=missed).percent == 99
    assert Coverage(reached=1_000, missed=()).percent == 100


def test_a_test_writes_nothing(tmp_path: Path) -> None:
    before = list(tmp_path.iterdir())
    played(PLAIN)
    assert list(tmp_path.iterdir()) == before


def failing(results: Iterable[Result]) -> list[str]:
    return [r.trial.title for r in results if not r.passed]


def test_each_test_has_a_world_of_its_own() -> None:
    """Caps, runs and codes of one test are not there in the next."""
    text = "".join(
        f'test "{n}" for welcome {{{GIVEN}{PLAIN} expect send hello at {NOW}}}' for n in range(3)
    )
    found = project(text)
    assert failing(run_trials(found, found.trials)) == []


def test_calls_are_expected_as_messages_are() -> None:
    lines = f"{NOW} ordered expect invoke bonus at +1d expect in then at +1d expect nothing else"
    assert told(played(lines, "thank")) == []
    result = played(f"{NOW} ordered expect no invoke bonus expect nothing else", "thank")
    assert told(result) == [
        ("`bonus` is not expected to call", "called loyalty at 2026-03-03T10:00"),
        ("nothing else is expected to happen", "`bonus` called loyalty at 2026-03-03T10:00"),
    ]
    result = played(f"{NOW} ordered expect invoke bonus at +2d", "thank")
    assert told(result) == [
        (
            "`bonus` is expected to call at 2026-03-04T10:00",
            "called loyalty at 2026-03-03T10:00",
        )
    ]
    points = coverage(project(""), [result])
    assert ("thank", "bonus") not in {(p.journey, p.path) for p in points.missed}
    assert ("thank", "bonus") in {(p.journey, p.path) for p in coverage(project(""), []).missed}
