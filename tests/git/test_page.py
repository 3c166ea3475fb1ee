"""What docs/git.md shows of files that others read: they hold, and name what there is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import yaml

from tests.docs.fences import fences
from tests.git.sources import ROOT, git, starter

PAGE = ROOT / "docs" / "git.md"
FENCES = {fence.path: fence.text for fence in fences(PAGE) if fence.path}


def test_the_hooks_that_are_named_are_there() -> None:
    shown = yaml.safe_load(FENCES[".pre-commit-config.yaml"])
    there = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert [one["id"] for one in shown["repos"][0]["hooks"]] == [one["id"] for one in there]


def test_the_workflow_uses_what_the_action_has() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    text = FENCES[".github/workflows/journeys.yml"]
    steps = yaml.safe_load(text)["jobs"]["journeys"]["steps"]
    (mine,) = [one for one in steps if one["uses"].startswith("journeylang/")]
    assert mine["with"].keys() <= action["inputs"].keys()
    assert "steps.journeys.outputs.sarif" in text
    assert "sarif" in action["outputs"]
    rows = [line.split("|")[1].strip() for line in PAGE.read_text().splitlines() if "| `" in line]
    assert [row.strip("`") for row in rows] == list(action["inputs"])


def test_a_difference_of_layout_is_none(tmp_path: Path) -> None:
    """With the page's own settings, by git itself."""
    mine = starter(tmp_path / "mine") / "crm"
    (mine / ".gitattributes").write_text(FENCES[".gitattributes"], encoding="utf-8")
    git(mine, "init", "--quiet")
    shown = [fence.text for fence in fences(PAGE) if fence.text.startswith("git config")]
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "journey").write_text(
        f'#!/bin/sh\nPYTHONPATH="{ROOT / "src"}" exec "{sys.executable}" -m journeylang "$@"\n'
    )
    (bin_folder / "journey").chmod(0o755)
    for line in shown[0].splitlines():
        subprocess.run(["sh", "-c", line], cwd=mine, check=True)
    git(mine, "add", "--all")
    git(mine, "commit", "--quiet", "--message", "A project")
    file = mine / "journeys" / "welcome.journey"
    text = file.read_text(encoding="utf-8")

    def difference() -> str:
        return subprocess.run(
            ["git", "diff"],
            cwd=mine,
            env=os.environ | {"PATH": f"{bin_folder}:{os.environ['PATH']}"},
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    file.write_text(text.replace("\n  owner", "\n\n        owner"), encoding="utf-8")
    assert "\n@@" not in difference()
    file.write_text(text.replace("wait 3d", "wait 4d"), encoding="utf-8")
    shown_now = difference()
    assert "-  pause: wait 3d\n+  pause: wait 4d" in shown_now
    assert "@@ journey welcome" in shown_now
