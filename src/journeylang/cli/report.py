"""``journey report``: what journeys have brought."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Literal, get_args

import click

from journeylang.cli.extras import needs
from journeylang.cli.project import opened, refuse_unknown, understood_project

if TYPE_CHECKING:
    from decimal import Decimal

    from journeylang.diagnostics.model import Diagnostic
    from journeylang.loading.understood import Understood
    from journeylang.model.expressions import CustomerValue, SegmentTest
    from journeylang.report.refined import Refine
    from journeylang.report.source import Source
    from journeylang.report.tables import Report


@click.command("report")
@click.argument("journeys", metavar="[JOURNEY]...", nargs=-1)
@click.option("--env", default="dev", show_default=True, help="The environment to report on.")
@click.option(
    "--output",
    type=click.Choice(["text", "json", "csv", "markdown", "html"]),
    default="text",
    show_default=True,
    help="As text, JSON, figures in CSV, Markdown, or one HTML page with pictures.",
)
@click.option(
    "--open", "show", is_flag=True, help="Show the HTML page in the browser; it stays in a file."
)
@click.option(
    "--by",
    metavar="NAME",
    multiple=True,
    help="Divide the first goal by a segment, or by a field of the customers.",
)
@click.option(
    "--every",
    type=click.Choice(["day", "week", "month"]),
    help="Divide the first goal by when customers entered.",
)
@click.option(
    "--drawn",
    metavar="FIELD",
    help="Compare groups that were drawn elsewhere and stand in a field of the customers.",
)
@click.option("--control", metavar="VALUE", help="The control group of --drawn.")
@click.option(
    "--before",
    metavar="METRIC",
    help="Take off what a metric of the time before foretells (CUPED).",
)
@click.option(
    "--cap-at",
    metavar="PERCENT",
    help="Values above that of so many of the customers with one count as it (winsorised): 99%.",
)
@click.option(
    "--looks",
    type=click.IntRange(1, 60),
    help="Judge experiments at so many planned looks (group sequential).",
)
@click.option(
    "--spending",
    type=click.Choice(["obrien-fleming", "pocock"]),
    default="obrien-fleming",
    show_default=True,
    help="How fast --looks spend the error.",
)
@click.option("--channels", is_flag=True, help="All journeys: which channel leads to the goals.")
@click.option("--offers", is_flag=True, help="All journeys: codes issued and redeemed.")
@click.option("--base", is_flag=True, help="The customers: who can be reached, who has agreed.")
@click.option("--customers", is_flag=True, help="The customers: purchases, pressure, overlap.")
@click.option("--hypotheses", is_flag=True, help="All experiments: what was expected, and found.")
def command(
    journeys: tuple[str, ...],
    env: str,
    output: str,
    show: bool,
    by: tuple[str, ...],
    every: Literal["day", "week", "month"] | None,
    drawn: str | None,
    control: str | None,
    before: str | None,
    cap_at: str | None,
    looks: int | None,
    spending: str,
    **across: bool,
) -> None:
    """Show what journeys have brought: all of them, or those named.

    Steps, channels, losses, goals with what was caused, experiments, targets; as of the last tick.
    With --channels, --offers, --base, --customers or --hypotheses that alone, of all together.
    """
    from journeylang.cli.project import stop
    from journeylang.engines.base import StatementError
    from journeylang.report.read import Across, Asked, report, source_of

    if control is not None and drawn is None:
        raise click.UsageError("--control is of --drawn; name the field with the groups")
    needs("stats", "scipy")
    output = "html" if show else output
    if output == "html":
        needs("charts", "vl_convert")
    loaded = understood_project(env)
    names = _named(loaded, journeys)
    asked = Asked(
        by=tuple(_divider(loaded, name) for name in by),
        every=every,
        drawn=_field(loaded, drawn) if drawn is not None else None,
        control=control,
        refine=_refine(loaded, before, cap_at, looks, spending),
        across=frozenset(name for name in get_args(Across) if across[name]),
        pictures=output == "html",
    )
    try:
        with opened(loaded, env) as engine:
            source = source_of(engine, loaded.project)
            if source is None:
                raise click.ClickException(f"nothing has run in `{env}` yet: `journey run {env}`")
            there = _applied(source, names)
            left_out = [name for name in names if name not in there]
            found = report(source, env, there, asked)
    except StatementError as error:
        stop([_refused(error)], loaded)
    if show:
        _open(found)
    else:
        _tell(output, found)
    for name in left_out:
        click.echo(
            f"journey `{name}` is not in the report: as it is written now it was not applied to"
            f" `{env}`; `journey apply {env}` does that",
            err=True,
        )


def _refused(error: Exception) -> Diagnostic:
    from journeylang.diagnostics.codes.running import DATABASE_ERROR
    from journeylang.diagnostics.model import Diagnostic

    return Diagnostic(
        code=DATABASE_ERROR,
        message=f"the database refused a statement of the report: {error}",
        help="are the tables as the binding says? `journey run` looks, and names what is not",
    )


def _named(loaded: Understood, journeys: tuple[str, ...]) -> list[str]:
    known = loaded.project.journeys
    for name in journeys:
        refuse_unknown(name, known)
    return list(dict.fromkeys(journeys)) or sorted(known)


def _divider(loaded: Understood, name: str) -> SegmentTest | CustomerValue:
    """A segment of this name, or else a field of the customers."""
    from journeylang.model.expressions import SegmentTest

    segment = loaded.project.segments.get(name)
    if segment is not None:
        return SegmentTest(name=name, span=segment.span)
    return _field(loaded, name)


def _field(loaded: Understood, name: str) -> CustomerValue:
    from journeylang.diagnostics.suggest import did_you_mean
    from journeylang.model.expressions import CustomerValue

    customers = loaded.project.binding.customers
    fields = {field.name: field for field in (customers.fields if customers is not None else ())}
    found = fields.get(name)
    if found is None:
        known = [*loaded.project.segments, *fields]
        hint = did_you_mean(name, known) or f"there is {', '.join(known)}"
        raise click.UsageError(f"no segment and no field of the customers `{name}`; {hint}")
    if found.pii:
        raise click.UsageError(f"`{name}` is personal data (`pii`), which stands in no report")
    return CustomerValue(name=name, type=found.type, span=found.span)


def _refine(
    loaded: Understood, before: str | None, cap_at: str | None, looks: int | None, spending: str
) -> Refine:
    from journeylang.report.refined import Refine, metric_before
    from journeylang.stats.sequential import Spending

    metric = None
    if before is not None:
        refuse_unknown(before, loaded.project.metrics, what="metric")
        found = metric_before(loaded.project, before)
        if isinstance(found, str):
            raise click.UsageError(
                f"`{before}` can't be asked of the time before: {found};"
                " name a metric such as `sum(order_placed.total within 90d)`"
            )
        metric = found
    return Refine(
        before=metric,
        cap_at=_part(cap_at) if cap_at is not None else None,
        looks=looks,
        spending=Spending(spending.replace("-", "_")),
    )


def _part(written: str) -> Decimal:
    """`99%` as 0.99; at least a half of the customers is left as it is."""
    from decimal import Decimal, InvalidOperation

    try:
        found = Decimal(written.removesuffix("%")) / 100
    except InvalidOperation:
        found = Decimal(0)
    if not (found.is_finite() and Decimal("0.5") <= found < 1):
        raise click.UsageError(f"--cap-at {written}: name a share from 50% to 99.9%, as in 99%")
    return found


def _applied(source: Source, names: list[str]) -> list[str]:
    """Those journeys of which the database knows every step."""
    from journeylang.plan.numbering import step_paths

    numbers = source.numbering
    return [
        name
        for name in names
        if name in numbers.journeys
        and all(
            (name, path) in numbers.steps for path, _ in step_paths(source.project.journeys[name])
        )
    ]


def _open(found: Report) -> None:
    """The browser reads the file when it likes, so it is not taken away."""
    import tempfile
    import webbrowser
    from pathlib import Path

    from journeylang.report.html import as_html

    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", prefix="journey-report-", suffix=".html", delete=False
    ) as page:
        page.write(as_html(found))
    path = Path(page.name)
    click.echo(path)
    if not webbrowser.open(path.as_uri()):
        click.echo("no browser was found; the page is in that file", err=True)


def _tell(output: str, found: Report) -> None:
    from journeylang.cli.terminal import wants_colour
    from journeylang.report import formats

    match output:
        case "json":
            click.echo(formats.as_json(found), nl=False)
        case "csv":
            click.echo(formats.as_csv(found), nl=False)
        case "markdown":
            click.echo(formats.as_markdown(found), nl=False)
        case "html":
            from journeylang.report.html import as_html

            click.echo(as_html(found), nl=False)
        case _:
            colour = wants_colour(sys.stdout)
            text = formats.as_text(found, strong=lambda words: click.style(words, bold=True))
            click.echo(text, nl=False, color=colour)
