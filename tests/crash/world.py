"""A run of ticks that a process is cut out of: the world of `tests/runtime`, smaller.

As a program it is a nursery: it has everything imported and no database open, so that each
process to be killed is a fork of it and costs no start. It reads lines `FOLDER AT SECONDS`: play
the world in the folder, die before the AT-th statement (0: never), be killed after so many
seconds (0: never); it answers with the way it ended.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from journeylang.api import Runtime
from tests.crash.nursery import Program, running
from tests.runtime.world import HOUR, NOW, Contents, make, meaning, opened, orders, sql

PEOPLE = 12
HOURS = (0, 1, 2, 24, 30, 31, 50)
"""When the world ticks, in hours behind its beginning."""


def small(root: Path) -> Path:
    """Twelve people, and the orders that they will have made."""
    make(root, number=PEOPLE)
    sql(root, orders(PEOPLE, NOW + 29 * HOUR))
    return root


def play(runtime: Runtime) -> None:
    """All ticks; those that are done already count as the latest."""
    for n in HOURS:
        runtime.tick(NOW + n * HOUR)


def uncut(root: Path) -> Contents:
    """What stands in the end when nothing goes wrong."""
    with opened(small(root), NOW - HOUR) as runtime:
        play(runtime)
        return meaning(runtime.engine)


class Nursery(Program):
    """Processes that play a world and die on the way."""

    def play(self, root: Path, *, at: int = 0, seconds: float = 0) -> str:
        """How a process ended: `done`, `cut` before the `at`-th statement, or `killed`."""
        return self.ask(f"{root} {at} {seconds}")


def nursery() -> AbstractContextManager[Nursery]:
    return running(Nursery, "tests.crash.world")


def _dies(at: int) -> Callable[[str], None]:
    seen = 0

    def before(statement: str) -> None:
        nonlocal seen
        seen += 1
        if seen == at:
            os._exit(9)

    return before


def _child(root: Path, at: int) -> None:
    code = 1
    try:
        with opened(root, NOW - HOUR, _dies(at)) as runtime:
            play(runtime)
        code = 0
    finally:
        os._exit(code)


def main() -> None:
    for line in sys.stdin:
        root, at, seconds = line.rsplit(maxsplit=2)
        child = os.fork()
        if not child:
            _child(Path(root), int(at))
        if float(seconds):
            time.sleep(float(seconds))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        ended = {0: "done", 9: "cut", -9: "killed"}
        print(ended.get(os.waitstatus_to_exitcode(status), "failed"), flush=True)


if __name__ == "__main__":
    main()
