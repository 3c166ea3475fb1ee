"""The spool: what was answered with a 2xx is on the disk before, and stays until it is taken.

A DuckDB file has one process at a time, and a database may be away for a minute: neither is a
reason to lose what somebody did. So the server writes lines to a file of its own, its *segment*,
and the database takes them from there. Each flush writes all that has come meanwhile and waits for
the disk once, so that a thousand small requests cost a handful of waits.

A segment is locked by the process that writes it. One that nobody holds is what a process left
behind, and is taken by whoever finds it. How far a segment is taken stands in the database, in the
transaction that took it: a line is taken once, wherever a process ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from journeylang.classes import dataclass

LARGEST = 64 * 1024 * 1024
"""Bytes of a segment; then a new one begins, and the old one can go when it is taken."""

PENDING = 64 * 1024 * 1024
"""Bytes that may wait for the disk; beyond that nothing more is taken in."""

SUFFIX = ".jsonl"


class SpoolFullError(Exception):
    """It cannot be kept: the disk is full, or far slower than what comes in."""


@dataclass(slots=True)
class _Waiting:
    lines: bytes
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[None]


class Spool:
    """The segments of a folder. One of them is this process's, from `open` to `close`."""

    def __init__(self, folder: Path, *, largest: int = LARGEST, pending: int = PENDING) -> None:
        self.folder = folder
        self.largest = largest
        self.pending = pending
        self.failing = False
        self._file = -1
        self._path: Path | None = None
        self._length = 0
        self._waiting: list[_Waiting] = []
        self._bytes = 0
        self._wake = threading.Condition()
        self._ends = False
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Begin a segment.

        Raises:
            OSError: the folder cannot be written to.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._begin()
        self._ends = False
        self._thread = threading.Thread(target=self._flush, name="spool", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write what waits, and give the segment up; what it holds stays."""
        with self._wake:
            self._ends = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        self._path = None

    def _begin(self) -> None:
        """A new segment; the former one is given up."""
        path = self.folder / f"{time.time_ns():020}-{os.getpid()}{SUFFIX}"
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)
        # The folder knows of it too before anybody is told that something is kept.
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        former, self._file = self._file, file
        self._path, self._length = path, 0
        if former >= 0:
            os.close(former)

    async def keep(self, lines: Iterable[bytes]) -> None:
        """Wait until the lines are on the disk.

        Raises:
            SpoolFullError: they are not, and will not be.
        """
        joined = b"".join(lines)
        if not joined:
            return
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        with self._wake:
            if self._ends or self._bytes + len(joined) > self.pending:
                raise SpoolFullError
            self._waiting.append(_Waiting(joined, loop, done))
            self._bytes += len(joined)
            self._wake.notify()
        await done

    def _flush(self) -> None:
        while True:
            with self._wake:
                while not self._waiting and not self._ends:
                    self._wake.wait()
                taken, self._waiting = self._waiting, []
                self._bytes = 0
                ends = self._ends
            if taken:
                error = self._write(b"".join(one.lines for one in taken))
                _tell(taken, error)
            elif ends:
                return

    def _write(self, lines: bytes) -> SpoolFullError | None:
        try:
            if self._length > self.largest:
                self._begin()
            rest = memoryview(lines)
            while rest:
                rest = rest[os.write(self._file, rest) :]
            os.fdatasync(self._file)
        except OSError:
            # Nothing of it was promised: half a line must not become the head of the next one.
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._length)
            self.failing = True
            return SpoolFullError()
        self._length += len(lines)
        self.failing = False
        return None

    # -- taking

    def segments(self) -> Iterator[tuple[str, bool]]:
        """Names of the segments that can be taken, the oldest first; whether each is complete.

        Those of other processes that are alive are theirs.
        """
        for path in sorted(self.folder.glob(f"*{SUFFIX}")):
            if path == self._path:
                yield path.name, False
            elif _is_free(path):
                yield path.name, True

    def lines(self, segment: str, start: int, most: int) -> tuple[list[bytes], int]:
        """Whole lines from an offset on, of about `most` bytes, and the offset behind them.

        Of this process's own segment those that are on the disk.
        """
        path = self.folder / segment
        end = self._length if path == self._path else path.stat().st_size
        if start >= end:
            return [], start
        with path.open("rb") as file:
            file.seek(start)
            found = file.read(min(most, end - start))
            if not found.endswith(b"\n"):
                found += file.readline(end - start - len(found))
        # A line without an end was never promised.
        whole = found[: found.rfind(b"\n") + 1]
        return whole.splitlines(), start + len(whole)

    def sizes(self) -> dict[str, int]:
        """Bytes on the disk of each segment that can be taken."""
        found = {}
        for name, complete in self.segments():
            with contextlib.suppress(FileNotFoundError):
                found[name] = (self.folder / name).stat().st_size if complete else self._length
        return found

    def remove(self, segment: str) -> None:
        """Of a segment that is complete, everything is in the database."""
        (self.folder / segment).unlink(missing_ok=True)


def _tell(waiting: list[_Waiting], error: SpoolFullError | None) -> None:
    """Let everybody who waits go on, each loop woken once."""
    for loop in {one.loop for one in waiting}:
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits any more
            loop.call_soon_threadsafe(_settle, [w.done for w in waiting if w.loop is loop], error)


def _settle(futures: list[asyncio.Future[None]], error: SpoolFullError | None) -> None:
    for future in futures:
        if future.done():
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)


def _is_free(path: Path) -> bool:
    """Whether no process writes to the segment."""
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(file)
