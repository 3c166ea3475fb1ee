"""``journey init``: a small project to begin with."""

import re
from pathlib import Path

import click

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
def command(directory: Path, ready: tuple[str, ...]) -> None:
    """Start a project in DIR (default: here). Nothing that is there is overwritten."""
    further = {name: text for one in ready for name, text in ready_files(one).items()}
    inside = bool(ready) and (directory / "journey.toml").exists()
    files = further if inside else starter_files(project_name(directory)) | further
    there = [name for name in files if (directory / name).exists()]
    if "journey.toml" in there:
        raise click.ClickException(
            f"{directory / 'journey.toml'} is there: this is a project already;"
            " name another folder: `journey init DIR`"
        )
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
    then = "" if inside else ", then name the real tables in binding.journey"
    click.echo(f"\nNext: `journey{where} check`{then}.")


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
