"""Specifications of Vega and Vega-Lite as SVG, by vl-convert (the extra `charts`).

Colours are CSS variables of the page (`var(--ink)`), so that one drawing serves light and dark.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_VEGA_LITE = "5.20"
_TAG = re.compile(r"<[^<>]*>")
# Nothing of a drawing is read aloud by itself: its `aria-label` tells it, and a table.
_NEEDLESS = re.compile(
    r' (?:role|class|pointer-events|xmlns|xmlns:xlink|version|aria-[a-z]+)="[^"]*"'
)
_EMPTY = re.compile(r'<path (?:d=""|d="M0,0h0v0h0Z")(?: display="none")?/>')
_SIZE = re.compile(r' (?:width|height)="[^"]*"')
_FULL = re.compile(r' opacity="1"')

# What XML cannot hold: vl-convert ends the whole process over it. And the two line ends that
# Vega's expressions, in which Vega-Lite writes names, do not take.
UNDRAWN = re.compile("[^\t\n\r\x20-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Spec = Mapping[str, object]

CONFIG: Spec = {
    "background": None,
    "aria": False,
    "font": "sans-serif",
    "axis": {
        "labelColor": "var(--dim)",
        "titleColor": "var(--dim)",
        "gridColor": "var(--line)",
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelLimit": 400,
    },
    "view": {"stroke": None},
    "text": {"fill": "var(--ink)", "fontSize": 12},
}


def vega_lite(spec: Spec) -> str:
    import vl_convert

    whole = _readable({"config": CONFIG, **spec})
    return _lean(vl_convert.vegalite_to_svg(whole, vl_version=_VEGA_LITE, allowed_base_urls=[]))


def vega(spec: Spec) -> str:
    import vl_convert

    return _lean(vl_convert.vega_to_svg(_readable(spec), allowed_base_urls=[]))


def _readable(part: object) -> Any:
    """The same, with a sign in the place of what no drawing can hold."""
    match part:
        case str():
            return UNDRAWN.sub("\N{REPLACEMENT CHARACTER}", part)
        case Mapping():
            return {name: _readable(value) for name, value in part.items()}
        case list() | tuple():
            return [_readable(value) for value in part]
        case _:
            return part


def _lean(svg: str) -> str:
    """Without what a page needs not: its own size, and parts that draw nothing."""

    def clean(tag: re.Match[str]) -> str:
        return _FULL.sub("", _NEEDLESS.sub("", tag[0]))

    lean = _EMPTY.sub("", _TAG.sub(clean, svg))
    first, rest = lean.split(">", 1)
    return f"{_SIZE.sub('', first)}>{rest}"
