"""``journey init``: a small project to begin with."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from journeylang.api.drafting import Drafted

STARTER = Path(__file__).parent / "starter"

READY = Path(__file__).parent / "ready"
"""Journeys that may be had, each a folder with its files as they stand in a project."""

# A file beginning with a dot would be left out of some archives and searches.
_RENAMED = {"gitignore": ".gitignore"}

# To DuckDB a file's name is a name too: in `shop.duckdb` the table `shop.orders` is ambiguous.
_SCHEMAS = {"crm", "shop", "journey", "main", "temp", "system"}


@click.command("init")
@click.argument(
    "directory", metavar="[DIR]", default=".", type=click.Path(file_okay=False, path_type=Path)
)
@click.option(
    "--with",
    "ready",
    multiple=True,
    type=click.Choice(sorted(path.name for path in READY.iterdir() if path.is_dir())),
    help="And this journey, with its templates; into a project that is there, this alone.",
)
@click.option(
    "--from",
    "source",
    metavar="WHERE",
    help="Draft the binding from a database (`postgresql://…`, `env:NAME`, a DuckDB file), or from"
    " a dbt project (its folder, or target/manifest.json).",
)
@click.option(
    "--currency",
    metavar="CODE",
    default="EUR",
    show_default=True,
    help="What amounts are in, where no column says it; with --from.",
)
def command(directory: Path, ready: tuple[str, ...], source: str | None, currency: str) -> None:
    """Start a project in DIR (default: here). Nothing that is there is overwritten.

    With `--from` its binding is drafted from the tables that are there; each guess is marked.
    """
    further = {name: text for one in ready for name, text in ready_files(one).items()}
    inside = bool(ready) and (directory / "journey.toml").exists()
    if source is not None and ready:
        raise click.UsageError("`--with` is for a project whose binding is known: not with --from")
    _refuse_project(directory, inside=inside)
    drafted = None if source is None else _drafted(source, directory, currency)
    name = project_name(directory)
    if inside:
        files = further
    else:
        files = (starter_files(name) if drafted is None else drafted_files(name, drafted)) | further
    there = [name for name in files if (directory / name).exists()]
    kept = [name for name in there if name == ".gitignore"]
    if len(there) > len(kept):
        listed = ", ".join(name for name in there if name not in kept)
        raise click.ClickException(
            f"{listed} would be overwritten in {directory}; move what is there away,"
            " or name another folder: `journey init DIR`"
        )
    for name, content in files.items():
        if name not in kept:
            _write(directory / name, content)
            click.echo(f"wrote {directory / name}")
    if kept:
        lines = ", ".join(files[".gitignore"].split())
        click.echo(f"kept {directory / '.gitignore'}; it should have: {lines}")
    where = "" if directory == Path() else f" -C {directory}"
    if drafted is not None:
        _tell(drafted, where)
        return
    then = "" if inside else ", then name the real tables in binding.journey"
    click.echo(f"\nNext: `journey{where} check`{then}.")


def _refuse_project(directory: Path, *, inside: bool) -> None:
    if (directory / "journey.toml").exists() and not inside:
        raise click.ClickException(
            f"{directory / 'journey.toml'} is there: this is a project already;"
            " name another folder: `journey init DIR`"
        )


def _drafted(source: str, directory: Path, currency: str) -> Drafted:
    from journeylang.api.drafting import drafted
    from journeylang.cli.terminal import print_diagnostics

    if re.fullmatch(r"[A-Z]{3}", currency) is None:
        raise click.BadParameter("three capital letters, as in `USD`", param_hint="--currency")
    found = drafted(source, directory, currency=currency)
    if found.value is None:
        print_diagnostics(found.diagnostics, {}, err=True)
        raise click.exceptions.Exit(2)
    return found.value


def drafted_files(name: str, drafted: Drafted) -> dict[str, str]:
    """A project whose binding was drafted, without a journey yet."""
    starter = starter_files(name)
    channels = ", ".join(f'{channel} = "file"' for channel in drafted.draft.channels)
    config = starter["journey.toml"]
    for key, value in (
        ("database", json.dumps(drafted.database, ensure_ascii=False)),
        ("channels", f"{{ {channels} }}" if channels else "{}"),
    ):
        was = re.search(rf"^{key} = .*$", config, re.MULTILINE)
        assert was is not None, f"the starter's journey.toml says {key}"
        config = config.replace(was[0], f"{key} = {value}", 1)
    return {
        ".gitignore": starter[".gitignore"],
        "journey.toml": config,
        "journeys/binding.journey": drafted.draft.text,
    }


def _tell(drafted: Drafted, where: str) -> None:
    draft = drafted.draft
    click.echo(f"\ncustomers: {draft.people}")
    for kind, names in (
        ("events", draft.events),
        ("consents", draft.consents),
        ("channels", draft.channels),
    ):
        click.echo(f"{kind}: {', '.join(names) or 'none found'}")
    if draft.left:
        click.echo(f"not bound: {_count(len(draft.left), 'table')}, named at the draft's end")
    for note in drafted.notes:
        click.echo(f"note: {note}")
    guesses = draft.text.count("# guess:")
    click.echo(
        f"\nNext: look at the {_count(guesses, 'guess')} in binding.journey,"
        f" then `journey{where} check`."
    )


def _count(number: int, of: str) -> str:
    many = f"{of}es" if of.endswith("s") else f"{of}s"
    return f"{number} {of if number == 1 else many}"


def ready_files(name: str) -> dict[str, str]:
    """The files of a journey that may be had, by their path within a project."""
    folder = READY / name
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def starter_files(name: str) -> dict[str, str]:
    """The starting project: path within it and content, for a project called `name`."""
    found: dict[str, str] = {}
    for path in sorted(STARTER.rglob("*")):
        if path.is_file():
            within = path.relative_to(STARTER).as_posix()
            text = path.read_text(encoding="utf-8").replace("my_project", name)
            found[_RENAMED.get(within, within)] = text
    return found


def project_name(directory: Path) -> str:
    """The folder's name as a name of the language: lower case, words joined by `_`."""
    words = re.findall(r"[a-z0-9]+", directory.resolve().name.lower())
    name = "_".join(words)
    return name if name and name[0].isalpha() and name not in _SCHEMAS else "my_project"


def _write(path: Path, content: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # "x": never over a file that came to be in the meantime.
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(content)
    except OSError as error:
        raise click.ClickException(f"cannot write {path}: {error.strerror}") from None
