"""The lock says what is installed, and not from where."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_lock_names_no_registry() -> None:
    text = (ROOT / "uv.lock").read_text(encoding="utf-8")
    assert set(re.findall(r"https?://([^/\"]+)", text)) == {"registry.invalid"}


def test_everything_locked_has_a_hash() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    for package in lock["package"]:
        if package["name"] != "journeylang":
            files = [*package.get("wheels", []), package.get("sdist")]
            assert all(f["hash"].startswith("sha256:") for f in files if f), package["name"]


def test_the_lock_is_that_of_the_project() -> None:
    """Same requirements in both files; `bash .ci/lock` makes them so."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    (mine,) = (package for package in lock["package"] if package["name"] == "journeylang")
    extras = project["project"]["optional-dependencies"].values()
    given = [*project["project"]["dependencies"], *(r for extra in extras for r in extra)]
    wanted = {(re.match(r"[\w.-]+", r) or [""])[0].lower(): r for r in given}
    locked = {entry["name"]: entry["specifier"] for entry in mine["metadata"]["requires-dist"]}
    assert locked.keys() == wanted.keys()
    for name, specifier in locked.items():
        # Behind the semicolon: on which systems.
        asked = wanted[name].partition(";")[0]
        parts = set(re.sub(r"^[\w.-]+(\[.*\])?", "", asked).split(","))
        assert parts == set(specifier.split(",")), name


def test_the_installer_is_the_locked_one() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    (uv,) = (package for package in lock["package"] if package["name"] == "uv")
    pinned = (ROOT / ".ci" / "uv.txt").read_text(encoding="utf-8")
    assert re.findall(r"^(\S+)==(\S+)", pinned, re.MULTILINE) == [("uv", uv["version"])]
