"""What a shell completes, asked of the shell itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from journeylang.cli.main import cli

ASK = """eval "$(journey completion bash)"
COMP_WORDS=(journey {words}); COMP_CWORD={place}; _journey_completion journey
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.parametrize(
    ("words", "answer"),
    [("si", ["simulate"]), ("pl", ["plan"]), ("forget 7 --kn", ["--known"])],
)
def test_bash_completes(words: str, answer: list[str]) -> None:
    place = len(words.split())
    here = str(Path(sys.executable).parent)
    found = subprocess.run(
        ["bash", "-c", ASK.format(words=words, place=place)],
        env={**os.environ, "PATH": f"{here}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert found.stdout.split() == answer


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_other_shells_have_a_script(shell: str) -> None:
    found = CliRunner().invoke(cli, ["completion", shell], prog_name="journey")
    assert found.exit_code == 0
    assert "_JOURNEY_COMPLETE" in found.output
