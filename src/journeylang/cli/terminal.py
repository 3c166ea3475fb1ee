"""What every verb needs to print: whether to colour, a rich console, diagnostics."""

import os
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TextIO

import click

from journeylang.diagnostics.model import Diagnostic
from journeylang.source import Source

if TYPE_CHECKING:
    from rich.console import Console


def wants_colour(stream: TextIO) -> bool:
    """As ``--color`` says; without it, on a terminal that can, unless ``NO_COLOR`` is set."""
    ctx = click.get_current_context(silent=True)
    if ctx is not None and ctx.color is not None:
        return ctx.color
    capable = stream.isatty() and os.environ.get("TERM") != "dumb"
    return capable and not os.environ.get("NO_COLOR")


def console(*, err: bool = False) -> "Console":
    """A rich console that obeys ``--color``; tables and progress bars go through it."""
    from rich.console import Console

    stream = sys.stderr if err else sys.stdout
    return Console(
        file=stream,
        color_system="standard" if wants_colour(stream) else None,
        highlight=False,
        markup=False,
        emoji=False,
    )


def columns() -> int:
    """How wide a text may be: as the terminal is, and as rich has it, but without rich."""
    found = os.environ.get("COLUMNS", "")
    if found.isdigit() and int(found) > 0:
        return int(found)
    if os.environ.get("TERM") in ("dumb", "unknown"):
        return 80
    for stream in (sys.__stdin__, sys.__stdout__, sys.__stderr__):
        try:
            width = os.get_terminal_size(stream.fileno()).columns if stream is not None else 0
        except (OSError, ValueError, AttributeError):
            continue
        if width > 0:
            return width
    return 80


def print_diagnostics(
    diagnostics: Iterable[Diagnostic],
    sources: Mapping[str, Source],
    *,
    output: str = "text",
    err: bool = False,
) -> None:
    """Show findings: on standard output where they are the verb's answer, else with ``err``.

    ``output`` is ``text`` or ``json``. The text ends with a line that counts them; of no
    findings there is no text, but there is JSON.
    """
    from journeylang.diagnostics.render import render_json, render_text, summary

    found = list(diagnostics)
    if output == "json":
        click.echo(render_json(found, sources), err=err)
    elif found:
        colour = wants_colour(sys.stderr if err else sys.stdout)
        text = render_text(found, sources, colour=colour)
        click.echo(f"{text}\n\n{summary(found)}", err=err, color=colour)
