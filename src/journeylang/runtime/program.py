"""A program made ready for one database: all statements written, all events known."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from journeylang.classes import dataclass
from journeylang.model.binding import Event
from journeylang.model.entry import EnterByStart, EnterOn
from journeylang.model.project import Project
from journeylang.plan.asks import asks_for_clocks, rankings
from journeylang.plan.incremental import Kind, Look
from journeylang.plan.operations import ActionPark, Assign, JourneyPlan, Program
from journeylang.runtime.learning import Lesson
from journeylang.runtime.results import Measured, measured
from journeylang.sql import allowances, codes
from journeylang.sql.arbitration import ArbitrationSql, arbitration_sql
from journeylang.sql.best_hour import BestHourSql, best_hour_sql
from journeylang.sql.compiler import Compiler
from journeylang.sql.dialects import Dialect, text
from journeylang.sql.gone import GoneSql, gone_sql, mark, probed_customers
from journeylang.sql.late_rows import counted_events, late_counts
from journeylang.sql.learning import outcomes
from journeylang.sql.moves import JourneySql, Moves, journey_sql
from journeylang.sql.news import FEEDBACK_LATE
from journeylang.sql.news import probed as probed_news
from journeylang.sql.pauses import probed
from journeylang.sql.probe import probed_events, probed_runs, probed_starts, probed_zones
from journeylang.sql.profile import profile_writes
from journeylang.sql.rankings import ranking_rows
from journeylang.sql.repeats import Repeats, repeats
from journeylang.sql.scope import Rows
from journeylang.sql.session import landing_sends, plan_tables, sends
from journeylang.sql.wakes import news_of
from journeylang.sql.writes import final_writes


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """One ranking of all customers, `rows` {now}, and the journeys that ask for it.

    `level`: 1, or more than that of each ranking that it rests on.
    """

    rows: str
    journeys: frozenset[int]
    level: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Everything that a tick executes. `events` are those whose arrival is watched.

    `dated` are the journeys that ask for the clocks of all customers.
    """

    project: Project
    program: Program
    versions: Mapping[int, int]
    journeys: tuple[JourneySql, ...]
    moves: Moves
    arbitration: ArbitrationSql | None
    codes: codes.CodesSql | None
    lessons: Mapping[int, tuple[Lesson, ...]]
    results: Mapping[int, Measured]
    writes: Mapping[str, str]
    landing_writes: Mapping[str, str]
    profile: Mapping[str, str]
    session: tuple[str, ...]
    events: tuple[str, ...]
    probe: str
    probe_with_zones: str
    gone: GoneSql | None
    # What stands before the counts of the customers.
    counted: str
    # Per journey and kind the numbers of its news in the probe; none if it is not asked there.
    news: Mapping[tuple[int, Kind], frozenset[int]]
    # Events of which it is counted whether rows have come late, by `late_counts`.
    counted_events: tuple[Event, ...] = ()
    late_counts: str = ""
    rankings: tuple[Ranking, ...] = ()
    best_hour: BestHourSql | None = None
    repeats: Repeats | None = None
    dated: frozenset[int] = frozenset()
    # Allowances of which deliveries take too.
    paid_later: frozenset[int] = frozenset()

    def look(self, journey: int, kind: Kind) -> Look | None:
        """How a condition of a journey is looked at."""
        return next(sql.looks.get(kind) for sql in self.journeys if sql.journey == journey)

    def late(self, name: str) -> int:
        """Seconds for which a row of a watched event may come after its instant."""
        bound = self.project.binding.events.get(name)
        return bound.late if bound is not None else FEEDBACK_LATE

    def news_behind(self, mark: datetime) -> dict[str, datetime]:
        """Parameters: behind which instants rows are news since a look, if no count tells."""
        return {f"news_{e.name}": mark - timedelta(seconds=e.late) for e in self.counted_events}


