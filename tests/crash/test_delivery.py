"""kill -9 at every statement, commit and file: nothing lost, nothing twice, doubts listed."""

from __future__ import annotations

import os
import pickle
import random
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from journeylang.delivery.outbox import doubtful
from journeylang.engines.duckdb import DuckDbEngine
from tests.crash.victim import IN_FLIGHT, KILLED, Crime, run
from tests.delivery.mailserver import MailServer, mail_server
from tests.delivery.shop import NOW, make_shop

MESSAGES = 12

pytestmark = pytest.mark.slow


@dataclass(slots=True, kw_only=True)
class Scene:
    """A database with messages that are due, to be put back as it was."""

    folder: Path
    now: datetime = NOW

    def again(self) -> None:
        shutil.rmtree(self.folder / "outbox", ignore_errors=True)
        (self.folder / "shop.duckdb.wal").unlink(missing_ok=True)
        shutil.copy(self.folder / "first.duckdb", self.folder / "shop.duckdb")
        self.now = NOW

    def deliver(self, channels: dict[str, Any], **options: Any) -> int:
        return run(Crime(folder=self.folder, now=self.now, channels=channels, **options))

    def finish(self, channels: dict[str, Any]) -> None:
        """Deliver until nothing is left to do."""
        for _ in range(3):
            assert self.deliver(channels) == 0
            self.now += timedelta(hours=1)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        engine = DuckDbEngine.open(str(self.folder / "shop.duckdb"))
        rows = engine.query(sql)
        engine.close()
        return rows

    def states(self) -> dict[str, int]:
        return dict(self.query("SELECT state, count(*) FROM journey.messages GROUP BY state"))

    def doubts(self) -> set[str]:
        engine = DuckDbEngine.open(str(self.folder / "shop.duckdb"))
        found = doubtful(engine)
        engine.close()
        return {one.message for one in found}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("scene")
    shop = make_shop(folder, database=str(folder / "first.duckdb"))
    shop.people(MESSAGES + 2)
    shop.messages(range(1, MESSAGES + 1), batch=7)
    shop.sql("DELETE FROM crm.consents WHERE customer_id = 'c14'")
    shop.outbox().links()
    (folder / "shop.pickle").write_bytes(pickle.dumps((shop.project, shop.program, shop.templates)))
    shop.sql("CHECKPOINT")
    shop.close()
    yield Scene(folder=folder)


FILE = {"email": "file"}


def everything_arrived_once(scene: Scene) -> None:
    assert scene.states() == {"accepted": MESSAGES}
    accepted = scene.query(
        "SELECT count(*), count(DISTINCT message_id) FROM journey.receipt WHERE state = 'accepted'"
    )
    assert accepted == [(MESSAGES, MESSAGES)]
    assert scene.query("SELECT bool_and(done), count(holder) FROM journey.batch") == [(True, 0)]
    files = sorted((scene.folder / "outbox").rglob("*.*"))
    assert {file.suffix for file in files} == {".eml"}
    recipients = Counter(message_from_bytes(f.read_bytes(), policy=default)["to"] for f in files)
    assert recipients == {f"person{n}@example.com": 1 for n in range(1, MESSAGES + 1)}
    slots = scene.query(
        "SELECT message_id, attempt FROM journey.receipt WHERE state = 'submitting'"
        " GROUP BY ALL HAVING count(*) > 1"
    )
    assert slots == []


def test_every_point_of_a_delivery_into_files(scene: Scene) -> None:
    for kill in range(1, 1000):
        scene.again()
        code = scene.deliver(FILE, kill=kill)
        scene.finish(FILE)
        everything_arrived_once(scene)
        if code == 0:
            break
        assert code == KILLED
    assert kill > 60  # statements, commits, files


def _kills(scene: Scene, chance: random.Random, channels: dict[str, Any]) -> int:
    """Up to five deliveries in a row that are killed somewhere; how many were."""
    killed = 0
    for _ in range(chance.randint(1, 5)):
        if scene.deliver(channels, kill=chance.randint(1, 90)) == KILLED:
            killed += 1
        scene.now += timedelta(minutes=chance.randint(0, 30))
    return killed


def _random_kills(scene: Scene, seed: int, rounds: int) -> None:
    chance = random.Random(seed)
    for _ in range(rounds):
        scene.again()
        _kills(scene, chance, FILE)
        scene.finish(FILE)
        everything_arrived_once(scene)


