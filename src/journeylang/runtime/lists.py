"""Putting the project's lists of people into the database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from journeylang.engines.base import Engine
from journeylang.model.lists import ContactList
from journeylang.model.project import Project
from journeylang.sql.lists import STAGE, replace_list, stored_digests, strangers
from journeylang.sql.relations import customers
from journeylang.sql.session import temporary


def store_lists(engine: Engine, project: Project, now: datetime) -> None:
    """Let the database know the lists as they are in the project; those that changed are read."""
    if not project.lists:
        return
    known = dict(engine.query(stored_digests()))
    for rows in project.lists.values():
        if known.get(rows.path) == rows.digest:
            continue
        engine.execute(temporary("list_stage", STAGE))
        engine.insert("list_stage", STAGE, [(value,) for value in rows.values])
        for statement in replace_list(rows, engine.dialect.instant(now), engine.dialect):
            engine.execute(statement)


def unknown_people(engine: Engine, project: Project) -> Iterator[tuple[ContactList, int, int]]:
    """Each list with the number of its people, and of those who are no customers."""
    for rows in project.lists.values():
        base = customers(project.binding, engine.dialect, (rows.subject.name,))
        people, unknown = engine.query(strangers(rows, base, engine.dialect))[0]
        yield rows, people, unknown
