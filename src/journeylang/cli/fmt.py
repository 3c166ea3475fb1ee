"""``journey fmt``: every file in the one layout."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from journeylang.classes import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journeylang.diagnostics.model import Diagnostic
    from journeylang.source import Source

STANDARD_INPUT = "-"
SUFFIX = ".journey"


@dataclass(frozen=True, slots=True, kw_only=True)
class Laid:
    """A text before and after; ``new`` is None when it cannot be laid out, for the problems."""

    shown: str
    old: bytes
    new: bytes | None
    source: Source | None
    problems: tuple[Diagnostic, ...]

    @property
    def is_changed(self) -> bool:
        return self.new is not None and self.new != self.old


@click.command("fmt")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, allow_dash=True, path_type=Path))
@click.option("--check", is_flag=True, help="Write nothing; list the files that would change.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
@click.pass_context
def command(ctx: click.Context, paths: tuple[Path, ...], check: bool, diff: bool) -> None:
    """Put *.journey files into the one layout; comments stay, and nothing can be set.

    PATHS are files and folders; without any it is the journeys of the project. With `-` alone
    standard input is laid out on standard output. `--check` and `--diff` exit with 1 where a
    file would change. A file that does not parse is left as it is, and the exit code is 2.
    """
    if STANDARD_INPUT in map(str, paths):
        if len(paths) > 1:
            raise click.UsageError("`-` is standard input, and stands alone")
        files = [_laid("<stdin>", sys.stdin.buffer.read())]
        if not (check or diff):
            click.echo(files[0].new or b"", nl=False)
    else:
        files = []
        for file, shown in _files(paths):
            laid = _read(file, shown)
            if laid.is_changed and not (check or diff):
                laid = _write(file, laid)
            files.append(laid)
    for laid in files:
        if laid.is_changed and diff:
            click.echo(_difference(laid), nl=False)
        elif laid.is_changed and check:
            click.echo(f"not formatted: {laid.shown}")
    _tell(files)
    if STANDARD_INPUT not in map(str, paths):
        click.echo(_summary(files, "not formatted" if check or diff else "formatted"), err=diff)
    changed = any(laid.is_changed for laid in files)
    refused = any(laid.new is None for laid in files)
    ctx.exit(2 if refused else 1 if changed and (check or diff) else 0)


def _files(paths: tuple[Path, ...]) -> Iterator[tuple[Path, str]]:
    """Each file once, with the path under which it is shown."""
    import os

    from journeylang.cli.project import stop
    from journeylang.loading.files import below

    seen: set[str] = set()
    for path in paths or (_journeys(),):
        found = [path]
        if path.is_dir() and (not paths or path.suffix != SUFFIX):
            listing = below(path, ".", SUFFIX)
            if listing.diagnostics:
                stop(listing.diagnostics)
            found = [path / name for name in listing.value or ()]
        for file in found:
            # Links are files of their own, and one in a circle cannot be resolved.
            whole = os.path.abspath(file)  # noqa: PTH100
            if whole not in seen:
                seen.add(whole)
                yield file, file.as_posix()


def _journeys() -> Path:
    """The folder of the project's journeys, as seen from here."""
    import os

    from journeylang.cli.project import stop
    from journeylang.diagnostics.codes.running import PROJECT_NOT_FOUND
    from journeylang.diagnostics.model import Diagnostic
    from journeylang.loading.find import find_project
    from journeylang.loading.project import JOURNEYS

    root = find_project(Path.cwd())
    if root is None:
        found = Diagnostic(
            code=PROJECT_NOT_FOUND,
            message=f"no journey.toml in `{Path.cwd()}` or above it",
            help="name files or folders: `journey fmt PATHS`",
        )
        stop([found])
    return Path(os.path.relpath(root / JOURNEYS))


def _read(file: Path, shown: str) -> Laid:
    from journeylang.loading.files import unreadable

    try:
        data = file.read_bytes()
    except OSError as error:
        return Laid(
            shown=shown, old=b"", new=None, source=None, problems=(unreadable(file, shown, error),)
        )
    return _laid(shown, data)


def _laid(shown: str, data: bytes) -> Laid:
    from journeylang.diagnostics.decode import decode
    from journeylang.syntax.format import format_source

    decoded = decode(shown, data)
    source, problems, new = decoded.value, decoded.diagnostics, None
    if source is not None and decoded.ok:
        outcome = format_source(source)
        problems = outcome.diagnostics
        new = outcome.value.encode() if outcome.value is not None else None
    return Laid(shown=shown, old=data, new=new, source=source, problems=problems)


def _write(file: Path, laid: Laid) -> Laid:
    from dataclasses import replace

    from journeylang.diagnostics.codes.running import FILE_UNREADABLE
    from journeylang.diagnostics.model import Diagnostic
    from journeylang.loading.rewrite import put_in_place

    assert laid.new is not None
    try:
        put_in_place(file, laid.new)
    except OSError as error:
        problem = Diagnostic(
            code=FILE_UNREADABLE,
            message=f"`{laid.shown}` cannot be written: {(error.strerror or 'refused').lower()}",
            help="check its permissions and those of its folder",
        )
        return replace(laid, new=None, problems=(problem,))
    return laid


def _difference(laid: Laid) -> str:
    from difflib import unified_diff

    old = laid.source.text if laid.source is not None else ""
    lines = unified_diff(
        old.splitlines(keepends=True),
        (laid.new or b"").decode().splitlines(keepends=True),
        laid.shown,
        f"{laid.shown} (formatted)",
    )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _tell(files: list[Laid]) -> None:
    from journeylang.cli.terminal import print_diagnostics

    problems = [problem for laid in files for problem in laid.problems]
    sources = {laid.shown: laid.source for laid in files if laid.source is not None}
    print_diagnostics(problems, sources, err=True)


def _summary(files: list[Laid], changed: str) -> str:
    counts = {
        changed: sum(laid.is_changed for laid in files),
        "as they should be": sum(laid.new == laid.old for laid in files),
        "left alone": sum(laid.new is None for laid in files),
    }
    told = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    return f"{len(files):,} file{'' if len(files) == 1 else 's'}: {told or 'nothing to do'}"
