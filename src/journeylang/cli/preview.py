"""``journey preview``: what a customer would get at a step, by each of its channels."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from journeylang.cli.project import Instant, load_project, opened, utc_now

if TYPE_CHECKING:
    from journeylang.api.previewing import Message, Preview, Step
    from journeylang.loading.project import LoadedProject


@click.command("preview")
@click.argument("step")
@click.option("--customer", required=True, metavar="ID", help="A key as the binding has it.")
@click.option("--env", default="dev", show_default=True, help="Of which environment.")
@click.option("--at", type=Instant(), help="As of an instant (UTC), not of now.")
@click.option("--channel", metavar="NAME", help="By this channel alone.")
@click.option(
    "--entry",
    "given",
    metavar="NAME=VALUE",
    multiple=True,
    help="A field of the event that began the run; instead of the customer's own.",
)
@click.option(
    "--output",
    default="text",
    show_default=True,
    metavar="[text|json|FILE.html]",
    help="`FILE.html` is a file for the HTML of the first channel that has any.",
)
@click.option("--open", "browse", is_flag=True, help="Show that HTML in the browser.")
def command(
    step: str,
    customer: str,
    env: str,
    at: datetime | None,
    channel: str | None,
    given: tuple[str, ...],
    output: str,
    browse: bool,
) -> None:
    """Show what a customer would get at STEP, by each of its channels.

    STEP is `JOURNEY/STEP`, or the step alone where only one journey has it. Nothing is sent and
    nothing is kept: links lead nowhere, codes are not drawn. Whether the message may go out is not
    asked; `journey why` tells that. The exit code is 1 if a message cannot be written.
    """
    from journeylang.api.previewing import NotGiven, preview
    from journeylang.cli.why import no_such_customer, refused
    from journeylang.engines.base import StatementError
    from journeylang.why.explain import Unknown

    file = _file(output)
    loaded = load_project(env)
    place = _step(step, loaded)
    entry = dict(_pair(one) for one in given)
    try:
        with opened(loaded, env) as engine:
            found = preview(
                engine,
                loaded,
                env,
                place,
                customer=customer,
                now=at or utc_now(),
                entry=entry,
            )
    except StatementError as error:
        refused(error)
    match found:
        case Unknown():
            no_such_customer(customer, found, loaded.project)
        case NotGiven():
            raise click.BadParameter(found.why, param_hint="--entry")
        case _:
            messages = _of_channel(found, channel)
            page = None
            if file is not None or browse:
                page = _page(messages, file)
            if output == "json":
                click.echo(_json(found, messages))
            else:
                _show(found, messages)
                if page is not None:
                    click.echo(f"\nHTML written to {page}")
            if browse and page is not None:
                click.launch(page.resolve().as_uri())
            if any(one.problem is not None for one in messages):
                raise click.exceptions.Exit(1)


def _file(output: str) -> Path | None:
    if output in ("text", "json"):
        return None
    if not output.lower().endswith((".html", ".htm")):
        raise click.BadParameter(
            f"`{output}` is neither text, json nor a name that ends in .html",
            param_hint="--output",
        )
    return Path(output)


def _step(given: str, loaded: LoadedProject) -> Step:
    from journeylang.api.previewing import named, sending_steps
    from journeylang.diagnostics.suggest import did_you_mean

    steps = sending_steps(loaded.project)
    meant = named(steps, given)
    if len(meant) == 1:
        return meant[0]
    if meant:
        several = " or ".join(f"`{step}`" for step in meant)
        raise click.UsageError(f"several steps are called `{given}`: name {several}")
    names = {str(step): step for step in steps} | {step.path: step for step in steps}
    hint = did_you_mean(given, names) or (
        f"messages are sent by {', '.join(sorted(map(str, steps)))}"
        if steps
        else "no journey sends anything"
    )
    raise click.UsageError(f"no step `{given}` sends a message; {hint}")


def _pair(written: str) -> tuple[str, str]:
    name, equals, value = written.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"`{written}` is not NAME=VALUE", param_hint="--entry")
    return name.strip().removeprefix("entry."), value


def _of_channel(found: Preview, channel: str | None) -> tuple[Message, ...]:
    if channel is None:
        return found.messages
    there = tuple(one for one in found.messages if one.channel == channel)
    if not there:
        names = ", ".join(one.channel for one in found.messages)
        raise click.BadParameter(f"the step sends by {names}", param_hint="--channel")
    return there


def _page(messages: tuple[Message, ...], file: Path | None) -> Path:
    """The HTML in a file of that name, or of one that the system gives."""
    html = next((one.html for one in messages if one.html is not None), None)
    if html is None:
        raise click.UsageError("none of the messages has HTML")
    if file is None:
        from tempfile import NamedTemporaryFile

        with NamedTemporaryFile(prefix="journey-preview-", suffix=".html", delete=False) as made:
            file = Path(made.name)
    try:
        file.write_text(html, encoding="utf-8")
    except OSError as error:
        raise click.FileError(str(file), error.strerror or "cannot be written") from error
    return file


def _json(found: Preview, messages: tuple[Message, ...]) -> str:
    import json
    from dataclasses import asdict, replace

    whole = {"format_version": 1, **asdict(replace(found, messages=messages))}
    return json.dumps(whole, indent=2, default=lambda at: at.isoformat(), ensure_ascii=False)


def _show(found: Preview, messages: tuple[Message, ...]) -> None:
    click.echo(f"{found.journey}/{found.step} for customer {found.customer}")
    click.echo(f"at {found.at:%Y-%m-%d %H:%M} UTC; {found.zone}, {found.locale}")
    click.echo(f"entry: {found.entry}")
    for one in messages:
        click.echo(f"\n--- {one.channel}: {one.template}")
        for note in one.notes:
            click.echo(f"note: {note}")
        if one.problem is not None:
            click.secho(f"cannot be written: {one.problem}", fg="red")
            continue
        heads = (
            ("From", one.sender),
            ("Reply-To", one.reply_to),
            ("To", one.to),
            ("Subject", one.subject),
        )
        for name, value in heads:
            if value is not None:
                click.echo(f"{name}: {value}")
        if one.parts is not None:
            click.echo(f"Parts: {_parts(one)}")
        click.echo(f"\n{(one.text or '').rstrip()}")


def _parts(one: Message) -> str:
    assert one.parts is not None
    told = f"{one.parts.parts} ({one.parts.characters} characters)"
    if one.parts.because is not None:
        told += f"; of 70 and not 160, for `{one.parts.because}` is no letter of GSM 7-bit"
    return told
