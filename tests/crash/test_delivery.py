"""kill -9 at every statement, commit and file: nothing lost, nothing twice, doubts listed."""

from __future__ import annotations

import os
import pickle
import random
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from journeylang.delivery.outbox import doubtful
from journeylang.engines.duckdb import DuckDbEngine
from tests.crash.victim import IN_FLIGHT, KILLED, Crime, Place, open_outbox, place
from tests.delivery.mail_sink import MailSink, mail_sink
from tests.delivery.mailserver import MailServer, mail_server
from tests.delivery.shop import NOW, make_shop

MESSAGES = 8

pytestmark = pytest.mark.slow


@dataclass(slots=True, kw_only=True)
class Scene:
    """A database with messages that are due, to be put back as it was."""

    folder: Path
    place: Place
    now: datetime = NOW

    def again(self) -> None:
        shutil.rmtree(self.folder / "outbox", ignore_errors=True)
        (self.folder / "base.duckdb.wal").unlink(missing_ok=True)
        shutil.copy(self.folder / "first.duckdb", self.folder / "base.duckdb")
        self.now = NOW

    def deliver(self, channels: dict[str, Any], kill: int = 0, room: int | None = None) -> int:
        """In another process; its exit code."""
        crime = Crime(folder=self.folder, now=self.now, channels=channels, kill=kill, room=room)
        return self.place.run(crime)

    def finish(self, channels: dict[str, Any]) -> Found:
        """Deliver, here, until nothing is left to do; then what is in the database."""
        engine = DuckDbEngine.open(str(self.folder / "base.duckdb"))
        outbox = open_outbox(engine, self.folder, channels)
        for _ in range(3):
            outbox.deliver(now=lambda: self.now)
            self.now += timedelta(hours=1)
        outbox.close()
        query = engine.query
        found = Found(
            states=dict(query("SELECT state, count(*) FROM journey.messages GROUP BY state")),
            messages={row[0] for row in query("SELECT message FROM journey.messages")},
            doubts={one.message for one in doubtful(engine)},
            accepted=query(
                "SELECT count(*), count(DISTINCT message_id) FROM journey.receipt"
                " WHERE state = 'accepted'"
            )[0],
            slots=query(
                "SELECT message_id, attempt FROM journey.receipt WHERE state = 'submitting'"
                " GROUP BY ALL HAVING count(*) > 1"
            ),
            open_batches=query(
                "SELECT count(*) FROM journey.batch WHERE NOT done OR holder IS NOT NULL"
            )[0][0],
        )
        engine.close()
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is in the database at the end; `slots`: those that were taken twice."""

    states: dict[str, int]
    messages: set[str]
    doubts: set[str]
    accepted: tuple[int, int]
    slots: list[tuple[Any, ...]]
    open_batches: int


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("scene")
    shop = make_shop(folder, database=str(folder / "first.duckdb"))
    shop.people(MESSAGES)
    shop.messages(range(1, MESSAGES + 1), batch=5)
    shop.outbox().links()
    (folder / "shop.pickle").write_bytes(pickle.dumps((shop.project, shop.program, shop.templates)))
    shop.sql("CHECKPOINT")
    shop.close()
    with place() as where:
        yield Scene(folder=folder, place=where)


FILE = {"email": "file"}


def everything_arrived_once(scene: Scene, found: Found) -> None:
    assert found.states == {"accepted": MESSAGES}
    assert found.accepted == (MESSAGES, MESSAGES)
    assert found.open_batches == 0
    assert found.slots == []
    files = sorted((scene.folder / "outbox").rglob("*.*"))
    assert {file.suffix for file in files} == {".eml"}
    recipients = Counter(message_from_bytes(f.read_bytes(), policy=default)["to"] for f in files)
    assert recipients == {f"person{n}@example.com": 1 for n in range(1, MESSAGES + 1)}


def test_every_point_of_a_delivery_into_files(scene: Scene) -> None:
    for kill in range(1, 1000):
        scene.again()
        code = scene.deliver(FILE, kill=kill)
        everything_arrived_once(scene, scene.finish(FILE))
        if code == 0:
            break
        assert code == KILLED
    assert kill > 40  # statements, commits, files


def _kills(scene: Scene, chance: random.Random, channels: dict[str, Any]) -> int:
    """Up to five deliveries in a row that are killed somewhere; how many were."""
    killed = 0
    for _ in range(chance.randint(1, 5)):
        if scene.deliver(channels, kill=chance.randint(1, 55)) == KILLED:
            killed += 1
        scene.now += timedelta(minutes=chance.randint(0, 30))
    return killed


def _random_kills(scene: Scene, seed: int, rounds: int) -> None:
    chance = random.Random(seed)
    for _ in range(rounds):
        scene.again()
        _kills(scene, chance, FILE)
        everything_arrived_once(scene, scene.finish(FILE))


def test_kills_in_a_row(scene: Scene) -> None:
    _random_kills(scene, seed=1, rounds=10)


@pytest.mark.soak
def test_many_kills_in_a_row(scene: Scene) -> None:
    _random_kills(scene, seed=2, rounds=3000)


# -- over SMTP: the server itself kills the sender, at the n-th thing that it is asked


@dataclass(kw_only=True)
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


def smtp(mail: MailServer | MailSink, on_unknown: str) -> dict[str, Any]:
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
    scene: Scene, on_unknown: str, check: Callable[[Found, Counter[str]], None]
) -> None:
    kill = 0
    while True:
        kill += 1
        scene.again()
        killer = Killer(victim=scene.folder / "victim.pid", at=kill)
        with mail_server(mail=killer) as mail:
            channels = smtp(mail, on_unknown)
            code = scene.deliver(channels)
            killer.at = 0
            check(scene.finish(channels), _received(mail))
        if code == 0:
            break
        assert code == KILLED
    assert kill > 3 * MESSAGES - 1


def nothing_twice(found: Found, received: Counter[str]) -> None:
    assert all(count == 1 for count in received.values())
    assert len(found.doubts) <= IN_FLIGHT
    assert found.states.get("accepted", 0) + found.states.get("unknown", 0) == MESSAGES
    assert found.states.get("unknown", 0) == len(found.doubts)  # each doubt is listed
    assert found.messages - found.doubts <= set(received)  # what counts as sent has arrived


def nobody_left_out(found: Found, received: Counter[str]) -> None:
    assert found.doubts == set()
    assert found.states == {"accepted": MESSAGES}
    assert set(received) == found.messages
    assert received.total() <= MESSAGES + IN_FLIGHT


def test_every_point_of_a_delivery_over_smtp_on_hold(scene: Scene) -> None:
    _through_all_points(scene, "hold", nothing_twice)


def test_every_point_of_a_delivery_over_smtp_on_retry(scene: Scene) -> None:
    _through_all_points(scene, "retry", nobody_left_out)


def test_statements_are_points_over_smtp_too(scene: Scene) -> None:
    for kill in range(1, 200):
        scene.again()
        with mail_server() as mail:
            channels = smtp(mail, "hold")
            code = scene.deliver(channels, kill=kill)
            nothing_twice(scene.finish(channels), _received(mail))
        if code == 0:
            break
    assert kill > 20


# -- with commands together: the sender has written several before the first is answered


@pytest.mark.parametrize(
    ("on_unknown", "check"), [("hold", nothing_twice), ("retry", nobody_left_out)]
)
def test_every_command_of_those_that_are_sent_together(
    scene: Scene, on_unknown: str, check: Callable[[Found, Counter[str]], None]
) -> None:
    kill, together = 0, 0
    while True:
        kill += 1
        scene.again()
        events = 0

        def seen(at: int = kill) -> None:
            nonlocal events
            events += 1
            if events == at:
                os.kill(int((scene.folder / "victim.pid").read_text()), signal.SIGKILL)

        with mail_sink(seen=seen) as sink:
            channels = smtp(sink, on_unknown)
            code = scene.deliver(channels)
            # Whoever goes on is not killed any more.
            events = 1_000_000
            check(scene.finish(channels), _names(sink))
            together += sink.together
        if code == 0:
            break
        assert code == KILLED
    # MAIL, RCPT, DATA and the content of each.
    assert kill > 4 * MESSAGES - 1
    assert together


def _names(sink: MailSink) -> Counter[str]:
    ids = [
        message_from_bytes(content, policy=default)["Message-ID"] for _, content in sink.received
    ]
    return Counter(one.strip("<>").partition("@")[0] for one in ids)


# -- a disk that is full: files of the delivering process grow to some size and no further


def submitted(scene: Scene) -> set[str]:
    """Messages of which it is on record that they may have gone out."""
    engine = DuckDbEngine.open(str(scene.folder / "base.duckdb"))
    found = engine.query(
        "SELECT message FROM journey.messages AS m WHERE EXISTS (SELECT 1 FROM journey.receipt AS r"
        " WHERE r.message_id = m.message_id AND r.state = 'submitting')"
    )
    engine.close()
    return {message for (message,) in found}


def test_nothing_goes_out_that_a_full_disk_has_no_record_of(scene: Scene) -> None:
    ended = Counter[bool]()
    for room in (0, 200, 400, 700, 1_000, 1_500, 2_000, 3_000, 4_500, 7_000, 20_000, 100_000_000):
        scene.again()
        with mail_server() as mail:
            channels = smtp(mail, "hold")
            ended[scene.deliver(channels, room=room) == 0] += 1
            assert set(_received(mail)) <= submitted(scene), room
            nothing_twice(scene.finish(channels), _received(mail))
    assert ended[True] > 0
    assert ended[False] > 3
