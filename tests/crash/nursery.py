"""Programs that keep all imported and fork a process to be killed for each line they read."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).parents[2]


class Program:
    """Such a program while it runs: each line is answered with how the process ended."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def ask(self, line: str) -> str:
        self.begin(line)
        return self.answer()

    def begin(self, line: str) -> None:
        """Ask without waiting for the answer."""
        assert self.process.stdin is not None
        print(line, file=self.process.stdin, flush=True)

    def answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


P = TypeVar("P", bound=Program)


@contextmanager
def running(kind: type[P], module: str) -> Iterator[P]:
    """The module as a program, until the block ends."""
    with subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield kind(process)
        assert process.stdin is not None
        process.stdin.close()