def test_kills_in_a_row(scene: Scene) -> None:
    _random_kills(scene, seed=1, rounds=15)


@pytest.mark.soak
def test_many_kills_in_a_row(scene: Scene) -> None:
    _random_kills(scene, seed=2, rounds=3000)


# -- over SMTP: the server itself kills the sender, at the n-th thing that it is asked


@dataclass(slots=True, kw_only=True)
class Killer(MailServer):
    """Kills the process named in a file at a chosen MAIL, RCPT or message taken."""

    victim: Path
    at: int = 0
    events: int = 0

    def _point(self) -> None:
        self.events += 1
        if self.events == self.at:
            os.kill(int(self.victim.read_text()), signal.SIGKILL)

    async def handle_MAIL(self, *arguments: Any) -> str:  # noqa: N802
        self._point()
        return await MailServer.handle_MAIL(self, *arguments)

    async def handle_RCPT(self, *arguments: Any) -> str:  # noqa: N802
        self._point()
        return await MailServer.handle_RCPT(self, *arguments)

    async def handle_DATA(self, *arguments: Any) -> str:  # noqa: N802
        answer = await MailServer.handle_DATA(self, *arguments)
        self._point()
        return answer


def smtp(mail: MailServer, on_unknown: str) -> dict[str, Any]:
    settings = {
        "provider": "smtp",
        "host": "127.0.0.1",
        "port": mail.port,
        "from": "Acme <hello@acme.example>",
        "connections": 2,
        "timeout": 10,
        "on_unknown": on_unknown,
    }
    return {"email": settings}


def _received(mail: MailServer) -> Counter[str]:
    return Counter({name.strip("<>").partition("@")[0]: n for name, n in mail.received().items()})


def _through_all_points(
    scene: Scene, on_unknown: str, check: Callable[[Counter[str], set[str]], None]
) -> None:
    told = scene.folder / "victim.pid"
    kill = 0
    while True:
        kill += 1
        scene.again()
        killer = Killer(victim=told, at=kill)
        with mail_server(mail=killer) as mail:
            channels = smtp(mail, on_unknown)
            code = scene.deliver(channels, told=told)
            scene.finish(channels)
            check(_received(mail), scene.doubts())
        if code == 0:
            break
        assert code == KILLED
    assert kill > 3 * MESSAGES - 1


def test_every_point_of_a_delivery_over_smtp_on_hold(scene: Scene) -> None:
    most = 0

    def check(received: Counter[str], doubts: set[str]) -> None:
        nonlocal most
        most = max(most, len(doubts))
        assert len(doubts) <= IN_FLIGHT
        assert all(count == 1 for count in received.values())  # no duplicates
        states = scene.states()
        assert states.get("accepted", 0) + states.get("unknown", 0) == MESSAGES
        assert states.get("unknown", 0) == len(doubts)  # each doubt is listed
        everybody = {row[0] for row in scene.query("SELECT message FROM journey.messages")}
        assert everybody - doubts <= set(received)  # what counts as sent has arrived

    _through_all_points(scene, "hold", check)
    assert most > 0


def test_every_point_of_a_delivery_over_smtp_on_retry(scene: Scene) -> None:
    def check(received: Counter[str], doubts: set[str]) -> None:
        assert doubts == set()
        assert scene.states() == {"accepted": MESSAGES}
        assert len(received) == MESSAGES  # nobody is left out
        assert received.total() <= MESSAGES + IN_FLIGHT

    _through_all_points(scene, "retry", check)


def test_statements_are_points_over_smtp_too(scene: Scene) -> None:
    for kill in range(1, 200, 3):
        scene.again()
        with mail_server() as mail:
            channels = smtp(mail, "hold")
            code = scene.deliver(channels, kill=kill)
            scene.finish(channels)
            received, doubts = _received(mail), scene.doubts()
            assert all(count == 1 for count in received.values())
            states = scene.states()
            assert states.get("accepted", 0) + len(doubts) == MESSAGES
        if code == 0:
            break


def test_a_crime_is_a_value() -> None:
    crime = Crime(folder=Path(), now=NOW, channels={})
    assert replace(crime, kill=3).kill == 3
