"""``journey check``: what is wrong in a project, without touching a database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from journeylang.diagnostics.model import Diagnostic
    from journeylang.loading.checking import Checking


@click.command("check")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--output",
    type=click.Choice(["text", "json", "sarif", "github", "junit"]),
    default="text",
    show_default=True,
    help="As text, JSON, SARIF 2.1.0, annotations of GitHub, or JUnit XML.",
)
@click.option(
    "--select",
    metavar="CODES",
    multiple=True,
    help="Only these codes, or all that begin so: JRN2,JRN301.",
)
@click.option(
    "--ignore",
    metavar="CODES",
    multiple=True,
    help="Not these codes, nor any that begin so.",
)
@click.option("--fix", is_flag=True, help="Apply fixes that message nobody otherwise than before.")
@click.option("--unsafe-fixes", is_flag=True, help="Apply the others too: they need a look.")
@click.option("--no-cache", is_flag=True, help="Look at everything anew, and remember nothing.")
@click.pass_context
def command(
    ctx: click.Context,
    paths: tuple[Path, ...],
    output: str,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    fix: bool,
    unsafe_fixes: bool,
    no_cache: bool,
) -> None:
    """Find what is wrong in the project, offline; exits with 1 where something is.

    All files are read, for they have one namespace; PATHS narrow down which findings are shown.
    What makes the project mean nothing is shown whatever is selected. Fixes are shown as a diff;
    a file that could not be read any more is not written.
    """
    import gc

    if gc.isenabled():
        # A check makes trees and no circles: to look for those is a fifth of its time.
        gc.disable()
        ctx.call_on_close(gc.enable)
    from journeylang.cli.terminal import wants_colour
    from journeylang.diagnostics.render import render_json, render_text, summary
    from journeylang.diagnostics.selection import Selection, selected
    from journeylang.loading.checking import check
    from journeylang.loading.find import find_project

    start = Path.cwd()
    root = find_project(start) or next((r for p in paths if (r := find_project(p))), None)
    if root is None:
        raise _NoProject(start)
    selecting = _prefixes(select, "--select")
    ignoring = _prefixes(ignore, "--ignore", leaving_out=True)

    def chosen(checking: Checking) -> tuple[Diagnostic, ...]:
        selection = Selection(
            select=selecting or checking.selection.select,
            ignore=(*ignoring, *checking.selection.ignore),
            severities=checking.selection.severities,
        )
        found = selected(checking.diagnostics, selection)
        return tuple(d for d in found if _is_under(d, root, paths))

    if fix or unsafe_fixes:
        checking = _mended(root, chosen, unsafe=unsafe_fixes, tell=output == "text")
    else:
        checking = check(root, cached=not no_cache)
    shown = chosen(checking)
    if output == "json":
        click.echo(render_json(shown, checking.sources))
    elif output != "text":
        from journeylang.cli.reports import report

        click.echo(report(output, shown, checking.sources, root), nl=False)
    else:
        import sys

        colour = wants_colour(sys.stdout)
        if shown:
            first = _first(shown)
            click.echo(render_text(first, checking.sources, colour=colour), color=colour)
            click.echo()
            if len(first) < len(shown):
                more = f"{len(shown) - len(first):,} more findings"
                click.echo(f"{more} are not shown here: `--output json` has all of them")
        if not (fix or unsafe_fixes):
            _tell_of_fixes(shown)
        files = f"{checking.checked:,} file{'' if checking.checked == 1 else 's'}"
        unasked = "" if checking.whole else "; the rules are asked once definitions have no error"
        click.echo(f"checked {files}: {summary(shown) or 'nothing found'}{unasked}")
    if any(diagnostic.is_error for diagnostic in shown):
        ctx.exit(1)


MOST_SHOWN = 200
"""Findings that are shown as text: nobody reads more, and to lay them out takes its time."""


def _first(shown: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    """What is shown as text: all of it, or, of very many, errors before warnings."""
    if len(shown) <= MOST_SHOWN:
        return shown
    return tuple(sorted(shown, key=lambda d: not d.is_error))[:MOST_SHOWN]


def _mended(
    root: Path,
    chosen: Callable[[Checking], tuple[Diagnostic, ...]],
    *,
    unsafe: bool,
    tell: bool,
) -> Checking:
    """What is found after the fixes; says what they changed."""
    from difflib import unified_diff

    from journeylang.cli.project import stop
    from journeylang.loading.mending import mend

    mending = mend(root, chosen, unsafe=unsafe)
    for path in sorted(mending.after) if tell else ():
        lines = unified_diff(
            mending.before[path].splitlines(),
            mending.after[path].splitlines(),
            path,
            f"{path} (fixed)",
            lineterm="",
        )
        click.echo("\n".join(lines) + "\n")
    if mending.problems:
        stop(mending.problems)
    if mending.count and tell:
        files = len(mending.after)
        click.echo(
            f"fixed {mending.count:,} finding{'' if mending.count == 1 else 's'}"
            f" in {files:,} file{'' if files == 1 else 's'}"
        )
    return mending.checking


def _tell_of_fixes(shown: Sequence[Diagnostic]) -> None:
    """That there are fixes, where there are some."""
    safe = sum(d.fix is not None and d.fix.safe for d in shown)
    others = sum(d.fix is not None for d in shown) - safe
    told = [f"{safe:,} by `--fix`"] if safe else []
    told += [f"{others:,} by `--unsafe-fixes`, which needs a look"] if others else []
    if told:
        click.echo(f"can be fixed: {', '.join(told)}")


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


def _prefixes(given: Sequence[str], option: str, *, leaving_out: bool = False) -> tuple[str, ...]:
    """``JRN2,301`` as ``("JRN2", "JRN301")``; a code that nothing begins with is a slip."""
    from journeylang.diagnostics.selection import Refused, prefixes

    words = [word for words in given for word in words.split(",") if word.strip()]
    found = prefixes(words, leaving_out=leaving_out)
    if isinstance(found, Refused):
        raise click.BadParameter(f"{found.message}; {found.help}", param_hint=f"'{option}'")
    return found


def _is_under(diagnostic: Diagnostic, root: Path, paths: Sequence[Path]) -> bool:
    """Whether a finding belongs to the paths asked for; those without a place always do."""
    if not paths or diagnostic.span is None:
        return True
    file = (root / diagnostic.span.path).resolve()
    return any(file.is_relative_to(path.resolve()) for path in paths)
