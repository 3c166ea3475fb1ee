"""Sums of drawn values, as SQL would make them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from journeylang.stats.comparison import Comparison
from journeylang.stats.moments import Pairs, Sample

Values = NDArray[np.float64]


def cents(values: Values) -> list[Decimal]:
    return [Decimal(round(float(v) * 100)).scaleb(-2) for v in values]


def floats(values: list[Decimal]) -> Values:
    return np.array([float(v) for v in values])


def sample(values: list[Decimal]) -> Sample:
    return Sample(n=len(values), total=sum(values), squares=sum(v * v for v in values))


def pairs(y: list[Decimal], x: list[Decimal]) -> Pairs:
    return Pairs(
        n=len(y),
        y=sum(y),
        x=sum(x),
        yy=sum(v * v for v in y),
        xx=sum(v * v for v in x),
        xy=sum(a * b for a, b in zip(y, x, strict=True)),
    )


def compared(found: Any) -> Comparison:
    assert isinstance(found, Comparison), found
    return found
