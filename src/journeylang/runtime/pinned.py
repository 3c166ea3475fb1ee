"""Several versions of a journey side by side: people who finish on the one that they are on.

Their steps have numbers of their own (`journey.step` with a version), and stand in the journey's
plan beside those of the version that is entered now. So a tick knows of versions no more than of
branches, and exits, policies, consents and guards are the newest by themselves. What an earlier
version's steps ask by name, and what has another meaning by now, goes by a name of its own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from journeylang.classes import dataclass
from journeylang.model.binding import Binding
from journeylang.model.entry import entry_fields
from journeylang.model.expressions import (
    BoundEvent,
    CustomerValue,
    EventValue,
    Listed,
    MetricValue,
    SegmentTest,
)
from journeylang.model.journey import Candidate, Code, Earlier, Pick, Send, Start
from journeylang.model.project import Project
from journeylang.model.tree import below
from journeylang.model.walk import walk
from journeylang.plan.numbering import Numbering
from journeylang.source import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A project as it was applied, with its templates by path."""

    project: Project
    templates: Mapping[str, str]


PastOf = Callable[[str, int], Past | None]
"""The project with which a version of a journey came; None if it can't be read any more."""

Pin = tuple[str, int]
"""A journey, and one of its earlier versions."""


class LackingError(Exception):
    """A version on which people finish asks for something that is not there any more."""

    def __init__(self, journey: str, version: int, reason: str) -> None:
        super().__init__(reason)
        self.journey = journey
        self.version = version


def beside(project: Project, pins: list[Pin], known: Numbering, past: PastOf | None) -> Project:
    """The project with the steps of the versions that people are still on.

    Raises:
        LackingError: one of them cannot go on beside this project.
    """
    for name, version in pins:
        then = past(name, version) if past is not None else None
        if then is None or name not in then.project.journeys:
            raise LackingError(name, version, "its texts can't be read by this release")
        project = _with(project, name, version, then, known)
    aliases: dict[str, dict[str, list[int]]] = {}
    for (name, path, _), number in sorted(known.aliases.items(), key=lambda item: item[1]):
        aliases.setdefault(name, {}).setdefault(path, []).append(number)
    journeys = {
        name: replace(
            journey, aliases=tuple((path, tuple(numbers)) for path, numbers in mine.items())
        )
        if (mine := aliases.get(name))
        else journey
        for name, journey in project.journeys.items()
    }
    return replace(project, journeys=journeys)


def _with(project: Project, name: str, version: int, then: Past, known: Numbering) -> Project:
    old = then.project
    journey = old.journeys[name]
    _check(name, version, journey.body, old, project)
    marker = f"@{name}.{version}"
    names = _renamed(journey.body, old, project, marker)
    metrics = {
        names[MetricValue, n]: replace(
            old.metrics[n],
            name=names[MetricValue, n],
            value=_rewritten(old.metrics[n].value, names),
        )
        for kind, n in names
        if kind is MetricValue
    }
    segments = {
        names[SegmentTest, n]: replace(
            old.segments[n],
            name=names[SegmentTest, n],
            condition=_rewritten(old.segments[n].condition, names),
        )
        for kind, n in names
        if kind is SegmentTest
    }
    sent = {
        path: text
        for path, text in then.templates.items()
        if any(
            path.rpartition(".")[0] == f"{c.template}.{c.channel}"
            for node in below(journey.body)
            if isinstance(node, Send)
            for c in node.candidates
        )
    }
    body = _rewritten(journey.body, names | {(Candidate, ""): marker})
    earlier = Earlier(
        version=version,
        body=body,
        fields=entry_fields(journey.entry),
        numbers=tuple(
            (path, number)
            for (of, path, in_), number in sorted(known.aliases.items())
            if (of, in_) == (name, version)
        ),
        texts=(
            *((f"{marker}/{path}", text) for path, text in sorted(sent.items())),
            # What a template includes is the newest, and kept where there is none any more.
            *((path, text) for path, text in sorted(then.templates.items()) if path not in sent),
        ),
    )
    mine = project.journeys[name]
    return replace(
        project,
        metrics=project.metrics | metrics,
        segments=project.segments | segments,
        profile=old.profile | project.profile,
        lists=old.lists | project.lists,
        journeys=project.journeys | {name: replace(mine, earlier=(*mine.earlier, earlier))},
    )


