"""What a file holds: its declarations, as written."""

from dataclasses import field
from typing import TypeAlias

from journeylang.classes import dataclass
from journeylang.source import Span
from journeylang.syntax.binding import (
    Catalog,
    Channel,
    ConsentTable,
    ConsentWhen,
    Customers,
    CustomerValue,
    Event,
    Promo,
    Prospects,
    Topic,
)
from journeylang.syntax.expressions import Expression, Parameter, Path
from journeylang.syntax.headers import Journey
from journeylang.syntax.literals import Integer, Name, String
from journeylang.syntax.policies import Policy
from journeylang.syntax.steps import Block
from journeylang.syntax.trials import Assume, Test


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """``metric spend_year "Spent in the last year" = …``."""

    name: Name
    title: String | None
    value: Expression
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """``segment vip "Spends 500 EUR a year or more" = …``."""

    name: Name
    title: String | None
    condition: Expression
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """``fragment chase(template: template, gap: duration = 3d) { steps… }``."""

    name: Name
    parameters: tuple[Parameter, ...]
    title: String | None
    steps: Block
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """``moved in winback: cool_off -> breathe``; ``target`` is None for ``-> exit``."""

    journey: Name
    source: Path
    target: Path | None
    span: Span = field(compare=False, repr=False)


Declaration: TypeAlias = (
    Customers
    | Event
    | ConsentTable
    | ConsentWhen
    | Topic
    | Channel
    | Promo
    | Catalog
    | CustomerValue
    | Prospects
    | Metric
    | Segment
    | Policy
    | Journey
    | Fragment
    | Moved
    | Test
    | Assume
)


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file; ``language`` is the edition in its first line, where it has one."""

    language: Integer | None
    declarations: tuple[Declaration, ...]
    span: Span = field(compare=False, repr=False)
