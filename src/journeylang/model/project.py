"""All definitions of a project, by name."""

from __future__ import annotations

from dataclasses import field

from journeylang.classes import dataclass
from journeylang.model.assumptions import Assumptions
from journeylang.model.binding import Binding
from journeylang.model.expressions import Expression
from journeylang.model.journey import Journey
from journeylang.model.lists import ContactList, ProspectList, Prospects
from journeylang.model.measures import Worth
from journeylang.model.policy import Policy
from journeylang.model.trials import Trial
from journeylang.model.types import Type
from journeylang.source import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    name: str
    title: str | None
    value: Expression
    type: Type
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    name: str
    title: str | None
    condition: Expression
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """`moved in JOURNEY: source -> target`: where people go from a step that is gone.

    Both are paths; a target of None ends their run.
    """

    journey: str
    source: str
    target: str | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    binding: Binding
    metrics: dict[str, Metric]
    segments: dict[str, Segment]
    policies: dict[str, Policy]
    journeys: dict[str, Journey]
    worth: Worth | None = None
    # What `set` writes anywhere, by name; the values may be unknown.
    profile: dict[str, Type] = field(default_factory=dict)
    # The files that `in list` names, by path; read when a project is loaded.
    lists: dict[str, ContactList] = field(default_factory=dict)
    prospects: dict[str, Prospects] = field(default_factory=dict)
    collected: dict[str, ProspectList] = field(default_factory=dict)
    trials: tuple[Trial, ...] = ()
    moves: tuple[Move, ...] = ()
    # For dry runs alone: nothing that is sent depends on them.
    assumptions: dict[str, Assumptions] = field(default_factory=dict)
