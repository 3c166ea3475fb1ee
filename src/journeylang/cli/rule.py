"""``journey rule``: what a code means."""

import json
import textwrap

import click

from journeylang.diagnostics.codes import ALL_CODES, find_code
from journeylang.diagnostics.model import Code
from journeylang.diagnostics.suggest import closest

_WIDTH = 80


@click.command("rule")
@click.argument("code", required=False)
@click.option(
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="As text, or as JSON.",
)
def command(code: str | None, output: str) -> None:
    """Explain CODE (JRN101, 101 or unknown-name), or list all codes."""
    if code is None:
        codes = list(ALL_CODES)
    elif (found := find_code(code)) is not None:
        codes = [found]
    else:
        known = [name for c in ALL_CODES for name in (c.id, c.name)]
        meant = closest(code, known)
        raise click.UsageError(
            f"no code `{code}`; "
            + (f"did you mean `{meant}`?" if meant else "`journey rule` lists all of them")
        )
    if output == "json":
        click.echo(as_json(codes))
    elif code is None:
        click.echo("\n".join(line(c) for c in codes))
    else:
        click.echo(page(codes[0]))


def line(code: Code) -> str:
    """The code in the list of all codes."""
    return f"{code.id}  {code.severity:<7}  {code.name:<26}  {code.title}"


def page(code: Code) -> str:
    """The code's own page."""
    return "\n\n".join(
        (
            f"{code.id} {code.name} ({code.severity})",
            f"{code.title}.",
            textwrap.fill(code.why, _WIDTH),
            "Bad:\n" + textwrap.indent(code.bad, "    "),
            "Good:\n" + textwrap.indent(code.good, "    "),
        )
    )


def as_json(codes: list[Code]) -> str:
    """``{"format_version": 1, "codes": [{"id", "name", "severity", "title", …}]}``."""
    shown = [
        {
            "id": code.id,
            "name": code.name,
            "severity": str(code.severity),
            "title": code.title,
            "why": code.why,
            "bad": code.bad,
            "good": code.good,
            "fence": code.fence,
        }
        for code in codes
    ]
    return json.dumps({"format_version": 1, "codes": shown}, ensure_ascii=False, indent=2)
