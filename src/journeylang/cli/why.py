"""``journey why``: what happened to one customer, and why or why not."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NoReturn

import click

from journeylang.cli.project import (
    Instant,
    opened_beside,
    refuse_unknown,
    stop,
    understood_project,
)

if TYPE_CHECKING:
    from journeylang.loading.understood import Understood
    from journeylang.model.project import Project
    from journeylang.why.explain import Unknown
    from journeylang.why.model import Answer


@click.command("why")
@click.argument("customer")
@click.argument("journey", required=False)
@click.option("--env", default="dev", show_default=True, help="Of which environment.")
@click.option("--at", type=Instant(), help="As of an instant (UTC), not of the latest tick.")
@click.option("--all", "every_run", is_flag=True, help="Tell every run, not only the newest three.")
@click.option("--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    customer: str,
    journey: str | None,
    env: str,
    at: datetime | None,
    every_run: bool,
    output: str,
) -> None:
    """Tell what happened to CUSTOMER, with every decision and what it rested on.

    CUSTOMER is a key as the binding has it. For who is not in a journey it tells what is missing.
    Conditions are those of the project's files; nothing is changed.
    """
    from journeylang.engines.base import StatementError

    loaded = understood_project(env)
    names = _named(journey, loaded)
    try:
        with opened_beside(loaded, env, _imports) as engine:
            from journeylang.why.explain import NothingRan, Unknown, explain

            answer = explain(
                engine,
                loaded.project,
                customer=customer,
                journeys=names,
                sources=loaded.sources,
                template_entry_fields=loaded.entry_fields,
                at=at,
                every_run=every_run,
            )
    except StatementError as error:
        refused(error)
    match answer:
        case NothingRan():
            click.echo(f"nothing has run in `{env}` yet: `journey run {env}`")
        case Unknown():
            no_such_customer(customer, answer, loaded.project)
        case _ if output == "json":
            click.echo(_json(answer))
        case _:
            _show(answer)


def _imports() -> None:
    import journeylang.why.explain  # noqa: F401


def _named(journey: str | None, loaded: Understood) -> list[str]:
    there = list(loaded.project.journeys)
    if journey is None:
        return there
    refuse_unknown(journey, there)
    return [journey]


def no_such_customer(customer: str, found: Unknown, project: Project) -> NoReturn:
    """Exit, with who may be meant."""
    from journeylang.diagnostics.codes.running import NO_SUCH_CUSTOMER
    from journeylang.diagnostics.model import Diagnostic

    bound = project.binding.customers
    assert bound is not None
    column = getattr(bound.key, "name", "key")
    help_ = f"a customer is named by the key: `{column}` of {bound.table}"
    if found.meant:
        help_ = f"did you mean {' or '.join(f'`{key}`' for key in found.meant)}?"
    stop([Diagnostic(code=NO_SUCH_CUSTOMER, message=f"no customer `{customer}`", help=help_)])


def refused(error: Exception) -> NoReturn:
    """Exit: the database did not take a statement."""
    from journeylang.diagnostics.codes.running import DATABASE_ERROR
    from journeylang.diagnostics.model import Diagnostic

    stop(
        [
            Diagnostic(
                code=DATABASE_ERROR,
                message=f"the database refused a statement: {error}",
                help="`journey run` tells whether the binding still fits the tables",
            )
        ]
    )


def _json(answer: Answer) -> str:
    import json
    from dataclasses import asdict

    whole = {"format_version": 1, **asdict(answer)}
    return json.dumps(whole, indent=2, default=_plain, ensure_ascii=False)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _show(answer: Answer) -> None:
    import sys

    from journeylang.cli.terminal import columns, wants_colour
    from journeylang.runtime.zones import zone
    from journeylang.why.text import Text

    tz = zone(answer.zone)
    assert tz is not None
    text = Text(width=min(columns(), 120), tz=tz)
    colour = wants_colour(sys.stdout)
    for line in text.lines(answer):
        click.echo(line, color=colour)
