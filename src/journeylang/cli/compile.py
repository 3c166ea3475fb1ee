"""``journey compile``: what a project becomes, for review."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from journeylang.cli.project import load_project, stop

if TYPE_CHECKING:
    from journeylang.loading.project import LoadedProject


@click.command("compile")
@click.option(
    "--emit",
    type=click.Choice(["sql", "plan", "ast"]),
    default="sql",
    show_default=True,
    help="The statements, the execution plan, or the syntax tree.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write files into this folder instead of the terminal.",
)
@click.option("--env", help="For the database of this environment.  [default: dev]")
def command(emit: str, out: Path | None, env: str | None) -> None:
    """Show the SQL, the plan or the tree of the project; the same project gives the same text.

    The SQL is that of the environment's database, DuckDB or PostgreSQL.
    """
    loaded = load_project(env)
    made = _sql(loaded, env) if emit == "sql" else {"plan": _plan, "ast": _ast}[emit](loaded)
    if out is None:
        click.echo("\n".join(made.values()), nl=False)
        return
    try:
        for name, text in made.items():
            path = out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"cannot write into {out}: {error.strerror}") from None
    click.echo(f"wrote {len(made):,} file{'' if len(made) == 1 else 's'} to {out}")


def _plan(loaded: LoadedProject) -> dict[str, str]:
    from journeylang.api import compile_program
    from journeylang.plan.serialise import plan_json

    outcome = compile_program(loaded)
    if outcome.value is None:
        stop(outcome.diagnostics, loaded, code=1)
    return {
        f"{plan.name}.plan.json": json.dumps(
            plan_json(loaded.project, outcome.value, plan, loaded.template_texts()), indent=2
        )
        + "\n"
        for plan in outcome.value.journeys
    }


def _sql(loaded: LoadedProject, env: str | None) -> dict[str, str]:
    from journeylang.api import compile_program
    from journeylang.api.database import dialect_of
    from journeylang.plan.numbering import number
    from journeylang.runtime.program import make_ready
    from journeylang.sql.script import scripts

    outcome = compile_program(loaded)
    if outcome.value is None:
        stop(outcome.diagnostics, loaded, code=1)
    numbers = number(loaded.project)
    versions = {plan.journey: 1 for plan in outcome.value.journeys}
    d = dialect_of(loaded, env)
    ready = make_ready(loaded.project, outcome.value, numbers.steps, versions, d)
    return scripts(loaded.project, ready.program, numbers.steps, d, ready.session, ready.probe)


def _ast(loaded: LoadedProject) -> dict[str, str]:
    from journeylang.plan.serialise import to_json

    return {
        f"{path.removeprefix('journeys/').removesuffix('.journey')}.ast.json": json.dumps(
            {"format_version": 1, "file": path, "tree": to_json(tree)}, indent=2
        )
        + "\n"
        for path, tree in zip(sorted(_trees(loaded)), loaded.files, strict=True)
    }


def _trees(loaded: LoadedProject) -> list[str]:
    return [path for path in loaded.sources if path.endswith(".journey")]
