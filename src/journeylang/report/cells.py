"""A cell as it is read, and as programs read it."""

from __future__ import annotations

from decimal import Decimal

from journeylang.report.tables import Cell, Column, Kind
from journeylang.stats.comparison import Interval


def shown(cell: Cell, kind: Kind) -> str:
    """Empty if there is nothing to say."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Interval):
        far = max(abs(cell.low), abs(cell.high))
        low, high = (_bare(limit, kind, like=far) for limit in (cell.low, cell.high))
        return f"{low} to {high}{_UNITS.get(kind, '')}"
    return _bare(cell, kind) + _UNITS.get(kind, "")


_UNITS = {Kind.SHARE: "%", Kind.POINTS: "pp", Kind.LIFT: "%"}


def _bare(value: float | Decimal, kind: Kind, like: float | None = None) -> str:
    """`like`: another amount, as finely as which it is shown."""
    decimals = 4 if 0 < abs(float(value if like is None else like)) < 1 else 2
    match kind:
        case Kind.COUNT:
            return f"{value:,.0f}"
        case Kind.SHARE:
            return f"{100 * value:.2f}"
        case Kind.POINTS:
            return _signed(f"{100 * value:+.2f}")
        case Kind.LIFT:
            return _signed(f"{100 * value:+,.1f}")
        case Kind.AMOUNT:
            return f"{value:,.{decimals}f}"
        case Kind.CHANGE:
            return _signed(f"{value:+,.{decimals}f}")
        case Kind.RATIO:
            return f"{value:,.2f}"
        case Kind.CHANCE:
            return f"{value:.4f}" if value >= 0.0001 else "<0.0001"
        case Kind.TEXT:
            return str(value)


def _signed(figure: str) -> str:
    """Without a sign where it rounds to nothing."""
    return figure if any(digit in "123456789" for digit in figure) else figure[1:]


def to_right(column: Column) -> bool:
    return column.kind is not Kind.TEXT


def plain(cell: Cell) -> object:
    """For JSON: money as text with its decimals, intervals as `low` and `high`."""
    match cell:
        case Interval():
            return {"low": cell.low, "high": cell.high}
        case Decimal():
            return f"{cell:f}"
        case _:
            return cell
