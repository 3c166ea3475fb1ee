"""The part of the page on `journey.toml`: every table and key, from the model that reads it."""

from __future__ import annotations

import inspect

from pydantic import BaseModel

from journeylang.loading.config import Environment, LintTable, ProjectTable, ServeTable
from tests.docs.parts import table
from tests.docs.provider_parts import kind_of

_TABLES: dict[str, type[BaseModel]] = {
    "project": ProjectTable,
    "lint": LintTable,
    "env.NAME": Environment,
    "env.NAME.serve": ServeTable,
}


def configuration() -> str:
    parts = []
    for title, model in _TABLES.items():
        words = inspect.cleandoc(model.__doc__ or "").replace("``", "`")
        rows = [
            (f"`{field.alias or name}`", kind_of(model, name), field.description or "")
            for name, field in model.model_fields.items()
        ]
        for key, _, meaning in rows:
            assert meaning or key == "`name`", f"{title}: {key} has no description"
        said = " ".join(words.partition(": ")[2].split())
        heads = ("key", "what it holds", "")
        parts.append(f"## {title}\n\n{said[:1].upper()}{said[1:]}\n\n{table(heads, rows)}")
    return "\n\n".join(parts)
