"""Assumptions for a dry run: of events that are there, each thing once, none by way of itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from journeylang.analysis.expressions import Checker
from journeylang.analysis.findings import Findings
from journeylang.analysis.scope import AUDIENCE
from journeylang.analysis.spans import seconds
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.model import Label
from journeylang.model.assumptions import Assumption, Assumptions
from journeylang.model.expressions import EventSource, MessageEvent
from journeylang.syntax import nodes


def assumptions(written: Mapping[str, nodes.Assume], checker: Checker) -> dict[str, Assumptions]:
    """Each `assume` by its name; lines with an error are left out."""
    return {name: _assume(node, checker) for name, node in written.items()}


def _assume(node: nodes.Assume, checker: Checker) -> Assumptions:
    findings = checker.findings
    seen: dict[tuple[object, object], nodes.Assumption] = {}
    lines: list[Assumption] = []
    for line in node.assumptions:
        found = _line(line, checker)
        if found is not None:
            lines.append(found)
        first = seen.setdefault((line.event, line.after), line)
        if first is not line:
            findings.error(
                names.REPEATED_PART,
                line.event.span,
                f"`{line.event.name.text}` is assumed twice",
                labels=(Label(first.event.span, "assumed here already"),),
                help="remove one of the two",
            )
    _tell_circles(lines, findings)
    title = None if node.title is None else node.title.value
    return Assumptions(name=node.name.text, title=title, lines=tuple(lines), span=node.span)


def _line(line: nodes.Assumption, checker: Checker) -> Assumption | None:
    findings = checker.findings
    event = checker.sources.event(line.event, AUDIENCE)
    after = None if line.after is None else checker.sources.event(line.after, AUDIENCE)
    window = None
    if line.window is not None:
        window = seconds(line.window, AUDIENCE, findings)
        if window is None:
            return None
    if event is None or (line.after is not None and after is None):
        return None
    made = Assumption(
        event=event.source,
        chance=line.chance.value / 100,
        after=None if after is None else after.source,
        seconds=window,
        per=line.per,
        span=line.span,
    )
    wrong = (
        _of_a_message(made, event.source)
        if isinstance(event.source, MessageEvent)
        else _of_a_customer(made, event.name, checker)
    )
    if wrong is None:
        return made
    message, advice = wrong
    code = names.MISSING_PART if advice.startswith("say") else names.OUT_OF_PLACE
    findings.error(code, line.event.span, message, help=advice)
    return None


def _of_a_message(made: Assumption, source: MessageEvent) -> tuple[str, str] | None:
    if source.name == "sent":
        return "what is sent is not assumed: it is what a dry run finds out", "remove the line"
    if made.per:
        return (
            f"`{source.name}` is of a message, and not per time",
            "write `within` for how long it may take",
        )
    if made.after is not None and not isinstance(made.after, MessageEvent):
        return (
            f"`{source.name}` is of a message, and `{made.after.name}` is about none",
            f"write of which messages: `{source.name} of CHANNEL 5% within 24h`",
        )
    return None


def _of_a_customer(made: Assumption, name: str, checker: Checker) -> tuple[str, str] | None:
    if name not in checker.declared.events:
        return (
            "redemptions follow from the event by which codes are redeemed",
            "assume that event instead",
        )
    if made.after is None and not made.per:
        return (
            f"how often `{name}` happens is not said",
            f"say per what time: `{name} 3% per 30d`, or `{name} after clicked 8% within 72h`",
        )
    if made.after is not None and (made.per or made.seconds is None):
        return (
            f"how long `{name}` may take after `{made.after.name}` is not said",
            f"say so: `{name} after {made.after.name} 8% within 72h`",
        )
    return None


def _tell_circles(lines: Iterable[Assumption], findings: Findings) -> None:
    """What would bring itself about, once and again."""
    causes: dict[str, set[str]] = {}
    for line in lines:
        if line.after is not None:
            causes.setdefault(line.event.name, set()).add(line.after.name)
    for line in lines:
        if line.after is not None and line.event.name in _all_before(line.after, causes):
            findings.error(
                names.CYCLIC_DEFINITION,
                line.event.span,
                f"`{line.event.name}` follows from itself",
                help="assume one of them `per` time instead",
            )
            return


def _all_before(event: EventSource, causes: Mapping[str, set[str]]) -> set[str]:
    found = {event.name}
    waiting = [event.name]
    while waiting:
        for name in causes.get(waiting.pop(), set()) - found:
            found.add(name)
            waiting.append(name)
    return found
