"""Charts as Vega-Lite: bars, days, lines and intervals, each as wide as a phone."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from datetime import date

from journeylang.pictures.draw import Spec, vega_lite
from journeylang.pictures.markup import colour

WIDTH = 400
_NAME = 22
_FEW = 6
_WHOLE = ("messages", "customers", "times")
# The reader's letters may be broader than those that are measured here.
_APART = {"labelOverlap": "greedy", "labelSeparation": 8, "labelFlush": False}
_ABOVE = {
    "titleAngle": 0,
    "titleAlign": "left",
    "titleBaseline": "bottom",
    "titleX": -30,
    "titleY": -8,
    "minExtent": 34,
}

Point = tuple[str, str, float]
"""What it is of (a name or an ISO date), its series, and how much."""


def by_day(points: Sequence[Point], series: Sequence[str], *, unit: str) -> str:
    """A bar for each day, with a part for each series."""
    dates = [date for date, _, _ in points]
    return _drawn(
        {
            "height": 170,
            "data": _data(points, series),
            "mark": {"type": "bar", "width": {"band": 0.85}},
            "encoding": {
                "x": _days(dates, band=True),
                "y": _figures("v", unit, upright=True),
                "color": _series(series),
                "order": {"field": "k", "type": "quantitative"},
            },
        }
    )


def bars(points: Sequence[Point], series: Sequence[str], *, unit: str) -> str:
    """A bar from the left for each name, in the order given; series stand behind each other."""
    names = list(dict.fromkeys(_wrapped(name) for name, _, _ in points))
    return _drawn(
        {
            "height": {"step": 14 * max((name.count("\n") + 1 for name in names), default=1) + 10},
            "data": _data(points, series),
            "mark": {"type": "bar", "height": {"band": 0.7}},
            "encoding": {
                "y": _names(names),
                "x": _figures("v", unit),
                "color": _series(series),
                "order": {"field": "k", "type": "quantitative"},
            },
        }
    )


def columns(points: Sequence[tuple[str, float]], *, unit: str, of: str) -> str:
    """A histogram: classes from the left, in the order given."""
    names = [name for name, _ in points]
    return _drawn(
        {
            "height": 170,
            "data": {"values": [{"n": name, "v": value} for name, value in points]},
            "mark": {"type": "bar", "color": colour(0), "width": {"band": 0.9}},
            "encoding": {
                "x": {
                    "field": "n",
                    "type": "nominal",
                    "sort": names,
                    "title": of,
                    "axis": {"labelAngle": 0, "grid": False},
                },
                "y": _figures("v", unit, upright=True),
            },
        }
    )


def lines(
    points: Sequence[Point],
    series: Sequence[str],
    *,
    unit: str,
    limits: Sequence[tuple[str, float]] = (),
) -> str:
    """A line for each series over days; `limits` are level lines that carry their name."""
    dates = [date for date, _, _ in points]
    line: Spec = {
        "mark": {"type": "line", "strokeWidth": 2, "point": len(set(dates)) < 3},
        "encoding": {
            "x": _days(dates, band=False),
            "y": _figures("v", unit, upright=True),
            "color": _series(series),
        },
    }
    level = [_level_lines(limits)] if limits else []
    return _drawn({"height": 180, "data": _data(points, series), "layer": [line, *level]})


def bands(
    points: Sequence[tuple[str, str, float, float, float]], series: Sequence[str], *, unit: str
) -> str:
    """Shares with their intervals over days: (date, series, estimate, low, high)."""
    dates = [date for date, *_ in points]
    number = {name: n for n, name in enumerate(series)}
    values = [
        {"n": date, "s": of, "k": number[of], "v": value, "low": low, "high": high}
        for date, of, value, low, high in points
    ]
    axis = _figures("v", unit, share=True, signed=True, upright=True)
    x, hue = _days(dates, band=False), _series(series)
    return _drawn(
        {
            "height": 180,
            "data": {"values": values},
            "layer": [
                {
                    "mark": {"type": "area", "opacity": 0.18},
                    "encoding": {
                        "x": x,
                        "y": {**axis, "field": "low"},
                        "y2": {"field": "high"},
                        "color": hue,
                    },
                },
                {
                    "mark": {"type": "line", "strokeWidth": 2, "point": len(set(dates)) < 3},
                    "encoding": {"x": x, "y": axis, "color": hue},
                },
                {
                    "mark": {"type": "rule", "color": "var(--ink)", "strokeDash": [2, 3]},
                    "data": {"values": [{"v": 0}]},
                    "encoding": {"y": {"field": "v", "type": "quantitative"}},
                },
            ],
        }
    )


def _level_lines(limits: Sequence[tuple[str, float]]) -> Spec:
    y = {"field": "v", "type": "quantitative"}
    return {
        "data": {"values": [{"v": value, "w": name} for name, value in limits]},
        "layer": [
            {
                "mark": {"type": "rule", "color": "var(--bad)", "strokeDash": [5, 4]},
                "encoding": {"y": y},
            },
            {
                "mark": {"type": "text", "align": "left", "dy": -9, "fill": "var(--bad)"},
                "encoding": {"y": y, "x": {"value": 4}, "text": {"field": "w"}},
            },
        ],
    }


def intervals(
    rows: Sequence[tuple[str, float, float, float]], *, unit: str, share: bool = False
) -> str:
    """A forest plot: (name, estimate, low, high) per line, beside a line at nothing."""
    names = [_wrapped(name) for name, _, _, _ in rows]
    values = [
        {"n": name, "v": value, "low": low, "high": high}
        for name, (_, value, low, high) in zip(names, rows, strict=True)
    ]
    axis = _figures("low", unit, share=share, signed=True)
    apart = 14 * max((name.count("\n") + 1 for name in names), default=1) + 12
    y = _names(list(dict.fromkeys(names)))
    clear = {"test": "datum.low > 0 || datum.high < 0", "value": colour(0)}
    hue = {"condition": clear, "value": "var(--dim)"}
    return _drawn(
        {
            "height": {"step": apart},
            "data": {"values": values},
            "layer": [
                {
                    "mark": {"type": "rule", "color": "var(--ink)", "strokeDash": [2, 3]},
                    "data": {"values": [{"low": 0}]},
                    "encoding": {"x": {"field": "low", "type": "quantitative"}},
                },
                {
                    "mark": {"type": "rule", "strokeWidth": 2},
                    "encoding": {"y": y, "x": axis, "x2": {"field": "high"}, "color": hue},
                },
                {
                    "mark": {"type": "point", "filled": True, "size": 55, "opacity": 1},
                    "encoding": {"y": y, "x": {**axis, "field": "v"}, "color": hue},
                },
            ],
        }
    )


def _drawn(spec: Spec) -> str:
    return vega_lite({"width": WIDTH, "autosize": {"type": "fit-x", "contains": "padding"}, **spec})


def _data(points: Sequence[Point], series: Sequence[str]) -> Spec:
    number = {name: n for n, name in enumerate(series)}
    return {
        "values": [
            {"n": _wrapped(name), "s": of, "k": number[of], "v": value}
            for name, of, value in points
        ]
    }


def _series(series: Sequence[str]) -> Spec:
    """The page has the legend, for a drawing's own does not wrap."""
    return {
        "field": "s",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": list(series), "range": [colour(n) for n in range(len(series))]},
    }