def make_ready(
    project: Project,
    program: Program,
    steps: Mapping[tuple[str, str], int],
    versions: Mapping[int, int],
    dialect: Dialect,
    *,
    incremental: bool = True,
    again: Collection[int] = (),
    keys: str | None = "",
) -> Ready:
    """Write all statements of a program in the dialect of its database.

    Without `incremental` each look at a condition is at everybody. `again` are steps that somebody
    may come to who has been through them. `keys`: as `gone.known_keys`.
    """
    compiler = Compiler(project=project, dialect=dialect, steps=steps)
    journeys = tuple(
        journey_sql(compiler, plan, incremental=incremental) for plan in program.journeys
    )
    parts: dict[str, int] = {}
    # What has its turn now and then is looked at then, whether there is news or not.
    seldom = {j.journey for j in program.journeys if getattr(j.entry, "every", None)}
    news = {
        (sql.journey, kind): frozenset(
            parts.setdefault(part, len(parts))
            for part in found.parts
            if kind != "when" or sql.journey not in seldom
        )
        for sql in journeys
        for kind, found in sql.news.items()
    }
    counted = counted_events(project, (n.found for sql in journeys for n in sql.news.values()))
    parks = [p for j in program.journeys for p in j.parks if isinstance(p, ActionPark)]
    assigns = any(isinstance(p.act, Assign) for p in parks)
    any_send = any(sends(j) for j in program.journeys)
    events = watched_events(program, journeys)
    probe = "\nUNION ALL ".join(
        [
            *probed_runs(program, dialect),
            *probed_events(project, events, dialect),
            *probed(dialect, program),
            *(probed_news(number, part) for part, number in parts.items()),
            *([probed_customers(project.binding, dialect, keys)] if journeys else []),
        ]
    )
    if any(isinstance(j.entry, EnterByStart) for j in program.journeys):
        probe += f"\nUNION ALL {probed_starts(dialect)}"
    # Whoever has been somewhere passes by it, and then not by the way of the others.
    landing = {} if again else landing_sends(program)
    return Ready(
        project=project,
        program=program,
        versions=versions,
        journeys=journeys,
        moves=Moves(
            compiler=compiler,
            plans=program.journeys,
            states={sql.journey: sql.news["states"] for sql in journeys if "states" in sql.news},
        ),
        arbitration=arbitration_sql(compiler, program, landing) if any_send else None,
        codes=codes.codes_sql(compiler, program),
        lessons={
            plan.journey: tuple(Lesson(of=x, outcomes=outcomes(compiler, x)) for x in plan.learning)
            for plan in program.journeys
            if plan.learning
        },
        results={
            plan.journey: found
            for plan in program.journeys
            if (found := measured(compiler, plan)) is not None
        },
        writes=final_writes(dialect, program),
        landing_writes=final_writes(dialect, program, landing=True) if any_send else {},
        profile=profile_writes(dialect) if assigns else {},
        session=(
            *plan_tables(dialect, program),
            *allowances.plan_tables(dialect, program),
            *codes.plan_tables(compiler, program),
            _version_table(dialect, program, versions),
        ),
        events=events,
        probe=probe,
        probe_with_zones=f"{probe}\nUNION ALL {probed_zones(project, dialect)}"
        if program.journeys
        else probe,
        gone=gone_sql(compiler, [j.journey for j in journeys], keys) if journeys else None,
        counted=mark(project.binding, dialect, keys, [j.journey for j in journeys])
        if journeys
        else "",
        news=news,
        counted_events=counted,
        late_counts=late_counts(counted, dialect),
        rankings=_rankings(compiler, program),
        best_hour=best_hour_sql(compiler, program),
        repeats=repeats(dialect, program, again, _aliases(project, steps)) if again else None,
        dated=frozenset(j.journey for j in program.journeys if asks_for_clocks(project, j)),
        paid_later=allowances.paid_later(program),
    )


def _aliases(project: Project, steps: Mapping[tuple[str, str], int]) -> dict[int, tuple[int, ...]]:
    """By each number of a step, its numbers in the other versions of the journey."""
    found: dict[int, tuple[int, ...]] = {}
    for name, journey in project.journeys.items():
        for path, numbers in journey.aliases:
            every = (steps[name, path], *numbers)
            found |= {one: tuple(other for other in every if other != one) for one in every}
    return found


def _rankings(compiler: Compiler, program: Program) -> tuple[Ranking, ...]:
    return tuple(
        Ranking(rows=ranking_rows(by, compiler.scope(Rows())), journeys=journeys, level=level)
        for by, journeys, level in rankings(compiler.project, program.journeys)
    )


def watched_events(program: Program, journeys: tuple[JourneySql, ...]) -> tuple[str, ...]:
    """Events whose new rows may move somebody: triggers and races."""
    names: list[str] = []
    for sql in journeys:
        names += sql.race_events
    # Decisions are the runtime's own: they are awaited, but nobody watches for them; only those
    # who enter by one cannot know otherwise.
    names = [n for n in names if n != "sent"]
    entries = [plan.entry for plan in program.journeys]
    names += [news_of(entry.event) for entry in entries if isinstance(entry, EnterOn)]
    return tuple(dict.fromkeys(names))


def _version_table(d: Dialect, program: Program, versions: Mapping[int, int]) -> str:
    rows = ", ".join(
        f"({j.journey}, {versions[j.journey]}, {j.holdout_step},"
        f" {'TRUE' if j.holdout is not None or j.control is not None else 'FALSE'},"
        f" {text(_salts(j))})"
        for j in program.journeys
    )
    columns = "journey INTEGER, version INTEGER, holdout_step INTEGER, draws BOOLEAN, salt VARCHAR"
    filled = f"; INSERT INTO plan_version VALUES {rows}" if rows else ""
    return d.fresh_table("plan_version", columns) + filled + d.measured("plan_version")


def _salts(plan: JourneyPlan) -> str:
    """What the draw at the entry rests on; another salt is another draw."""
    return " ".join(g.salt for g in (plan.control, plan.holdout) if g is not None)
