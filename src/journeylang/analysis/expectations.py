"""What a test expects: do the steps, channels, exits and reasons that it names exist?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from journeylang.analysis.expressions import Checker
from journeylang.analysis.findings import Findings
from journeylang.analysis.paths import every_step
from journeylang.analysis.scope import Scope
from journeylang.analysis.sources import with_article
from journeylang.analysis.spans import wait_span
from journeylang.classes import dataclass
from journeylang.diagnostics.codes import names
from journeylang.model.journey import Elapsed
from journeylang.model.trials import Expectation, Left, Moment, NothingElse, NotSent, Rests, Sent
from journeylang.syntax import nodes

_ALWAYS = ("end", "exit", "gone", "passed", "held_out", "global_control")
_REASONS = (
    "no_address",
    "suppressed",
    "no_consent",
    "global_control",
    "no_code",
    "budget",
    "capacity",
    "quiet",
    "capped",
    "no_channel",
    "too_few",
    "expired",
)

# So far that what counts from there is still in the calendar.
_YEARS = range(1900, 2200)

Expected = (
    nodes.ExpectSend
    | nodes.ExpectNotSent
    | nodes.ExpectIn
    | nodes.ExpectInvoke
    | nodes.ExpectExit
    | nodes.ExpectNothingElse
)


def moment(at: nodes.Moment | None, scope: Scope, findings: Findings) -> Moment | None:
    """When, on the customer's clock or so long after the test's first line; None if it is not said
    or was reported."""
    match at:
        case nodes.Offset(duration=nodes.Duration(value=0)):
            return Elapsed(seconds=0)
        case nodes.Offset():
            return wait_span(at.duration, scope, findings)
        case nodes.DateTime() if at.value.year not in _YEARS:
            findings.error(
                names.BAD_VALUE,
                at.span,
                f"a test is played between the years {_YEARS.start} and {_YEARS.stop - 1}",
            )
            return None
        case nodes.DateTime():
            return at.value
        case None:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectations:
    """Those of the tests of one journey."""

    journey: nodes.Journey
    checker: Checker
    scope: Scope

    def meant(self, clause: Expected) -> Expectation:
        at = None
        if not isinstance(clause, nodes.ExpectNothingElse):
            at = moment(clause.at, self.scope, self.checker.findings)
        match clause:
            case nodes.ExpectSend():
                return Sent(
                    step=self._message(clause.step),
                    channel=self._channel(clause.via),
                    at=at,
                    negated=clause.negated,
                    span=clause.span,
                )
            case nodes.ExpectNotSent():
                step, reason = self._message(clause.step), clause.reason
                if reason.text not in _REASONS:
                    self.checker.findings.unknown("reason", reason.text, reason.span, _REASONS)
                return NotSent(step=step, reason=reason.text, at=at, span=clause.span)
            case nodes.ExpectIn():
                step = self._path(clause.step, ("wait", "send"), "a step to rest at")
                return Rests(step=step, at=at, span=clause.span)
            case nodes.ExpectInvoke():
                step = self._path(clause.step, ("invoke",), "an invoke")
                return Sent(step=step, call=True, at=at, negated=clause.negated, span=clause.span)
            case nodes.ExpectExit():
                reason_ = self._exit(clause.reason)
                return Left(reason=reason_, at=at, negated=clause.negated, span=clause.span)
            case nodes.ExpectNothingElse():
                return NothingElse(span=clause.span)
            case _:
                assert_never(clause)

    @property
    def _name(self) -> str:
        return self.journey.name.text

    def _channel(self, via: nodes.Name | None) -> str | None:
        if via is None:
            return None
        channels = self.checker.declared.channels
        if via.text not in channels:
            self.checker.findings.unknown("channel", via.text, via.span, channels)
        return via.text

    def _message(self, path: nodes.Path) -> str:
        return self._path(path, ("send",), "a message")

    def _path(self, path: nodes.Path, kinds: tuple[str, ...], what: str) -> str:
        """The whole path of a step of these kinds, given by its end; reported if there is none."""
        steps = self.checker.sources.steps[self._name]
        known = [p for p, kind in steps.items() if kind in kinds]
        text = path.text
        if text in known:
            return text
        near = [p for p in steps if p == text or p.endswith(f"/{text}")]
        meant = [p for p in near if steps[p] in kinds]
        if len(meant) == 1:
            return meant[0]
        findings = self.checker.findings
        if meant:
            findings.error(
                names.UNKNOWN_NAME,
                path.span,
                f"`{text}` is the label of {len(meant)} steps",
                label="which of them is meant is not clear",
                help=f"write the whole path: {', '.join(f'`{p}`' for p in meant[:4])}",
            )
        elif near:
            findings.error(
                names.TYPE_MISMATCH,
                path.span,
                f"`{text}` is {with_article(steps[near[0]])}, not {what}",
            )
        else:
            label = f"`{self._name}` has no step of this path that is {what}"
            findings.unknown("step", text, path.span, known, label=label)
        return text

    def _exit(self, reason: nodes.Name | None) -> str | None:
        if reason is None:
            return None
        known = set(self._reasons())
        if reason.text not in {*known, *_ALWAYS}:
            self.checker.findings.unknown(
                "exit",
                reason.text,
                reason.span,
                sorted(known),
                label=f"nobody leaves `{self._name}` so",
            )
        return reason.text

    def _reasons(self) -> Iterator[str]:
        for header in self.journey.headers:
            if isinstance(header, nodes.ExitWhen) and header.reason is not None:
                yield header.reason.text
        for _, step in every_step(self.journey.steps, self.checker.fragments.put_in):
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
