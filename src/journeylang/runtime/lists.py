"""Putting the project's lists of people into the database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from journeylang.engines.base import Engine
from journeylang.model.lists import ContactList, ProspectList
from journeylang.model.project import Project
from journeylang.sql import prospects
from journeylang.sql.lists import STAGE, remember, replace_list, stored_digests, strangers
from journeylang.sql.prospects import replace_prospects, stage
from journeylang.sql.relations import customers
from journeylang.sql.session import temporary


def store_lists(engine: Engine, project: Project, now: datetime) -> None:
    """Let the database know the lists as they are in the project; those that changed are read."""
    if not project.lists and not project.collected:
        return
    d, known = engine.dialect, dict(engine.query(stored_digests()))
    for rows in project.lists.values():
        if known.get(rows.path) == rows.digest:
            continue
        engine.execute(temporary(d, "list_stage", STAGE))
        engine.insert("list_stage", STAGE, [(value,) for value in rows.values])
        for statement in replace_list(rows, d.instant(now), d):
            engine.execute(statement)
    for name, listed in project.collected.items():
        mark = f"prospects {name}"
        if known.get(mark) == listed.people.digest:
            continue
        columns = stage(listed)
        there = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
        engine.execute(d.fresh_table("prospect_stage", there))
        engine.insert("prospect_stage", columns, listed.rows)
        for statement in replace_prospects(listed, d):
            engine.execute(statement)
        for statement in remember(mark, listed.people.digest, d.instant(now)):
            engine.execute(statement)


def unknown_people(engine: Engine, project: Project) -> Iterator[tuple[ContactList, int, int]]:
    """Each list with the number of its people, and of those who are no customers."""
    for rows in project.lists.values():
        base = customers(project.binding, engine.dialect, (rows.subject.name,))
        people, unknown = engine.query(strangers(rows, base, engine.dialect))[0]
        yield rows, people, unknown


def unknown_prospects(
    engine: Engine, project: Project
) -> Iterator[tuple[ProspectList, list[tuple[str | None, int, int]]]]:
    """Each collected list with its sources: how many people, how many of them no customers."""
    for listed in project.collected.values():
        yield listed, engine.query(prospects.strangers(project, listed, engine.dialect))
