"""A dry run as one page: no network and no script, a table beside each picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from journeylang.pictures import daily, flow, markup, settling
from journeylang.pictures.markup import Mark, Picture
from journeylang.pictures.settling import Look
from journeylang.simulate import telling
from journeylang.simulate.forecast import Course, Forecast, Power, Step
from journeylang.simulate.spending import sent


def as_html(forecast: Forecast) -> str:
    """A whole document."""
    title = f"Dry run from {forecast.start:%Y-%m-%d}"
    return markup.document(title, "\n".join(_body(forecast)))


def _body(forecast: Forecast) -> Iterator[str]:
    yield markup.heading(1, telling.summary(forecast))
    yield markup.paragraph(telling.heading(forecast), "dim")
    yield markup.paragraph(telling.behaviour(forecast), "dim")
    for note in forecast.notes:
        yield markup.paragraph(f"Note: {note}", "note")
    if len(forecast.courses) > 1:
        yield markup.contents(course.journey for course in forecast.courses)
    if forecast.verdicts:
        yield markup.heading(2, "Targets")
        yield markup.table(
            ("journey", "target", "", "figure"),
            (
                (v.journey or "", v.target, _mark(telling.verdict(v), v.met), telling.reason(v))
                for v in forecast.verdicts
            ),
            name="targets",
        )
    yield markup.heading(2, "All journeys")
    yield markup.figures(_together(forecast))
    for course in forecast.courses:
        yield from section(course)
    if forecast.experiments:
        yield markup.heading(2, "Experiments")
        drawn = settling.over_time(list(_looks(forecast.experiments)), _DRAWN)
        yield markup.figures([] if drawn is None else [drawn])
        for power in forecast.experiments:
            yield from _power(power)
    if forecast.loads:
        yield markup.heading(2, "Providers")
        yield markup.table(
            ("provider", "channels", "messages", "most at once", "at"),
            (
                (
                    load.provider,
                    ", ".join(load.channels),
                    telling.count(load.messages),
                    telling.count(load.peak),
                    f"{load.peak_at:%Y-%m-%d %H:%M}",
                )
                for load in forecast.loads
            ),
            right=(2, 3),
            name="providers",
        )


def _mark(words: str, good: bool | None) -> str:
    return words if good is None else Mark(words, good=good)


def _together(forecast: Forecast) -> Iterator[Picture]:
    """By day, what it costs, and what was not sent, over all journeys."""
    by_day = sent(forecast)
    drawn = [daily.messages(by_day)]
    drawn += [daily.cost(by_day, currency) for currency in forecast.costs]
    drawn += [daily.against(by_day, limit) for limit in forecast.limits]
    drawn.append(_losses(step for course in forecast.courses for step in course.steps))
    yield from (picture for picture in drawn if picture is not None)


def _losses(steps: Iterable[Step]) -> Picture | None:
    lost = [
        (reason, kind, count.value)
        for step in steps
        for kind, counts in (("not sent", step.not_sent), ("held at first", step.held))
        for reason, count in counts
    ]
    return daily.reasons(lost, "not sent, and held at first", "messages")


def section(course: Course) -> Iterator[str]:
    """A journey: who comes how far, and what is lost on the way."""
    title = f"{course.journey}: {course.title}" if course.title else course.journey
    yield markup.heading(2, title, markup.anchor(course.journey))
    for line in telling.course(course):
        yield markup.paragraph(line)
    if not course.steps:
        return
    order = [step.path for step in course.steps]
    drawn = [flow.funnel(course.ways, order), _losses(course.steps)]
    yield markup.figures(picture for picture in drawn if picture is not None)
    yield markup.table(
        telling.STEP,
        map(telling.step, course.steps),
        right=(1, 2),
        name=f"steps of {course.journey}",
    )


_DRAWN = (
    " People do what the assumptions say: this tells how wide the bands are after so many days, and"
    " nothing of which arm is better."
)


def _looks(experiments: Iterable[Power]) -> Iterator[tuple[str, Look]]:
    for power in experiments:
        arms = [arm.name for arm in power.arms]
        for look in settling.looks(power.by_day, arms[0], arms[1:]):
            yield f"{power.journey}/{power.experiment}: {look.arm}, {power.goal}", look


def _power(power: Power) -> Iterator[str]:
    title = f"{power.journey}/{power.experiment}: {power.goal}"
    yield markup.heading(3, title)
    yield markup.table(
        ("arm", "exposed", "reached"),
        ((arm.name, telling.count(arm.exposed), telling.rate(arm)) for arm in power.arms),
        right=(1,),
        name=title,
    )
    yield markup.paragraph(telling.power(power))
