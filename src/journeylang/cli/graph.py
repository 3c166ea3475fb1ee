"""``journey graph``: the steps of a journey."""

from __future__ import annotations

import click

from journeylang.cli.project import load_project


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
    from journeylang.diagnostics.suggest import did_you_mean
    from journeylang.plan.graph import mermaid

    del form
    journeys = load_project().project.journeys
    if journey not in journeys:
        listed = f"there is {', '.join(sorted(journeys))}" if journeys else "the project has none"
        hint = did_you_mean(journey, journeys) or listed
        raise click.UsageError(f"no journey `{journey}`; {hint}")
    click.echo(mermaid(journeys[journey]), nl=False)