def _days(dates: Sequence[str], *, band: bool) -> Spec:
    far = len(set(dates)) > 1 and min(dates)[:4] != max(dates)[:4]
    axis = {"format": "%b %Y" if far else "%d %b", **_APART, "grid": False}
    time = {"field": "n", "type": "temporal", "title": None, "scale": {"type": "utc"}}
    if band:
        time |= {"timeUnit": "utcyearmonthdate"}
    whole = [date.fromisoformat(each) for each in (min(dates), max(dates))] if dates else []
    # Of a few days each has its mark, and none the same twice.
    few = bool(whole) and (whole[1] - whole[0]).days < _FEW
    count: object = {"interval": "day", "step": 1} if few else 6
    return {**time, "axis": {**axis, "tickCount": count}}


def _figures(
    field: str,
    unit: str,
    *,
    share: bool = False,
    signed: bool = False,
    upright: bool = False,
) -> Spec:
    sign = "+" if signed else ""
    # Thousands are short; what is below one is no `m`, as it were by the standard.
    plain = "datum.value === 0 ? '0' : "
    plain += f"abs(datum.value) < 1000 ? format(datum.value, '{sign},.4~r') : "
    plain += f"format(datum.value, '{sign},.4~s')"
    if unit in _WHOLE:
        # Nobody is sent a fifth of a message.
        plain = f"datum.value % 1 !== 0 ? '' : {plain}"
    form = {"format": ",.2~%"} if share else {"labelExpr": plain}
    if share and signed:
        # Shares are apart by points, as the text says of them.
        points = "format(datum.value * 100, '+,.2~f') + 'pp'"
        form = {"labelExpr": f"datum.value === 0 ? '0' : {points}"}
    return {
        "field": field,
        "type": "quantitative",
        "title": unit,
        "axis": {**form, "tickCount": 5, **_APART, **(_ABOVE if upright else {})},
    }


def _names(names: Sequence[str]) -> Spec:
    longest = max((len(line) for name in names for line in name.split("\n")), default=0)
    axis = {
        "labelExpr": "split(datum.label, '\\n')",
        "ticks": False,
        "domain": False,
        "labelPadding": 6,
        "minExtent": longest * 7 + 8,
    }
    return {"field": "n", "type": "nominal", "title": None, "sort": list(names), "axis": axis}


def _wrapped(name: str) -> str:
    """Over lines, so that figures have room beside it; a path breaks behind its `/`."""
    if len(name) <= _NAME:
        return name
    loose = name.replace("/", "/\u200b").replace("_", "_\u200b")
    words = textwrap.wrap(
        loose.replace("\u200b", " \u200b"), _NAME, break_long_words=True, max_lines=4
    )
    return "\n".join(line.replace(" \u200b", "").replace("\u200b", "") for line in words)
