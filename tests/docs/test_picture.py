"""The README's picture shows what the verbs say, and its badges what is so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.docs import picture
from tests.docs.fences import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_picture_is_of_now(tmp_path: Path) -> None:
    """Else: `python -m tests.docs.picture`."""
    made = picture.drawn(picture.recorded(tmp_path / "coffee"))
    assert made == picture.PICTURE.read_text(encoding="utf-8")


def test_the_picture_needs_nothing_from_elsewhere() -> None:
    text = picture.PICTURE.read_text(encoding="utf-8")
    assert re.findall(r"url\((?!#)|@import|href=", text) == []


def test_badges_are_true() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    badges = dict(
        re.findall(r"\[!\[([^\]]+)\]\(https://img\.shields\.io/badge/([^)]+)\)\]", README)
    )
    versions = [
        line.rpartition(" ")[2]
        for line in project["project"]["classifiers"]
        if line.startswith("Programming Language :: Python :: 3.")
    ]
    assert badges == {
        "Python " + " | ".join(versions): f"python-{'%20%7C%20'.join(versions)}-blue",
        "Licence Apache-2.0": "licence-Apache--2.0-blue",
        "Types: mypy strict": "types-mypy%20strict-blue",
    }
    assert project["project"]["license"] == "Apache-2.0"
    assert project["tool"]["mypy"]["strict"]
