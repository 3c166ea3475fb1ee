"""``journey test``: the tests that are written in the language."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from journeylang.cli.project import understood_project

if TYPE_CHECKING:
    from journeylang.diagnostics.model import Diagnostic
    from journeylang.loading.understood import Understood
    from journeylang.trial.coverage import Coverage
    from journeylang.trial.run import Result


@click.command("test")
@click.argument("env", default="dev")
@click.option("-k", "words", metavar="WORDS", help="Only tests with these words in their title.")
@click.option(
    "--output",
    type=click.Choice(["text", "json", "junit"]),
    default="text",
    show_default=True,
    help="As text, JSON, or JUnit XML.",
)
@click.option("--coverage", is_flag=True, help="Show what no test has reached.")
@click.option(
    "--fail-under",
    type=click.IntRange(0, 100),
    metavar="PERCENT",
    help="Fail if less of the journeys is reached; rounded down.",
)
@click.pass_context
def command(
    ctx: click.Context,
    env: str,
    words: str | None,
    output: str,
    coverage: bool,
    fail_under: int | None,
) -> None:
    """Run the tests of the project; exits with 1 where one fails, with 2 where -k names none.

    Each is played on the real engine, in memory, under a clock of its own, and several at once; no
    database is asked and nothing is sent. Parameters have the values that they have in ENV.
    """
    from journeylang.trial import coverage as reaching
    from journeylang.trial.run import chosen, run_trials

    loaded = understood_project(env)
    began = time.perf_counter()
    tests = chosen(loaded.project.trials, words)
    if loaded.project.trials and not tests:
        raise click.UsageError(f"none of {len(loaded.project.trials):,} tests has `{words}`")
    results: list[Result] = []
    for result in run_trials(loaded.project, tests):
        results.append(result)
        if output == "text":
            _tell(result, loaded)
    reached = reaching.coverage(loaded.project, results) if coverage or fail_under else None
    if output == "text":
        if reached is not None:
            _tell_coverage(reached, loaded)
        seconds = time.perf_counter() - began
        click.echo(_summary(results, seconds))
    else:
        from journeylang.cli.test_reports import as_json, as_junit

        shown = as_json if output == "json" else as_junit
        click.echo(shown(results, reached, loaded))
    short = reached is not None and fail_under is not None and reached.percent < fail_under
    if short and output == "text":
        click.echo(f"less than {fail_under} % of the journeys is reached", err=True)
    if short or not all(result.passed for result in results):
        ctx.exit(1)


def _tell(result: Result, loaded: Understood) -> None:
    """A line for what passed; for what failed also each clause that is false, and the timeline."""
    import sys

    from journeylang.cli.terminal import wants_colour
    from journeylang.diagnostics.render import render_text

    colour = wants_colour(sys.stdout)
    word = click.style("passed", fg="green") if result.passed else click.style("FAILED", fg="red")
    click.echo(f"{word}  {result.trial.journey}: {result.trial.title}", color=colour)
    if result.passed:
        return
    click.echo()
    click.echo(render_text(problems(result), loaded.sources, colour=colour), color=colour)
    if result.lines:
        click.echo("\n  what happened:")
        for line in result.lines:
            click.echo(f"    {line}")
    click.echo()


def problems(result: Result) -> list[Diagnostic]:
    """What is wrong with a test, at the place of each clause."""
    from journeylang.diagnostics.codes.running import DATABASE_ERROR
    from journeylang.diagnostics.codes.trials import TEST_FAILED
    from journeylang.diagnostics.model import Diagnostic

    if result.error is not None:
        return [
            Diagnostic(
                code=DATABASE_ERROR,
                message=f"the database refused a statement: {result.error}",
                span=result.trial.span,
            )
        ]
    return [
        Diagnostic(code=TEST_FAILED, message=f.message, span=f.span, label=f.found)
        for f in result.failures
    ]


def _tell_coverage(reached: Coverage, loaded: Understood) -> None:
    click.echo(f"\nreached {reached.reached:,} of {reached.total:,} ({reached.percent} %)")
    for point in reached.missed:
        source = loaded.sources.get(point.span.path)
        line = f":{source.position(point.span.start)[0]}" if source is not None else ""
        click.echo(f"  {point.span.path}{line}  {point.journey}/{point.path}: {point.what}")
    click.echo()


def _summary(results: list[Result], seconds: float) -> str:
    if not results:
        return 'no tests; write one: test "what must be true" for JOURNEY { … }'
    failed = sum(not result.passed for result in results)
    passed = f"{len(results) - failed:,} passed"
    return f"{f'{failed:,} failed, ' if failed else ''}{passed} in {seconds:.1f} s"
