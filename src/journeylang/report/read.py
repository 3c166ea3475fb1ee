"""A report read from a database, as its last tick left it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from journeylang.classes import dataclass
from journeylang.engines.base import Engine
from journeylang.model.expressions import CustomerValue, SegmentTest
from journeylang.model.journey import Journey
from journeylang.model.project import Project
from journeylang.pictures.daily import Sent
from journeylang.report import pictures
from journeylang.report.ahead import load_ahead
from journeylang.report.base import base
from journeylang.report.been import been
from journeylang.report.channels import channels
from journeylang.report.customers import customers
from journeylang.report.daily import sent
from journeylang.report.divided import Every, by_part, over_time
from journeylang.report.effects import effects
from journeylang.report.experiments import drawn, experiments
from journeylang.report.funnel import by_arm, funnel, losses, overview
from journeylang.report.goals import goals
from journeylang.report.hypotheses import hypotheses
from journeylang.report.offers import offers
from journeylang.report.refined import PLAIN, Refine, refined
from journeylang.report.source import Source
from journeylang.report.tables import Part, Report, Table
from journeylang.report.targets import targets
from journeylang.report.together import read_beside
from journeylang.runtime.numbers import numbering

Across = Literal["channels", "offers", "base", "customers", "hypotheses"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a report is to have besides: by what it is divided, and groups drawn elsewhere.

    With `across` it is about all journeys together, and about nothing else. `pictures` need the
    extra `charts`.
    """

    by: tuple[SegmentTest | CustomerValue, ...] = ()
    every: Every | None = None
    drawn: CustomerValue | None = None
    control: str | None = None
    across: frozenset[Across] = frozenset()
    refine: Refine = PLAIN
    pictures: bool = False


def source_of(engine: Engine, project: Project) -> Source | None:
    """None of a database in which nothing has run."""
    if engine.columns(("journey", "lock")) is None:
        return None
    now: datetime = engine.query("SELECT now FROM journey.lock WHERE name = 'tick'")[0][0]
    return Source(engine=engine, project=project, numbering=numbering(engine), now=now)


def report(source: Source, env: str, names: Sequence[str], asked: Asked) -> Report:
    """Of the journeys named, which were applied and have not changed their steps since."""
    load_ahead(asked.pictures)
    source = source.for_one_report()
    journeys = [source.project.journeys[name] for name in names]
    if asked.across:
        return Report(env=env, now=source.now, parts=(_across(source, journeys, asked),))
    everybody = sent(source) if asked.pictures else ()
    return Report(
        env=env,
        now=source.now,
        parts=tuple(journey(source, one, asked, everybody) for one in journeys),
    )


def _across(source: Source, journeys: Sequence[Journey], wanted: Asked) -> Part:
    tables: list[Table] = []
    asked = wanted.across
    if "channels" in asked:
        tables += [effects(source, journeys), *channels(source, None)]
    tables += [offers(source)] if "offers" in asked else []
    tables += base(source) if "base" in asked else []
    tables += customers(source, journeys) if "customers" in asked else []
    tables += [hypotheses(source, journeys)] if "hypotheses" in asked else []
    drawn = pictures.across(tables) if wanted.pictures else ()
    shown = tuple(table for table in tables if table.rows or table.notes)
    return Part(journey=None, title="", tables=shown, pictures=tuple(drawn))


def journey(source: Source, of: Journey, asked: Asked, everybody: Sequence[Sent] = ()) -> Part:
    """`everybody`: what all journeys have sent by day, if pictures are asked for."""
    with read_beside(source, of) as wait:
        been_at = been(source, of)
        tables: list[Table] = [overview(source, of), funnel(source, of, been_at)]
        tables += by_arm(source, of, been_at)
        tables += [*channels(source, of), losses(source, of)]
        wait()
    tables += goals(source, of)
    tables += experiments(source, of)
    if asked.drawn is not None:
        tables += drawn(source, of, asked.drawn, asked.control)
    wanted = targets(source, of)
    tables += [wanted] if wanted is not None else []
    for by in asked.by:
        tables += by_part(source, of, by)
    tables += refined(source, of, asked.refine) if asked.refine.anything else []
    if asked.every is not None:
        tables += over_time(source, of, asked.every)
    shown = tuple(table for table in tables if table.rows or table.name.startswith(_SAYS_SO))
    seen = pictures.of_journey(source, of, shown, everybody) if asked.pictures else ()
    return Part(journey=of.name, title=of.title or "", tables=shown, pictures=tuple(seen))


# Tables that say by a note alone why they have no rows.
_SAYS_SO = ("goal:", "experiment:", "drawn:", "by:", "over_time")
