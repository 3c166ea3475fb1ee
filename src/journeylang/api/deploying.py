"""Plans and applies of a project, on the database of one of its environments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from journeylang.api.applying import not_applied, unusable
from journeylang.api.database import open_database
from journeylang.api.program import template_entry_fields
from journeylang.diagnostics.model import Diagnostic, Outcome
from journeylang.loading.project import LoadedProject

if TYPE_CHECKING:
    from journeylang.deploy.plan import Forecast, Plan
    from journeylang.deploy.revisions import Revision
    from journeylang.engines.base import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What an apply would do, and what was found on the way. `base` is what runs."""

    plan: Plan
    base: Revision | None
    diagnostics: tuple[Diagnostic, ...]


def plan_project(
    loaded: LoadedProject,
    env: str,
    *,
    now: datetime,
    environ: Mapping[str, str] | None = None,
    forecast: Forecast | None = None,
) -> Outcome[Planned]:
    """What applying the project to the environment would do. Nothing is written.

    Where the plan is refused it is there all the same, and its diagnostics say why.
    """
    from journeylang.engines.base import StatementError
    from journeylang.plan.ways import TooManyWaysError

    opened = open_database(loaded, env, environ=environ)
    if opened.value is None:
        return Outcome(value=None, diagnostics=opened.diagnostics)
    engine = opened.value
    try:
        return _planned(engine, loaded, env, now, forecast)
    except (StatementError, TooManyWaysError) as error:
        return Outcome(value=None, diagnostics=unusable(error))
    finally:
        engine.close()


def _planned(
    engine: Engine, loaded: LoadedProject, env: str, now: datetime, forecast: Forecast | None
) -> Outcome[Planned]:
    from journeylang.deploy.plan import make_plan
    from journeylang.deploy.revisions import latest
    from journeylang.runtime.soundness import examine

    unsound = examine(engine, loaded.project, keys=False)
    if loaded.project.journeys and unsound.journeys >= set(loaded.project.journeys):
        return Outcome(value=None, diagnostics=unsound.diagnostics)
    base = latest(engine)
    with applied_project(engine, base, env, loaded.root) as old:
        plan = make_plan(
            engine,
            loaded,
            old,
            now=now,
            template_fields=template_entry_fields(loaded),
            without=unsound.journeys,
            forecast=forecast,
        )
    refused = tuple(not_applied(loaded, one) for one in plan.refused)
    return Outcome(
        value=Planned(plan=plan, base=base, diagnostics=(*unsound.diagnostics, *refused)),
        diagnostics=(*unsound.diagnostics, *refused),
    )


@contextmanager
def applied_project(
    engine: Engine, base: Revision | None, env: str, root: Path
) -> Iterator[LoadedProject | None]:
    """The project as it was applied, for as long as it is needed; None where it is not known."""
    from journeylang.deploy.revisions import texts
    from journeylang.deploy.snapshot import laid_out
    from journeylang.loading.project import load

    if base is None:
        yield None
        return
    with laid_out(texts(engine, base), lists=root) as place:
        loading = load(place, env)
        yield loading.outcome.value if loading.outcome.ok else None
