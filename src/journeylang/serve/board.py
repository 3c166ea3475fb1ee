"""What the dashboard shows and does, over a database that is opened for each request."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import field
from datetime import datetime
from typing import Any

from journeylang.api.program import template_entry_fields
from journeylang.api.standing import standing
from journeylang.classes import dataclass
from journeylang.diagnostics.suggest import did_you_mean
from journeylang.engines.base import Engine
from journeylang.loading.project import LoadedProject
from journeylang.model.project import Project
from journeylang.runtime.channel_pauses import pause_channel, resume_channel
from journeylang.runtime.pauses import Pause, journeys, pause, paused, resume
from journeylang.runtime.zones import zone
from journeylang.serve.attention import Attention
from journeylang.serve.current import Current

COLUMNS = 110
"""Of the text by which a customer's story is told."""


class NoSuchError(Exception):
    """There is no such journey, channel or customer; the words say which are meant."""


class AwayError(Exception):
    """The database cannot be had for now; the words say why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """`open`: the database, or None while it cannot be had. One request asks it at a time."""

    current: Current
    env: str
    open: Callable[[], Engine | None]
    now: Callable[[], datetime]
    attention: Attention
    _alone: threading.Lock = field(default_factory=threading.Lock)

    @property
    def loaded(self) -> LoadedProject:
        """The project as it was applied last."""
        return self.current.applied.loaded

    @property
    def project(self) -> Project:
        return self.loaded.project

    def overview(self) -> dict[str, Any]:
        """What `journey status --output json` has."""
        with self._engine() as engine:
            return standing(engine, self.loaded, self.now())

    def drawing(self, journey: str) -> str:
        """The journey's graph as SVG, with the people at each step."""
        from journeylang.pictures.graph import svg
        from journeylang.plan.chart import chart
        from journeylang.report.live import live

        self._known(journey, self.project.journeys)
        drawn = chart(self.project.journeys[journey])
        with self._engine() as engine:
            found = live(engine, drawn)
        if found is None:
            return svg(drawn, None)
        return svg(drawn, found.told, as_of=f", as of {found.now:%Y-%m-%d %H:%M} UTC")

    def paused(self, journey: str) -> Pause | None:
        """Why and since when it stands still, if it does."""
        with self._engine() as engine:
            return next((one for one in paused(engine) if one.journey == journey), None)

    def report(self, journey: str) -> str | None:
        """The journey's report as a page of its own; None where nothing has run."""
        try:
            import scipy  # noqa: F401
            import vl_convert  # noqa: F401
        except ModuleNotFoundError:
            raise NoSuchError("a report needs the extras `stats` and `charts`") from None
        from journeylang.report.html import as_html
        from journeylang.report.read import Asked, report, source_of

        self._known(journey, self.project.journeys)
        with self._engine() as engine:
            source = source_of(engine, self.project)
            if source is None:
                return None
            return as_html(report(source, self.env, [journey], Asked(pictures=True)))

    def story(self, customer: str, journey: str | None) -> str:
        """What `journey why` tells of one customer, as lines of text."""
        from click import unstyle

        from journeylang.why.explain import NothingRan, Unknown, explain
        from journeylang.why.text import Text

        names = list(self.project.journeys)
        if journey is not None:
            self._known(journey, names)
            names = [journey]
        with self._engine() as engine:
            answer = explain(
                engine,
                self.project,
                customer=customer,
                journeys=names,
                sources=self.loaded.sources,
                template_entry_fields=template_entry_fields(self.loaded),
                at=None,
                every_run=False,
            )
        match answer:
            case NothingRan():
                return "nothing has run yet"
            case Unknown():
                meant = ", ".join(answer.meant)
                raise NoSuchError(f"no such customer{f'; there is {meant}' if meant else ''}")
            case _:
                tz = zone(answer.zone)
                assert tz is not None
                return unstyle("\n".join(Text(width=COLUMNS, tz=tz).lines(answer)))

    def pause(self, journey: str, why: str) -> None:
        with self._engine() as engine:
            self._known(journey, journeys(engine))
            pause(engine, journey, cause="person", detail=why)

    def resume(self, journey: str) -> None:
        with self._engine() as engine:
            self._known(journey, journeys(engine))
            resume(engine, journey)

    def pause_channel(self, channel: str, why: str) -> None:
        self._known(channel, self.project.binding.channels)
        with self._engine() as engine:
            pause_channel(engine, channel, self.now(), why)

    def resume_channel(self, channel: str) -> None:
        self._known(channel, self.project.binding.channels)
        with self._engine() as engine:
            resume_channel(engine, channel)

    def _known(self, name: str, there: Any) -> None:
        if name not in there:
            meant = did_you_mean(name, there)
            raise NoSuchError(f"`{name[:100]}` is not here" + (f"; {meant}" if meant else ""))

    @contextmanager
    def _engine(self) -> Iterator[Engine]:
        with self._alone:
            engine = self.open()
            if engine is None:
                away = self.attention.away
                words = "another process has it; try again in a moment"
                raise AwayError(words if away is None else f"{away.message}: {away.help}")
            try:
                yield engine
            finally:
                engine.close()
