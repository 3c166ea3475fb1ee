"""Processes that do nothing but deliver what the story has decided, several at once.

Run as a program, this is a nursery. It reads lines of JSON, `Work` as a list, and answers each
with the way the process ended; an empty list lets the one that has stopped go on.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from contextlib import AbstractContextManager
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from journeylang.delivery import files
from journeylang.delivery.channels import open_channels
from journeylang.delivery.outbox import DeliveryConfig, Outbox
from journeylang.engines.base import Engine
from journeylang.plan.build import build
from journeylang.runtime.numbers import numbering
from tests.crash.nursery import Program, running
from tests.crash.story import MOMENTS, SERVICES, TEMPLATES, project
from tests.engines.databases import open_engine
from tests.engines.watched import Watched

IMPORTED = (files,)
IN_FLIGHT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Deliver into the folder; stop at the `at`-th statement (0: never).

    `lease`: seconds. `hours`: how far behind the story it is by the worker's clock. `keyed`:
    whether the provider is taken to know messages by their ids.
    """

    url: str
    folder: str
    at: int = 0
    lease: float = 600
    hours: float = 0
    keyed: bool = True


class Workers(Program):
    def send(self, work: Work) -> None:
        self.begin(json.dumps(astuple(work)))

    def go_on(self) -> str:
        return self.ask(json.dumps([]))


def workers() -> AbstractContextManager[Workers]:
    return running(Workers, "tests.crash.workers")


def deliver(engine: Engine, work: Work) -> None:
    """One delivery of all that the story has decided."""
    channels = open_channels(
        {name: {"provider": "file"} for name in ("email", "sms", "push")},
        root=Path(work.folder),
        environment={},
        invoke=SERVICES,
    ).value
    assert channels is not None
    for channel in channels.values():
        channel.provider.in_flight = IN_FLIGHT
        channel.provider.keyed = work.keyed
    config = DeliveryConfig(
        channels=channels, templates=TEMPLATES, lease=timedelta(seconds=work.lease)
    )
    outbox = Outbox(engine, project(), build(project(), numbering(engine)), config)
    outbox.deliver(now=lambda: clock(work))
    outbox.close()


def clock(work: Work) -> datetime:
    return MOMENTS[-1] + timedelta(hours=work.hours)


def _child(work: Work) -> None:
    code, seen = 1, 0

    def point(_: str) -> None:
        nonlocal seen
        seen += 1
        if seen == work.at:
            os.kill(os.getpid(), signal.SIGSTOP)

    try:
        engine = Watched(open_engine("postgres", work.url), point)
        deliver(engine, work)
        engine.close()
        code = 0
    except BaseException:  # noqa: BLE001 -- this process ends here, and says why
        traceback.print_exc()
    finally:
        os._exit(code)


def main() -> None:
    project()  # compiled once, for all
    child = 0
    for line in sys.stdin:
        given = json.loads(line)
        if given:
            url, folder, at, lease, hours, keyed = given
            work = Work(url=url, folder=folder, at=at, lease=lease, hours=hours, keyed=keyed)
            child = os.fork()
            if not child:
                _child(work)
        else:
            os.kill(child, signal.SIGCONT)
        _, status = os.waitpid(child, os.WUNTRACED)
        failed = "stopped" if os.WIFSTOPPED(status) else "failed"
        print("done" if status == 0 else failed, flush=True)


if __name__ == "__main__":
    main()
