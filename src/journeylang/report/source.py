"""What a report is read from: one database, as its last tick left it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from journeylang.engines.base import Engine
from journeylang.model.journey import Journey
from journeylang.model.project import Project
from journeylang.plan.numbering import Numbering
from journeylang.sql.compiler import Compiler
from journeylang.sql.dialects import Dialect


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """`now` is the last tick's. Journeys are those of the project that were ever applied."""

    engine: Engine
    project: Project
    numbering: Numbering
    now: datetime

    @property
    def dialect(self) -> Dialect:
        return self.engine.dialect

    @property
    def compiler(self) -> Compiler:
        return Compiler(
            project=self.project, dialect=self.engine.dialect, steps=self.numbering.steps
        )

    def number(self, journey: Journey) -> int:
        return self.numbering.journeys[journey.name]

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        return self.engine.query(statement, {"now": self.now})
