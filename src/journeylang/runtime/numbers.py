"""What a database calls things: the numbers of journeys and steps, and the type of its keys."""

from __future__ import annotations

from journeylang.engines.base import Engine
from journeylang.model.project import Project
from journeylang.plan.numbering import Numbering
from journeylang.sql.relations import customers


def key_type(engine: Engine, project: Project) -> str:
    """The type in which the runtime keeps customer keys: the bound column's own."""
    base = customers(project.binding, engine.dialect, ())
    found = engine.shape(f"SELECT customer_id FROM {base} AS c")
    return engine.dialect.key_type(found["customer_id"])


def numbering(engine: Engine) -> Numbering:
    """The numbers that journeys and steps have in this database."""
    names = dict(engine.query("SELECT DISTINCT journey, name FROM journey.version"))
    # A database that is only looked at may not have come so far.
    there = engine.columns(("journey", "step")) or ()
    version, again = (name if name in there else "NULL" for name in ("version", "again"))
    rows = engine.query(f"SELECT journey, path, step, {version}, {again} FROM journey.step")
    # A step that somebody may come to again is that in the versions on which people finish, too.
    marked = {(journey, path) for journey, path, _, _, since in rows if since is not None}
    return Numbering(
        journeys={name: number for number, name in names.items()},
        steps={(names[journey], path): step for journey, path, step, of, _ in rows if of is None},
        aliases={
            (names[journey], path, of): step
            for journey, path, step, of, _ in rows
            if of is not None
        },
        again=frozenset(step for journey, path, step, _, _ in rows if (journey, path) in marked),
    )
