"""Which journeys somebody may enter in this tick, and what their statements are given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, assert_never

from journeylang.model.journey import EnterOn, EnterWhen
from journeylang.plan.operations import JourneyPlan
from journeylang.runtime.program import Ready

_EPOCH = datetime.fromtimestamp(0, UTC).replace(tzinfo=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A journey whose entries are looked at. `looked`: when that was is to be remembered."""

    parameters: Mapping[str, Any] = field(default_factory=dict)
    looked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """What decides it: the instants of this tick and of the one before, and what is new.

    `marks` say when something was last looked at, `applied` when a journey was first applied.
    """

    ready: Ready
    now: datetime
    previous: datetime
    applied: Mapping[int, datetime]
    marks: Mapping[str, datetime]
    events: frozenset[str]

    def openings(self, plans: Iterable[JourneyPlan]) -> dict[int, Opening]:
        """By journey; the others have nobody who could enter."""
        found = ((plan.journey, self._opening(plan)) for plan in plans)
        return {journey: opening for journey, opening in found if opening is not None}

    def _opening(self, plan: JourneyPlan) -> Opening | None:
        match plan.entry:
            case EnterOn():
                return self._on(plan, plan.entry)
            case EnterWhen():
                return self._when(plan, plan.entry)
            case _:
                assert_never(plan.entry)

    def _on(self, plan: JourneyPlan, entry: EnterOn) -> Opening | None:
        if entry.event not in self.events:
            return None
        late = timedelta(seconds=self.ready.late(entry.event))
        since = max(self.previous - late, self.applied[plan.journey])
        return Opening(parameters={"since_entry": since})

    def _when(self, plan: JourneyPlan, entry: EnterWhen) -> Opening | None:
        last = self.marks.get(mark(plan.journey))
        every = entry.every
        turn = not every or last is None or _period(self.now, every) > _period(last, every)
        return Opening(looked=True) if turn else None


def mark(journey: int) -> str:
    """The name under which it is remembered when a journey's condition was looked at."""
    return f"enter {journey}"


def _period(instant: datetime, every: int) -> int:
    return int((instant - _EPOCH).total_seconds() // every)
