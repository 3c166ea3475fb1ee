"""The thread that tells a service outside what people have chosen (`notices.py`).

It asks the one thread that has the database for what is to be told, and for its record; while it
waits for the service, nobody waits for it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from journeylang.delivery.outcome import Answer, Refused, TryLater
from journeylang.delivery.provider import Provider
from journeylang.engines.base import Engine
from journeylang.serve.keeper import Keeper
from journeylang.serve.metrics import Metrics
from journeylang.serve.notices import Due, answered, due, waiting
from journeylang.serve.taking import Taker

LOOKS = timedelta(seconds=60)
"""Between two looks while nothing is known to wait; another process may have left something."""

LONGEST = 15.0
"""Seconds for which the database is waited for."""


class Teller:
    """Tells `service` by its provider, from `start` to `stop`."""

    def __init__(
        self,
        service: str,
        provider: Provider,
        keeper: Keeper,
        metrics: Metrics,
        *,
        every: float = 1.0,
    ) -> None:
        self.service = service
        self.provider = provider
        self.keeper = keeper
        self.metrics = metrics
        self.every = every
        self._next: datetime | None = keeper.now()
        self._looked = keeper.now()
        self._told = 0
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="teller", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """After the call that is going on. The keeper still runs."""
        self._ends.set()
        self._thread.join()
        self.provider.close()

    def _run(self) -> None:
        while not self._ends.wait(self.every):
            try:
                while self._due() and not self._ends.is_set():
                    if not self._beat():
                        break
            except Exception:  # noqa: BLE001 - what is not told yet is told at the next look
                self.metrics.count("journey_failures_total", "kind", "telling")
                self._next = self.keeper.now() + LOOKS

    def _due(self) -> bool:
        """Whether there may be something to tell; without a question to the database."""
        now, chosen = self.keeper.now(), self.keeper.chosen
        if chosen != self._told:
            self._told = chosen
            return True
        if self._next is not None and now >= self._next:
            return True
        return self.keeper.keeps and now - self._looked >= LOOKS

    def _beat(self) -> bool:
        """Tell what is due; whether there may be more."""
        now = self._looked = self.keeper.now()
        found, self._next = self.keeper.ask(lambda e, t: _due_now(e, t, self.service, now)).result(
            LONGEST
        )
        if not found:
            return False
        answers: dict[str, Answer] = {}
        refusal: Refused | TryLater | None = self.provider.open()
        if refusal is None:
            # What has no answer may have been taken, and is told once more under the same id.
            with suppress(OSError):
                self.provider.send([one.call for one in found], answers)
        else:
            answers = {one.call.id: refusal for one in found}
        now = self.keeper.now()
        states, self._next = self.keeper.ask(lambda e, t: _kept(e, t, found, answers, now)).result(
            LONGEST
        )
        for state in states:
            self.metrics.count("journey_notices_total", "state", state)
        return True


def _due_now(
    engine: Engine, _: Taker, service: str, now: datetime
) -> tuple[list[Due], datetime | None]:
    found = due(engine, service, now)
    return found, waiting(engine)


def _kept(
    engine: Engine, _: Taker, sent: Sequence[Due], answers: dict[str, Answer], now: datetime
) -> tuple[list[str], datetime | None]:
    states = list(answered(engine, list(sent), answers, now))
    return states, waiting(engine)
