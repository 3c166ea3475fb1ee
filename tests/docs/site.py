"""Builds the documentation's site into a folder, with nothing in it that asks a network.

    python -m tests.docs.site [FOLDER]

The pages are those under docs/. What differs on a site is made here: a fence's file is its title,
a journey's graph is a drawing, and a file of the project that a page leads to is a page too.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from journeylang.loading.project import load
from journeylang.pictures.graph import svg
from journeylang.plan.chart import chart
from tests.docs import lexer, programmes
from tests.docs.fences import ROOT

BUILT = ROOT / "build" / "site"
HERE = Path(__file__).parent
DOCS = ROOT / "docs"
FILES = "files"
"""Below it stand the project's own files that pages lead to."""

_FENCE = re.compile(r"^(?P<start> *`{3,}[a-z]+) (?P<path>[^\s`]+)$", re.MULTILINE)
_GRAPH = re.compile(r"^```mermaid\n.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(
    r"(?P<words>\[[^\]]*\])\((?P<path>(?!https?:|mailto:|#)[^)#\s]+)(?P<anchor>#[^)]*)?\)"
)
_CODE = re.compile(r"^ *(?P<ticks>`{3,}).*?^ *(?P=ticks)$", re.MULTILINE | re.DOTALL)
_LANGUAGES = {".journey": "journey", ".html": "jinja", ".py": "python", ".sql": "sql"}


class SiteError(Exception):
    """The site could not be built as it must be; the message has what was said."""


def build(folder: Path) -> None:
    """Put the site into `folder`, which is made anew.

    Raises `SiteError` where the builder warns of anything.
    """
    with tempfile.TemporaryDirectory() as made:
        root = Path(made)
        stage(root)
        done = subprocess.run(
            [sys.executable, "-m", "tests.docs.site", "--built", str(root)],
            cwd=ROOT,
            env=os.environ | {"NO_COLOR": "1"},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        said = done.stdout + done.stderr
        if done.returncode or not (root / "site").is_dir() or "No issues found" not in said:
            raise SiteError(said)
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(root / "site", folder)


def stage(root: Path) -> None:
    """Write what the builder reads: its settings, and the pages as they are on a site."""
    docs = root / "docs"
    docs.mkdir()
    (root / "zensical.toml").write_text(_settings(), encoding="utf-8")
    shutil.copy(HERE / "site.css", docs)
    for folder in ("pictures", "schemas"):
        shutil.copytree(DOCS / folder, docs / folder)
    _graphs(docs / "pictures" / "programmes")
    wanted: dict[Path, Path] = {}
    for page in sorted(DOCS.rglob("*.md")):
        _write(docs / page.relative_to(DOCS), _page(page, wanted))
    while wanted:
        place, source = wanted.popitem()
        if not (docs / place).exists():
            _write(docs / place, _shown(source, wanted))


def _settings() -> str:
    """The settings with the programmes in their place, and at the end what has no place."""
    text = (HERE / "site.toml").read_text(encoding="utf-8")
    pages = [
        '{ "All programmes" = "programmes.md" }',
        *(
            f'{{ "{programmes.title(name)}" = "programmes/{name}.md" }}'
            for name in programmes.names()
        ),
    ]
    text = text.replace('"PROGRAMMES"', f"[{', '.join(pages)}]")
    placed = pages_in(tomllib.loads(text))
    written = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}
    rest = ", ".join(f'"{page}"' for page in sorted(written - set(placed)))
    return text.replace("\n]\n", f'\n  {{ "More" = [{rest}] }},\n]\n', 1) if rest else text


def _page(page: Path, wanted: dict[Path, Path]) -> str:
    """A page of docs/; the project's files that it leads to are put among those wanted."""
    text = page.read_text(encoding="utf-8")
    if page.parent == programmes.PAGES:
        picture = f"../pictures/programmes/{page.stem}.svg"
        drawing = f"![The steps of `{page.stem}`, and the ways between them]({picture}){{ .graph }}"
        text = _GRAPH.sub(drawing, text, count=1)
    return _FENCE.sub(r'\g<start> title="\g<path>"', _linked(text, page, wanted))


def _linked(text: str, page: Path, wanted: dict[Path, Path]) -> str:
    """The text with its links to files that are no pages leading to the pages made of them."""

    def link(found: re.Match[str]) -> str:
        target = (page.parent / found["path"]).resolve()
        if not target.is_relative_to(ROOT) or not target.exists() or _is_there(target):
            return found[0]
        place = _place(target)
        wanted[place] = target
        here = _place(page)
        way = os.path.relpath(place, here.parent)
        return f"{found['words']}({way}{found['anchor'] or ''})"

    parts, at = [], 0
    for code in _CODE.finditer(text):
        parts += [_LINK.sub(link, text[at : code.start()]), code[0]]
        at = code.end()
    return "".join([*parts, _LINK.sub(link, text[at:])])


def _is_there(target: Path) -> bool:
    if not target.is_relative_to(DOCS):
        return False
    return target.suffix == ".md" or target.relative_to(DOCS).parts[0] in ("pictures", "schemas")


def _place(source: Path) -> Path:
    """Where a file of the project stands below the site's docs."""
    if source.is_relative_to(DOCS) and source.suffix == ".md":
        return source.relative_to(DOCS)
    place = FILES / source.relative_to(ROOT)
    return place if place.suffix == ".md" else place.with_name(f"{place.name}.md")


def _shown(source: Path, wanted: dict[Path, Path]) -> str:
    """A page for a file of the project, or for a folder with the files in it."""
    if source.suffix == ".md":
        return _page(source, wanted)
    title = f"# {source.relative_to(ROOT).as_posix()}\n\n"
    if source.is_dir():
        here = _place(source).parent
        lines = []
        for file in sorted(f for f in source.rglob("*") if f.is_file()):
            wanted[_place(file)] = file
            way = os.path.relpath(_place(file), here)
            lines.append(f"- [{file.relative_to(source).as_posix()}]({way})")
        return title + "\n".join(lines) + "\n"
    language = _LANGUAGES.get(source.suffix, source.suffix.removeprefix(".") or "text")
    text = source.read_text(encoding="utf-8").rstrip("\n")
    return f"{title}````{language}\n{text}\n````\n"


def _graphs(folder: Path) -> None:
    loaded = load(programmes.SOURCE).outcome.value
    assert loaded is not None
    for name in programmes.names():
        _write(folder / f"{name}.svg", svg(chart(loaded.project.journeys[name])))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def pages_in(settings: dict[str, Any]) -> list[str]:
    """The pages that the site's navigation leads to."""
    found: list[str] = []
    todo: list[Any] = [settings["project"]["nav"]]
    while todo:
        match todo.pop():
            case str(page):
                found.append(page)
            case list(several):
                todo += several
            case dict(named):
                todo += named.values()
    return found


def navigation() -> list[str]:
    return pages_in(tomllib.loads(_settings()))


def _built(root: Path) -> None:
    """The builder asks this very process for colours, so the lexer is made known in it."""
    from zensical import build as made

    lexer.register()
    made(str(root / "zensical.toml"), {"clean": True, "strict": True})


def main(arguments: list[str]) -> int:
    match arguments:
        case ["--built", root]:
            _built(Path(root))
            return 0
        case _:
            folder = Path(arguments[0]) if arguments else BUILT
    try:
        build(folder.absolute())
    except SiteError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"built {folder}/index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
