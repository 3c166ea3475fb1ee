"""Where the demo lives: a folder that it makes, knows again, and may make anew."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from journeylang import resources
from journeylang.loading.find import CONFIG

DATABASE = "acme.duckdb"
OUTBOX = "outbox"
_MARK = ".journey-demo"
_MARKED = "Made by `journey demo`; `journey demo --force` makes it anew.\n"


class PlaceTakenError(Exception):
    """The folder has something in it; the message says what to do."""


def prepare(root: Path, *, anew: bool) -> None:
    """Make `root` an empty demo's folder.

    What stands in a folder that is no demo is never touched. Of a demo that is there, and only
    if it may be made `anew`, the database and the outbox go; what was added by hand stays.
    """
    if root.is_dir() and any(root.iterdir()):
        if not (root / _MARK).is_file():
            raise PlaceTakenError(
                f"{root} has files in it and is no demo; name another folder: `journey demo DIR`"
            )
        if not anew:
            raise PlaceTakenError(
                f"{root} has a demo in it; `--force` makes it anew, database and outbox included"
            )
        for name in (DATABASE, f"{DATABASE}.wal"):
            (root / name).unlink(missing_ok=True)
        if (root / OUTBOX).is_dir() and not (root / OUTBOX).is_symlink():
            shutil.rmtree(root / OUTBOX)
    root.mkdir(parents=True, exist_ok=True)
    (root / _MARK).write_text(_MARKED, encoding="utf-8")


def write_project(root: Path, database: str | None = None) -> int:
    """Copy the demo's project into `root`; answer with how many files it has.

    `database` is what its settings name instead of the file beside them.
    """
    source = resources.journeys()
    # A folder with settings of its own is another project.
    others = {path.parent for path in source.glob(f"*/**/{CONFIG}")}
    files = [
        path
        for path in sorted(source.rglob("*"))
        if path.is_file() and others.isdisjoint(path.parents)
    ]
    for path in files:
        within = path.relative_to(source)
        if path.suffix == ".journey":
            within = Path("journeys") / within
        target = root / within
        target.parent.mkdir(parents=True, exist_ok=True)
        # The content alone: a package's files may be read-only.
        shutil.copyfile(path, target)
        if database is not None and target.name == CONFIG:
            settings = target.read_text(encoding="utf-8")
            # A text of TOML is one of JSON.
            named = settings.replace(f'"{DATABASE}"', json.dumps(database, ensure_ascii=False))
            target.write_text(named, encoding="utf-8")
    return len(files)
