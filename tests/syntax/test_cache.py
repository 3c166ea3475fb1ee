"""The cache of the tables: a help, never a reason to fail, and never somebody else's."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from journeylang.syntax import grammar

needs_owners = pytest.mark.skipif(not hasattr(os, "getuid"), reason="no owners and modes here")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the cache of this test goes; the process's own tables are left alone."""
    import platformdirs

    def home(*_: object, **__: object) -> Path:
        return tmp_path / "cache"

    monkeypatch.setattr(platformdirs, "user_cache_path", home)
    grammar.tables.cache_clear()
    yield tmp_path / "cache" / "grammar"
    grammar.tables.cache_clear()


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The grammars that had to be compiled; compiling them is replaced by a small table."""
    calls: list[str] = []
    small: dict[str, object] = {"pattern": "x", "reductions": [], "states": []}
    small |= {key: {} for key in ("keywords", "spelling", "starts", "ends")}

    def compile_grammar(text: str) -> dict[str, object]:
        calls.append(text)
        return small

    monkeypatch.setattr(grammar, "compile_grammar", compile_grammar)
    return calls


def load() -> grammar.Tables:
    grammar.tables.cache_clear()
    return grammar.tables()


def test_tables_are_made_once_and_then_read(folder: Path, made: list[str]) -> None:
    first = load()
    assert load() == first
    assert len(made) == 1
    (file,) = folder.iterdir()
    assert file.suffix == ".json"


def test_what_is_read_is_what_was_made(folder: Path) -> None:
    first = load()
    assert len(list(folder.iterdir())) == 1
    assert load() == first
    assert len(first.states) > 500


@pytest.mark.parametrize("content", [b"", b"\n", b"{}", b"junk\njunk", b"\xff" * 100])
def test_a_broken_file_is_replaced(folder: Path, made: list[str], content: bytes) -> None:
    load()
    (file,) = folder.iterdir()
    file.write_bytes(content)
    load()
    assert len(made) == 2
    load()
    assert len(made) == 2


def test_a_file_that_was_changed_is_not_believed(folder: Path, made: list[str]) -> None:
    load()
    (file,) = folder.iterdir()
    digest, _, body = file.read_bytes().partition(b"\n")
    changed = {**json.loads(body), "pattern": "y"}
    file.write_bytes(digest + b"\n" + json.dumps(changed).encode())
    assert load().pattern == "x"


@needs_owners
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o720])
def test_a_folder_that_others_can_write_is_not_used(
    folder: Path, made: list[str], mode: int
) -> None:
    load()
    folder.chmod(mode)
    load()
    assert len(made) == 2


@needs_owners
def test_the_folder_is_made_for_its_owner_alone(folder: Path, made: list[str]) -> None:
    load()
    assert folder.stat().st_mode & 0o777 == 0o700
    (file,) = folder.iterdir()
    assert file.stat().st_mode & 0o077 == 0


@needs_owners
def test_a_file_that_others_can_write_is_not_believed(folder: Path, made: list[str]) -> None:
    load()
    (file,) = folder.iterdir()
    file.chmod(0o666)
    load()
    assert len(made) == 2


def test_without_a_place_for_a_cache_the_tables_are_made(folder: Path, made: list[str]) -> None:
    folder.parent.write_text("a file where the folder should be")
    load()
    load()
    assert len(made) == 2


def test_nobody_home_leaves_the_working_directory_alone(
    tmp_path: Path, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import platformdirs

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda *_, **__: Path("~/.cache"))
    load()
    grammar.tables.cache_clear()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_place_of_the_file_does_no_harm(folder: Path, made: list[str]) -> None:
    load()
    (file,) = folder.iterdir()
    file.unlink()
    file.mkdir()
    load()
    assert len(made) == 2
    assert [path.name for path in folder.iterdir()] == [file.name]
