"""What ticks share: the connection made ready, what a tick found, did, and came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from decimal import Decimal

from journeylang.classes import dataclass
from journeylang.engines.base import ConflictError, Engine, StatementError
from journeylang.runtime.gone import Missing
from journeylang.runtime.late_rows import Seen
from journeylang.runtime.lease import Lease
from journeylang.runtime.localtime import ZoneTables
from journeylang.runtime.pauses import Pauses
from journeylang.runtime.program import Ready
from journeylang.sql.session import working_tables, written_table


class JourneyFailedError(Exception):
    """A journey's own statement was refused; the tick is undone, the others can go on."""

    def __init__(self, journey: str, error: StatementError) -> None:
        super().__init__(str(error))
        self.journey = journey
        self.error = error


@dataclass(frozen=True, slots=True, kw_only=True)
class TickResult:
    """What a tick did. `now` is the instant it counted as; `idle` if nothing was due.

    `paused`: journeys that a guard has paused, and its figures. `missing`: so many
    who are no longer in `customers` that the tick was undone.
    """

    now: datetime
    idle: bool
    entered: int = 0
    moved: int = 0
    sent: int = 0
    skipped: int = 0
    invalid_zones: tuple[str, ...] = ()
    paused: tuple[tuple[str, str], ...] = ()
    missing: Missing | None = None


TRIES = 5
"""So often is begun anew what others were in the way of, or what lost its connection."""

Marks = dict[str, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What a session knows behind its own tick: watermarks, counts of the customers, by allowance
    what may have been used up of it, and how many rows of events it has seen.
    """

    marks: Marks
    counts: str | None
    spent: Mapping[int, Decimal] = field(default_factory=dict)
    seen: Seen | None = None


@dataclass(slots=True)
class News:
    """What the probe found."""

    active: dict[int, int] = field(default_factory=dict)
    due: set[int] = field(default_factory=set)
    states: set[int] = field(default_factory=set)
    earliest: datetime | None = None
    events: set[str] = field(default_factory=set)
    looks: set[int] = field(default_factory=set)
    pauses: Pauses = field(default_factory=Pauses)
    zones: set[str] = field(default_factory=set)
    started: set[str] = field(default_factory=set)
    # What the database counts of the customers now.
    counts: str | None = None


@dataclass(slots=True)
class Done:
    """What a tick has done so far, in people and messages."""

    left: int = 0
    woken: int = 0
    candidates: int = 0
    refused: int = 0
    moved: int = 0
    sent: int = 0
    skipped: int = 0
    repeated: int = 0
    fates: set[int] = field(default_factory=set)
    outcomes: set[int] = field(default_factory=set)
    acted: set[int] = field(default_factory=set)
    leaves: set[tuple[int, int | None]] = field(default_factory=set)

    @property
    def anybody(self) -> bool:
        return bool(self.left or self.woken or self.candidates)


@dataclass(slots=True)
class Resting:
    """People whose rows are put aside for some ticks in which nothing happens to them.

    `entries`: what is counted of theirs, as `sql.pauses.entered` has it; None if nobody's are.
    """

    entries: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A connection made ready for a program: its plan tables are in place."""

    engine: Engine
    ready: Ready
    key_type: str
    applied: dict[int, datetime]
    # After the tick of that number, if this session made it.
    memory: dict[int, Memory] = field(default_factory=dict)
    zones: ZoneTables = field(default_factory=ZoneTables)
    resting: Resting = field(default_factory=Resting)
    lease: Lease

    @classmethod
    def begin(
        cls,
        engine: Engine,
        ready: Ready,
        key_type: str,
        applied: dict[int, datetime],
        lease: Lease | None = None,
    ) -> Session:
        """Create the plan's temporary tables."""
        session = cls(
            engine=engine,
            ready=ready,
            key_type=key_type,
            applied=applied,
            lease=lease or Lease(engine=engine),
        )
        session.fill()
        return session

    def fill(self) -> None:
        """Create the plan's temporary tables, whatever is there."""
        d, key = self.engine.dialect, self.key_type
        working = working_tables(d, self.ready.program, key)
        for statement in (*self.ready.session, *working, written_table(d, key)):
            self.engine.execute(statement)

    def begin_again(self) -> None:
        """After a conflict: a connection that was lost is replaced, with all that it had."""
        self.zones.forget()
        self.memory.clear()
        lost = False
        for left in reversed(range(TRIES)):
            lost = self.engine.recover() or lost
            if not lost:
                return
            self.lease.forget()
            try:
                self.fill()
            except ConflictError:
                # Lost again meanwhile: a server may take more than one try to come back.
                if not left:
                    raise
            else:
                return


class Blamed:
    """Turns a refused statement into one that names the journey."""

    def __init__(self, journey: str) -> None:
        self.journey = journey

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        # Of what others were in the way of, or a lost connection, no journey is to blame.
        if isinstance(error, StatementError) and not isinstance(error, ConflictError):
            raise JourneyFailedError(self.journey, error) from error
