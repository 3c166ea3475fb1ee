"""Runtimes that wait for each other's lease: each stands still in a tick, and goes on later.

Run as a program, each line of JSON (URL, folder, at, lease) is a process that takes over as soon
as it may, plays the story on, and stops at the `at`-th statement of its ticks. An empty list lets
it go on.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from journeylang.engines.base import DatabaseBusyError, Engine
from tests.crash.nursery import Program, running
from tests.crash.story import Stage, project
from tests.engines.databases import open_engine
from tests.engines.watched import Watched


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Whose turn it is stops at the `at`-th statement; 0: never."""

    url: str
    folder: str
    at: int
    lease: float


class Runner(Program):
    def wait(self, turn: Turn) -> None:
        """Have it take over as soon as it may; `answer` tells how it ended, or that it stopped."""
        self.begin(json.dumps([turn.url, turn.folder, turn.at, turn.lease]))

    def go_on(self) -> str:
        """How it ended: `done`, or `failed`, being told that another has taken over."""
        return self.ask(json.dumps([]))


def runner() -> AbstractContextManager[Runner]:
    return running(Runner, "tests.crash.relay")


class _Runtime(Stage):
    """Stops in ticks alone: what is claimed for delivery is another test's."""

    def __init__(self, engine: Engine, turn: Turn) -> None:
        self.at, self.seen, self.delivers = turn.at, -1_000_000, False
        super().__init__(Watched(engine, self.point), Path(turn.folder), turn.lease)

    def point(self, _: str) -> None:
        if self.delivers:
            return
        self.seen += 1
        if self.seen == self.at:
            os.kill(os.getpid(), signal.SIGSTOP)

    def deliver(self, now: datetime) -> None:
        self.delivers = True
        super().deliver(now)
        self.delivers = False

    def take_over(self) -> None:
        while True:
            try:
                self.session.lease.hold()
            except DatabaseBusyError:
                time.sleep(0.05)
            else:
                self.seen = 0
                return


def relay(turn: Turn) -> _Runtime:
    """Wait for the turn, and play the story from where it stands."""
    runtime = _Runtime(open_engine("postgres", turn.url), turn)
    runtime.take_over()
    runtime.play()
    return runtime


def _child(given: Sequence[object]) -> None:
    code = 1
    try:
        url, folder, at, lease = given
        assert isinstance(at, int)
        assert isinstance(lease, float)
        relay(Turn(url=str(url), folder=str(folder), at=at, lease=lease)).close()
        code = 0
    finally:
        os._exit(code)


def main() -> None:
    project()  # compiled once, for all
    child = 0
    for line in sys.stdin:
        given = json.loads(line)
        if given:
            child = os.fork()
            if not child:
                _child(given)
        else:
            os.kill(child, signal.SIGCONT)
        _, status = os.waitpid(child, os.WUNTRACED)
        ended = "failed" if status else "done"
        print("stopped" if os.WIFSTOPPED(status) else ended, flush=True)


if __name__ == "__main__":
    main()
