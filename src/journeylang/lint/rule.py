"""What a rule is, and what it is given to look at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import TypeVar

from journeylang.analysis.declared import Declared
from journeylang.analysis.flow import Flow, Path, flow, paths
from journeylang.analysis.messages import TemplateFile, TemplateKey, sends
from journeylang.analysis.template_use import TemplateUse
from journeylang.classes import dataclass
from journeylang.diagnostics.model import Code, Diagnostic
from journeylang.lint.tree import all_blocks
from journeylang.model.journey import Candidate, Journey, Send
from journeylang.model.policy import Policy
from journeylang.model.project import Project
from journeylang.model.tree import below
from journeylang.source import Source
from journeylang.syntax import nodes

N = TypeVar("N")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the rules know from outside the language: of `journey.toml`, and nothing secret.

    ``dialects`` are those of all environments' databases, in the words of sqlglot; ``home`` is that
    of the default one, in which the project's own SQL is written.
    ``postal_addresses`` says by channel whether some environment's provider puts a postal address
    under each message. ``volumes`` says of journeys how many enter in 30 days. ``consents`` are
    those that an environment asks for opens and clicks.
    """

    sql_escape: str = "allow"
    dialects: tuple[str, ...] = ("duckdb",)
    home: str = "duckdb"
    postal_addresses: frozenset[str] = frozenset()
    volumes: Mapping[str, int] = field(default_factory=dict)
    consents: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A project without an error in its definitions, as meant, as written, and as text.

    ``declared`` has the nodes of ``files`` by kind and name; whatever the model holds under a
    name has its node there under the same one.
    """

    project: Project
    files: tuple[nodes.File, ...]
    declared: Declared
    sources: Mapping[str, Source]
    templates: Mapping[TemplateKey, tuple[TemplateFile, ...]] = field(default_factory=dict)
    parts: Mapping[str, Source] = field(default_factory=dict)
    uses: Mapping[TemplateKey, TemplateUse] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    _written: defaultdict[type, list[object]] = field(
        default_factory=lambda: defaultdict(list), init=False, repr=False, compare=False
    )
    _meant: defaultdict[type, list[object]] = field(
        default_factory=lambda: defaultdict(list), init=False, repr=False, compare=False
    )
    _graphs: dict[str, Flow | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _paths: dict[str, tuple[Path, ...] | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _blocks: list[nodes.Block] = field(default_factory=list, init=False, repr=False, compare=False)
    _candidates: list[tuple[Journey, Send, Candidate]] = field(
        default_factory=list, init=False, repr=False, compare=False
    )

    def written(self, kind: type[N]) -> Sequence[N]:
        """Every node of exactly this kind in the files.

        All rules together walk once through the files, and once through the model: each walk
        takes as long as most rules.
        """
        if not self._written:
            _by_kind(self.files, self._written)
        return self._written.get(kind, [])  # type: ignore[return-value]  # they are of the kind

    def meant(self, kind: type[N]) -> Sequence[N]:
        """Every node of exactly this kind in the model: the journeys' steps, and expressions."""
        if not self._meant:
            p = self.project
            # Not the lists: they are people.
            parts = (p.binding, p.metrics, p.segments, p.policies, p.journeys, p.worth, p.prospects)
            _by_kind(parts, self._meant)
        return self._meant.get(kind, [])  # type: ignore[return-value]  # they are of the kind

    @property
    def size(self) -> int:
        """How many nodes there are in the model."""
        self.meant(object)
        return sum(map(len, self._meant.values()))

    def policy(self, journey: Journey) -> Policy | None:
        """The policy that a journey's messages keep."""
        return None if journey.policy is None else self.project.policies.get(journey.policy)

    def with_steps(self) -> Iterator[nodes.Journey | nodes.Fragment]:
        """The definitions that have steps, as written."""
        yield from self.declared.journeys.values()
        yield from self.declared.fragments.values()

    def blocks(self) -> Sequence[nodes.Block]:
        """Every block with steps, as written."""
        if not self._blocks:
            self._blocks.extend(b for node in self.with_steps() for b in all_blocks(node.steps))
        return self._blocks

    def graph(self, journey: Journey) -> Flow | None:
        """The ways through a journey; worked out once for all rules."""
        if journey.name not in self._graphs:
            self._graphs[journey.name] = flow(journey)
        return self._graphs[journey.name]

    def paths(self, journey: Journey) -> tuple[Path, ...] | None:
        """As `flow.paths`: every way from the entry to an end; None where there are too many."""
        if journey.name not in self._paths:
            graph = self.graph(journey)
            self._paths[journey.name] = None if graph is None else paths(graph)
        return self._paths[journey.name]

    def candidates(self) -> Sequence[tuple[Journey, Send, Candidate]]:
        """Every channel of every send of every journey."""
        if not self._candidates:
            self._candidates.extend(
                (journey, send, candidate)
                for journey in self.project.journeys.values()
                for send in sends(journey.body)
                for candidate in send.candidates
            )
        return self._candidates


def _by_kind(root: object, found: defaultdict[type, list[object]]) -> None:
    for node in below(root):
        found[node.__class__].append(node)


Find = Callable[[Checked], Iterable[Diagnostic]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A code and the function that looks for it.

    ``find`` may tell the same thing twice and in any order. It is linear in the size of the
    project, and asks nothing but what it is given: no clock, no chance, no file.
    """

    code: Code
    find: Find
