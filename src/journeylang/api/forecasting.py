"""What a change of the journeys does to what is sent: both projects played on the same people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from journeylang.api.applying import past_of
from journeylang.api.program import template_entry_fields
from journeylang.loading.project import LoadedProject

if TYPE_CHECKING:
    from journeylang.deploy.plan import Forecast as Volumes
    from journeylang.deploy.plan import Volume
    from journeylang.engines.base import Engine
    from journeylang.simulate.forecast import Course, Forecast

FITTED = timedelta(days=90)


def forecaster(engine: Engine, env: str, now: datetime, days: int) -> Volumes:
    """For a plan: what journeys send before and after, in the next `days`, as dry runs have it.

    Behaviour is that of the new project's only `assume`, else as it was in the last 90 days.
    """

    def volumes(old: LoadedProject | None, new: LoadedProject) -> Mapping[str, Volume]:
        from journeylang.deploy.plan import Volume

        if old is None:
            return {}
        before, after = (_played(engine, one, new, env, now, days) for one in (old, new))
        was = {course.journey: course for course in before.courses}
        return {
            course.journey: Volume(
                days=days,
                before=round(was[course.journey].messages.value),
                after=round(course.messages.value),
                cost_before=_cost(was[course.journey]),
                cost_after=_cost(course),
                currency=course.currency,
                basis=f"simulated, {after.assumed_by}",
            )
            for course in after.courses
            if course.journey in was
        }

    return volumes


def _played(
    engine: Engine,
    played: LoadedProject,
    behaving: LoadedProject,
    env: str,
    now: datetime,
    days: int,
) -> Forecast:
    from journeylang.simulate.run import Asked, play
    from journeylang.simulate.scratch import beside

    assumed = list(behaving.project.assumptions.values())
    only = assumed[0] if len(assumed) == 1 else None
    with beside(engine) as (scratch, source):
        return play(
            scratch,
            source,
            played.project,
            Asked(
                now=now,
                days=days,
                lines=only.lines if only is not None else (),
                assumed_by=f"assume {only.name}" if only is not None else "",
                fit=FITTED if only is None else None,
            ),
            template_entry_fields=template_entry_fields(played),
            templates=played.template_texts(),
            providers={},
            past=lambda there: past_of(there, played, env),
        )


def _cost(course: Course) -> Decimal | None:
    return course.cost if course.cost is not None else Decimal(0)
