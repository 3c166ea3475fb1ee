"""What each name of a project stands for, and where else it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field

from journeylang.analysis.declared import MESSAGE_EVENTS, REDEEMED
from journeylang.analysis.paths import every_step
from journeylang.classes import dataclass
from journeylang.lsp.mentions import Mention, Symbol
from journeylang.source import Span
from journeylang.syntax import nodes

BUILT_IN = frozenset((*MESSAGE_EVENTS, REDEEMED))


@dataclass(slots=True)
class Names:
    """The names of all files. ``by_file`` has each file's mentions in the order of their places.

    ``included`` says of an `include` step which fragment's steps stand behind it, ``entries`` of a
    journey which event lets people in.
    """

    by_file: Mapping[str, tuple[Mention, ...]]
    included: Mapping[Symbol, str] = field(default_factory=dict)
    entries: Mapping[str, str] = field(default_factory=dict)
    defined: dict[Symbol, list[Span]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for mention in self.all():
            if mention.defines:
                self.defined.setdefault(mention.meant[0], []).append(mention.span)

    def all(self) -> Iterator[Mention]:
        for found in self.by_file.values():
            yield from found

    def at(self, path: str, offset: int) -> Mention | None:
        """The name at a place, or directly before it: the shortest, where several are."""
        there = [
            mention
            for mention in self.by_file.get(path, ())
            if mention.span.start <= offset <= mention.span.end
        ]
        return min(there, key=lambda m: m.span.end - m.span.start, default=None)

    def symbol(self, mention: Mention) -> Symbol:
        """What a name stands for; of what is not defined anywhere the last that it may be."""
        for symbol in mention.meant:
            if symbol in self.defined:
                return symbol
            through = self._through(symbol)
            if through is not None:
                return through
        return mention.meant[-1]

    def _through(self, symbol: Symbol) -> Symbol | None:
        """A step of a fragment, seen through the step that includes it."""
        if symbol.kind != "step":
            return None
        parts = symbol.name.split("/")
        for depth in range(1, len(parts)):
            step = Symbol("step", "/".join(parts[:depth]), symbol.within)
            fragment = self.included.get(step)
            if fragment is not None:
                inner = Symbol("step", "/".join(parts[depth:]), fragment)
                return inner if inner in self.defined else None
        return None

    def definitions(self, symbol: Symbol) -> list[Span]:
        return self.defined.get(symbol, [])

    def references(self, symbol: Symbol) -> list[Span]:
        """Every place where the symbol is named, definitions too."""
        last = symbol.name.rsplit("/", 1)[-1]
        return [
            mention.span
            for mention in self.all()
            if any(s.name.rsplit("/", 1)[-1] == last for s in mention.meant)
            and self.symbol(mention) == symbol
        ]

    def of_kind(self, kind: str, within: str = "") -> list[str]:
        """The names that are defined, in order."""
        return sorted(s.name for s in self.defined if s.kind == kind and s.within == within)


def includes(files: Iterable[nodes.File]) -> dict[Symbol, str]:
    """Which fragment each labelled `include` stands for, by its step."""
    found: dict[Symbol, str] = {}
    for file in files:
        for declaration in file.declarations:
            if isinstance(declaration, nodes.Journey | nodes.Fragment):
                for prefix, step in every_step(declaration.steps, lambda _: None):
                    if isinstance(step, nodes.Include) and step.label is not None:
                        path = "/".join((*prefix, step.label.text))
                        found[Symbol("step", path, declaration.name.text)] = step.fragment.text
    return found


def entries(files: Iterable[nodes.File]) -> dict[str, str]:
    """The event that each journey is entered on."""
    return {
        declaration.name.text: header.event.name.text
        for file in files
        for declaration in file.declarations
        if isinstance(declaration, nodes.Journey)
        for header in declaration.headers
        if isinstance(header, nodes.EnterOn)
    }
