"""Bars as inline SVG, in the page's own colours; each has its figures in a table beside it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import floor, log10

WIDTH, HEIGHT = 720, 220
_LEFT, _BOTTOM, _TOP = 56, 24, 8
_ROW = 24
_NAMES = 220
COLOURS = 6
"""So many colours the page has, `--c0` on; behind them they begin again."""

Row = tuple[str, Sequence[float]]


def stacked(rows: Sequence[Row], series: Sequence[str], title: str) -> str:
    """A bar for each row, in order, with a part for each series from the bottom up."""
    top = _round_up(max((sum(values) for _, values in rows), default=0))
    inner = WIDTH - _LEFT
    each = inner / max(len(rows), 1)
    parts = [_grid(top)]
    for n, (name, values) in enumerate(rows):
        base = 0.0
        for k, value in enumerate(values):
            if not value:
                continue
            low, high = _y(base, top), _y(base + value, top)
            base += value
            told = escape(f"{name} {series[k]}: {value:,.0f}")
            parts.append(
                f'<rect x="{_LEFT + n * each + each * 0.1:.1f}" y="{high:.1f}"'
                f' width="{each * 0.8:.1f}" height="{max(low - high, 0.5):.1f}"'
                f' fill="var(--c{k % COLOURS})"><title>{told}</title></rect>'
            )
    parts += _dates([name for name, _ in rows], each)
    legend = "".join(
        f'<span><i style="background:var(--c{k % COLOURS})"></i>{escape(name)}</span>'
        for k, name in enumerate(series)
    )
    return f"{_svg(parts, HEIGHT, title)}<p class=legend>{legend}</p>"


def bars(rows: Sequence[Row], series: Sequence[str], title: str) -> str:
    """A line for each row, its series one over the other from the left edge on."""
    top = max((max(values, default=0) for _, values in rows), default=0) or 1
    room = WIDTH - _NAMES - 70
    parts = []
    for n, (name, values) in enumerate(rows):
        y = n * _ROW + 4
        parts.append(
            f'<text x="{_NAMES - 8}" y="{y + 12}" text-anchor="end">{escape(_short(name))}</text>'
        )
        for k, value in enumerate(values):
            told = escape(f"{name} {series[k]}: {value:,.0f}")
            height = 16 - 8 * k if len(values) > 1 else 16
            parts.append(
                f'<rect x="{_NAMES}" y="{y + (16 - height) / 2:.1f}"'
                f' width="{room * value / top:.1f}" height="{height}" fill="var(--c{k % COLOURS})">'
                f"<title>{told}</title></rect>"
            )
        first = values[0] if values else 0
        parts.append(
            f'<text x="{_NAMES + room * first / top + 6:.1f}" y="{y + 12}">{first:,.0f}</text>'
        )
    return _svg(parts, len(rows) * _ROW + 6, title)


def _svg(parts: Sequence[str], height: int, title: str) -> str:
    words = escape(title, quote=True)
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{words}">'
        f"<title>{words}</title>{''.join(parts)}</svg>"
    )


def _grid(top: float) -> str:
    lines = []
    for n in range(5):
        value = top * n / 4
        y = _y(value, top)
        lines.append(
            f'<line x1="{_LEFT}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}" class=grid />'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_plain(value)}</text>'
        )
    return "".join(lines)


def _y(value: float, top: float) -> float:
    return HEIGHT - _BOTTOM - (HEIGHT - _BOTTOM - _TOP) * (value / top if top else 0)


def _dates(names: Sequence[str], each: float) -> list[str]:
    every = max(-(-len(names) // 8), 1)
    return [
        f'<text x="{_LEFT + n * each + each / 2:.1f}" y="{HEIGHT - 6}"'
        f' text-anchor="middle">{escape(name[5:])}</text>'
        for n, name in enumerate(names)
        if n % every == 0
    ]


def _round_up(value: float) -> float:
    """To 1, 2, 4, 6 or 8 times a power of ten, so that quarters are short numbers."""
    if value <= 0:
        return 4
    size = 10.0 ** floor(log10(value))
    return next(size * m for m in (1, 2, 4, 6, 8, 10) if size * m >= value)


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.3g}"


def _short(name: str) -> str:
    return name if len(name) <= 34 else f"\N{HORIZONTAL ELLIPSIS}{name[-33:]}"
