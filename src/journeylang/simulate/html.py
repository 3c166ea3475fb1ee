"""A dry run as one page: no network, light and dark, a table beside each picture."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from journeylang.simulate import telling
from journeylang.simulate.charts import bars, stacked
from journeylang.simulate.forecast import Course, Forecast, Power

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2024; --dim: #60646c; --line: #d9dce1; --page: #fff;
  --c0: #3b6fd4; --c1: #e5883a; --c2: #4aa36c; --c3: #b65fb8; --c4: #c9a227; --c5: #5fa8b8;
  --good: #1d7a45; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --dim: #9aa0a8; --line: #363a41;
  --page: #16181b; --c0: #7aa2f0; --c1: #f0a868; --c2: #76c795; --c3: #d192d3; --c4: #e0c060;
  --c5: #8cc9d6; --good: #6cc592; --bad: #f28b82; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page);
  max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; } h3 { font-size: 1rem; }
p.dim, caption, .legend { color: var(--dim); } table { border-collapse: collapse; margin: .5rem 0; }
th, td { text-align: left; padding: .15rem .9rem .15rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
svg { width: 100%; height: auto; } svg text { font-size: 11px; fill: var(--dim); }
svg .grid { stroke: var(--line); } .legend span { margin-right: 1rem; }
.legend i { display: inline-block; width: .7rem; height: .7rem; margin-right: .3rem; }
.met { color: var(--good); } .missed { color: var(--bad); font-weight: 600; }
details { margin: .5rem 0; } .wide { overflow-x: auto; }
"""


def as_html(forecast: Forecast) -> str:
    """A whole document."""
    body = "\n".join(_body(forecast))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Dry run from {forecast.start:%Y-%m-%d}</title>\n<style>{_STYLE}</style></head>\n"
        f"<body>\n{body}\n</body></html>\n"
    )


def _body(forecast: Forecast) -> Iterator[str]:
    yield f"<h1>{escape(telling.summary(forecast))}</h1>"
    yield f"<p class=dim>{escape(telling.heading(forecast))}</p>"
    yield f"<p class=dim>{escape(telling.behaviour(forecast))}</p>"
    for note in forecast.notes:
        yield f"<p class=dim>Note: {escape(note)}</p>"
    if forecast.verdicts:
        yield "<h2>Targets</h2>"
        yield _table(
            ("journey", "target", "", "figure"),
            (
                (v.journey or "", v.target, _Mark(telling.verdict(v)), telling.reason(v))
                for v in forecast.verdicts
            ),
        )
    yield "<h2>Messages by day</h2>"
    channels, days = telling.by_day(forecast)
    if days:
        rows = [(date, [c.value for c in counts]) for date, counts in days]
        yield stacked(rows, channels, "Messages by day and channel")
        yield _folded(
            "as a table",
            _table(
                ("day", *channels),
                ((date, *(telling.count(c) for c in counts)) for date, counts in days),
                right=1,
            ),
        )
        yield from _costs(forecast)
    yield from _losses(forecast)
    for course in forecast.courses:
        yield from _course(course)
    if forecast.experiments:
        yield "<h2>Experiments</h2>"
        for power in forecast.experiments:
            yield from _power(power)
    if forecast.loads:
        yield "<h2>Providers</h2>"
        yield _table(
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
        )


def _costs(forecast: Forecast) -> Iterator[str]:
    spent: dict[str, float] = defaultdict(float)
    for day in forecast.days:
        spent[day.date] += float(day.cost or 0)
    if len(forecast.costs) == 1 and any(spent.values()):
        currency = next(iter(forecast.costs))
        rows = [(date, [spent[date]]) for date in sorted(spent)]
        yield f"<h2>Cost by day, {escape(currency)}</h2>"
        yield stacked(rows, [currency], "Cost by day")
        yield _folded(
            "as a table",
            _table(("day", currency), ((d, f"{values[0]:,.2f}") for d, values in rows), right=1),
        )


def _losses(forecast: Forecast) -> Iterator[str]:
    lost: dict[str, float] = defaultdict(float)
    held: dict[str, float] = defaultdict(float)
    for step in (step for course in forecast.courses for step in course.steps):
        for reason, count in step.not_sent:
            lost[reason] += count.value
        for reason, count in step.held:
            held[reason] += count.value
    reasons = sorted(lost.keys() | held.keys(), key=lambda r: (-lost[r], -held[r], r))
    if reasons:
        yield "<h2>Not sent, and held at first</h2>"
        rows = [(reason, [lost[reason]]) for reason in reasons if lost[reason]]
        if rows:
            yield bars(rows, ["not sent"], "Messages not sent, by reason")
        yield _table(
            ("reason", "not sent", "held at first"),
            ((r, f"{lost[r]:,.0f}", f"{held[r]:,.0f}") for r in reasons),
            right=1,
        )


def _course(course: Course) -> Iterator[str]:
    title = f" \N{EM DASH} {course.title}" if course.title else ""
    yield f"<h2>{escape(course.journey)}{escape(title)}</h2>"
    for line in telling.course(course):
        yield f"<p>{escape(line)}</p>"
    if not course.steps:
        return
    rows = [("entered", [course.entered.value, 0.0])]
    rows += [
        (s.path, [s.came.value, s.sent.value if s.sent is not None else 0.0]) for s in course.steps
    ]
    yield bars(rows, ["came", "sent"], f"How far people come in {course.journey}")
    yield '<p class=legend><span><i style="background:var(--c0)"></i>came</span>'
    yield '<span><i style="background:var(--c1)"></i>sent</span></p>'
    yield _folded(
        "as a table",
        _table(
            ("step", "came", "sent", "not sent", "held at first"),
            (
                (
                    s.path,
                    telling.count(s.came),
                    "" if s.sent is None else telling.count(s.sent),
                    telling.listed(s.not_sent),
                    telling.listed(s.held),
                )
                for s in course.steps
            ),
        ),
    )


def _power(power: Power) -> Iterator[str]:
    yield f"<h3>{escape(f'{power.journey}/{power.experiment}: {power.goal}')}</h3>"
    yield _table(
        ("arm", "exposed", "reached"),
        ((arm.name, telling.count(arm.exposed), telling.rate(arm)) for arm in power.arms),
    )
    yield f"<p>{escape(telling.power(power))}</p>"


class _Mark(str):
    """A word that is its own class."""

    __slots__ = ()


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], right: int | None = None) -> str:
    """Columns from `right` on are figures."""

    def kind(n: int) -> str:
        return " class=n" if right is not None and n >= right else ""

    def cell(n: int, value: str) -> str:
        if isinstance(value, _Mark):
            return f'<td class="{escape(value.replace(" ", "-"))}">{escape(value)}</td>'
        return f"<td{kind(n)}>{escape(value)}</td>"

    top = "".join(f"<th{kind(n)}>{escape(name)}</th>" for n, name in enumerate(head))
    lines = "".join(
        f"<tr>{''.join(cell(n, value) for n, value in enumerate(row))}</tr>" for row in rows
    )
    return (
        f"<div class=wide><table><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _folded(title: str, table: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{table}</details>"
