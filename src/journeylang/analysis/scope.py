"""What the names of an expression may refer to, by the place where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from journeylang.classes import dataclass
from journeylang.model.expressions import Drawn, EventSource
from journeylang.model.types import INSTANT, TEXT, Type
from journeylang.syntax import nodes


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The fields of the customers or of an event.

    A field whose declaration is wrong has the type None: its uses are not reported again.
    ``open`` is a shape of which nothing is known, so that every name passes.
    """

    fields: Mapping[str, Type | None] = field(default_factory=dict)
    pii: frozenset[str] = frozenset()
    open: bool = False


NO_SHAPE = Shape(open=True)

RESERVED_OF_CUSTOMERS: Mapping[str, Type] = {"key": TEXT, "timezone": TEXT, "locale": TEXT}
"""What every customer has, whatever the binding's fields."""

AT: Mapping[str, Type] = {"at": INSTANT}
"""What every event has."""


KEY: Mapping[str, Type] = {"key": TEXT}
"""What every row of a catalogue has, as text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableScope:
    """Columns of the bound table: ``o.total``; without an alias also the bare ``total``.

    ``text``: they are known to be texts, as those of a file are.
    """

    alias: str
    bare: bool
    text: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EventScope:
    """The event whose rows a ``where`` looks at: its fields are bare names.

    Or a catalogue, whose rows have no instant (``timed``).
    """

    name: str
    source: EventSource
    shape: Shape
    timed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyScope:
    """What the expressions of a journey may speak of besides the customer.

    ``entry`` has the fields of the event that begins a run. ``steps`` has the kind of each
    labelled step by its path.
    """

    name: str
    entry: Shape
    steps: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterType:
    """What a parameter holds: a kind of value, or `template` or `percent`, which are none."""

    name: str
    currency: str | None = None

    def __str__(self) -> str:
        return f"{self.name}({self.currency})" if self.currency is not None else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter where it is used. What is wrong with it is told elsewhere: its ``type`` is
    then None. Without a ``value`` it is not known here which one it will have."""

    type: ParameterType | None
    value: nodes.Literals | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """``what`` completes "… in {what}". ``inside`` is the path of the block the text is in.

    ``run``: there is a run already, and with it ``entry.x``, ``since entry`` and this run's
    own messages. ``drawn`` are the factors of the experiments before, which templates know by
    their names.
    """

    what: str
    table: TableScope | None = None
    customer: bool = True
    aggregates: bool = True
    event: EventScope | None = None
    journey: JourneyScope | None = None
    run: bool = False
    inside: tuple[str, ...] = ()
    profile: bool = True
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    drawn: Mapping[str, Drawn] = field(default_factory=dict)


AUDIENCE = Scope(what="a segment or metric")
PERSON = Scope(what="a consent or channel", aggregates=False, profile=False)
