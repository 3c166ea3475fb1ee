"""Tests that share ticks come out as they do alone: verdicts, timelines, and what was reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from journeylang.analysis.check import check_files
from journeylang.model.project import Project
from journeylang.resources import journeys
from journeylang.source import Source
from journeylang.syntax.parse import parse
from journeylang.trial.company import company
from journeylang.trial.run import Result, play_in_turn, run_trials
from journeylang.trial.sharing import Together, companies
from tests.runtime.world import BINDING
from tests.trial.test_played import GIVEN, NOW, project

# Whether one of these is true hangs on when it is asked; `often` looks into the day once.
TIMED = """
journey fading {
  owner "crm@shop.example"
  enter on signed_up where source != "import"
  reenter always
  holdout 50% salt "fading-2026"
  exit when not exists(ordered within 26h) and exists(ordered since entry) as faded
  policy standard
  look: experiment factors salt "fading-look-2026" { tone: ["warm", "cool"], size: ["s", "m"] }
  which: experiment salt "fading-which-2026" {
    arm one 50% control { first: wait 7h }
    arm two 50% { second: wait 11h }
  }
  hello: send first of { sms "x" when customer.points > 5 email "x" }
  more: wait until count(ordered within 2d) >= 2 up to 3d {
    then { exit as busy }
    timeout { bye: send email "x" }
  }
  calm: wait until not exists(ordered within 3d) up to 5d
  opens: wait for opened of hello up to 1d
  last: send email "x"
}
journey often {
  owner "crm@shop.example"
  enter when count(ordered within 30d) >= 2 every 6h
  reenter after 1d
  policy standard
  settle: wait 5h
  hello: send email "x"
}
journey dear {
  owner "crm@shop.example"
  guard entries <= 5 per 1d
  enter on ordered
  policy standard
  hello: send email "x"
}
"""

FADING = [
    f"{NOW} signed_up",
    f"{NOW} signed_up +3h ordered",
    f"assign which = one {NOW} signed_up +3h ordered +30h ordered",
    f"assign which = two {NOW} signed_up +3h ordered +40h signed_up",
    "assign which = two assign look/tone = cool 2026-03-02T13:00 signed_up +5h ordered +9h ordered",
    f"assign holdout = yes {NOW} signed_up",
    f"{NOW} signed_up +12h opened of hello +29h ordered",
    "2026-03-28T21:00 signed_up +7h ordered +90h opened of hello",
    f"given ordered at 2026-03-01T09:00 {NOW} signed_up +1h ordered expect exit faded",
    f'{NOW} signed_up {{ source: "import" }} expect nothing else',
]
OFTEN = [
    f"{NOW} ordered +1h ordered",
    f"{NOW} ordered +2h ordered +3h signed_up",
    "2026-03-02T11:30 ordered +10m ordered +2d signed_up",
    f"given ordered at 2026-02-20T10:00 given ordered at 2026-02-02T10:00 {NOW} signed_up",
]
# Others are given here, and the customer has another name.
OTHER = (
    GIVEN.replace("c1", "c2")
    .replace("America/New_York", "Asia/Tokyo")
    .replace("mobile", "points: 9, mobile")
)


def written() -> Project:
    tests = [
        f'test "{journey} {n} {who}" for {journey} {{{given}{lines}}}'
        for journey, of_it in (("fading", FADING), ("often", OFTEN))
        for n, lines in enumerate(of_it)
        for who, given in enumerate((GIVEN, OTHER))
    ]
    tests.append(f'test "dear" for dear {{{GIVEN} {NOW} ordered expect send hello}}')
    return project("\n".join([TIMED, *tests]))


def demo() -> Project:
    sources = [
        Source(path=path.name, text=path.read_text("utf-8"))
        for path in sorted(journeys().glob("*.journey"))
    ]
    checked = check_files([parsed.value for parsed in map(parse, sources) if parsed.value])
    assert checked.value is not None
    return checked.value


def timeless(results: Sequence[Result]) -> list[Result]:
    return [replace(result, seconds=0) for result in results]


@pytest.mark.parametrize("of", [written, demo])
def test_together_is_as_alone(of: object) -> None:
    assert callable(of)
    found: Project = of()
    together, alone = companies(found, found.trials)
    assert sum(len(one.places) for one in together) > len(alone)
    results = timeless(list(run_trials(found, found.trials)))
    for result, other in zip(results, timeless(play_in_turn(found, found.trials)), strict=True):
        assert result.error is None
        assert result.lines == other.lines, result.trial.title
        assert result == other, result.trial.title


def test_the_demo_passes_its_tests() -> None:
    found = demo()
    assert [r.trial.title for r in run_trials(found, found.trials) if not r.passed] == []


def test_the_demos_tests_share_their_ticks() -> None:
    found = demo()
    together, alone = companies(found, found.trials)
    assert ({one.shifted for one in together}, alone) == ({True}, [])


def test_who_is_played_with_whom() -> None:
    found = written()
    named = {trial.title: n for n, trial in enumerate(found.trials)}
    _, alone = companies(found, found.trials)
    # So small a guard is about the others too; and what came just before may come late.
    assert alone == [named["dear"]]
    near = f'test "near" for fading {{{GIVEN} given ordered at 2026-03-02T09:30 {NOW} signed_up}}'
    plain = f'test "plain" for fading {{{GIVEN} {NOW} signed_up}}'
    other = f'test "other" for fading {{{GIVEN} given in segment scored {NOW} signed_up}}'
    found = project("\n".join([TIMED, near, plain, other, plain.replace("plain", "again")]))
    assert companies(found, found.trials) == ([Together(places=(1, 2, 3), shifted=True)], [0])


CLOCKS = """
policy calm {
  cap any 1 per day
  cap email 2 per week
  quiet email 21:00 to 08:00
}
journey clocks {
  owner "crm@shop.example"
  enter on signed_up
  reenter after 2d
  policy calm
  hello: send email "x" else hold 2d
  day: wait 1d
  month: wait 1mo
  morning: wait until 09:30 on weekdays
  again: send email "x" else skip
  more: send email "x" else hold 3d
}
"""
# Nothing of these hangs on the date; they begin at instants that no two of them share.
SPREAD = [
    f"{given} {first} signed_up {rest}"
    for given, first, rest in (
        (GIVEN, "2026-01-31T09:03", "+2d ordered +9d ordered"),
        (OTHER, "2026-02-27T21:17", "+3h ordered"),
        (GIVEN, "2026-03-07T23:41", "+30h ordered +31h opened of hello"),
        (OTHER, "2026-03-28T12:29", "+12h opened of hello +29h ordered"),
        (GIVEN, "2026-10-31T18:52", "+1d ordered +25h ordered"),
        (OTHER, "2028-02-28T06:00", "+26h ordered"),
        (GIVEN, "2026-06-30T04:04", "+40d ordered"),
    )
]


def test_tests_of_other_days_have_their_ticks_in_common() -> None:
    """Clocks change, months end and years leap on each one's own days."""
    texts = [
        f'test "spread {n}" for {journey} {{{text}}}'
        for journey in ("fading", "clocks")
        for n, text in enumerate(SPREAD)
    ]
    found = project("\n".join([TIMED, CLOCKS, *texts]))
    together, alone = companies(found, found.trials)
    assert [(len(one.places), one.shifted) for one in together] == [(len(texts), True)]
    assert alone == []
    results = timeless(list(run_trials(found, found.trials)))
    assert [r.error for r in results if r.error] == []
    assert results == timeless(play_in_turn(found, found.trials))


