"""Work in a copy of this process, so that what Python does of it has a processor of its own.

Threads share one interpreter: of tests in two databases half is Python's, and waits.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_THREADS = Path("/proc/self/task")


def can_be_copied() -> bool:
    """Whether nothing else runs in this process that its copy would be without.

    A thread (an open database has some) may hold what nobody gives back in the copy. Where
    threads cannot be counted there are no copies.
    """
    try:
        return hasattr(os, "fork") and sum(1 for _ in _THREADS.iterdir()) == 1
    except OSError:
        return False


def begun_apart(work: Callable[[], T]) -> Callable[[], T]:
    """Begin `work` in a copy of this process; what it comes to is asked for once, later.

    What the copy did not bring to an end is done here then, and shows here what is wrong with it;
    so is all of it where no copy can be made.
    """
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        child = os.fork()
    except OSError:
        # A container may be allowed so many processes and no more.
        os.close(reading)
        os.close(writing)
        return work
    if not child:
        _answer(work, reading, writing)
    os.close(writing)

    def asked() -> T:
        with os.fdopen(reading, "rb") as stream:
            answer = stream.read()
        try:
            _, status = os.waitpid(child, 0)
        except ChildProcessError:
            # Whoever started this process does not want to hear of its children.
            status = 1
        if status:
            return work()
        # From nobody but this process.
        done: T = pickle.loads(answer)  # noqa: S301
        return done

    return asked


def _answer(work: Callable[[], object], reading: int, writing: int) -> None:
    """The copy's whole life. It leaves by no other way: what is behind is the other's to do."""
    status = 1
    try:
        os.close(reading)
        answer = pickle.dumps(work(), protocol=pickle.HIGHEST_PROTOCOL)
        with os.fdopen(writing, "wb") as stream:
            stream.write(answer)
        status = 0
    finally:
        os._exit(status)
