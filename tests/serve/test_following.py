"""A server goes on with what is applied later, and drops nothing on the way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from journeylang.api import Runtime
from journeylang.api.deploying import apply_project, what_runs
from journeylang.diagnostics.codes.running import (
    DATABASE_NEWER,
    DATABASE_UNAVAILABLE,
    RESTART_NEEDED,
)
from journeylang.diagnostics.model import Diagnostic, Outcome
from journeylang.engines.base import (
    DatabaseBusyError,
    DatabaseUnavailableError,
    Engine,
    StatementError,
)
from journeylang.serve import keeper, opening
from journeylang.serve.attention import Attention
from journeylang.serve.beats import Beats
from journeylang.serve.metrics import Metrics
from tests.engines.databases import ENGINES
from tests.runtime.world import BINDING, JOURNEYS, NOW, WELCOME, loaded, make, sql, write
from tests.serve.place import ENVIRON, eventually, messages, served, served_shop
from tests.serve.test_applied import by_hand

CHANGED = BINDING.replace(
    "field total: money(EUR)? = o.total", "field amount: money(EUR)? = o.total"
)
RENAMED = JOURNEYS | {"welcome": WELCOME.replace("total > 500", "amount > 500")}
CHANGED += 'topic offers "Personal offers" { consent: email_ok }\n'


LATER = """INSERT INTO journey.migration
SELECT 9999, 'later', max(applied_at) FROM journey.migration RETURNING number"""
GONE = "DELETE FROM journey.migration WHERE number = 9999 RETURNING number"

SOON = 0.05
"""Seconds between two looks for an apply."""


def apply(root: Path, journeys: dict[str, str], binding: str = BINDING) -> int:
    """Change the files, and apply them as `journey apply` does; the revision."""
    write(root, journeys, binding=binding, config=(root / "journey.toml").read_text())
    deadline = time.monotonic() + 30
    while True:
        applied = apply_project(loaded(root), "dev", now=NOW, environ=ENVIRON)
        if applied.value is not None:
            return applied.value
        # One process opens a DuckDB file once: the server has it just now.
        assert [d.code for d in applied.diagnostics] == [DATABASE_UNAVAILABLE]
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_later_apply_is_served(tmp_path: Path, engine: str) -> None:
    root = served_shop(tmp_path, engine, number=8)
    by_hand(root)
    with served(root, follows=SOON) as server:
        post = _posts(server.post)
        path = server.path(server.links.preferences(next(iter(messages(root).values()))))
        assert "Personal offers" not in server.client.get(path).text
        told: list[int] = []
        ends = threading.Event()

        def busy() -> None:
            key = 1000
            while not ends.is_set():
                key += 1
                told.append(post("signed_up", key, source="web"))
                time.sleep(0.02)

        thread = threading.Thread(target=busy)
        thread.start()
        assert post("ordered", 1, total=5) == 202
        number = apply(root, RENAMED, CHANGED)
        eventually(lambda: server.serving.current.applied.revision == number)
        assert post("ordered", 2, amount=7) == 202
        assert post("ordered", 3, total=7) == 422
        assert "Personal offers" in server.client.get(path).text
        eventually(lambda: len(told) > 3)
        ends.set()
        thread.join()
        assert set(told) == {202}
        assert "amount" in server.client.get("/openapi.json").text
        assert f"journey_revision {number}" in server.client.get("/metrics").text
    rows = sql(root, "SELECT id, CAST(total AS INTEGER) FROM shop.orders ORDER BY id")
    assert rows == [(1, 5), (2, 7)]
    assert sql(root, "SELECT count(*) FROM shop.signups WHERE id > 1000") == [(len(told),)]


def _posts(post: Callable[..., object]) -> Callable[..., int]:
    def one(event: str, key: int, **data: object) -> int:
        answer = post({"event": event, "key": key, "customer": 1, "data": data})
        return int(getattr(answer, "status_code"))  # noqa: B009

    return one


def test_what_was_posted_before_is_taken_in_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = served_shop(tmp_path, number=3)
    by_hand(root)
    with served(root, follows=SOON) as server:
        post = _posts(server.post)
        # Nothing is taken in until the other project is served.
        monkeypatch.setattr(
            server.serving.keeper.drain, "run", lambda *_: (_ for _ in ()).throw(keeper.ClosedError)
        )
        assert post("ordered", 1, total=5) == 202
        number = apply(root, RENAMED, CHANGED)
        eventually(lambda: server.serving.current.applied.revision == number)
        assert post("ordered", 2, amount=7) == 202
        monkeypatch.undo()
    rows = sql(root, "SELECT id, CAST(total AS INTEGER) FROM shop.orders ORDER BY id")
    assert rows == [(1, 5), (2, 7)]


def test_an_apply_that_cannot_be_served_changes_nothing(tmp_path: Path) -> None:
    root = served_shop(tmp_path, number=3)
    by_hand(root)
    heard: list[Diagnostic] = []
    with served(root, follows=SOON, tell=heard.extend) as server:
        post = _posts(server.post)
        hidden = BINDING.replace("= o.total\n}", "= o.total\n  only where o.total > 1 EUR\n}")
        assert apply(root, JOURNEYS, hidden) == 2
        eventually(lambda: bool(heard))
        [told] = heard
        assert "`only where` may hide what is written" in told.message
        assert post("ordered", 1, total=5) == 202
        assert server.count("failures", "apply") == 1
        # Mended, it is followed again.
        assert apply(root, RENAMED, CHANGED) == 3
        eventually(lambda: server.serving.current.applied.revision == 3)
        assert len(heard) == 1


def test_a_server_that_ticks_lets_others_apply(tmp_path: Path) -> None:
    root = make(tmp_path, number=5, engine="postgres")
    heard: list[Diagnostic] = []
    project = loaded(root)
    beats = Beats(
        None,
        lambda apply: Runtime.open(project, "dev", now=NOW, apply=apply, wait=0),
        Metrics(),
        every=0.05,
        tell=heard.extend,
        now=lambda: NOW,
    )
    beats.start()
    try:
        eventually(lambda: beats.revision == 1)
        again = WELCOME.replace("settle: wait 1d", "settle: wait 2d")
        number = apply(root, JOURNEYS | {"welcome": again})
        assert number == 2
        eventually(lambda: beats.revision == 2)
        ticked = beats.ticked_at
        eventually(lambda: beats.ticked_at != ticked)
        assert beats.runtime is not None
        text = beats.runtime.loaded.sources["journeys/welcome.journey"].text
        assert "settle: wait 2d" in text
        # The files of the start were not applied again.
        assert sql(root, "SELECT max(revision) FROM journey.revision") == [(2,)]
    finally:
        beats.stop()


def test_an_apply_is_seen_whatever_the_file_is_opened_for(tmp_path: Path) -> None:
    """And where the first look fails, by the next one: the file looks untouched by then."""
    root = served_shop(tmp_path, number=3)
    by_hand(root)
    with served(root) as server:
        kept, post = server.serving.keeper, _posts(server.post)
        follower = kept.follower
        looks: list[bool] = []

        class Failing:
            def look(self, engine: Engine) -> bool:
                looks.append(len(looks) > 0)
                if len(looks) == 1:
                    raise StatementError("", "not now")
                return follower.look(engine)

        number = apply(root, RENAMED, CHANGED)
        kept.follower = Failing()  # type: ignore[assignment]
        assert post("signed_up", 1001, source="web") == 202
        eventually(lambda: server.serving.current.applied.revision == number)
        assert looks[:2] == [False, True]
        # Now it is known: to open the file is no reason to look any more.
        server.settled()
        known = len(looks)
        assert post("signed_up", 1002, source="web") == 202
        server.settled()
        assert len(looks) == known
    assert sql(root, "SELECT count(*) FROM shop.signups WHERE id > 1000") == [(2,)]


def test_what_is_applied_while_a_server_opens_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The revision's number is read before its project."""
    root = served_shop(tmp_path, "postgres", number=3)
    by_hand(root)
    applied: list[int] = []

    def meanwhile(*given: Any) -> Any:
        found = what_runs(*given)
        if not applied:
            applied.append(apply(root, RENAMED, CHANGED))
        return found

    monkeypatch.setattr(opening, "what_runs", meanwhile)
    with served(root, follows=SOON) as server:
        eventually(lambda: server.serving.current.applied.revision == applied[0])
        assert _posts(server.post)("ordered", 2, amount=7) == 202


