"""Where the demo may be made, and what it may take away."""

from __future__ import annotations

from pathlib import Path

import pytest

from journeylang.demo.place import DATABASE, OUTBOX, PlaceTakenError, prepare, write_project
from journeylang.loading.project import load


def test_a_new_folder_and_an_empty_one(tmp_path: Path) -> None:
    prepare(tmp_path / "a" / "b", anew=False)
    (tmp_path / "c").mkdir()
    prepare(tmp_path / "c", anew=False)
    assert (tmp_path / "a" / "b").is_dir()


@pytest.mark.parametrize("anew", [False, True])
def test_strange_folders_are_never_touched(tmp_path: Path, anew: bool) -> None:
    (tmp_path / DATABASE).write_text("mine")
    with pytest.raises(PlaceTakenError, match="is no demo"):
        prepare(tmp_path, anew=anew)
    assert (tmp_path / DATABASE).read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == [DATABASE]


def test_a_demo_is_made_anew_only_on_demand(tmp_path: Path) -> None:
    prepare(tmp_path, anew=False)
    write_project(tmp_path)
    (tmp_path / DATABASE).write_text("old")
    (tmp_path / OUTBOX / "email").mkdir(parents=True)
    (tmp_path / "journeys" / "mine.journey").write_text("language 1\n")
    with pytest.raises(PlaceTakenError, match="--force"):
        prepare(tmp_path, anew=False)
    assert (tmp_path / DATABASE).exists()
    prepare(tmp_path, anew=True)
    assert not (tmp_path / DATABASE).exists()
    assert not (tmp_path / OUTBOX).exists()
    assert (tmp_path / "journeys" / "mine.journey").exists()


def test_an_outbox_that_is_a_link_is_left(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious.txt").write_text("mine")
    root = tmp_path / "demo"
    prepare(root, anew=False)
    (root / OUTBOX).symlink_to(elsewhere)
    prepare(root, anew=True)
    assert (elsewhere / "precious.txt").read_text() == "mine"


def test_the_project_that_is_written_has_nothing_wrong(tmp_path: Path) -> None:
    prepare(tmp_path, anew=False)
    files = write_project(tmp_path)
    assert (tmp_path / "journeys" / "binding.journey").is_file()
    assert files == sum(path.is_file() for path in tmp_path.rglob("*")) - 1
    loading = load(tmp_path, "dev")
    assert loading.outcome.ok
    assert loading.diagnostics == ()


def test_the_project_is_the_demos_alone(tmp_path: Path) -> None:
    """Other projects that the package ships beside it are none of it."""
    count = write_project(tmp_path)
    assert [path.parent for path in tmp_path.rglob("journey.toml")] == [tmp_path]
    assert count == sum(path.is_file() for path in tmp_path.rglob("*"))
    assert sorted(path.parent.name for path in tmp_path.rglob("*.journey")) == ["journeys"] * 8
    loaded = load(tmp_path)
    assert [d for d in loaded.diagnostics if d.is_error] == []
