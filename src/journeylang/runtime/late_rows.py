"""From when on rows are news to a look: told by the counts that the tick before has left."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any

from journeylang.classes import dataclass
from journeylang.runtime.program import Ready
from journeylang.sql.late_rows import SLICES, slice_seconds

_NEXT = timedelta(microseconds=1)

Counts = dict[tuple[str, datetime], int]
"""Rows of an event by the first instant of a slice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How many rows there were, up to the instant of a tick, and the marks of what it then asked.

    A mark may have come to that instant without it: by a tick of the same instant before.
    """

    at: datetime
    counts: Mapping[tuple[str, datetime], int]
    asked: Collection[str] = ()


@dataclass(slots=True, kw_only=True)
class LateRows:
    """One tick's counts. `before` are those of the one before, if this session has made it.

    They are taken before anything is looked at: what comes between the two is counted by the next
    tick, and looked at again. In a tick that is taken `apart` nothing is counted: the statement is
    of all events, and should it fail, no journey could be blamed.
    """

    ready: Ready
    now: datetime
    before: Seen | None
    query: Callable[..., list[tuple[Any, ...]]]
    apart: bool
    seen: Seen | None = None
    _late: dict[str, datetime] = field(default_factory=dict)

    def count(self) -> None:
        """Count, once in a tick."""
        ready = self.ready
        if self.apart or self.seen is not None or not ready.counted_events:
            return
        then = self.now if self.before is None else self.before.at
        parameters = {
            f"from_{e.name}": then - SLICES * timedelta(seconds=slice_seconds(e))
            for e in ready.counted_events
        }
        known: Counts = {}
        counts: Counts = {}
        for event, before, since, n in self.query(
            ready.late_counts,
            then=then,
            then_next=then + _NEXT,
            now_next=self.now + _NEXT,
            **parameters,
        ):
            counts[event, since] = counts.get((event, since), 0) + n
            if before is not None:
                known[event, before] = known.get((event, before), 0) + n
        self.seen = Seen(at=self.now, counts=counts)
        if self.before is not None:
            self._compare(self.before, known, parameters)

    def _compare(self, before: Seen, known: Counts, since: Mapping[str, datetime]) -> None:
        for event in self.ready.counted_events:
            first = since[f"from_{event.name}"]
            slices = {
                start
                for name, start in before.counts.keys() | known.keys()
                if name == event.name and start > first
                if before.counts.get((name, start)) != known.get((name, start))
            }
            self._late[event.name] = min(slices) - _NEXT if slices else before.at

    def since(self, marks: Mapping[str, datetime]) -> dict[str, datetime]:
        """The parameters of a look by these marks, the oldest of which counts."""
        self.count()
        mark = min(marks.values())
        found = {"looked": mark, **self.ready.news_behind(mark)}
        before = self.before
        if before is not None and mark == before.at and marks.keys() <= set(before.asked):
            found |= {f"news_{name}": at for name, at in self._late.items()}
        return found
