"""``journey check``: what is wrong in a project, without touching a database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeylang.diagnostics.model import Diagnostic


@click.command("check")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="As text, or as JSON.",
)
@click.option(
    "--select",
    "selected",
    metavar="CODES",
    multiple=True,
    help="Only these codes, or all that begin so: JRN2,JRN301.",
)
@click.option(
    "--ignore",
    "ignored",
    metavar="CODES",
    multiple=True,
    help="Not these codes, nor any that begin so.",
)
@click.pass_context
def command(
    ctx: click.Context,
    paths: tuple[Path, ...],
    output: str,
    selected: tuple[str, ...],
    ignored: tuple[str, ...],
) -> None:
    """Find what is wrong in the project, offline; exits with 1 where something is.

    All files are read, for they have one namespace; PATHS narrow down which findings are shown.
    """
    from journeylang.cli.terminal import wants_colour
    from journeylang.diagnostics.model import in_order
    from journeylang.diagnostics.render import render_json, render_text, summary
    from journeylang.loading.find import find_project
    from journeylang.loading.linting import lint_project
    from journeylang.loading.project import load

    start = Path.cwd()
    root = find_project(start) or next((r for p in paths if (r := find_project(p))), None)
    if root is None:
        raise _NoProject(start)
    select, ignore = _prefixes(selected, "--select"), _prefixes(ignored, "--ignore")
    loading = load(root)
    loaded = loading.outcome.value
    config = None if loaded is None else loaded.config
    linted = () if loaded is None else lint_project(loaded)
    leave_out = (*ignore, *(config.lint.ignore if config is not None else ()))
    shown = [
        diagnostic
        for diagnostic in in_order((*loading.diagnostics, *linted))
        if _is_under(diagnostic, root, paths)
        and (not select or diagnostic.code.id.startswith(select))
        and not diagnostic.code.id.startswith(leave_out)
    ]
    if output == "json":
        click.echo(render_json(shown, loading.sources))
    else:
        import sys

        colour = wants_colour(sys.stdout)
        if shown:
            click.echo(render_text(shown, loading.sources, colour=colour), color=colour)
            click.echo()
        files = f"{loading.checked:,} file{'' if loading.checked == 1 else 's'}"
        click.echo(f"checked {files}: {summary(shown) or 'nothing found'}")
    if any(diagnostic.is_error for diagnostic in shown):
        ctx.exit(1)


class _NoProject(click.ClickException):
    exit_code = 2

    def __init__(self, start: Path) -> None:
        from journeylang.diagnostics.codes.running import PROJECT_NOT_FOUND
        from journeylang.diagnostics.model import Diagnostic
        from journeylang.diagnostics.render import render_text

        found = Diagnostic(
            code=PROJECT_NOT_FOUND,
            message=f"no `journey.toml` in `{start}` or above",
            help="start one by `journey init`, or name its folder: `journey -C DIR check`",
        )
        super().__init__(render_text([found], {}))

    def show(self, file: object = None) -> None:
        click.echo(self.message, err=True)


def _prefixes(given: Sequence[str], option: str) -> tuple[str, ...]:
    """``JRN2,301`` as ``("JRN2", "JRN301")``; a code that nothing begins with is a slip."""
    from journeylang.diagnostics.codes import ALL_CODES

    found = []
    for text in (part.strip() for words in given for part in words.split(",")):
        if not text:
            continue
        named = next((code.id for code in ALL_CODES if code.name == text), None)
        prefix = named or (text.upper() if text.upper().startswith("JRN") else f"JRN{text}")
        if not any(code.id.startswith(prefix) for code in ALL_CODES):
            raise click.BadParameter(
                f"no code begins with `{text}`; `journey rule` lists all of them",
                param_hint=f"'{option}'",
            )
        found.append(prefix)
    return tuple(found)


def _is_under(diagnostic: Diagnostic, root: Path, paths: Sequence[Path]) -> bool:
    """Whether a finding belongs to the paths asked for; those without a place always do."""
    if not paths or diagnostic.span is None:
        return True
    file = (root / diagnostic.span.path).resolve()
    return any(file.is_relative_to(path.resolve()) for path in paths)
