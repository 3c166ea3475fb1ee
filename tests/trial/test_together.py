"""Tests share a database that was made ready once, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from journeylang.trial.coverage import coverage
from journeylang.trial.run import Result, run_trials
from journeylang.trial.theatre import program_of
from tests.trial.test_played import GIVEN, NOW, PLAIN, played, project, told

LATER = "2026-03-27T23:30"
"""Behind the others, and before clocks change."""

TEXTS = [
    f'test "{journey} {n}" for {journey} {{{GIVEN}{lines}}}'
    for n, (journey, lines) in enumerate(
        [
            ("welcome", PLAIN),
            ("welcome", f"{NOW} signed_up +26h ordered {{ total: 600 EUR }} expect exit rich"),
            ("welcome", f"assign style = plain {LATER} signed_up expect send thanks"),
            ("welcome", f"assign holdout = yes {NOW} signed_up expect no send hello"),
            ("welcome", f"assign style = plain {NOW} signed_up +30h ordered expect send thanks"),
            ("loyal", f"expect no exit at {NOW}"),
            ("loyal", f"expect no exit at {LATER}"),
            ("parts", f"{NOW} ordered +2h clicked of gift expect send last"),
            ("parts", f"given in segment scored {NOW} ordered +2h clicked of gift"),
            ("parts", f"given in segment scored {LATER} ordered +9h ordered expect send last"),
            ("child", f"{NOW} child {{ total: 5 EUR }} expect send hello at +0h"),
            ("birthday", f"expect send hello at {NOW}"),
        ]
    )
]


def timeless(result: Result) -> Result:
    return replace(result, seconds=0)


def test_alone_and_together_are_the_same() -> None:
    """Whatever was played in a database before."""
    found = project("\n".join(TEXTS))
    assert len({program_of(trial) for trial in found.trials}) == 8
    alone = [timeless(r) for trial in found.trials for r in run_trials(found, [trial])]
    assert [r.error for r in alone if r.error] == []
    assert sum(r.passed for r in alone) > len(alone) // 2
    mixed = [*enumerate(found.trials)] * 2
    Random(1).shuffle(mixed)
    results = run_trials(found, [trial for _, trial in mixed])
    for (n, _), result in zip(mixed, results, strict=True):
        assert timeless(result) == alone[n]


def test_a_journey_that_others_start_is_tested_alone() -> None:
    result = played(
        f"{NOW} child {{ total: 5 EUR }} expect send hello via email at +0h expect exit end",
        "child",
    )
    assert told(result) == []
    assert result.lines[0] == "2026-03-02T10:00  started: child { total: 5 EUR }"


def test_a_pool_without_a_code() -> None:
    lines = f"given in segment scored {NOW} ordered expect not sent gift because no_code"
    assert told(played(f"assign pool = empty {lines}", "parts")) == []
    assert told(played(lines, "parts")) != []


def test_branches_count() -> None:
    def missed(*tests: str) -> list[str]:
        found = project(" ".join(f'test "{n}" for parts {{{t}}}' for n, t in enumerate(tests)))
        reached = coverage(found, run_trials(found, found.trials))
        return [p.what for p in reached.missed if (p.journey, p.path) == ("parts", "if")]

    within = f"{GIVEN} given in segment scored {NOW} ordered"
    outside = f"{GIVEN} {NOW} ordered"
    assert missed(within) == ["else"]
    assert missed(outside) == ["then"]
    assert missed(within, outside) == []
