"""A project on its database: ticks and deliveries."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from journeylang.api.applying import applied, past_of
from journeylang.api.database import open_database
from journeylang.api.program import template_entry_fields
from journeylang.classes import dataclass
from journeylang.diagnostics.codes.running import (
    CHANNEL_PAUSED,
    CUSTOMERS_MISSING,
    DATABASE_ERROR,
    INVALID_TIMEZONE,
    JOURNEY_PAUSED,
    SMTP_UNAVAILABLE,
    TEMPLATE_FAILED,
)
from journeylang.diagnostics.model import Diagnostic, Outcome
from journeylang.loading.find import CONFIG
from journeylang.loading.project import LoadedProject
from journeylang.loading.secrets import secret

if TYPE_CHECKING:
    from journeylang.delivery.order import DeliverySummary
    from journeylang.delivery.outbox import Outbox
    from journeylang.delivery.outcome import Refused as RefusedByProvider
    from journeylang.delivery.outcome import TryLater
    from journeylang.engines.base import Engine
    from journeylang.runtime.gone import Missing
    from journeylang.runtime.session import JourneyFailedError, Session, TickResult


@dataclass(slots=True)
class Runtime:
    """A project on its database, ready to tick.

    `problems` collects what was found on the way: journeys that stand still and why, zones
    that are none. Everything else goes on.
    """

    loaded: LoadedProject
    env: str
    engine: Engine
    session: Session
    problems: list[Diagnostic] = field(default_factory=list)
    standing: set[str] = field(default_factory=set)
    writers: int = 0
    moves: bool = True
    gone_is_meant: bool = False
    _zones: set[str] = field(default_factory=set)
    _told: set[str] = field(default_factory=set)
    _outbox: Outbox | None = None
    _held: bool = False
    _link_key: bytes | None = field(default=None, repr=False)

    @classmethod
    def open(
        cls,
        loaded: LoadedProject,
        env: str,
        *,
        now: datetime,
        environ: Mapping[str, str] | None = None,
        wait: float = 10.0,
        examine_keys: bool = True,
        before: Callable[[str], None] | None = None,
        apply: bool | None = None,
        moves: bool = True,
        writers: int = 0,
        gone_is_meant: bool = False,
        refused_if: Callable[[Engine], tuple[Diagnostic, ...]] | None = None,
    ) -> Outcome[Runtime]:
        """Open the environment's database, look whether the binding holds, and apply.

        An environment that does not apply by itself runs what was applied to it, unless `apply`
        says otherwise. `now` is the instant from which triggers of new journeys count. `before`
        sees each statement. One that `moves` nobody applies nothing and does not tick: it delivers
        beside the one that does. `writers` is how many processes write messages where the
        environment does not say it; with none they are written in this one. `gone_is_meant`: as
        `runtime.tick.tick`. `refused_if` says, once nobody else can apply, why nothing is to be.
        """
        key = link_key(loaded, env, environ)
        if key.diagnostics:
            return Outcome(value=None, diagnostics=key.diagnostics)
        opened = open_database(loaded, env, environ=environ, wait=wait, before=before)
        if opened.value is None:
            return Outcome(value=None, diagnostics=opened.diagnostics)
        engine = opened.value
        if apply is None:
            apply = moves and loaded.config.applies_by_itself(env)
        told: tuple[Diagnostic, ...] = ()
        if not apply:
            from journeylang.api.deploying import what_runs

            runs = what_runs(engine, loaded, env)
            if runs.value is None:
                engine.close()
                return Outcome(value=None, diagnostics=runs.diagnostics)
            loaded, told = runs.value, runs.diagnostics
        prepared = applied(
            engine,
            loaded,
            env,
            now,
            keys=examine_keys and moves,
            apply=apply,
            moves=moves,
            wait=wait if apply else 0,
            refused_if=refused_if,
        )
        if prepared.value is None:
            engine.close()
            return Outcome(value=None, diagnostics=prepared.diagnostics)
        session, standing = prepared.value
        runtime = cls(
            loaded=loaded,
            env=env,
            engine=engine,
            session=session,
            problems=[*told, *prepared.diagnostics],
            standing=set(standing),
            writers=writers,
            moves=moves,
            gone_is_meant=gone_is_meant,
            _link_key=key.value,
        )
        return Outcome(value=runtime, diagnostics=(*told, *prepared.diagnostics))

    def tick(self, now: datetime) -> TickResult:
        """Step everybody to `now` (naive UTC).

        A journey whose statements the database refuses, or whose tables are no longer as they
        are bound, stands still from then on, with a diagnostic in `problems`; the tick is done
        again without it.

        Raises:
            StatementError: the database refused what no journey can be left out of.
        """
        from journeylang.engines.base import ConflictError, StatementError
        from journeylang.runtime.lease import TakenOverError
        from journeylang.runtime.session import JourneyFailedError, TickResult
        from journeylang.runtime.tick import tick

        while True:
            if self._nobody:
                return TickResult(now=now, idle=True)
            try:
                result = tick(
                    self.session, now, skip=self.standing, gone_is_meant=self.gone_is_meant
                )
            except (ConflictError, TakenOverError):
                raise
            except (JourneyFailedError, StatementError) as error:
                if not self._unsound(now):
                    if isinstance(error, StatementError):
                        raise
                    self.standing.add(error.journey)
                    self.problems.append(self._failed(error))
                continue
            self._report_zones(result.invalid_zones)
            self.problems += [self._guarded(name, why) for name, why in result.paused]
            self._held = result.missing is not None
            if result.missing is not None:
                self._tell_once(str(result.missing), self._missing(result.missing))
            return result

    def _unsound(self, now: datetime) -> bool:
        """Whether the binding no longer holds; what rests on it is then left out of the plan."""
        from journeylang.runtime.aside import remembered
        from journeylang.runtime.setup import prepare
        from journeylang.runtime.soundness import examine

        project = self.loaded.project
        found = examine(self.engine, project)
        same = set(found.doubts) == set(remembered(self.engine))
        if found.journeys <= self.standing and same:
            return False
        self.problems += [d for d in found.diagnostics if d not in self.problems]
        self.standing |= found.journeys
        if self._nobody:
            return True
        session = prepare(
            self.engine,
            project,
            now=now,
            template_entry_fields=template_entry_fields(self.loaded),
            without=self.standing,
            lease=self.session.lease,
            doubts=found.doubts,
            apply=False,
            past=past_of(self.engine, self.loaded, self.env),
        )
        assert not isinstance(session, list), "nothing is applied"
        self.session = session
        if self._outbox is not None:
            self._outbox.close()
            self._outbox = None
        return True

    @property
    def _nobody(self) -> bool:
        """Whether every journey stands still."""
        return bool(self.standing) and self.standing.issuperset(self.loaded.project.journeys)

    def _failed(self, error: JourneyFailedError) -> Diagnostic:
        journey = self.loaded.project.journeys[error.journey]
        return Diagnostic(
            code=DATABASE_ERROR,
            message=f"journey `{error.journey}` stands still: {error}",
            span=journey.span,
            help="the others go on; `journey compile --emit sql` shows the statement",
        )

    def _report_zones(self, names: tuple[str, ...]) -> None:
        new = [name for name in names if name not in self._zones]
        if not new:
            return
        self._zones.update(new)
        customers = self.loaded.project.binding.customers
        assert customers is not None
        shown = ", ".join(f"`{name}`" for name in sorted(new)[:5])
        more = f" and {len(new) - 5} more" if len(new) > 5 else ""
        self.problems.append(
            Diagnostic(
                code=INVALID_TIMEZONE,
                message=f"no such time zone: {shown}{more}",
                span=customers.timezone.span if customers.timezone else customers.span,
                help=f"those customers live by `{customers.zone_else}` until it is mended",
            )
        )

    def deliver(
        self, now: datetime, *, limit: int | None = None, running: bool = False
    ) -> DeliverySummary:
        """Send what is in the outbox and may go out at `now` (naive UTC).

        With `running` the clock goes on from there while it sends, as leases need at which others
        look; without, it stands still.

        A channel that nothing goes through and a template that fails are told in `problems`;
        their messages stay, or are marked as failed, and the rest goes on. While the customers are
        rather being loaded nothing is sent: whoever is missing would have theirs cancelled.
        """
        from journeylang.delivery.order import DeliverySummary
        from journeylang.runtime.gone import held_back
        from journeylang.runtime.pauses import pause

        if self._nobody or self._held:
            return DeliverySummary()
        if self._outbox is None:
            self._outbox = self._open_outbox()
        began = time.monotonic()

        def clock() -> datetime:
            return now + timedelta(seconds=time.monotonic() - began) if running else now

        summary = self._outbox.deliver(
            now=clock,
            limit=limit,
            paused=self.standing,
            beside=not self.moves,
            # Ticks on this connection have temporary tables, which a new one lacks.
            recover=self.session.begin_again if self.session.engine is self.engine else None,
        )
        missing = None if self.moves else held_back(self.engine)
        if missing is not None:
            # Another process ticks, and has found it.
            self._tell_once(str(missing), self._missing(missing))
        for channel, why in summary.still.items():
            self._tell_once(f"pause of {channel}: {why}", _still(channel, why))
        for channel, answer in summary.stopped.items():
            self._tell_once(f"channel {channel}", _stopped(channel, answer))
        for journey, why in summary.to_pause.items():
            if pause(self.engine, journey, cause="template", detail=why):
                self.problems.append(self._template_failed(journey, why))
        if summary.problems and not summary.to_pause:
            for problem in summary.problems:
                self._tell_once(problem, Diagnostic(code=TEMPLATE_FAILED, message=problem))
        return summary

    def _open_outbox(self) -> Outbox:
        from journeylang.delivery.channels import open_channels
        from journeylang.delivery.outbox import DeliveryConfig, Outbox

        environment = self.loaded.config.env[self.env]
        given = {name: table.given for name, table in environment.channels.items()}
        invoke = {name: table.given for name, table in environment.invoke.items()}
        opened = open_channels(given, root=self.loaded.root, invoke=invoke)
        self.problems += opened.diagnostics
        config = DeliveryConfig(
            channels=opened.value or {},
            templates=self._earlier_texts() | self.loaded.template_texts(),
            base_url=environment.base_url,
            link_key=self._link_key,
            opens=environment.serve.opens,
            scribes=self.writers if environment.writers is None else environment.writers,
        )
        ready = self.session.ready
        # Rows that are set aside are none to write to either.
        project = replace(self.loaded.project, binding=ready.project.binding)
        project = replace(project, journeys=project.journeys | ready.project.journeys)
        return Outbox(self.engine, project, ready.program, config)

    def _earlier_texts(self) -> dict[str, str]:
        """Templates of versions on which people finish."""
        journeys = self.session.ready.project.journeys.values()
        return {path: text for j in journeys for e in j.earlier for path, text in e.texts}

    def _template_failed(self, journey: str, why: str) -> Diagnostic:
        return Diagnostic(
            code=TEMPLATE_FAILED,
            message=f"journey `{journey}` is paused: {why}",
            span=self.loaded.project.journeys[journey].span,
            help=f"correct the template, then `journey resume {journey}`; what was not sent is in"
            " `journey.messages` as failed",
        )

    def _guarded(self, journey: str, why: str) -> Diagnostic:
        return Diagnostic(
            code=JOURNEY_PAUSED,
            message=f"journey `{journey}` is paused: {why}",
            span=self.loaded.project.journeys[journey].span,
            help=f"see what has changed; `journey resume {journey}` lets it go on",
        )

    def _missing(self, missing: Missing) -> Diagnostic:
        customers = self.loaded.project.binding.customers
        assert customers is not None, "a project with journeys binds customers"
        return Diagnostic(
            code=CUSTOMERS_MISSING,
            message=str(missing),
            span=customers.span,
            help="if the table is being loaded anew, load it in one transaction; if they have left,"
            f" `journey run {self.env} --accept-gone` lets their runs end",
        )

    def _tell_once(self, about: str, diagnostic: Diagnostic) -> None:
        if about not in self._told:
            self._told.add(about)
            self.problems.append(diagnostic)

    def ticks(self, start: datetime, end: datetime, step: timedelta) -> Iterator[TickResult]:
        """Tick at start, start + step, … up to and including `end`."""
        now = start
        while now <= end:
            yield self.tick(now)
            now += step

    def beside(self) -> Runtime:
        """The same on a second connection: one thread ticks while another one delivers.

        Journeys that stand still do so for both; each has problems of its own.
        """
        return replace(
            self, engine=self.engine.beside(), problems=[], _told=set(), _zones=set(), _outbox=None
        )

    def close(self) -> None:
        """Give the database and the providers' connections back."""
        from journeylang.engines.base import StatementError

        if self._outbox is not None:
            self._outbox.close()
        # A second connection leaves the lease to the first.
        if self.session.engine is self.engine:
            with suppress(StatementError):
                self.session.lease.give_back()
        self.engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def link_key(loaded: LoadedProject, env: str, environ: Mapping[str, str] | None) -> Outcome[bytes]:
    """What signs links, if the project names it; else the database has a key of its own."""
    named = loaded.config.env[env].link_key
    if named is None:
        return Outcome(value=None)
    found = secret(
        named,
        os.environ if environ is None else environ,
        source=loaded.sources.get(CONFIG),
        keys=("env", env, "link_key"),
    )
    value = found.value.encode() if found.value is not None else None
    return Outcome(value=value, diagnostics=found.diagnostics)


def _still(channel: str, why: str) -> Diagnostic:
    return Diagnostic(
        code=CHANNEL_PAUSED,
        message=f"channel `{channel}` is paused: {why}",
        help=f"see whose addresses those are; `journey resume {channel} --channel` lets it go on",
    )


def _stopped(channel: str, answer: RefusedByProvider | TryLater) -> Diagnostic:
    return Diagnostic(
        code=SMTP_UNAVAILABLE,
        message=f"nothing goes out by `{channel}`: {answer.detail}",
        help="its messages wait in the outbox; the next run tries again",
    )
