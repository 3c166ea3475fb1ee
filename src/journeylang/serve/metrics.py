"""Counters and times, in the text format of Prometheus; no personal data, no strangers' labels."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 10.0)
"""Seconds."""

HELP = {
    "journey_requests_total": "Requests by route and status.",
    "journey_taken_in_total": "What was taken in, by kind.",
    "journey_refused_total": "What was refused, by reason.",
    "journey_written_total": "What came into the database, by kind.",
    "journey_lost_total": "What led nowhere, by reason.",
    "journey_notices_total": "Calls that told what people have chosen, by what became of them.",
    "journey_failures_total": "What went wrong within the server, by kind.",
    "journey_ticks_total": "Ticks of this server.",
    "journey_messages_total": "Messages of this server, by what became of them.",
}


class Metrics:
    """Of one server; for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._requests: Counter[tuple[str, int]] = Counter()
        self._times = [0] * (len(BOUNDS) + 1)
        self._seconds = 0.0
        self.gauges: dict[str, Callable[[], float | None]] = {}

    def count(self, name: str, label: str, value: str, number: int = 1) -> None:
        """`value` is one of few: never something that a stranger chose."""
        if number:
            with self._lock:
                self._counts[name, label, value] += number

    def count_all(self, name: str, label: str, numbers: Mapping[str, int]) -> None:
        for value, number in numbers.items():
            self.count(name, label, value, number)

    def request(self, route: str, status: int, seconds: float) -> None:
        with self._lock:
            self._requests[route, status] += 1
            self._times[bisect_left(BOUNDS, seconds)] += 1
            self._seconds += seconds

    def value(self, name: str, value: str) -> int:
        """A counter's value, whatever its label is called."""
        return sum(n for (of, _, v), n in self._counts.items() if of == name and v == value)

    def text(self) -> str:
        with self._lock:
            counts = sorted(self._counts.items())
            requests = sorted(self._requests.items())
            times, seconds = list(self._times), self._seconds
        lines = []
        name = "journey_requests_total"
        lines += _head(name, "counter")
        lines += [f'{name}{{route="{r}",status="{s}"}} {n}' for (r, s), n in requests]
        name = "journey_request_seconds"
        lines += [f"# HELP {name} How long requests took.", f"# TYPE {name} histogram"]
        total = 0
        for bound, number in zip((*BOUNDS, "+Inf"), times, strict=True):
            total += number
            lines.append(f'{name}_bucket{{le="{bound}"}} {total}')
        lines += [f"{name}_sum {seconds:.6f}", f"{name}_count {total}"]
        told = ""
        for (name, label, value), number in counts:
            if name != told:
                lines += _head(name, "counter")
                told = name
            lines.append(f'{name}{{{label}="{value}"}} {number}')
        for name, read in self.gauges.items():
            found = read()
            if found is not None:
                lines += [*_head(name, "gauge"), f"{name} {found:g}"]
        return "\n".join(lines) + "\n"


def _head(name: str, kind: str) -> list[str]:
    help_ = [f"# HELP {name} {HELP[name]}"] if name in HELP else []
    return [*help_, f"# TYPE {name} {kind}"]
