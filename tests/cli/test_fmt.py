"""``journey fmt``."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from journeylang.cli.main import cli
from tests.loading.folder import write

WILD = "segment   a=b # why\nsegment c = (  d\n  or e )\n"
LAID = "segment a = b                    # why\nsegment c = (d or e)\n"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, laid out, and the working folder."""
    monkeypatch.chdir(write(tmp_path))
    assert fmt().exit_code == 0
    return tmp_path


def fmt(*arguments: str, text: bytes = b"") -> Result:
    return CliRunner().invoke(cli, ["fmt", *arguments], input=text)


def put(root: Path, name: str, text: str) -> Path:
    file = root / "journeys" / name
    file.write_bytes(text.encode())
    return file


def test_all_journeys_of_the_project(root: Path) -> None:
    file = put(root, "more.journey", WILD)
    done = fmt()
    assert (done.exit_code, done.output) == (0, "3 files: 1 formatted, 2 as they should be\n")
    assert file.read_text() == LAID
    assert fmt().output == "3 files: 3 as they should be\n"


def test_check_writes_nothing_and_lists(root: Path) -> None:
    file = put(root, "more.journey", WILD)
    done = fmt("--check")
    assert done.exit_code == 1
    assert done.output.splitlines() == [
        "not formatted: journeys/more.journey",
        "3 files: 1 not formatted, 2 as they should be",
    ]
    assert file.read_text() == WILD
    file.write_text(LAID)
    assert fmt("--check").exit_code == 0


def test_diff_writes_nothing_and_shows(root: Path) -> None:
    file = put(root, "more.journey", "segment a=b")
    done = fmt("--diff")
    assert done.exit_code == 1
    assert done.stdout == (
        "--- journeys/more.journey\n"
        "+++ journeys/more.journey (formatted)\n"
        "@@ -1 +1 @@\n"
        "-segment a=b\n"
        "\\ No newline at end of file\n"
        "+segment a = b\n"
    )
    assert done.stderr == "3 files: 1 not formatted, 2 as they should be\n"
    assert file.read_text() == "segment a=b"


def test_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # which is no project
    done = fmt("-", text=WILD.replace("\n", "\r\n").encode())
    assert (done.exit_code, done.stdout_bytes) == (0, LAID.replace("\n", "\r\n").encode())
    refused = fmt("-", text=b"segment a = (b")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "--> <stdin>:1:13" in refused.stderr
    assert fmt("-", "--check", text=b"segment a=b").exit_code == 1
    assert fmt("-", "x").exit_code == 2


def test_what_does_not_parse_is_left_alone_and_the_others_are_laid_out(root: Path) -> None:
    bad = put(root, "bad.journey", "segment a = (\n")
    more = put(root, "more.journey", WILD)
    done = fmt()
    assert done.exit_code == 2
    assert done.stdout == "4 files: 1 formatted, 2 as they should be, 1 left alone\n"
    assert "error[JRN008]" in done.stderr
    assert " --> journeys/bad.journey:1:13" in done.stderr
    assert bad.read_text() == "segment a = (\n"
    assert more.read_text() == LAID
    assert fmt("--check").exit_code == 2


@pytest.mark.parametrize(
    "data",
    [b"segment a = \xff", b"segment a = b\0", "segment a = b".encode("utf-16"), b" " * 2_000_000],
    ids=["latin", "nul", "utf-16", "large"],
)
def test_what_is_no_text_is_left_alone(root: Path, data: bytes) -> None:
    file = root / "journeys" / "more.journey"
    file.write_bytes(data)
    assert fmt().exit_code == 2
    assert file.read_bytes() == data


def test_files_and_folders_by_name(root: Path) -> None:
    (root / "deep" / "er").mkdir(parents=True)
    (root / "deep" / ".hidden").mkdir()
    for path in ("deep/a.journey", "deep/er/b.journey", "deep/.hidden/c.journey", "deep/d.txt"):
        (root / path).write_text(WILD)
    # A file and its folder: once.
    assert fmt("deep/a.journey", "deep", "./deep/er/../a.journey").output.startswith("2 files: 2 f")
    assert (root / "deep/d.txt").read_text() == WILD
    assert (root / "deep/.hidden/c.journey").read_text() == WILD
    assert fmt("deep/d.txt").exit_code == 0
    assert (root / "deep/d.txt").read_text() == LAID
    assert fmt("missing").exit_code == 2


def test_a_byte_order_mark_goes(root: Path) -> None:
    file = put(root, "more.journey", "\ufeff" + LAID)
    assert fmt("--check").exit_code == 1
    assert fmt().exit_code == 0
    assert file.read_bytes() == LAID.encode()


def test_a_folder_with_the_name_of_a_file(root: Path) -> None:
    (root / "journeys" / "x.journey").mkdir()
    done = fmt()
    assert done.exit_code == 2
    assert "`journeys/x.journey` is a folder" in done.stderr


def test_links_and_permissions_stay(root: Path) -> None:
    file = put(root, "target.journey", WILD)
    file.chmod(0o640)
    link = root / "journeys" / "link.journey"
    link.symlink_to("target.journey")
    assert fmt("journeys/link.journey").exit_code == 0
    assert link.is_symlink()
    assert file.read_text() == LAID
    assert file.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in (root / "journeys").iterdir()) == [
        "binding.journey",
        "link.journey",
        "target.journey",
        "welcome.journey",
    ]


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() == 0, reason="root may write anywhere")
def test_what_cannot_be_written_is_told(root: Path) -> None:
    file = put(root, "more.journey", WILD)
    (root / "journeys").chmod(0o500)
    try:
        done = fmt()
    finally:
        (root / "journeys").chmod(0o700)
    assert done.exit_code == 2
    assert "`journeys/more.journey` cannot be written" in done.stderr
    assert file.read_text() == WILD


def test_without_a_project_or_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = fmt()
    assert done.exit_code == 2
    assert "journey fmt PATHS" in done.stderr


@pytest.mark.slow
def test_as_a_process(root: Path) -> None:
    put(root, "more.journey", WILD)
    done = subprocess.run(
        [sys.executable, "-m", "journeylang", "-C", str(root), "fmt", "-"],
        input=WILD.encode(),
        capture_output=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, LAID.encode(), b"")