# --- what has another meaning by now ------------------------------------------------


_Names = dict[tuple[type, str], str]


def _renamed(body: object, old: Project, new: Project, marker: str) -> _Names:
    """Metrics and segments that the steps ask, and that are not what they were."""
    found: _Names = {}
    waiting: list[object] = [body]
    seen: set[tuple[type, str]] = set()
    while waiting:
        for node in below(waiting.pop()):
            if not isinstance(node, MetricValue | SegmentTest):
                continue
            key = (type(node), node.name)
            if key in seen:
                continue
            seen.add(key)
            was, is_ = _definition(old, node), _definition(new, node)
            waiting.append(was)
            if is_ is None or _meaning(old, node) != _meaning(new, node):
                found[key] = f"{node.name}{marker}"
    return found


def _definition(project: Project, node: MetricValue | SegmentTest) -> Any:
    if isinstance(node, MetricValue):
        metric = project.metrics.get(node.name)
        return None if metric is None else metric.value
    segment = project.segments.get(node.name)
    return None if segment is None else segment.condition


def _meaning(project: Project, node: MetricValue | SegmentTest) -> object:
    named = {
        "metric": {n: m.value for n, m in project.metrics.items()},
        "segment": {n: s.condition for n, s in project.segments.items()},
    }
    return tuple(walk(node, named))


def _rewritten(value: Any, names: _Names) -> Any:
    """A tree with other names for what is named in it."""
    if isinstance(value, Span):
        return value
    if isinstance(value, tuple):
        return tuple(_rewritten(part, names) for part in value)
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return value
    if isinstance(value, MetricValue | SegmentTest):
        return replace(value, name=names.get((type(value), value.name), value.name))
    changed = {
        f.name: new
        for f in dataclasses.fields(value)
        if (new := _rewritten(was := getattr(value, f.name), names)) is not was
    }
    if isinstance(value, Candidate) and (marker := names.get((Candidate, ""))):
        changed["template"] = f"{marker}/{value.template}"
    return replace(value, **changed) if changed else value


# --- what has to be there still -----------------------------------------------------


def _check(name: str, version: int, body: object, old: Project, new: Project) -> None:
    """Everything that the steps ask for is bound as it was.

    Raises:
        LackingError: it is not.
    """
    asked: list[object] = [body]
    for node in below(body):
        if isinstance(node, MetricValue | SegmentTest):
            asked += _meaning(old, node)  # type: ignore[arg-type]
    for one in asked:
        for node in below(one):
            lacking = _lacking(node, old.binding, new)
            if lacking is not None:
                raise LackingError(name, version, f"it asks for {lacking}")


def _lacking(node: object, then: Binding, new: Project) -> str | None:
    """What a node names, if it is not there as it was."""
    now = new.binding
    places: Iterator[tuple[str, Mapping[str, Any], str]] = iter(())
    match node:
        case BoundEvent(name=name):
            places = iter((("event", now.events, name),))
        case CustomerValue(name=name):
            was, is_ = (
                _field_types(b.customers.fields if b.customers else ()) for b in (then, now)
            )
            return None if was.get(name) == is_.get(name) else f"`customer.{name}` as it was"
        case EventValue(event=event, name=name) if event in then.events:
            was, is_ = (
                _field_types(b.events[event].fields if event in b.events else ())
                for b in (then, now)
            )
            return None if was.get(name) == is_.get(name) else f"`{event}.{name}` as it was"
        case Candidate(channel=name):
            places = iter((("channel", now.channels, name),))
        case Pick(catalog=name):
            places = iter((("catalog", now.catalogs, name),))
        case Code(promo=name):
            places = iter((("promo", now.promos, name),))
        case Send(topic=str(name)):
            places = iter((("topic", now.topics, name),))
        case Start(journey=name):
            places = iter((("journey", new.journeys, name),))
        case Listed():
            return None
        case _:
            return None
    for kind, known, name in places:
        if name not in known:
            return f"the {kind} `{name}`, which is gone"
    return None


def _field_types(fields: Any) -> dict[str, object]:
    return {field.name: field.type for field in fields}
