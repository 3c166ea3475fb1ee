"""Of whom a condition is asked in a tick: of everybody, of those with news, or of nobody.

A mark says when everybody for whom a condition was true had last been seen. What has happened
since is found by range scans from there on; the tick's probe runs the same ones to tell whether
there is anything at all. An idle tick writes nothing, so that a mark may be older than the
latest tick. That is as exact: an older mark finds more people, never fewer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import field, replace
from datetime import datetime, timedelta
from typing import Literal

from journeylang.classes import dataclass
from journeylang.plan.incremental import Incremental, Kind, Returns
from journeylang.runtime.late_rows import LateRows, Seen
from journeylang.runtime.program import Ready

Among = Literal["everybody", "changed", "nobody"]

PATIENCE = timedelta(days=1)
"""A mark that lags further behind is no longer probed for: its journey is looked at."""


def look_mark(kind: Kind, journey: int) -> str:
    """The name under which it is remembered until when a condition has been looked at."""
    return f"{kind} {journey}"


@dataclass(slots=True, kw_only=True)
class Looks:
    """One tick's looks. `news` are the numbers of what the probe found.

    `seen` collects the marks that come to `now`, `lost` those that hold no longer. `counting`: the
    next tick may ask which rows have come late since.
    """

    ready: Ready
    marks: Mapping[str, datetime]
    previous: datetime
    now: datetime
    late: LateRows
    news: Collection[int] = ()
    resumed: Collection[int] = ()
    counting: bool = False
    seen: dict[str, None] = field(default_factory=dict)
    lost: dict[str, None] = field(default_factory=dict)
    _found: dict[tuple[int, Kind], Among] = field(default_factory=dict)

    def since(self) -> datetime:
        """From when on the probe has to look: the oldest mark that is not left to itself."""
        probed = (key for key, numbers in self.ready.news.items() if numbers)
        marks = (self.marks.get(look_mark(kind, journey)) for journey, kind in probed)
        near = (m for m in marks if m is not None and m >= self.previous - PATIENCE)
        return min(near, default=self.previous)

    def among(self, journey: int, kind: Kind) -> Among:
        """Of whom a condition is asked now. It then counts as looked at."""
        key = journey, kind
        if key not in self._found:
            self._found[key] = self._among(journey, kind)
            self.counting |= key in self.ready.news and self._found[key] != "nobody"
            self.seen[look_mark(kind, journey)] = None
        return self._found[key]

    def _among(self, journey: int, kind: Kind) -> Among:
        numbers = self.ready.news.get((journey, kind))
        mark = self.marks.get(look_mark(kind, journey))
        if numbers is None or mark is None or (kind == "states" and journey in self.resumed):
            return "everybody"
        found = self.ready.look(journey, kind)
        assert isinstance(found, Incremental)
        if any(mark < instant <= self.now for instant in found.instants):
            return "everybody"
        if not numbers or mark < self.previous - PATIENCE or numbers.intersection(self.news):
            return "changed"
        # Who leaves in this tick may return in it.
        returns = any(isinstance(source, Returns) for source in found.sources)
        leaving = self._found.get((journey, "exits"), "nobody") != "nobody"
        return "changed" if returns and leaving else "nobody"

    def looked(self, kind: Kind, *journeys: int) -> dict[str, datetime]:
        """From when on there is news for these journeys, as the parameters of their look."""
        names = (look_mark(kind, journey) for journey in journeys)
        return self.late.since({name: self.marks[name] for name in names})

    def rows(self) -> Seen | None:
        """How many rows this tick has seen, and what it has asked of them."""
        if self.late.seen is None:
            return None
        asked = ((kind, j) for (j, kind), among in self._found.items() if among != "nobody")
        return replace(self.late.seen, asked=frozenset(look_mark(*one) for one in asked))

    def forget(self, kind: Kind, journey: int) -> None:
        """What was seen in this tick has come to nothing: everybody is asked next time."""
        name = look_mark(kind, journey)
        self.seen.pop(name, None)
        self.lost[name] = None
