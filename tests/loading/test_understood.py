"""A project that was understood once is not read again while nothing of it has changed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from journeylang.api.program import template_entry_fields
from journeylang.cli import project as asked
from journeylang.cli.main import cli
from journeylang.loading.inputs import inputs
from journeylang.loading.plain import plain, project_of
from journeylang.loading.project import LoadedProject, load
from journeylang.loading.understood import Understood, keep, kept, understood
from journeylang.resources import journeys
from tests.runtime.world import HOUR, NOW, WELCOME, make, opened, write

HEAVY = ("journeylang.analysis.check", "journeylang.syntax.parse", "journeylang.delivery")
"""What nobody needs to be told about one customer; besides, whole packages."""
PACKAGES = ("jinja2", "pydantic", "rich", "yaml", "lark", "scipy", "httpx", "sqlglot", "babel")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def _loaded(root: Path) -> LoadedProject:
    found = load(root, "dev").outcome.value
    assert found is not None
    return found


def _known(root: Path) -> Understood:
    loaded = _loaded(root)
    return understood(loaded, "dev", template_entry_fields(loaded))


def test_the_whole_language_comes_back_as_it_was() -> None:
    loaded = _loaded(journeys())
    written = json.loads(json.dumps(plain(loaded.project)))
    again = project_of(written)
    assert again == loaded.project
    spans = [one.span for one in again.journeys.values()]
    assert spans == [one.span for one in loaded.project.journeys.values()]


def test_classes_of_the_model_alone_are_made() -> None:
    written = plain(_loaded(journeys()).project)
    written["classes"][0] = "subprocess.Popen"
    with pytest.raises(KeyError):
        project_of(written)


def test_it_is_remembered_until_a_byte_changes(tmp_path: Path) -> None:
    root = write(tmp_path / "shop", {"welcome": WELCOME})
    given = inputs(root)
    assert given is not None
    assert kept(root, "dev", given) is None
    known = _known(root)
    keep(known, "dev", given)
    again = kept(root, "dev", given)
    assert again is not None
    assert again.project == known.project
    assert (again.database, again.entry_fields) == (known.database, known.entry_fields)
    assert again.sources["journeys/welcome.journey"].text == WELCOME
    assert kept(root, "prod", given) is None
    write(root, {"welcome": WELCOME.replace("wait 1d", "wait 2d")})
    changed = inputs(root)
    assert changed is not None
    assert kept(root, "dev", changed) is None
    # What was read in the meantime is not what those bytes say.
    keep(known, "dev", changed)
    assert kept(root, "dev", changed) is None


def test_what_somebody_has_spoilt_is_read_anew(tmp_path: Path) -> None:
    root = write(tmp_path / "shop", {"welcome": WELCOME})
    given = inputs(root)
    assert given is not None
    keep(_known(root), "dev", given)
    [file] = (tmp_path / "cache" / "journeylang" / "projects").iterdir()
    assert b"shop.duckdb" not in file.read_bytes(), "an address may have a password in it"
    file.write_bytes(file.read_bytes()[:-9])
    assert kept(root, "dev", given) is None


def test_why_reads_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    make(root, {"welcome": WELCOME}, number=20)
    with opened(root) as runtime:
        runtime.tick(NOW + HOUR)
    code = (
        "import sys; from journeylang.cli.main import main\n"
        "try:\n main(['-C', sys.argv[1], 'why', '7', 'welcome'])\n"
        "except SystemExit as stop:\n assert not stop.code\n"
        "print('|'.join(sys.modules))"
    )
    told = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", code, str(root)], capture_output=True, text=True, check=True
        )
        told.append(done.stdout.rpartition("\n")[0].rpartition("\n"))
    assert told[0][0] == told[1][0]
    modules = set(told[1][2].split("|"))
    assert not modules & {*HEAVY, *PACKAGES}


def test_a_template_that_is_saved_meanwhile_is_not_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write(tmp_path / "shop", {"welcome": WELCOME})
    monkeypatch.chdir(root)
    template = next(p for p in (root / "templates").rglob("*") if p.is_file())
    real = asked._loaded

    def saved(root: Path, env: str | None) -> LoadedProject:
        template.write_text(template.read_text() + " ")
        return real(root, env)

    former = inputs(root)
    monkeypatch.setattr(asked, "_loaded", saved)
    asked.understood_project("dev")
    assert former is not None
    assert kept(root, "dev", former) is None
    monkeypatch.setattr(asked, "_loaded", real)
    asked.understood_project("dev")
    assert (later := inputs(root)) is not None
    assert kept(root, "dev", later) is not None


@pytest.mark.parametrize("verb", [["plan", "dev"], ["run", "dev", "--once", "--no-deliver"]])
def test_who_changes_something_remembers_it_for_who_asks_then(
    tmp_path: Path, verb: list[str]
) -> None:
    root = tmp_path / "shop"
    make(root, {"welcome": WELCOME}, number=20)
    given = inputs(root)
    assert given is not None
    done = CliRunner().invoke(cli, ["-C", str(root), *verb])
    assert done.exit_code == 0, done.output
    known = kept(root, "dev", given)
    assert known is not None
    assert known.project == _known(root).project
