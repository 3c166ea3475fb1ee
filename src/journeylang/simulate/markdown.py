"""A dry run as Markdown, for a pull request: what is most asked first, the rest folded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from journeylang.simulate import telling
from journeylang.simulate.forecast import Course, Forecast

_MARKS = {True: "\N{WHITE HEAVY CHECK MARK}", False: "\N{CROSS MARK}", None: "\N{EM DASH}"}


def as_markdown(forecast: Forecast) -> str:
    """GitHub's dialect."""
    return "\n".join(_lines(forecast)) + "\n"


def _lines(forecast: Forecast) -> Iterator[str]:
    yield f"### Dry run: {telling.summary(forecast)}"
    yield ""
    yield _text(f"{telling.heading(forecast)}; {telling.way(forecast)}") + "."
    yield ""
    if forecast.verdicts:
        yield from _table(
            ("", "journey", "target", "figure"),
            (
                (_MARKS[v.met], v.journey or "", v.target, telling.reason(v))
                for v in forecast.verdicts
            ),
        )
        yield ""
    yield from _table(
        ("journey", "entered", "messages", "cost", "not sent", "held at first"),
        (
            (
                course.journey,
                telling.count(course.entered),
                telling.count(course.messages),
                telling.money(course.cost, course.currency),
                *_lost(course),
            )
            for course in forecast.courses
        ),
        right=(1, 2, 3),
    )
    channels, days = telling.by_day(forecast)
    if days:
        yield from _folded(
            "Messages by day",
            _table(
                ("day", *channels),
                ((date, *(telling.count(c) for c in counts)) for date, counts in days),
                right=tuple(range(1, len(channels) + 1)),
            ),
        )
    for course in forecast.courses:
        if course.steps:
            yield from _folded(f"Steps of {course.journey}", _steps(course))
    if forecast.experiments:
        yield from _folded(
            "Experiments",
            _table(
                ("experiment", "goal", "rate of control", "what it could tell"),
                (
                    (
                        f"{p.journey}/{p.experiment}",
                        p.goal,
                        "" if p.rate is None else f"{p.rate:.2%}",
                        telling.power(p),
                    )
                    for p in forecast.experiments
                ),
            ),
        )
    yield ""
    yield f"<sub>{_text(telling.behaviour(forecast))}</sub>"
    for note in forecast.notes:
        yield f"<sub>Note: {_text(note)}</sub>"


def _lost(course: Course) -> tuple[str, str]:
    return telling.all_of(s.not_sent for s in course.steps), telling.all_of(
        s.held for s in course.steps
    )


def _steps(course: Course) -> Iterator[str]:
    return _table(
        telling.STEP,
        ((f"`{path}`", *rest) for path, *rest in map(telling.step, course.steps)),
        right=(1, 2),
    )


def _folded(title: str, lines: Iterable[str]) -> Iterator[str]:
    yield ""
    yield f"<details><summary>{_text(title)}</summary>"
    yield ""
    yield from lines
    yield ""
    yield "</details>"


def _table(
    head: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()
) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "|".join(" ---: " if n in right else " --- " for n in range(len(head))) + "|"
    for row in rows:
        yield f"| {' | '.join(_text(value) for value in row)} |"


def _text(value: str) -> str:
    """Text that begins no cell and no element."""
    return value.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
