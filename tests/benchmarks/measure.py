"""Measuring: two ways side by side, and processes from outside."""

from __future__ import annotations

import compileall
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pytest_benchmark.fixture import BenchmarkFixture

import journeylang

# Makes everything ready, gives what is to be timed, and clears up behind it.
Way = Callable[[], AbstractContextManager[Callable[[], None]]]


@dataclass(slots=True)
class Side:
    """Seconds of each round: by the clock, and of all threads of this process."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def time(self, work: Callable[[], None]) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        self.wall.append(time.perf_counter() - wall)
        self.cpu.append(time.process_time() - cpu)


def repeat(
    benchmark: BenchmarkFixture,
    work: Callable[..., object],
    *,
    rounds: int,
    setup: Callable[[], object] | None = None,
) -> None:
    """Have the benchmark time `work` so often, with the arguments that `setup` gives."""
    pedantic: Callable[..., object] = benchmark.pedantic  # has no types
    pedantic(work, setup=setup, rounds=rounds)


def side_by_side(
    benchmark: BenchmarkFixture,
    *,
    rounds: int,
    target: float,
    bare: Way,
    ours: Way,
) -> None:
    """Time both ways in turn, `rounds` times each, and note the ratio of their medians."""
    sides = Side(), Side()
    round_ = ExitStack()

    def setup() -> tuple[tuple[Callable[[], None]], dict[str, Any]]:
        round_.close()
        with bare() as work:
            sides[0].time(work)
        return (round_.enter_context(ours()),), {}

    with round_:
        repeat(benchmark, sides[1].time, setup=setup, rounds=rounds)
    by_hand, compiled = (statistics.median(side.wall) for side in sides)
    cpu = statistics.median(sides[1].cpu) / statistics.median(sides[0].cpu)
    note(
        benchmark,
        measured=f"{compiled / by_hand:.2f} times",
        target=f"<= {target:g} times",
        detail=f"{compiled:.3f} s against {by_hand:.3f} s by hand; CPU time {cpu:.2f} times",
    )
    benchmark.extra_info |= {
        "ratio": compiled / by_hand,
        "ratio_cpu": cpu,
        "ours_seconds": sides[1].wall,
        "bare_seconds": sides[0].wall,
    }


def note(benchmark: BenchmarkFixture, *, measured: str, target: str, detail: str) -> None:
    """The line of the table that is printed at the end."""
    benchmark.extra_info |= {"measured": measured, "target": target, "detail": detail}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A process that has ended: seconds, and the most memory that it ever held, in bytes."""

    output: str
    wall: float
    cpu: float
    peak: int


@cache
def _as_installed() -> None:
    """Compiled, as an installer leaves it: else each process would compile the package anew."""
    for folder in journeylang.__path__:
        compileall.compile_dir(folder, quiet=2)


def run(arguments: Sequence[str], *, codes: Collection[int] = (0,)) -> Finished:
    """Run Python with these arguments; what it used is the process's own account.

    ``codes`` are those with which it may exit.
    """
    _as_installed()
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    ) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in codes, output
    unit = 1 if sys.platform == "darwin" else 1024
    return Finished(
        output=output,
        wall=time.perf_counter() - began,
        cpu=usage.ru_utime + usage.ru_stime,
        peak=usage.ru_maxrss * unit,
    )
