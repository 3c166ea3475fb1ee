"""What to do about figures that are written otherwise: spans, times, dates, amounts, shares."""

import re

from journeylang.syntax.spot import Spot

_UNITS = {
    "s": "s sec secs second seconds",
    "m": "m min mins minute minutes",
    "h": "h hr hrs hour hours",
    "d": "d day days",
    "w": "w week weeks",
    "mo": "mo month months",
    "y": "y yr yrs year years",
}
_UNIT_OF = {word: unit for unit, words in _UNITS.items() for word in words.split()}
_FIGURE_AND_WORD = re.compile(r"(\d+)([A-Za-z]+)")
_CLOCK = re.compile(r"(\d{1,2})(?:[:.](\d\d))?([ap])m", re.IGNORECASE)
_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_CURRENCIES = frozenset({"eur", "usd", "gbp", "chf"})


def spans(spot: Spot) -> str | None:
    """``2 days``, ``2days``, ``30 d`` and figures without their unit."""
    text = spot.text()
    found = _FIGURE_AND_WORD.fullmatch(text)
    if found and spot.allows("DURATION") and found[2].lower() in _UNIT_OF:
        return f"write `{found[1]}{_UNIT_OF[found[2].lower()]}`"
    if spot.kind() == "DURATION" and spot.allows("AFTER"):
        return f"write `after {text}`"
    if spot.kind() != "INTEGER":
        return None
    unit = _UNIT_OF.get(spot.text(1).lower())
    if spot.allows("DURATION") and unit:
        return f"a span of time is one word: `{text}{unit}`"
    if spot.allows("REPEAT", "UP") and spot.text(-1) == "repeat":
        return f"write `repeat up to {text} times`"
    return None


def figures(spot: Spot) -> str | None:
    text, kind = spot.text(), spot.kind()
    clock = _CLOCK.fullmatch(text)
    if clock and spot.allows("TIME_OF_DAY"):
        hour = int(clock[1]) % 12 + 12 * (clock[3] in "pP")
        return f"a time of day has 24 hours: `{hour:02}:{clock[2] or '00'}`"
    date = _DATE.fullmatch(text)
    if date:
        return f"a date begins with its year: `{date[3]}-{date[2]:0>2}-{date[1]:0>2}`"
    if re.fullmatch(r"\d[\d_]*", text) and "_" in text:
        return f"figures have no signs between them: `{text.replace('_', '')}`"
    if kind == "COMMA" and spot.kind(-1) in ("INTEGER", "MONEY") and spot.touches(1):
        after = re.match(r"\d+", spot.text(1))
        if after and len(after[0]) == 3:
            return f"figures have no signs between them: `{spot.text(-1)}{after[0]}`"
        return f"the decimal sign is a point: `{spot.text(-1)}.{spot.text(1)}`"
    if text == "." and spot.touches(1) and spot.text(1)[:1].isdigit():
        return f"a number begins with a figure: `0.{spot.text(1)}`"
    if kind == "DURATION" and spot.text(-1) in ("last", "past"):
        return f"write `within {text}`"
    if kind == "TIME_OF_DAY" and spot.kind(-1) == "DATE":
        return f"a moment is one word: `{spot.text(-1)}T{text}`"
    if kind in ("INTEGER", "NUMBER") and re.fullmatch(r"[A-Z]{3}", spot.text(-1)):
        return f"the currency stands behind: `{text} {spot.text(-1)}`"
    if text in _CURRENCIES and spot.kind(-1) in ("INTEGER", "NUMBER"):
        return f"a currency is written in capitals: `{spot.text(-1)} {text.upper()}`"
    return None


def units(spot: Spot) -> str | None:
    """Figures that lack what makes them a share, an amount or a span."""
    text, kind = spot.text(), spot.kind()
    if kind not in ("INTEGER", "NUMBER") or spot.allows(kind):
        return None
    if spot.allows("PERCENT"):
        if kind == "NUMBER" and text.startswith("0."):
            return f"a share is written in percent: `{float(text) * 100:g}%`"
        return f"a share has a percent sign: `{text}%`"
    if spot.allows("MONEY"):
        return f"an amount has a currency: `{text} EUR`"
    if spot.allows("DURATION"):
        return f"a span of time has a unit: `{text}d`"
    return None
