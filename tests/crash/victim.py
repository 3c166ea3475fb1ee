"""A delivery in a process of its own, that is ended at a chosen point without a word.

It is started from a fork server that has imported everything, so that a kill costs
milliseconds. What it needs of the project comes pickled.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from journeylang.delivery.channels import open_channels
from journeylang.delivery.outbox import DeliveryConfig, Outbox
from journeylang.engines.duckdb import DuckDbEngine

KILLED = -signal.SIGKILL
IN_FLIGHT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Crime:
    """Deliver at `now` and end at the `kill`-th statement, file opened or file renamed.

    `kill` 0: not at all.
    """

    folder: Path
    now: datetime
    channels: dict[str, Any]
    kill: int = 0
    told: Path | None = None


def run(crime: Crime) -> int:
    """The exit code of the process: 0, or KILLED."""
    # A server of its own forks: this process may hold threads and a database.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.crash.victim"])
    process = context.Process(target=_deliver, args=(crime,))
    process.start()
    if crime.told is not None:
        crime.told.write_text(str(process.pid))
    process.join(60)
    code = process.exitcode
    assert code is not None, "the delivery hangs"
    process.close()
    return code


def _deliver(crime: Crime) -> None:
    points = 0

    def point(*_: object) -> None:
        nonlocal points
        points += 1
        if points == crime.kill:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event in {"os.rename", "open"} and "outbox" in str(arguments[0]):
            point()

    sys.addaudithook(watch)
    project, program, templates = pickle.loads((crime.folder / "shop.pickle").read_bytes())  # noqa: S301
    channels = open_channels(crime.channels, root=crime.folder, environment={}).value
    assert channels is not None
    for channel in channels.values():
        channel.provider.in_flight = IN_FLIGHT
    engine = DuckDbEngine.open(str(crime.folder / "shop.duckdb"), before=point)
    config = DeliveryConfig(channels=channels, templates=templates)
    outbox = Outbox(engine, project, program, config)
    outbox.deliver(now=lambda: crime.now)
    outbox.close()
    engine.close()
