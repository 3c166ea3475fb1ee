"""A delivery in a process of its own, that is ended at a chosen point without a word.

Run as a program, this is a server: for each line of JSON on its input it forks a delivery
and writes its exit code. It has imported everything and opened nothing, so that a kill
costs milliseconds.
"""

from __future__ import annotations

import json
import os
import pickle
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from journeylang.delivery import files, smtp
from journeylang.delivery.channels import open_channels
from journeylang.delivery.outbox import DeliveryConfig, Outbox
from journeylang.engines.duckdb import DuckDbEngine

KILLED = -signal.SIGKILL
IN_FLIGHT = 3
IMPORTED = (files, smtp)  # by the server, not by each victim
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crime:
    """Deliver at `now` and end at the `kill`-th statement, file opened or file renamed.

    `kill` 0: not at all. The victim writes its number into `victim.pid` in the folder. No file
    of its grows beyond `room` bytes, if that is given: as on a full disk.
    """

    folder: Path
    now: datetime
    channels: dict[str, Any]
    kill: int = 0
    room: int | None = None


class Place:
    """Where deliveries are killed: the server's process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def run(self, crime: Crime) -> int:
        """The exit code of a delivery: 0, or KILLED."""
        given = [str(crime.folder), crime.now.isoformat(), crime.channels, crime.kill, crime.room]
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(given) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


@contextmanager
def place() -> Iterator[Place]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.crash.victim"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Place(process)
        assert process.stdin is not None
        process.stdin.close()


def deliver(crime: Crime) -> None:
    """One delivery of everything that is due, cut at the point that the crime names."""
    points = 0

    def point(*_: object) -> None:
        nonlocal points
        points += 1
        if points == crime.kill:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event in {"os.rename", "open"} and "outbox" in str(arguments[0]):
            point()

    if crime.kill:
        sys.addaudithook(watch)
    if crime.room is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (crime.room, crime.room))
    engine = DuckDbEngine.open(str(crime.folder / "base.duckdb"), before=point)
    outbox = open_outbox(engine, crime.folder, crime.channels)
    outbox.deliver(now=lambda: crime.now)
    outbox.close()
    engine.close()


def open_outbox(engine: DuckDbEngine, folder: Path, given: dict[str, Any]) -> Outbox:
    """The outbox of the shop that lies in the folder."""
    shop = pickle.loads((folder / "shop.pickle").read_bytes())  # noqa: S301
    project, program, templates = shop
    channels = open_channels(given, root=folder, environment={}).value
    assert channels is not None
    for channel in channels.values():
        channel.provider.in_flight = IN_FLIGHT
    config = DeliveryConfig(channels=channels, templates=templates)
    return Outbox(engine, project, program, config)


def serve() -> None:
    for line in sys.stdin:
        folder, now, channels, kill, room = json.loads(line)
        crime = Crime(
            folder=Path(folder),
            now=datetime.fromisoformat(now),
            channels=channels,
            kill=kill,
            room=room,
        )
        child = os.fork()
        if child == 0:
            (crime.folder / "victim.pid").write_text(str(os.getpid()))
            code = 1
            try:
                deliver(crime)
                code = 0
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    serve()
