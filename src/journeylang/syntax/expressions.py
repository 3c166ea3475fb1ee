"""The parts of expressions, as written.

Nothing here is resolved: ``Ref`` may turn out to be a column, a metric, a parameter or
nothing at all. A chain of ``and`` or of ``or`` is one node with many operands, so that a long
condition is no deep tree.
"""

from dataclasses import field
from typing import Literal, TypeAlias

from journeylang.classes import dataclass
from journeylang.source import Span
from journeylang.syntax.literals import Duration, Integer, Literals, Name, Percent, SqlHatch, String


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """A dotted name: ``total``, ``customer.country``, ``entry.reason``, ``o.status``, ``row.x``."""

    parts: tuple[Name, ...]
    span: Span = field(compare=False, repr=False)

    @property
    def text(self) -> str:
        return ".".join(part.text for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A slashed name: ``hello``, ``winback/offer``, ``subject/named/hello``."""

    parts: tuple[Name, ...]
    span: Span = field(compare=False, repr=False)

    @property
    def text(self) -> str:
        return "/".join(part.text for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRef:
    """``order_placed`` or ``opened of winback/offer``.

    ``of`` may name a step of this journey, a step of another, a channel or a promo.
    """

    name: Name
    of: Path | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class And:
    """Two operands or more, none of them an unbracketed ``And``."""

    operands: tuple["Expression", ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Or:
    """Two operands or more, none of them an unbracketed ``Or``."""

    operands: tuple["Expression", ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """``not x``; ``x not in …`` is a ``Not`` around the ``in``."""

    operand: "Expression"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Negate:
    """``-x``."""

    operand: "Expression"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary:
    """Arithmetic on two operands."""

    op: Literal["+", "-", "*", "/"]
    left: "Expression"
    right: "Expression"
    span: Span = field(compare=False, repr=False)


CompareOp: TypeAlias = Literal["=", "!=", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    op: CompareOp
    left: "Expression"
    right: "Expression"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """``x between low and high``, both ends included."""

    subject: "Expression"
    low: "Expression"
    high: "Expression"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class InList:
    """``x in (a, b)``; at least one item."""

    subject: "Expression"
    items: tuple["Expression", ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class InSegment:
    """``customer in segment vip``, or ``in segment vip`` with the subject left out."""

    subject: "Expression | None"
    segment: Name
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class InListFile:
    """``in list "lists/fair.csv"``; the subject may be left out."""

    subject: "Expression | None"
    path: String
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contains:
    subject: "Expression"
    part: "Expression"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartsWith:
    subject: "Expression"
    prefix: "Expression"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class IsKnown:
    """``x is known``, or with ``known=False`` ``x is unknown``."""

    subject: "Expression"
    known: bool
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeTest:
    """``x older than 120d``, or with ``older=False`` ``x newer than 120d``."""

    subject: "Expression"
    older: bool
    age: "DurationLike"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    """The window ``within 90d``."""

    length: "DurationLike"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """The window ``since entry`` or ``since last(order_placed)``."""

    start: "Expression"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """``sum(order_placed.total where items > 1 within 90d)``.

    ``function`` is as written: one of ``AGGREGATES``, or an unknown name that was used with a
    condition, a window or ``of`` and so can be nothing else. ``event_field`` is ``total``
    above.
    ``windows`` are all to hold.
    """

    function: Name
    event: EventRef
    event_field: Name | None
    where: "Expression | None"
    windows: tuple[Within | Since, ...]
    span: Span = field(compare=False, repr=False)


AGGREGATES = frozenset(
    {"count", "sum", "avg", "min", "max", "first", "last", "exists", "distinct", "most"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """``age(customer.birth_date)``, ``promo(winback20)``: any function that is no aggregate."""

    function: Name
    arguments: tuple["Expression", ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopBy:
    """``top 10% by spend_year``."""

    share: Percent
    by: "Expression"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TileBy:
    """``tile 5 by spend_year``."""

    tiles: Integer
    by: "Expression"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopOf:
    """``top 3 of products by price where price < 50 EUR``; only as a value in ``with { … }``."""

    count: "Integer | Ref"
    catalog: Name
    by: "Expression | None"
    where: "Expression | None"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf:
    """``["a", "b"]``; only as a value in ``with { … }``."""

    items: tuple["Expression", ...]
    span: Span = field(compare=False, repr=False)


Expression: TypeAlias = (
    Literals
    | SqlHatch
    | Ref
    | And
    | Or
    | Not
    | Negate
    | Binary
    | Compare
    | Between
    | InList
    | InSegment
    | InListFile
    | Contains
    | StartsWith
    | IsKnown
    | AgeTest
    | Aggregate
    | Call
    | TopBy
    | TileBy
)

# A literal, or the name of a parameter that holds one.
DurationLike: TypeAlias = Duration | Ref
PercentLike: TypeAlias = Percent | Ref
CountLike: TypeAlias = Integer | Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Otherwise:
    """``else skip``, ``else hold 12h``, ``else continue``, ``else exit as sold_out``."""

    action: Literal["skip", "hold", "continue", "exit"]
    hold: DurationLike | None
    reason: Name | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """``key: value`` in braces; ``otherwise`` stands behind a ``promo(…)`` or a ``TopOf``."""

    key: Name
    value: Expression | TopOf | ListOf
    otherwise: Otherwise | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeName:
    """``money(EUR)?``; ``currency`` is written for ``money`` alone."""

    name: Name
    currency: Name | None
    optional: bool
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """``gap: duration = 3d``: of a fragment, a journey, or a field of ``enter by start``."""

    name: Name
    type: TypeName
    default: Expression | None
    span: Span = field(compare=False, repr=False)