def test_who_is_asked_for_by_name() -> None:
    """In a database that is shared the key says more than the test gives."""
    named = """
journey named {
  owner "crm@shop.example"
  enter on signed_up
  policy standard
  if customer.key = "c1" { exit as known }
  settle: wait 1d
}
"""
    tests = [f'test "{n}" for named {{{GIVEN} {NOW} signed_up expect exit known}}' for n in "abc"]
    found = project("\n".join([named, *tests]))
    assert companies(found, found.trials) == ([], [0, 1, 2])
    assert [r.passed for r in run_trials(found, found.trials)] == [True] * 3


def test_names_stay_apart() -> None:
    """Two customers of one name are two, and drawn as that name is."""
    found = written()
    trials = [replace(found.trials[0], title=str(n)) for n in range(3)]
    _, parts = company(found, trials)
    assert len({part.key for part in parts}) == 3
    results = list(run_trials(found, trials))
    assert len({result.lines for result in results}) == 1


LATER = "2026-03-12T11:00"
PAIRS = {
    # A run that enters on a condition is named for the instant.
    "enters again": (
        """journey again { owner "crm@shop.example" enter when exists(ordered within 2h)
  reenter after 1d policy standard settle: wait 5h hello: send email "x" }""",
        ("{} ordered +3d ordered +6d ordered", "{} ordered +3d ordered +7d ordered"),
    ),
    # A row is looked at by each tick for which it is new.
    "a race with figures": (
        """journey again { owner "crm@shop.example" enter on signed_up policy standard
  r: wait for ordered where count(ordered) >= 2 up to 9d { on ordered { } timeout { exit as no } }
  settle: wait 5h hello: send email "x" }""",
        ("{} signed_up +1h ordered +3h ordered", "{} signed_up +1h ordered +3h ordered"),
    ),
    # The shares of those who are left alone are told in neither, or in both.
    "a hold-out that is none": (
        """journey again { owner "crm@shop.example" enter on signed_up holdout 10% salt "again"
  policy standard hello: send email "x" }""",
        ("assign holdout = no {} signed_up", "assign holdout = yes {} signed_up"),
    ),
}


@pytest.mark.parametrize("case", PAIRS)
def test_two_of_other_days_are_as_alone(case: str) -> None:
    journey, lines = PAIRS[case]
    tests = "\n".join(
        f'test "{n}" for again {{ {GIVEN} {line.format(at)} }}'
        for n, (line, at) in enumerate(zip(lines, (NOW, LATER), strict=True))
    )
    found = project(f"{journey}\n{tests}\n")
    shared = timeless(list(run_trials(found, found.trials)))
    assert shared == timeless(list(play_in_turn(found, found.trials)))


def test_an_instant_at_the_end_of_the_calendar_is_not_moved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bound = BINDING.replace("  field mobile", "  field until: instant? = c.until\n  field mobile")
    monkeypatch.setattr("tests.trial.test_played.BINDING", bound)
    given = GIVEN.replace('mobile: "+49"', 'mobile: "+49", until: 9999-12-30T10:00')
    tests = "\n".join(f'test "{at}" for far {{ {given} {at} signed_up }}' for at in (NOW, LATER))
    journey = """journey far { owner "crm@shop.example" enter on signed_up policy standard
  if customer.until is known { exit as far } hello: send email "x" }"""
    found = project(f"{journey}\n{tests}\n")
    shared = timeless(list(run_trials(found, found.trials)))
    assert shared == timeless(list(play_in_turn(found, found.trials)))
