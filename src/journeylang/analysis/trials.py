"""Tests and assumptions: do the journeys, steps, events and fields that they name exist?"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

from journeylang.analysis.expressions import Checker
from journeylang.analysis.findings import Findings
from journeylang.analysis.paths import every_step
from journeylang.analysis.scope import (
    AUDIENCE,
    NO_SHAPE,
    RESERVED_OF_CUSTOMERS,
    JourneyScope,
    Scope,
    Shape,
)
from journeylang.analysis.spans import duration
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.model import Label
from journeylang.model.expressions import Constant
from journeylang.model.types import Kind, Type
from journeylang.syntax import nodes

_DRAWN = {"holdout": ("yes", "no"), "control": ("yes", "no")}
_ALWAYS = ("end", "exit", "gone", "held_out", "global_control")


def assumptions(written: Iterable[nodes.Assume], checker: Checker) -> None:
    """What is assumed of events that are there, each thing once."""
    findings = checker.findings
    for assume in written:
        seen: dict[tuple[object, object], nodes.Assumption] = {}
        for line in assume.assumptions:
            for event in (line.event, line.after):
                if event is not None:
                    checker.sources.event(event, AUDIENCE)
            if line.window is not None:
                duration(line.window, AUDIENCE, findings)
            first = seen.setdefault((line.event, line.after), line)
            if first is not line:
                findings.error(
                    names.REPEATED_PART,
                    line.event.span,
                    f"`{line.event.name.text}` is assumed twice",
                    labels=(Label(first.event.span, "assumed here already"),),
                    help="remove one of the two",
                )


def trials(written: Iterable[nodes.Test], checker: Checker) -> None:
    """Each test by itself, and that no two of a journey have one title."""
    titles: dict[tuple[str, str], nodes.Test] = {}
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
        _Trial(journey, checker).clauses(test.clauses)


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

    def clauses(self, clauses: Iterable[nodes.Clause]) -> None:
        for clause in clauses:
            match clause:
                case nodes.GivenCustomer():
                    self._values(clause.values, self._of_customers(), "customers")
                case nodes.GivenConsent():
                    name = clause.consent
                    if name.text not in self.checker.declared.consents:
                        known = self.checker.declared.consents
                        self.findings.unknown("consent", name.text, name.span, known)
                case nodes.GivenEvent() | nodes.Happening():
                    self._happens(clause)
                case nodes.Assign():
                    self._assign(clause)
                case nodes.ExpectSend():
                    self._send(clause)
                case nodes.ExpectInvoke():
                    self._invoke(clause)
                case nodes.ExpectExit():
                    self._exit(clause)
                case nodes.ExpectNothingElse():
                    pass

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

    def _happens(self, clause: nodes.GivenEvent | nodes.Happening) -> None:
        event = self.checker.sources.event(clause.event, self.scope)
        if event is not None:
            shape = dataclasses.replace(event.shape, fields={"key": None, **event.shape.fields})
            self._values(clause.values, shape, f"`{event.name}`")

    def _values(self, pairs: Sequence[nodes.Pair], shape: Shape, what: str) -> None:
        seen: dict[str, nodes.Name] = {}
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
            self._value(pair, shape.fields[name.text])

    def _value(self, pair: nodes.Pair, wanted: Type | None) -> None:
        if isinstance(pair.value, nodes.TopOf | nodes.ListOf):
            self._not_fixed(pair)
            return
        found = self.checker.value(pair.value, self.scope)
        if found is None:
            return
        if not isinstance(found, Constant):
            self._not_fixed(pair)
        elif wanted is not None and not _goes_with(found.type, wanted):
            self.findings.error(
                names.TYPE_MISMATCH,
                pair.value.span,
                f"`{pair.key.text}` is {wanted}, this is {found.type}",
                label=f"this is {found.type}",
            )

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
        drawn = _DRAWN.get(target) or self._draws().get(target)
        if drawn is None:
            self.findings.unknown(
                "experiment",
                target,
                clause.target.span,
                [*_DRAWN, *self._draws()],
                label=f"`{self.name}` has no experiment of this path",
            )
        elif clause.arm.text not in drawn:
            self.findings.unknown("arm", clause.arm.text, clause.arm.span, drawn)

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

    def _every(self) -> Iterator[tuple[tuple[str, ...], nodes.Step]]:
        return every_step(self.journey.steps, self.checker.fragments.put_in)

    # --- what is expected ---------------------------------------------------

    def _send(self, clause: nodes.ExpectSend) -> None:
        path = clause.step
        if len(path.parts) == 1 and path.text in self.checker.declared.channels:
            self.findings.unknown("step", path.text, path.span, self.steps)
        else:
            sent = nodes.Name(text="sent", span=path.span)
            own = dataclasses.replace(self.scope, what="a test")
            self.checker.sources.event(nodes.EventRef(name=sent, of=path, span=path.span), own)
        channels = self.checker.declared.channels
        if clause.via is not None and clause.via.text not in channels:
            self.findings.unknown("channel", clause.via.text, clause.via.span, channels)

    def _invoke(self, clause: nodes.ExpectInvoke) -> None:
        calls = [path for path, kind in self.steps.items() if kind == "invoke"]
        text = clause.step.text
        if not any(path == text or path.endswith(f"/{text}") for path in calls):
            self.findings.unknown(
                "step",
                text,
                clause.step.span,
                calls,
                label=f"`{self.name}` has no `invoke` of this path",
            )

    def _exit(self, clause: nodes.ExpectExit) -> None:
        reason = clause.reason
        if reason is None or reason.text in _ALWAYS:
            return
        known = set(self._reasons())
        if reason.text not in known:
            self.findings.unknown(
                "exit",
                reason.text,
                reason.span,
                sorted(known),
                label=f"nobody leaves `{self.name}` so",
            )

    def _reasons(self) -> Iterator[str]:
        for header in self.journey.headers:
            if isinstance(header, nodes.ExitWhen) and header.reason is not None:
                yield header.reason.text
        for _, step in self._every():
            if isinstance(step, nodes.Exit) and step.reason is not None:
                yield step.reason.text
            yield from _otherwise(step)


def _otherwise(step: nodes.Step) -> Iterator[str]:
    """Reasons behind `else exit as`, of the step itself and of the values it is given."""
    ways: list[nodes.Otherwise | None] = [getattr(step, "otherwise", None)]
    ways += [pair.otherwise for pair in getattr(step, "values", ())]
    for way in ways:
        if isinstance(way, nodes.Otherwise) and way.reason is not None:
            yield way.reason.text


def _goes_with(found: Type, wanted: Type) -> bool:
    """A whole number is a number too; a date is no instant, an amount has its currency."""
    if (found.kind, wanted.kind) == (Kind.INT, Kind.NUMBER):
        return True
    return found.kind is wanted.kind and found.currency == wanted.currency
