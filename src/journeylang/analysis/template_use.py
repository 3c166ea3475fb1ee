"""What a template asks for, as found in its tree."""

from __future__ import annotations

from dataclasses import field

from journeylang.classes import dataclass
from journeylang.source import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterUse:
    """``| money("EUR")``; ``arguments`` is how many it is given."""

    name: str
    arguments: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """A name in a template; ``guarded``: nothing breaks where its value is unknown.

    ``filter`` is the one that is asked of the value itself; ``printed``: it is shown as it is.
    """

    name: str
    guarded: bool
    filter: FilterUse | None = None
    printed: bool = False
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateUse:
    """What a template asks for, each use with its place.

    ``names`` are plain names, to be given by the step's ``with``; ``functions`` the names that
    every template has (`link`, `unsubscribe_url`, `journey`, …). ``rows`` are the fields of what a
    loop takes from a plain name: ``("picks", "pick", …)`` for ``{% for pick in picks %}``;
    ``items`` are uses of what it takes as a whole.
    """

    customer: tuple[Used, ...] = ()
    entry: tuple[Used, ...] = ()
    profile: tuple[Used, ...] = ()
    names: tuple[Used, ...] = ()
    functions: frozenset[str] = frozenset()
    rows: tuple[tuple[str, str, Used], ...] = ()
    items: tuple[tuple[str, Used], ...] = ()

    @property
    def customer_fields(self) -> tuple[str, ...]:
        """Each field once, in the order of first use."""
        return tuple(dict.fromkeys(use.name for use in self.customer))

    @property
    def entry_fields(self) -> tuple[str, ...]:
        """Each field once, in the order of first use."""
        return tuple(dict.fromkeys(use.name for use in self.entry))

    def merged(self, other: TemplateUse) -> TemplateUse:
        """What either of two files of one message uses."""
        return TemplateUse(
            customer=self.customer + other.customer,
            entry=self.entry + other.entry,
            profile=self.profile + other.profile,
            names=self.names + other.names,
            functions=self.functions | other.functions,
            rows=self.rows + other.rows,
            items=self.items + other.items,
        )
