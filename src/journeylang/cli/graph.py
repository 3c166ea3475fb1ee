"""``journey graph``: the steps of a journey, and how many people are at each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from journeylang.cli.project import load_project, opened, refuse_unknown

if TYPE_CHECKING:
    from journeylang.loading.project import LoadedProject
    from journeylang.plan.chart import Chart
    from journeylang.report.live import Live


@click.command("graph")
@click.argument("journey")
@click.option(
    "--format",
    "form",
    type=click.Choice(["mermaid", "dot", "svg"]),
    default="mermaid",
    show_default=True,
    help="Text that Markdown pages and mermaid.live draw, text for Graphviz, or a picture.",
)
@click.option("--live", "with_people", is_flag=True, help="With how many people are where.")
@click.option("--env", default="dev", show_default=True, metavar="ENV", help="Whose people.")
def command(journey: str, form: str, with_people: bool, env: str) -> None:
    """Draw the steps of JOURNEY and the ways between them.

    With --live each step tells how many runs rest there, as of the last tick, and each exit how
    many took it.
    """
    from journeylang.plan.chart import chart

    loaded = load_project(env) if with_people else load_project()
    journeys = loaded.project.journeys
    refuse_unknown(journey, journeys)
    drawn = chart(journeys[journey])
    found = _people(loaded, env, drawn) if with_people else None
    click.echo(_drawn(form, drawn, found, env), nl=False)
    if found is not None and found.elsewhere:
        click.echo(
            f"{found.elsewhere:,} more are at steps that `{journey}` has not as it is written now",
            err=True,
        )


def _people(loaded: LoadedProject, env: str, drawn: Chart) -> Live:
    from journeylang.report.live import live

    with opened(loaded, env) as engine:
        found = live(engine, drawn)
    if found is None:
        raise click.ClickException(f"nothing has run in `{env}` yet: `journey run {env}`")
    return found


def _drawn(form: str, drawn: Chart, found: Live | None, env: str) -> str:
    from journeylang.plan.chart_text import dot, mermaid

    told = found.told if found is not None else None
    as_of = f"as of {found.now:%Y-%m-%d %H:%M} UTC, {env}" if found is not None else ""
    match form:
        case "svg":
            from journeylang.pictures.graph import svg

            return svg(drawn, told, as_of=f", {as_of}" if as_of else "")
        case "dot":
            return (f"// {as_of}\n" if as_of else "") + dot(drawn, told)
        case _:
            return (f"%% {as_of}\n" if as_of else "") + mermaid(drawn, told)
