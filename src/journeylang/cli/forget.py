"""``journey forget``: erasure of a person from the runtime's tables."""

from __future__ import annotations

import json
import sys

import click

from journeylang.cli.project import load_project, opened, stop, utc_now


@click.command("forget")
@click.argument("customer")
@click.argument("env", default="dev")
@click.option(
    "--address",
    "addresses",
    multiple=True,
    metavar="TEXT",
    help="An e-mail address or a telephone number of theirs: rows of lists with it go too.",
)
@click.option("--known", is_flag=True, help="Though they are still among the customers.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_context
def command(
    ctx: click.Context,
    customer: str,
    env: str,
    addresses: tuple[str, ...],
    known: bool,
    yes: bool,
    output: str,
) -> None:
    """Erase CUSTOMER, a key, from the runtime's tables of ENV; for good.

    Their messages that have not gone out are cancelled and their journeys end. What the runtime
    kept of them is deleted; rows that reports are made of stay, under a key that is nobody's and
    without contents. A suppressed address stays so, as its hash. The project's own tables, files
    that providers wrote and lists in the project are not touched: erase the customer there first.
    It exits with 1 if nothing was done, as they are still a customer, a message is on its way, or
    keys are of a type that has none of nobody (dates).
    """
    from journeylang.api.applying import in_use, unusable
    from journeylang.engines.base import DatabaseBusyError, StatementError
    from journeylang.runtime.forgetting import NotYet, forget

    loaded = load_project(env)
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("nobody can be asked here, and it is for good; say --yes")
        click.confirm(f"Forget customer {customer} in {env}, for good?", abort=True, err=True)
    with opened(loaded, env) as engine:
        if engine.columns(("journey", "notice")) is None:
            raise click.UsageError(f"nothing has run in `{env}` yet: nothing is kept of anybody")
        try:
            found = forget(
                engine,
                loaded.project,
                customer,
                addresses=addresses,
                known=known,
                now=utc_now(),
            )
        except DatabaseBusyError as error:
            stop([in_use(error.holder)], loaded)
        except StatementError as error:
            stop(unusable(error), loaded)
    if isinstance(found, NotYet):
        if found.key_type is not None:
            why = (
                f"the customers' keys are of type {found.key_type}, and none can be made up that"
                " is nobody's; bind a key that is a whole number, a text or a UUID"
            )
        elif found.sending_until is None:
            why = "still among the customers, and would enter again: erase them there, or --known"
        else:
            why = f"messages are on their way; again after {found.sending_until:%H:%M:%S} UTC"
        click.echo(f"not forgotten: {why}", err=True)
        ctx.exit(1)
    if output == "json":
        shown = {"kept": found.kept, "deleted": found.deleted, "listed": found.listed}
        click.echo(json.dumps({"format_version": 1, **shown}, indent=2))
        return
    if not (found.kept or found.deleted or found.listed):
        click.echo("nothing was kept of them")
        return
    for words, rows in (
        ("without them from now on", found.kept),
        ("deleted", found.deleted | ({"of lists": found.listed} if found.listed else {})),
    ):
        if rows:
            listed = ", ".join(f"{name} {number:,}" for name, number in rows.items())
            click.echo(f"{words}: {listed}")
