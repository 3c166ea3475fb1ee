"""Processes that write messages, and what is done when one of them ends.

A page is given to the process with the least to do; a thread for each takes back what is written.
When a process ends, the message that it had begun is tried alone in a new one: if that ends too,
this one message has failed, and nobody else's.
"""

from __future__ import annotations

import mmap
import pickle
import subprocess
import sys
import threading
from collections import Counter, deque
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import field, replace
from queue import SimpleQueue
from tempfile import TemporaryFile
from typing import IO

from journeylang.classes import dataclass
from journeylang.delivery.links import Links
from journeylang.delivery.pages import Page, Scribe, Style, Written, unpack
from journeylang.delivery.render import Broken, Failed, renderer
from journeylang.delivery.scribe import MARKS, Bounds, Setup, parcel_of, read, send

PAGE = 100
"""Messages that are written together by one process."""


_PIPE = 2**20
"""Bytes: what everybody may have."""

_ENDS = 6
"""So often a template may end a process: then it is broken, and its journey pauses."""

_STILLBORN = 3
"""So many processes may end before they have begun: then pages are written in this one."""


@dataclass(frozen=True, slots=True)
class _Ended:
    """Instead of an answer: the process is gone; `begun` messages of the page had been begun."""

    begun: int


@dataclass(slots=True)
class _Task:
    page: Page
    answer: Future[bytes | _Ended] = field(default_factory=Future)


@dataclass(slots=True)
class Job:
    """Pages on their way; `result` waits for them."""

    scribes: Scribes
    tasks: list[_Task]

    def result(self) -> list[Written]:
        """What came of every row, in order."""
        return [one for task in self.tasks for one in self.scribes.written(task)]


class Scribes:
    """`number` processes, started with the first page; with none pages are written here."""

    def __init__(
        self, templates: Mapping[str, str], links: Links, *, number: int, bounds: Bounds
    ) -> None:
        self.templates = dict(templates)
        self.links = links
        self.bounds = bounds
        self.number = number
        self._here = Scribe(renderer(templates), links)
        self._processes: list[_Process] = []
        self._ends: Counter[tuple[str, str]] = Counter()
        self._stillborn = 0

    @property
    def ahead(self) -> int:
        """So many chunks may be begun before the first is waited for."""
        return 1 if self.number else 0

    def begin(self, page: Page) -> Job:
        """Have a page written, in parts."""
        tasks = [
            _Task(
                replace(page, recipes=page.recipes[at : at + PAGE], rows=page.rows[at : at + PAGE])
            )
            for at in range(0, len(page.rows), PAGE)
        ]
        for task in tasks:
            self._give(task)
        return Job(self, tasks)

    def written(self, task: _Task) -> list[Written]:
        """A page's results, whatever has ended meanwhile."""
        if not self.number:
            return self._here.write(task.page)
        answer = task.answer.result()
        if not isinstance(answer, _Ended):
            return unpack(answer)
        page = task.page
        if answer.begun == 0:
            self._stillborn += 1
            return self._here.write(page) if self._stillborn > _STILLBORN else self._again(page)
        at = answer.begun - 1
        recipe = page.recipes[at]
        template = recipe.template, recipe.channel
        self._ends[template] += 1
        if len(page.rows) == 1 or self._ends[template] > _ENDS:
            kind = Broken if self._ends[template] > _ENDS else Failed
            file = f"{recipe.template}.{recipe.channel}"
            one = kind(file=file, line=None, kind="more time or memory than one message may take")
            alone: list[Written] = [(one, "")]
        else:
            alone = self._part(page, at, at + 1)
        return [*self._part(page, 0, at), *alone, *self._part(page, at + 1, len(page.rows))]

    def _part(self, page: Page, start: int, end: int) -> list[Written]:
        if start >= end:
            return []
        return self._again(
            replace(page, rows=page.rows[start:end], recipes=page.recipes[start:end])
        )

    def _again(self, page: Page) -> list[Written]:
        task = _Task(page)
        self._give(task)
        return self.written(task)

    def _give(self, task: _Task) -> None:
        if not self.number:
            return
        self._processes = [one for one in self._processes if one.alive]
        while len(self._processes) < self.number:
            self._processes.append(_Process(self.templates, self.links, self.bounds))
        min(self._processes, key=_Process.waiting).give(task)

    def close(self) -> None:
        """End the processes."""
        for one in self._processes:
            one.close()
        self._processes.clear()


class _Process:
    """One process, and the thread that hears it."""

    def __init__(self, templates: Mapping[str, str], links: Links, bounds: Bounds) -> None:
        with TemporaryFile() as file:
            file.write(bytes(MARKS))
            file.flush()
            marks = file.fileno()
            self._marks = memoryview(mmap.mmap(marks, MARKS)).cast("Q")
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "journeylang.delivery.scribe"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=(marks,),
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in: IO[bytes] = self._process.stdin
        self._out: IO[bytes] = self._process.stdout
        for pipe in (self._in, self._out):
            _widen(pipe)
        self._tasks: deque[_Task] = deque()
        self._parcels: SimpleQueue[bytes | None] = SimpleQueue()
        self._lock = threading.Lock()
        # Kept with its number, so that nothing else gets its identity.
        self._styles: dict[int, tuple[int, Style]] = {}
        self.alive = True
        setup = Setup(templates=dict(templates), links=links, bounds=bounds, marks=marks)
        self._parcels.put(pickle.dumps(setup, protocol=5))
        self._threads = [
            threading.Thread(target=work, daemon=True) for work in (self._speak, self._listen)
        ]
        for thread in self._threads:
            thread.start()

    def waiting(self) -> int:
        """Pages that it has."""
        return len(self._tasks)

    def give(self, task: _Task) -> None:
        with self._lock:
            if not self.alive:
                task.answer.set_result(_Ended(0))
                return
            self._tasks.append(task)
        style = task.page.style
        known = id(style) in self._styles
        number, _ = self._styles.setdefault(id(style), (len(self._styles), style))
        self._parcels.put(parcel_of(task.page, number, known=known))

    def close(self) -> None:
        self._parcels.put(None)
        for thread in self._threads:
            thread.join()

    def _speak(self) -> None:
        # In a thread of its own: who waits until there is room in the pipe does nothing else.
        with suppress(BrokenPipeError):
            while (parcel := self._parcels.get()) is not None:
                send(self._in, parcel)
        with suppress(BrokenPipeError):
            self._in.close()

    def _listen(self) -> None:
        done = 0
        while (parcel := read(self._out)) is not None:
            with self._lock:
                task = self._tasks.popleft()
            done += len(task.page.rows)
            task.answer.set_result(parcel)
        self._parcels.put(None)
        self._process.wait()
        begun = self._marks[0] - done
        with self._lock:
            self.alive = False
            left, self._tasks = list(self._tasks), deque()
        for task in left:
            task.answer.set_result(_Ended(begun))
            begun = 0
        self._out.close()


def _widen(pipe: IO[bytes]) -> None:
    """Room for some pages: else each side would wait for the other one's turn of the interpreter
    several times a page."""
    # Where it is refused, and on systems without, pipes are as they are.
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)
