"""The outbox: claimed batches become messages at their providers, and receipts.

`delivering.py` says how; here is what one configures and what one gets back.
"""

from __future__ import annotations

import gc
import secrets
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import field
from datetime import datetime, timedelta

from journeylang.classes import dataclass
from journeylang.delivery.channels import Channel
from journeylang.delivery.delivering import Delivery
from journeylang.delivery.links import Links
from journeylang.delivery.order import DeliverySummary, Order
from journeylang.delivery.pages import Style
from journeylang.delivery.render import renderer
from journeylang.delivery.scribe import Bounds
from journeylang.delivery.scribes import Scribes
from journeylang.delivery.statements import Statements, doubtful_messages
from journeylang.delivery.writing import Writer
from journeylang.engines.base import Engine, StatementError
from journeylang.model.project import Project
from journeylang.plan.operations import Program
from journeylang.sql.lease import bounded


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryConfig:
    """What delivery needs besides the program.

    `templates`: text by path below `templates/`. `base_url`: where `journey serve` answers;
    None: click links go straight to their target. `link_key`: signs links; None: a key made
    at the first delivery and kept in the database. `opens`: whether e-mails tell that they are
    looked at. `lease`: how long a worker may be silent. `scribes`: processes that write messages,
    within `bounds`; with none they are written in this one.
    """

    channels: Mapping[str, Channel]
    templates: Mapping[str, str]
    base_url: str | None = None
    link_key: bytes | None = field(default=None, repr=False)
    opens: bool = True
    lease: timedelta = timedelta(minutes=10)
    scribes: int = 0
    bounds: Bounds = field(default_factory=Bounds)


_OBJECTS = 50_000
"""So many are made before those that hold each other are looked for."""


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """A claim is some hundred thousand objects, and none of them holds another in a circle: to
    look for such takes a sixth of what a message costs."""
    before = gc.get_threshold()
    if 0 < before[0] < _OBJECTS:
        gc.set_threshold(_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


LONGEST = timedelta(minutes=1)
"""So long may a transaction stand still, at most."""


class Outbox:
    """Delivery for one applied program; keeps connections and compiled templates.

    Not for several threads at once.
    """

    def __init__(
        self, engine: Engine, project: Project, program: Program, config: DeliveryConfig
    ) -> None:
        self.engine = engine
        self.config = config
        self.statements = Statements(
            project=project,
            program=program,
            dialect=engine.dialect,
            exclusive=engine.dialect.name == "duckdb",
        )
        self.writer = Writer(program, project, renderer(config.templates))
        self.journeys = {plan.journey: plan.name for plan in program.journeys}
        self._bind()
        self._links: Links | None = None
        self._scribes: Scribes | None = None
        self._styles = {
            name: Style(
                channel=name,
                letterhead=channel.letterhead,
                preparer=channel.provider.preparer() if config.scribes else None,
            )
            for name, channel in config.channels.items()
        }

    def deliver(
        self,
        *,
        now: Callable[[], datetime],
        limit: int | None = None,
        until: datetime | None = None,
        paused: AbstractSet[str] = frozenset(),
        beside: bool = False,
        progress: Callable[[int], None] | None = None,
        recover: Callable[[], object] | None = None,
    ) -> DeliverySummary:
        """Send what may go out now.

        `now` tells naive UTC. It ends when nothing is left that may go out, when `limit`
        messages were handled, or at `until`. Messages of journeys that are paused, or named by
        `paused`, stay queued. With `beside` another one ticks, perhaps by what was applied later:
        messages of steps that are not known here are left to it. `progress` is told how many
        messages were handled since it was told last. `recover` is what is done when the connection
        is lost; else it is replaced.

        Raises:
            StatementError: the database refused; what was recorded stays.
            DatabaseUnavailableError: it was lost, and did not come back.
        """

        def again() -> None:
            (recover or self.engine.recover)()
            self._bind()

        order = Order(
            engine=self.engine,
            recover=again,
            channels=self.config.channels,
            statements=self.statements,
            writer=self.writer,
            scribes=self._writing(),
            styles=self._styles,
            links=self.links(),
            journeys=self.journeys,
            lease=self.config.lease,
            now=now,
            limit=limit,
            until=until,
            paused=paused,
            beside=beside,
            progress=progress,
        )
        with _seldom_collected():
            return Delivery(order).run()

    def _bind(self) -> None:
        """Who stands still while it lets messages out is in the way of others: not for long."""
        if self.engine.dialect.shared:
            self.engine.execute(bounded(min(self.config.lease, LONGEST).total_seconds()))

    def close(self) -> None:
        """Give back the providers' connections, and end the processes."""
        if self._scribes is not None:
            self._scribes.close()
            self._scribes = None
        for channel in self.config.channels.values():
            channel.provider.close()

    def _writing(self) -> Scribes:
        if self._scribes is None:
            config = self.config
            self._scribes = Scribes(
                config.templates, self.links(), number=config.scribes, bounds=config.bounds
            )
        return self._scribes

    def links(self) -> Links:
        """Signs with the configured key, or with the database's own."""
        if self._links is None:
            key = self.config.link_key or own_key(self.engine)
            self._links = Links(key=key, base_url=self.config.base_url, opens=self.config.opens)
        return self._links


def own_key(engine: Engine) -> bytes:
    """The database's own key for links, made at first use."""
    known = _kept_key(engine)
    if known is not None:
        return known
    key = secrets.token_bytes(32)
    try:
        with engine.transaction():
            engine.execute(f"INSERT INTO journey.meta VALUES ('link_key', '{key.hex()}')")
    except StatementError:
        # Another runtime was quicker: its key is the database's.
        known = _kept_key(engine)
        if known is None:
            raise
        return known
    return key


def _kept_key(engine: Engine) -> bytes | None:
    with engine.transaction():
        known = engine.query("SELECT value FROM journey.meta WHERE name = 'link_key'")
    return bytes.fromhex(known[0][0]) if known else None


def deliver(
    engine: Engine,
    project: Project,
    program: Program,
    config: DeliveryConfig,
    *,
    now: Callable[[], datetime],
    limit: int | None = None,
    until: datetime | None = None,
    paused: AbstractSet[str] = frozenset(),
    progress: Callable[[int], None] | None = None,
) -> DeliverySummary:
    """One delivery, connections opened and closed: see `Outbox.deliver`."""
    outbox = Outbox(engine, project, program, config)
    try:
        return outbox.deliver(now=now, limit=limit, until=until, paused=paused, progress=progress)
    finally:
        outbox.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubtful:
    """A message of which nobody can say whether it was taken; `message` is its public id."""

    message: str
    journey: str
    step: str
    channel: str
    since: datetime
    detail: str | None


def doubtful(engine: Engine) -> list[Doubtful]:
    """All messages in doubt, the oldest first. No personal data."""
    return [
        Doubtful(
            message=message, journey=journey, step=step, channel=channel, since=at, detail=detail
        )
        for message, journey, step, channel, at, detail in engine.query(doubtful_messages())
    ]
