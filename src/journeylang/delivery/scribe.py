"""A process that writes messages: `python -m journeylang.delivery.scribe`, started by `Scribes`.

What a template may cost is counted (`sandbox.Work`); what the count does not see is bounded here:
processor time of each message, and memory of all. Whoever takes more ends this process, and is
known by the marks: one for each message that was begun.
"""

from __future__ import annotations

import mmap
import os
import pickle
import signal
import struct
import sys
from dataclasses import field
from pathlib import Path
from time import perf_counter
from typing import IO

from journeylang.classes import dataclass
from journeylang.delivery.links import Links
from journeylang.delivery.pages import Page, Scribe, Style, pack
from journeylang.delivery.render import Renderer

LENGTH = struct.Struct("!Q")

MARKS = 8
"""Bytes of the file in which a process counts the messages that it has begun."""

_REARMED = 0.5
"""Seconds: to set the timer costs more than some messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """`seconds` of the processor for one message, `megabytes` for the process beyond its start."""

    seconds: float = 10.0
    megabytes: int = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """The first thing that the process is told; `marks` is the file for its marks."""

    templates: dict[str, str] = field(repr=False)
    links: Links
    bounds: Bounds
    marks: int


def read(stream: IO[bytes]) -> bytes | None:
    """The next parcel; None when the other side has ended."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (size,) = LENGTH.unpack(head)
    body = stream.read(size)
    return body if len(body) == size else None


def parcel_of(page: Page, number: int, *, known: bool) -> bytes:
    """A page; what its style is only where the process does not know the style of this number."""
    style = None if known else page.style
    parts = page.recipes, page.rows, page.fields, page.profile, page.now
    return pickle.dumps((number, style, *parts), protocol=5)


def send(stream: IO[bytes], parcel: bytes) -> None:
    stream.write(LENGTH.pack(len(parcel)))
    stream.write(parcel)
    stream.flush()


def main() -> None:
    """Answer pages until the other side hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    incoming = sys.stdin.buffer
    # Whatever prints must not be taken for an answer.
    outgoing = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    first = read(incoming)
    if first is None:
        return
    setup: Setup = pickle.loads(first)  # noqa: S301 - from the process that started this one
    scribe = Scribe(Renderer(setup.templates), setup.links)
    _bound_memory(setup.bounds.megabytes)
    styles: dict[int, Style] = {}
    seconds = setup.bounds.seconds
    marks = memoryview(mmap.mmap(setup.marks, MARKS)).cast("Q")

    armed = 0.0

    def began() -> None:
        nonlocal armed
        marks[0] += 1
        now = perf_counter()
        if now > armed + _REARMED:
            # Nobody handles its signal: the process ends wherever it is.
            signal.setitimer(signal.ITIMER_PROF, seconds)
            armed = now

    while (parcel := read(incoming)) is not None:
        number, style, *rest = pickle.loads(parcel)  # noqa: S301
        if style is not None:
            styles[number] = style
        send(outgoing, pack(scribe.write(Page(styles[number], *rest), began)))


def _bound_memory(megabytes: int) -> None:
    import resource

    own = Path("/proc/self/statm")
    # Elsewhere nobody says what a process has; a gigabyte is more than it has at its start.
    pages = int(own.read_text().split()[0]) if own.exists() else None
    used = pages * resource.getpagesize() if pages is not None else 2**30
    limit = used + megabytes * 2**20
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard == resource.RLIM_INFINITY or limit < hard:
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


if __name__ == "__main__":
    main()