def test_what_is_applied_while_a_runtime_opens_is_followed(tmp_path: Path) -> None:
    root = make(tmp_path, number=5, engine="postgres")
    project = loaded(root)
    changed = [
        JOURNEYS | {"welcome": WELCOME.replace("settle: wait 1d", f"settle: wait {days}d")}
        for days in (2, 3)
    ]

    def reopen(applies: bool | None) -> Outcome[Runtime]:
        found = Runtime.open(project, "dev", now=NOW, apply=applies, wait=0)
        if applies is False and len(changed) == 1:
            assert found.value is not None
            found.value.session.lease.give_back()
            apply(root, changed.pop())
        return found

    beats = Beats(None, reopen, Metrics(), every=0.05, tell=lambda _: None, now=lambda: NOW)
    beats.start()
    try:
        eventually(lambda: beats.revision == 1)
        apply(root, changed.pop(0))
        eventually(lambda: beats.revision == 3)
        assert beats.runtime is not None
        text = beats.runtime.loaded.sources["journeys/welcome.journey"].text
        assert "settle: wait 3d" in text
    finally:
        beats.stop()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_later_release_is_told_until_it_is_gone(tmp_path: Path, engine: str) -> None:
    root = served_shop(tmp_path, engine, number=3)
    by_hand(root)
    heard: list[Diagnostic] = []
    with served(root, follows=SOON, tell=heard.extend) as server:
        post = _posts(server.post)
        kept = server.serving.keeper
        assert server.client.get("/health").json()["to_do"] == []
        _alone(root, LATER)
        # What is posted meanwhile is taken in, and kept.
        assert post("ordered", 1, total=5) == 202
        eventually(lambda: kept.attention.away is not None)
        health = server.client.get("/health")
        assert health.status_code == 503
        assert health.json()["status"] == "behind"
        [told] = health.json()["to_do"]
        assert told["code"] == DATABASE_NEWER.id
        assert "install the release that has changed it" in told["help"]
        assert [one.code for one in heard] == [DATABASE_NEWER]
        _alone(root, GONE)
        kept.ask(lambda *_: None)
        eventually(lambda: server.client.get("/health").status_code == 200)
        assert server.client.get("/health").json()["to_do"] == []
    assert len(heard) == 1
    assert sql(root, "SELECT count(*) FROM shop.orders") == [(1,)]


