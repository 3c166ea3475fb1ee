"""What a report is read from: one database, as its last tick left it."""

from __future__ import annotations

from dataclasses import field, replace
from datetime import datetime
from typing import Any

from journeylang.classes import dataclass
from journeylang.engines.base import Engine
from journeylang.model.journey import Journey
from journeylang.model.project import Project
from journeylang.plan.numbering import Numbering
from journeylang.sql.compiler import Compiler
from journeylang.sql.dialects import Dialect


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """`now` is the last tick's. Journeys are those of the project that were ever applied.

    `kept`: what one report has read of tables that several of its parts are about.
    """

    engine: Engine
    project: Project
    numbering: Numbering
    now: datetime
    kept: dict[str, list[tuple[Any, ...]]] | None = field(default=None, compare=False)

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

    def for_one_report(self) -> Source:
        """As of one moment: what `once` reads is read once."""
        return replace(self, kept={})

    def once(self, statement: str) -> list[tuple[Any, ...]]:
        """A query whose answer is kept, for the other parts of the same report."""
        if self.kept is None:
            return self.query(statement)
        if statement not in self.kept:
            self.kept[statement] = self.query(statement)
        return self.kept[statement]

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        return self.engine.query(statement, {"now": self.now})
