"""``journey graph``: the steps of a journey."""

from __future__ import annotations

import click

from journeylang.cli.project import load_project, refuse_unknown


@click.command("graph")
@click.argument("journey")
@click.option(
    "--format",
    "form",
    type=click.Choice(["mermaid"]),
    default="mermaid",
    show_default=True,
    help="Text that Markdown pages and mermaid.live draw.",
)
def command(journey: str, form: str) -> None:
    """Draw the steps of JOURNEY and the ways between them."""
    from journeylang.plan.graph import mermaid

    del form
    journeys = load_project().project.journeys
    refuse_unknown(journey, journeys)
    click.echo(mermaid(journeys[journey]), nl=False)
