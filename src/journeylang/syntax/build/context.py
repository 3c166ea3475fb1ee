"""What the functions that make nodes have in common: a place for problems, and a bound."""

from typing import Protocol, TypeVar

from journeylang.diagnostics import Code, Diagnostic, Label
from journeylang.diagnostics.codes import names, syntax
from journeylang.source import Source, Span
from journeylang.syntax.expressions import Expression, PercentLike
from journeylang.syntax.literals import Name, Percent

DEEPEST_EXPRESSION = 100
"""Operators within operators; without a bound `not not not …` would exhaust whoever walks it."""

MOST_PROBLEMS = 200
"""Of one file; what comes after them is not told."""

LONGEST_NAME = 200
"""Characters of a name; databases end at 63 to 255."""


class Placed(Protocol):
    @property
    def span(self) -> Span: ...


P = TypeVar("P", bound=Placed)


class Builder:
    """Collects the problems of one file while its tree is made."""

    __slots__ = ("_depths", "_told_of_depth", "problems", "source")

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Diagnostic] = []
        # The nodes are kept beside their depths, or another could come to have the same id.
        self._depths: dict[int, tuple[Expression, int]] = {}
        self._told_of_depth = False

    def problem(
        self,
        span: Span,
        message: str,
        *,
        code: Code = names.BAD_VALUE,
        label: str = "",
        help: str = "",  # noqa: A002 - the word that a reader sees
        labels: tuple[Label, ...] = (),
    ) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            found = Diagnostic(
                code=code, message=message, span=span, label=label, help=help, labels=labels
            )
            self.problems.append(found)

    def repeated(self, what: str, first: Span, again: Span) -> None:
        self.problem(
            again,
            f"{what} stands twice",
            code=names.REPEATED_PART,
            help="remove one of them",
            labels=(Label(first, "the first is here"),),
        )

    def name(self, span: Span, text: str) -> Name:
        if len(text) > LONGEST_NAME:
            self.problem(
                span,
                f"a name of {len(text):,} characters; {LONGEST_NAME} are the most",
                help="choose a shorter name",
            )
        return Name(text=text, span=span)

    def only(self, what: str, found: list[P]) -> P | None:
        """The one that is meant to stand once; each further one is reported."""
        for again in found[1:]:
            self.repeated(what, found[0].span, again.span)
        return found[0] if found else None

    def check_share(self, what: str, given: PercentLike) -> None:
        """Report a share of people that is none."""
        if isinstance(given, Percent) and given.value > 100:
            self.problem(
                given.span, f"{what} of more than 100%", help="a share lies between 0% and 100%"
            )

    def level(self, node: Expression, parts: tuple[Expression, ...]) -> Expression:
        """The node that holds the parts; or, where it would be one level too many, a part."""
        depths = self._depths
        deepest = 0
        for part in parts:
            known = depths.get(id(part))
            if known is not None and known[1] > deepest:
                deepest = known[1]
        if deepest < DEEPEST_EXPRESSION:
            depths[id(node)] = (node, deepest + 1)
            return node
        if not self._told_of_depth:
            self._told_of_depth = True
            self.problem(
                node.span,
                f"an expression with more than {DEEPEST_EXPRESSION} operators within each other",
                code=syntax.TOO_DEEP,
                help="name parts of it as segments or metrics",
            )
        return parts[0]
