"""JRN107: a condition whose parts exclude each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from journeylang.analysis.certain import decisions
from journeylang.analysis.ranges import Effort, Fact, contradictory
from journeylang.diagnostics.codes.names import CONTRADICTORY_SEGMENT
from journeylang.diagnostics.model import Diagnostic, Label, Severity
from journeylang.lint.rule import Checked, Rule
from journeylang.model.binding import ConsentWhen
from journeylang.model.entry import EnterBySchedule, EnterJoins, EnterOn, EnterWhen
from journeylang.model.expressions import Aggregate, Expression
from journeylang.model.journey import Journey, Race, WaitState
from journeylang.source import Span

_LONGEST = 60
_LEAST_EFFORT = 50_000
"""Conditions looked at in any project: about a second. Larger projects have more of it, so that
all takes time in proportion to their size, even where thousands of segments rest on each other."""


def contradictory_segment(checked: Checked) -> Iterator[Diagnostic]:
    """Of everything that is a condition, alone and together with what is certain where it stands.

    What is contradictory only because it names a segment that is, is told of the segment alone.
    """
    project = checked.project
    telling = _Telling(checked)
    for segment in project.segments.values():
        yield from telling.of(segment.condition)
    for consent in project.binding.consents.values():
        if isinstance(consent, ConsentWhen):
            yield from telling.of(consent.condition)
    for journey in project.journeys.values():
        yield from _journey(journey, telling)
    for aggregate in checked.meant(Aggregate):
        if aggregate.where is not None:
            yield from telling.of(aggregate.where, who="no row")
    for race in checked.meant(Race):
        for branch in race.branches:
            if branch.where is not None:
                yield from telling.of(branch.where, who="no row")
    for wait in checked.meant(WaitState):
        yield from telling.of(wait.condition)


def _journey(journey: Journey, telling: _Telling) -> Iterator[Diagnostic]:
    known: list[Fact] = []
    match journey.entry:
        case EnterWhen():
            yield from telling.of(journey.entry.condition)
            known = [Fact(condition=journey.entry.condition, because="only these may enter")]
        case EnterOn(where=where) if where is not None:
            yield from telling.of(where, who="no row")
        case EnterBySchedule(condition=condition) if condition is not None:
            yield from telling.of(condition)
            known = [Fact(condition=condition, because="only these may enter")]
        case EnterJoins():
            yield from telling.of(journey.entry.inside)
            known = [Fact(condition=journey.entry.inside, because="only these may enter")]
        case _:
            pass
    if journey.only is not None:
        yield from telling.of(journey.only, known)
    for way_out in journey.exits:
        yield from telling.of(way_out.condition)
    for goal in journey.goals:
        if goal.where is not None:
            yield from telling.of(goal.where, who="no row")
    for decision in decisions(journey, telling.checked.project):
        # A fragment's steps stand in several journeys; what is certain in one says nothing of it.
        own = _within(decision.condition.span, journey.span)
        yield from telling.of(decision.condition, decision.known if own else ())


class _Telling:
    """Puts into words what excludes what."""

    def __init__(self, checked: Checked) -> None:
        self.checked = checked
        self._effort = Effort(left=_LEAST_EFFORT + checked.size // 4)
        self._alone: dict[int, tuple[Fact, ...] | None] = {}
        self._empty = {
            name
            for name, segment in checked.project.segments.items()
            if self._by_itself(segment.condition) is not None
        }

    def of(
        self, condition: Expression, known: Sequence[Fact] = (), *, who: str = "nobody"
    ) -> Iterator[Diagnostic]:
        """The finding that a condition cannot be true, if so.

        Alone it is an error. With what is ``known`` a warning: then it does no harm but to be
        without effect.
        """
        project = self.checked.project
        mine = Fact(condition=condition)
        found = self._by_itself(condition)
        if found is None and known:
            found = contradictory([*known, mine], project, self._effort)
        if found is None:
            return
        own = [fact for fact in found if not fact.because]
        if not own or self._told_elsewhere(own):
            return
        yield self._diagnostic(list(found), own, condition, who)

    def _by_itself(self, condition: Expression) -> tuple[Fact, ...] | None:
        # By identity: the same condition is met in several places, and all stay alive meanwhile.
        key = id(condition)
        if key not in self._alone:
            self._alone[key] = contradictory(
                [Fact(condition=condition)], self.checked.project, self._effort
            )
        return self._alone[key]

    def _told_elsewhere(self, own: list[Fact]) -> bool:
        """Whether all of it is within one segment, which is contradictory by itself."""
        first = own[0].via[:1]
        return (
            bool(first)
            and first[0].name in self._empty
            and all(fact.via[:1] == first and fact.via[0] is first[0] for fact in own)
        )

    def _diagnostic(
        self, found: list[Fact], own: list[Fact], condition: Expression, who: str
    ) -> Diagnostic:
        alone = len(own) == len(found)
        span = _place(own[-1]) if alone else condition.span
        texts = list(dict.fromkeys(self._text(fact) for fact in found))
        if len(texts) == 1:
            message = f"{texts[0]} is never true"
        elif len(texts) == 2:
            message = f"{texts[0]} and {texts[1]} exclude each other"
        else:
            message = f"{', '.join(texts[:-1])} and {texts[-1]} are never true together"
        return Diagnostic(
            code=CONTRADICTORY_SEGMENT,
            severity=Severity.ERROR if alone else Severity.WARNING,
            message=message,
            span=span,
            label=f"{who} can fulfil this" if alone else "nobody who comes here fulfils this",
            labels=tuple(self._labels(found, span)),
            help="one of them has to go, or they are alternatives: write `or`"
            if alone and len(texts) > 1
            else "take it out, or ask for something else",
        )

    def _labels(self, found: list[Fact], main: Span) -> Iterator[Label]:
        told = {main}
        for fact in found:
            if fact.because:
                places = [(_place(fact), fact.because)]
            else:
                places = [(_place(fact), "" if fact.holds else "here it is excluded")]
            if fact.via:
                segment = fact.via[-1].name
                verb = "asks for this" if fact.holds else "is about this"
                places.append((fact.condition.span, f"segment `{segment}` {verb}"))
            for span, message in places:
                if span not in told:
                    told.add(span)
                    yield Label(span, message)

    def _text(self, fact: Fact) -> str:
        span = fact.condition.span
        source = self.checked.sources.get(span.path)
        text = "" if source is None else " ".join(source.text[span.start : span.end].split())
        if len(text) > _LONGEST:
            text = f"{text[: _LONGEST - 1]}…"
        return f"`{text}`" if fact.holds else f"not `{text}`"


def _within(inner: Span, outer: Span) -> bool:
    return inner.path == outer.path and outer.start <= inner.start and inner.end <= outer.end


def _place(fact: Fact) -> Span:
    """Where the condition at hand speaks of it: the segment's name, or the part itself."""
    return fact.via[0].span if fact.via else fact.condition.span


RULE = Rule(code=CONTRADICTORY_SEGMENT, find=contradictory_segment)