def _alone(root: Path, statement: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            sql(root, statement)
        except (DatabaseBusyError, DatabaseUnavailableError, StatementError):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        else:
            return


def test_ticks_end_where_a_later_release_goes_on(tmp_path: Path) -> None:
    root = make(tmp_path, number=5, engine="postgres")
    heard: list[Diagnostic] = []
    project = loaded(root)
    metrics = Metrics()
    beats = Beats(
        None,
        lambda apply: Runtime.open(project, "dev", now=NOW, apply=apply, wait=0),
        metrics,
        every=0.05,
        tell=heard.extend,
        now=lambda: NOW,
    )
    beats.start()
    try:
        eventually(lambda: beats.ticked_at is not None)
        sql(root, LATER)
        eventually(lambda: metrics.value("journey_failures_total", "tick") > 1)
        ticked = beats.ticked_at
        assert [one.code for one in heard].count(DATABASE_NEWER) == 1
        sql(root, GONE)
        eventually(lambda: beats.ticked_at != ticked)
    finally:
        beats.stop()


def test_settings_that_have_changed_ask_for_a_restart(tmp_path: Path) -> None:
    root = served_shop(tmp_path, number=3)
    heard: list[Diagnostic] = []
    file = root / "journey.toml"
    former = file.read_text()
    with served(root, follows=SOON, tell=heard.extend) as server:
        attention = server.serving.keeper.attention
        file.write_text(f"{former}\n# another\n")
        eventually(lambda: attention.restart is not None)
        health = server.client.get("/health")
        assert health.status_code == 200
        [told] = health.json()["to_do"]
        assert told["code"] == "JRN825"
        assert "restart `journey serve`" in told["help"]
        assert "journey_restart_needed 1" in server.client.get("/metrics").text
        file.write_text(former)
        eventually(lambda: attention.restart is None)
        assert server.client.get("/health").json()["to_do"] == []
        assert [one.code for one in heard] == [RESTART_NEEDED]


@pytest.mark.parametrize("form", ["crlf", "mark"])
def test_settings_of_any_editor_are_those_of_the_start(tmp_path: Path, form: str) -> None:
    root = make(tmp_path, number=1)
    file = root / "journey.toml"
    text = file.read_text()
    file.write_bytes(
        text.replace("\n", "\r\n").encode() if form == "crlf" else text.encode("utf-8-sig")
    )
    attention = Attention(loaded(root), lambda _: None)
    attention.look()
    assert attention.restart is None
    file.write_bytes(file.read_bytes() + b"# another\n")
    attention.look()
    assert attention.restart is not None
