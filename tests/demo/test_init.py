"""`journey init`: a project that is right from the start, and nothing overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from journeylang.cli.init import command, project_name, starter_files
from journeylang.loading.project import load

FILES = {
    ".gitignore",
    "journey.toml",
    "journeys/binding.journey",
    "journeys/welcome.journey",
    "templates/welcome/hello.email.html",
    "templates/welcome/nudge.email.html",
}


def init(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


def written(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def test_what_it_writes_passes_the_check(tmp_path: Path) -> None:
    result = init(str(tmp_path / "tea-shop"))
    assert result.exit_code == 0, result.output
    assert written(tmp_path / "tea-shop") == FILES
    loading = load(tmp_path / "tea-shop", "dev")
    assert loading.outcome.ok
    assert loading.diagnostics == ()
    assert loading.outcome.value is not None
    assert list(loading.outcome.value.project.journeys) == ["welcome"]
    assert 'name = "tea_shop"' in (tmp_path / "tea-shop" / "journey.toml").read_text()


def test_into_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = init()
    assert result.exit_code == 0
    assert written(tmp_path) == FILES
    assert "wrote journey.toml" in result.output
    assert "`journey check`" in result.output


def test_a_project_is_not_made_twice(tmp_path: Path) -> None:
    init(str(tmp_path))
    (tmp_path / "journey.toml").write_text("mine")
    result = init(str(tmp_path))
    assert result.exit_code != 0
    assert "is a project already" in result.output
    assert (tmp_path / "journey.toml").read_text() == "mine"


def test_nothing_is_written_if_something_would_be_overwritten(tmp_path: Path) -> None:
    (tmp_path / "journeys").mkdir()
    (tmp_path / "journeys" / "welcome.journey").write_text("mine")
    result = init(str(tmp_path))
    assert result.exit_code != 0
    assert "journeys/welcome.journey" in result.output
    assert written(tmp_path) == {"journeys/welcome.journey"}


def test_a_gitignore_that_is_there_is_kept(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("mine\n")
    result = init(str(tmp_path))
    assert result.exit_code == 0
    assert (tmp_path / ".gitignore").read_text() == "mine\n"
    assert "outbox/" in result.output


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = init(str(tmp_path / "file" / "project"))
    assert result.exit_code != 0
    assert "cannot write" in result.output


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("tea-shop", "tea_shop"),
        ("Tea Shop 2", "tea_shop_2"),
        ("2tea", "my_project"),
        ("茶", "my_project"),
        ("journey", "my_project"),
        ("crm", "my_project"),
        ("shop", "my_project"),
    ],
)
def test_names(tmp_path: Path, folder: str, name: str) -> None:
    assert project_name(tmp_path / folder) == name


def test_every_marketing_mail_of_the_start_can_be_left() -> None:
    mails = [text for path, text in starter_files("tea").items() if path.endswith(".email.html")]
    assert len(mails) == 2
    for mail in mails:
        assert "{{ unsubscribe_url }}" in mail
        assert "Hauptstr. 1, 10115 Berlin" in mail
