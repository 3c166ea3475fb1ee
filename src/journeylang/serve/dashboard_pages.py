"""The dashboard's pages. They read without a script; with one, the figures renew themselves."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from journeylang.pictures.style import STYLE

TEMPLATES = Path(__file__).parent / "templates"

CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self';"
    " img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )


@cache
def _style() -> str:
    return STYLE + (TEMPLATES / "dashboard.css").read_text(encoding="utf-8")


def page(template: str, /, **values: object) -> str:
    """One of the pages, everything that is put into it escaped but drawings."""
    return _environment().get_template(f"{template}.html").render(style=_style(), **values)
