"""Processes that play the story and are killed on the way, again and again.

Run as a program, this is a nursery: it has everything imported and no database open, so that a
process to be killed is a fork of it. It reads lines of JSON, `Errand` as a list, and answers each
with the way the process ended.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from journeylang.delivery import files
from journeylang.engines.base import Engine
from tests.crash.nursery import Program, running
from tests.crash.story import Stage, letters, load, outcome, project
from tests.engines.databases import open_engine
from tests.engines.server import new_database
from tests.engines.watched import Watched
from tests.runtime.world import Contents

IMPORTED = (files,)  # by the nursery, not by each process
DATABASE, URL = "story.duckdb", "url"
CUT = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """Play the story in the folder; die at the `at`-th point, or be killed after `seconds`.

    Points are statements and files of the outbox. 0: not so. With `patience`, the length of the
    lease in seconds, it does not die but stops in a tick until `Nursery.go_on`, and does not
    deliver.
    """

    engine: str
    folder: Path
    at: int = 0
    seconds: float = 0
    patience: float | None = None


class Nursery(Program):
    def send(self, errand: Errand) -> str:
        """How it ended: `done`, `cut`, `killed`, or `failed`; or that it has `stopped`."""
        folder = str(errand.folder)
        return self.ask(
            json.dumps([errand.engine, folder, errand.at, errand.seconds, errand.patience])
        )

    def go_on(self) -> str:
        """Let the process that has stopped go on; how it ended."""
        return self.ask(json.dumps([]))


def nursery() -> AbstractContextManager[Nursery]:
    return running(Nursery, "tests.crash.kills")


def open_at(engine: str, folder: Path) -> Engine:
    """The database that belongs to a folder: a file in it, or one that a file in it names."""
    if engine == "duckdb":
        return open_engine(engine, str(folder / DATABASE))
    return open_engine(engine, (folder / URL).read_text())


@dataclass(kw_only=True)
class Kills:
    """So many kills, world after world; each that is through is compared with the uncut one."""

    engine: str
    folder: Path
    number: int
    seed: int
    worlds: int = 0
    ended: Counter[str] = field(default_factory=Counter)

    def run(self, processes: Nursery) -> None:
        meant, written = self._uncut()
        chance = random.Random(self.seed)
        world = self._world("first")
        while self.ended["cut"] + self.ended["killed"] < self.number:
            # Somewhere within the next ticks by count, or at any moment at all.
            by_count = chance.random() < 0.7
            errand = Errand(
                engine=self.engine,
                folder=world,
                at=chance.randint(1, 400) if by_count else 0,
                seconds=0 if by_count else chance.uniform(0.01, 0.6),
            )
            how = processes.send(errand)
            self.ended[how] += 1
            assert how != "failed", errand
            if how == "done":
                self._compare(world, meant, written)
                shutil.rmtree(world)
                world = self._world(str(self.worlds))
        assert processes.send(Errand(engine=self.engine, folder=world)) == "done"
        self._compare(world, meant, written)

    def _world(self, name: str) -> Path:
        """A database with the tables of the story, and nothing applied."""
        fresh, folder = self.folder / "fresh", self.folder / name
        if not fresh.exists():
            fresh.mkdir(parents=True)
            if self.engine == "postgres":
                (fresh / URL).write_text(new_database())
            engine = open_at(self.engine, fresh)
            load(engine)
            engine.close()
        shutil.copytree(fresh, folder)
        if self.engine == "postgres":
            (folder / URL).write_text(new_database(like=(fresh / URL).read_text()))
        return folder

    def _uncut(self) -> tuple[Contents, list[str]]:
        folder = self._world("meant")
        stage = Stage(open_at(self.engine, folder), folder)
        stage.play()
        found = outcome(stage.engine), letters(folder)
        stage.close()
        return found

    def _compare(self, world: Path, meant: Contents, written: list[str]) -> None:
        self.worlds += 1
        engine = open_at(self.engine, world)
        found = outcome(engine)
        engine.close()
        where = f"seed {self.seed}, world {self.worlds}"
        for table, rows in meant.items():
            lost, more = _less(rows, found[table]), _less(found[table], rows)
            assert not lost, f"{where}: lost from {table}: {lost[:5]}"
            assert not more, f"{where}: too much in {table}: {more[:5]}"
        assert letters(world) == written, where


def _less(rows: list[tuple[object, ...]], others: list[tuple[object, ...]]) -> list[str]:
    return list((Counter(map(str, rows)) - Counter(map(str, others))).elements())


def _child(errand: Errand) -> None:
    code, seen = 1, 0 if errand.patience is None else -10_000

    def point(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == errand.at:
            if errand.patience is None:
                os._exit(CUT)
            os.kill(os.getpid(), signal.SIGSTOP)

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if event in {"os.rename", "open"} and "outbox" in str(arguments[0]):
            point()

    try:
        if errand.at:
            sys.addaudithook(watch)
        engine = open_at(errand.engine, errand.folder)
        watched = Watched(engine, point) if errand.at else engine
        stage = Stage(watched, errand.folder, errand.patience)
        if errand.patience is not None:
            seen = 0  # it is applied by now: what is stopped is a tick
        stage.play(deliver=errand.patience is None)
        stage.close()
        code = 0
    finally:
        os._exit(code)


def main() -> None:
    project()  # compiled once, for all
    ended = {0: "done", CUT: "cut", -signal.SIGKILL: "killed"}
    child = 0
    for line in sys.stdin:
        given = json.loads(line)
        if given:
            engine, folder, at, seconds, patience = given
            child = os.fork()
            if not child:
                _child(Errand(engine=engine, folder=Path(folder), at=at, patience=patience))
            if seconds:
                time.sleep(seconds)
                os.kill(child, signal.SIGKILL)
        else:
            os.kill(child, signal.SIGCONT)
        _, status = os.waitpid(child, os.WUNTRACED)
        stopped = os.WIFSTOPPED(status)
        how = "stopped" if stopped else ended.get(os.waitstatus_to_exitcode(status), "failed")
        print(how, flush=True)


if __name__ == "__main__":
    main()
