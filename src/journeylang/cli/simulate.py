"""``journey simulate``: a dry run on the real people, under a virtual clock."""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from journeylang.cli.extras import needs
from journeylang.cli.project import Instant, SpanOfTime, load_project, stop, utc_now
from journeylang.cli.terminal import console

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journeylang.simulate.run import Mode, Progress


# A hundredth of a percent is the finest that is drawn.
_NUMBER = re.compile(r"[0-9]{1,3}(\.[0-9]{1,2})?")

_MONEY = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,4})?) ?([A-Z]{3})")


class Share(click.ParamType[Decimal]):
    """A part of the customers: `10%`, `0.5%`."""

    name = "percent"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        if isinstance(value, Decimal):
            return value
        number = str(value).removesuffix("%")
        share = Decimal(number) / 100 if _NUMBER.fullmatch(number) else Decimal(0)
        if not 0 < share <= 1 or share * 10_000 % 1:
            self.fail(f"`{value}` is no part of the customers; write one as 10% or 0.5%")
        return share


@click.command("simulate")
@click.argument("journeys", nargs=-1, metavar="[JOURNEY]...")
@click.option("--env", default="dev", show_default=True, metavar="ENV", help="Whose database.")
@click.option(
    "--days", type=click.IntRange(1, 400), default=30, show_default=True, help="For so long."
)
@click.option(
    "--from",
    "start",
    type=Instant(),
    help="From this instant, UTC; else from the latest tick, or now where there was none.",
)
@click.option(
    "--step", type=SpanOfTime(), default="1h", show_default=True, help="Time between ticks."
)
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Another seed, another course."
)
@click.option("--sample", type=Share(), default="100%", help="A part of the customers: 10%.")
@click.option("--assume", metavar="NAME", help="Behaviour as assumed, if there are several.")
@click.option("--fit", type=SpanOfTime(), metavar="90d", help="Behaviour as it was for so long.")
@click.option("--budget", metavar="AMOUNT", help='At most, for all messages: "500 EUR".')
@click.option(
    "--mode",
    type=click.Choice(["auto", "closed", "stepped"]),
    default="auto",
    show_default=True,
    help="Whole lives at once, or tick by tick: the same, and the first is faster.",
)
@click.option(
    "--output",
    type=click.Choice(["text", "json", "markdown", "html"]),
    default="text",
    show_default=True,
    help="As text, JSON, Markdown for a pull request, or one HTML page with charts.",
)
@click.pass_context
def command(
    ctx: click.Context,
    journeys: tuple[str, ...],
    env: str,
    days: int,
    start: datetime | None,
    step: timedelta,
    seed: int,
    sample: Decimal,
    assume: str | None,
    fit: timedelta | None,
    budget: str | None,
    mode: Mode,
    output: str,
) -> None:
    """Play the journeys on the real people for some days to come. Nothing is sent.

    The same plan runs as would run, under a virtual clock, beside the database: of that it only
    reads. How people behave is what an `assume` of the project says, or what --fit measures.
    JOURNEYs run alone, with those that they start. Exits with 1 where a kpi, a guard or a budget
    would fail.
    """
    import gc

    if gc.isenabled():
        # What is read makes trees and no circles; the people are in the database.
        gc.disable()
        ctx.call_on_close(gc.enable)
    from journeylang.api.simulating import simulate
    from journeylang.simulate.run import Asked

    if assume is not None and fit is not None:
        raise click.UsageError("--assume and --fit are two answers to one question; give one")
    if output == "html":
        needs("charts", "vl_convert")
    most = _amount(budget)
    loaded = load_project(env)
    asked = Asked(
        now=utc_now().replace(minute=0, second=0, microsecond=0),
        start=start,
        days=days,
        step=step,
        seed=seed,
        share=sample,
        journeys=journeys,
        fit=fit,
        budget=most,
        mode=mode,
    )
    with _bar(days) as progress:
        outcome = simulate(loaded, env, asked, assume=assume, progress=progress)
    if outcome.value is None:
        stop(outcome.diagnostics, loaded)
    forecast = outcome.value
    match output:
        case "json":
            from journeylang.simulate.reports import as_json

            click.echo(as_json(forecast))
        case "markdown":
            from journeylang.simulate.markdown import as_markdown

            click.echo(as_markdown(forecast), nl=False)
        case "html":
            from journeylang.simulate.html import as_html

            click.echo(as_html(forecast), nl=False)
        case _:
            from journeylang.cli.simulate_text import show

            show(forecast, console())
    if forecast.failed:
        ctx.exit(1)


def _amount(budget: str | None) -> tuple[Decimal, str] | None:
    if budget is None:
        return None
    found = _MONEY.fullmatch(budget.strip())
    if found is None:
        raise click.UsageError(f'`{budget}` is no amount; write one as "500 EUR"')
    return Decimal(found[1]), found[2]


@contextmanager
def _bar(days: int) -> Iterator[Progress]:
    """A bar that goes away when it is done; without a terminal there is none."""
    screen = console(err=True)
    if not screen.is_terminal:
        yield lambda _now, _done, _of: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns: tuple[Any, ...] = (
        TextColumn(f"{days} days"),
        BarColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=screen, transient=True) as bar:
        task = bar.add_task("")
        yield lambda now, done, of: bar.update(
            task, completed=done, total=of, description=f"{now:%a %d %b %Y, %H:%M}"
        )
