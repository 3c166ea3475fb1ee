"""Tests: do the journeys, steps, events and fields that they name exist, and what is meant?"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import assert_never

from journeylang.analysis.expectations import Expectations, moment
from journeylang.analysis.expressions import Checker
from journeylang.analysis.findings import Findings
from journeylang.analysis.paths import every_step
from journeylang.analysis.scope import (
    NO_SHAPE,
    RESERVED_OF_CUSTOMERS,
    JourneyScope,
    Scope,
    Shape,
)
from journeylang.analysis.starting import by_start
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.model import Label
from journeylang.model.expressions import Constant, MessageEvent
from journeylang.model.trials import (
    Agreed,
    Expectation,
    Happening,
    Row,
    Started,
    Trial,
    Values,
)
from journeylang.model.types import Kind, Type
from journeylang.syntax import nodes

_DRAWN = {"holdout": ("yes", "no"), "control": ("yes", "no")}


def trials(written: Iterable[nodes.Test], checker: Checker) -> tuple[Trial, ...]:
    """Each test by itself, and that no two of a journey have one title."""
    titles: dict[tuple[str, str], nodes.Test] = {}
    found: list[Trial] = []
    for test in written:
        findings = checker.findings
        journey = checker.declared.journeys.get(test.journey.text)
        if journey is None:
            findings.unknown(
                "journey", test.journey.text, test.journey.span, checker.declared.journeys
            )
            continue
        first = titles.setdefault((test.journey.text, test.title.value), test)
        if first is not test:
            findings.error(
                names.DUPLICATE_NAME,
                test.title.span,
                f"two tests of `{test.journey.text}` have this title",
                labels=(Label(first.title.span, "the first"),),
                help="say what each of them is about",
            )
        found.append(_Trial(journey, checker).trial(test))
    return tuple(found)


class _Trial:
    def __init__(self, journey: nodes.Journey, checker: Checker) -> None:
        self.journey = journey
        self.checker = checker
        self.findings: Findings = checker.findings
        self.name = journey.name.text
        self.steps = checker.sources.steps[self.name]
        self.scope = Scope(
            what="a test",
            journey=JourneyScope(name=self.name, entry=NO_SHAPE, steps=self.steps),
            run=True,
        )
        self.customer: Values | None = None
        self.segments: list[str] = []
        self.consents: list[Agreed] = []
        self.rows: list[Row] = []
        self.happenings: list[Happening] = []
        self.assigned: dict[str, str] = {}
        self.expected: list[Expectation] = []
        self.expectations = Expectations(journey=journey, checker=checker, scope=self.scope)

    def trial(self, test: nodes.Test) -> Trial:
        for clause in test.clauses:
            self._clause(clause)
        if not any(isinstance(_begins(clause), nodes.DateTime) for clause in test.clauses):
            self.findings.error(
                names.MISSING_PART,
                test.title.span,
                "when does it begin?",
                label="no line of this test has a date, but for what is given",
                help="date the first thing that happens or is expected: `2026-03-02T10:00 …`",
            )
        return Trial(
            title=test.title.value,
            journey=self.name,
            customer=self.customer or (),
            segments=tuple(self.segments),
            consents=tuple(self.consents),
            rows=tuple(self.rows),
            happenings=tuple(self.happenings),
            assigned=tuple(self.assigned.items()),
            expected=tuple(self.expected),
            span=test.title.span,
        )

    def _clause(self, clause: nodes.Clause) -> None:
        match clause:
            case nodes.GivenCustomer():
                self._customer(clause)
            case nodes.GivenConsent():
                self._consent(clause)
            case nodes.GivenSegment():
                known = self.checker.declared.segments
                if clause.segment.text not in known:
                    self.findings.unknown(
                        "segment", clause.segment.text, clause.segment.span, known
                    )
                self.segments.append(clause.segment.text)
            case nodes.GivenRow():
                self._row(clause)
            case nodes.GivenEvent() | nodes.Happening():
                self._happens(clause)
            case nodes.Assign():
                self._assign(clause)
            case (
                nodes.ExpectSend()
                | nodes.ExpectNotSent()
                | nodes.ExpectIn()
                | nodes.ExpectInvoke()
                | nodes.ExpectExit()
                | nodes.ExpectNothingElse()
            ):
                self.expected.append(self.expectations.meant(clause))
            case _:
                assert_never(clause)

    # --- what is given, and happens -----------------------------------------

    def _of_customers(self) -> Shape:
        """The fields of the customers, and their key by its column."""
        shape = self.checker.customers
        bound = self.checker.declared.customers
        key = next((i for i in bound.items if isinstance(i, nodes.Key)), None) if bound else None
        fields: dict[str, Type | None] = {**RESERVED_OF_CUSTOMERS, "key": None, **shape.fields}
        if key is not None and isinstance(key.value, nodes.Ref):
            fields.setdefault(key.value.parts[-1].text, None)
        return dataclasses.replace(shape, fields=fields)

    def _customer(self, clause: nodes.GivenCustomer) -> None:
        values = self._values(clause.values, self._of_customers(), "customers")
        if self.customer is not None:
            self.findings.error(
                names.REPEATED_PART,
                clause.span,
                "a test is about one customer",
                help="write another test",
            )
        self.customer = values

    def _consent(self, clause: nodes.GivenConsent) -> None:
        name, known = clause.consent, self.checker.declared.consents
        match known.get(name.text):
            case None:
                self.findings.unknown("consent", name.text, name.span, known)
            case nodes.ConsentWhen() as bound:
                self.findings.error(
                    names.OUT_OF_PLACE,
                    name.span,
                    f"`{name.text}` rests on a condition, there is nothing to give",
                    labels=(Label(bound.name.span, "the condition"),),
                    help="give the customer the values that it asks for",
                )
        self.consents.append(
            Agreed(
                consent=name.text, at=moment(clause.at, self.scope, self.findings), span=clause.span
            )
        )

    def _row(self, clause: nodes.GivenRow) -> None:
        name, known = clause.catalog, self.checker.sources.catalogs
        shape = known.get(name.text)
        if shape is None:
            if name.text in self.checker.sources.events:
                self.findings.error(
                    names.MISSING_PART,
                    name.span,
                    f"when is `{name.text}`?",
                    help=f"write `given {name.text} at 2026-01-01T10:00 …`",
                )
            else:
                self.findings.unknown("catalogue", name.text, name.span, known)
            return
        shape = dataclasses.replace(shape, fields={"key": None, **shape.fields})
        values = self._values(clause.values, shape, f"`{name.text}`")
        self.rows.append(Row(catalog=name.text, values=values, span=clause.span))

    def _started(self, clause: nodes.GivenEvent | nodes.Happening) -> bool:
        """Whether a line is the name of the journey itself, and `start` the way into it."""
        ways = [h for h in self.journey.headers if isinstance(h, nodes.EnterByStart)]
        name = clause.event.name.text
        known = self.checker.sources.events
        return (
            bool(ways)
            and isinstance(clause, nodes.Happening)
            and name == self.name
            and name not in known
            and clause.event.of is None
        )

    def _starts(self, clause: nodes.GivenEvent | nodes.Happening) -> None:
        way = next(h for h in self.journey.headers if isinstance(h, nodes.EnterByStart))
        # What is wrong with its fields is told there.
        _, shape = by_start(way, Findings())
        at = moment(clause.at, self.scope, self.findings)
        values = self._values(clause.values, shape, f"`{self.name}`")
        if at is not None:
            event = Started(name=self.name, span=clause.event.span)
            self.happenings.append(
                Happening(event=event, at=at, values=values, given=False, span=clause.span)
            )

    def _happens(self, clause: nodes.GivenEvent | nodes.Happening) -> None:
        if self._started(clause):
            self._starts(clause)
            return
        event = self.checker.sources.event(clause.event, self.scope)
        at = moment(clause.at, self.scope, self.findings)
        if event is None or at is None:
            return
        shape = dataclasses.replace(event.shape, fields={"key": None, **event.shape.fields})
        given = isinstance(clause, nodes.GivenEvent)
        if given and isinstance(event.source, MessageEvent):
            self.findings.error(
                names.OUT_OF_PLACE,
                clause.event.span,
                f"nothing was sent yet that could be {event.name}",
                help=f"let it happen behind the message: `+1h {event.name} of LABEL`",
            )
        elif isinstance(event.source, MessageEvent) and event.source.name == "sent":
            self.findings.error(
                names.OUT_OF_PLACE,
                clause.event.span,
                "it is the journey that sends",
                help="leave it out: what the journey sends is what the test is about",
            )
        self.happenings.append(
            Happening(
                event=event.source,
                at=at,
                values=self._values(clause.values, shape, f"`{event.name}`"),
                given=given,
                span=clause.span,
            )
        )

    def _values(self, pairs: Sequence[nodes.Pair], shape: Shape, what: str) -> Values:
        seen: dict[str, nodes.Name] = {}
        found: list[tuple[str, Constant]] = []
        for pair in pairs:
            name = pair.key
            first = seen.setdefault(name.text, name)
            if first is not name:
                self.findings.error(
                    names.REPEATED_PART,
                    name.span,
                    f"`{name.text}` is given twice",
                    labels=(Label(first.span, "given here already"),),
                    help="remove one of the two",
                )
            if name.text not in shape.fields:
                if not shape.open:
                    self.findings.unknown(
                        "field",
                        name.text,
                        name.span,
                        shape.fields,
                        label=f"{what} have no field of this name"
                        if what == "customers"
                        else f"{what} has no field of this name",
                    )
                continue
            value = self._value(pair, shape.fields[name.text])
            if value is not None:
                found.append((name.text, value))
        return tuple(found)

    def _value(self, pair: nodes.Pair, wanted: Type | None) -> Constant | None:
        if isinstance(pair.value, nodes.TopOf | nodes.ListOf):
            self._not_fixed(pair)
            return None
        found = self.checker.value(pair.value, self.scope)
        if found is None:
            return None
        if not isinstance(found, Constant):
            self._not_fixed(pair)
            return None
        if wanted is not None and not _goes_with(found.type, wanted):
            self.findings.error(
                names.TYPE_MISMATCH,
                pair.value.span,
                f"`{pair.key.text}` is {wanted}, this is {found.type}",
                label=f"this is {found.type}",
            )
        if isinstance(pair.value, nodes.DateTime):
            # Without a zone it is what the customer's clock shows.
            return dataclasses.replace(found, value=pair.value.value)
        return found

    def _not_fixed(self, pair: nodes.Pair) -> None:
        self.findings.error(
            names.OUT_OF_PLACE,
            pair.value.span,
            "what is given in a test stands fixed",
            help="write the value itself",
        )

    # --- what is drawn ------------------------------------------------------

    def _assign(self, clause: nodes.Assign) -> None:
        target = clause.target.text
        drawn = _DRAWN.get(target) or self._draws().get(target) or self._pools().get(target)
        if drawn is None:
            self.findings.unknown(
                "experiment",
                target,
                clause.target.span,
                [*_DRAWN, *self._draws(), *self._pools()],
                label=f"`{self.name}` has no experiment of this path",
            )
        elif clause.arm.text not in drawn:
            self.findings.unknown("arm", clause.arm.text, clause.arm.span, drawn)
        self.assigned[target] = clause.arm.text

    def _draws(self) -> dict[str, tuple[str, ...]]:
        """The arms of each experiment and factor, by path."""
        found: dict[str, tuple[str, ...]] = {}
        for prefix, step in self._every():
            path = "/".join((*prefix, step.label.text if step.label is not None else ""))
            if isinstance(step, nodes.Experiment):
                found[path] = tuple(arm.name.text for arm in step.arms)
            elif isinstance(step, nodes.FactorExperiment):
                for factor in step.factors:
                    texts = [i.value for i in factor.values.items if isinstance(i, nodes.String)]
                    found[f"{path}/{factor.name.text}"] = tuple(texts)
        return found

    def _pools(self) -> dict[str, tuple[str, ...]]:
        """Promos, which may have run out of codes."""
        return dict.fromkeys(self.checker.declared.promos, ("empty",))

    def _every(self) -> Iterator[tuple[tuple[str, ...], nodes.Step]]:
        return every_step(self.journey.steps, self.checker.fragments.put_in)


def _begins(clause: nodes.Clause) -> nodes.Moment | None:
    """The instant of a line that is not given."""
    if isinstance(clause, nodes.GivenEvent | nodes.GivenConsent):
        return None
    return getattr(clause, "at", None)


def _goes_with(found: Type, wanted: Type) -> bool:
    """A whole number is a number too; a date is no instant, an amount has its currency."""
    if (found.kind, wanted.kind) == (Kind.INT, Kind.NUMBER):
        return True
    return found.kind is wanted.kind and found.currency == wanted.currency
