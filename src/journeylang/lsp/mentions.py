"""Where names stand in a file, and what they may stand for there.

A file is read by itself: of a name whose meaning depends on other files (`total` may be a field of
the event, a parameter or a metric) all that it may be is kept, the likeliest first, and whoever
knows the whole project chooses. Columns of bound tables are the database's, and no names here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import NamedTuple

from journeylang.analysis.paths import LABELLED, inside, kind_of
from journeylang.classes import dataclass
from journeylang.source import Span
from journeylang.syntax import nodes


class Symbol(NamedTuple):
    """Something with a name: ``kind`` in the words of the language.

    ``within`` is whose it is: a field's event or catalogue (`customers` for those of customers), a
    step's or a parameter's journey or fragment, a template's channel.
    """

    kind: str
    name: str
    within: str = ""


class Mention(NamedTuple):
    """A name at a place. The first of ``meant`` that is defined is what it stands for."""

    span: Span
    meant: tuple[Symbol, ...]
    defines: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Here:
    """What is known of the place: the journey or fragment, the way to it, the event in scope."""

    owner: str = ""
    path: tuple[str, ...] = ()
    event: str = ""
    entry: str = ""
    columns: bool = False
    """Names are columns of a bound table."""


def mentions(file: nodes.File) -> tuple[Mention, ...]:
    """Every name of a file, in the order written."""
    return tuple(m for m in _of(file, _Here()) if m.meant[0].name)


def _of(node: object, here: _Here) -> Iterator[Mention]:
    match node:
        case tuple():
            for part in node:
                yield from _of(part, here)
        case nodes.Name() | nodes.String() | Span() | None:
            return
        case nodes.Customers():
            yield from _bound(node.items, "customers")
        case nodes.Event() | nodes.Catalog():
            kind = "event" if isinstance(node, nodes.Event) else "catalog"
            yield _defined(kind, node.name)
            yield from _bound(node.items, node.name.text)
        case nodes.ConsentTable():
            yield _defined("consent", node.name)
        case nodes.Promo():
            yield _defined("promo", node.name)
            for item in node.items:
                if isinstance(item, nodes.RedeemedBy):
                    yield from _of_event(item.by)
        case nodes.Channel() | nodes.Topic():
            yield _defined("channel" if isinstance(node, nodes.Channel) else "topic", node.name)
            yield from _settings(node.settings, here)
        case nodes.CustomerValue():
            for pair in node.settings:
                yield from _of_event(pair.value)
        case nodes.Prospects():
            yield _defined("prospects", node.name)
            for line in node.items:
                if isinstance(line, nodes.ProspectConsent):
                    yield Mention(line.consent.span, (Symbol("consent", line.consent.text),))
        case nodes.Journey():
            yield _defined("journey", node.name)
            entry = next(
                (h.event.name.text for h in node.headers if isinstance(h, nodes.EnterOn)), ""
            )
            yield from _parts(node, replace(here, owner=node.name.text, entry=entry))
        case nodes.Fragment():
            yield _defined("fragment", node.name)
            yield from _parts(node, replace(here, owner=node.name.text))
        case nodes.Parameter():
            yield Mention(
                node.name.span, (Symbol("parameter", node.name.text, here.owner),), defines=True
            )
            yield from _of(node.default, here)
        case nodes.Test() | nodes.Moved():
            yield Mention(node.journey.span, (Symbol("journey", node.journey.text),))
            yield from _parts(node, replace(here, owner=node.journey.text))
        case nodes.Assume() | nodes.Metric() | nodes.Segment() | nodes.Policy():
            yield _defined(type(node).__name__.lower(), node.name)
            yield from _parts(node, here)
        case nodes.ConsentWhen():
            yield _defined("consent", node.name)
            yield from _parts(node, here)
        case _:
            yield from _inner(node, here)


def _inner(node: object, here: _Here) -> Iterator[Mention]:
    """Of what stands within a declaration."""
    match node:
        case nodes.Ref():
            yield from _ref(node, here)
        case nodes.EventRef():
            yield from _event(node, here)
        case nodes.Aggregate():
            yield from _event(node.event, here)
            event = _scope(node.event)
            if node.event_field is not None:
                yield _field(node.event_field, event)
            yield from _of(node.where, replace(here, event=event))
            yield from _of(node.windows, here)
        case nodes.Goal() | nodes.EnterOn() | nodes.OnEvent() | nodes.WaitForEvent():
            yield from _with_event(node, here)
        case nodes.Happening() | nodes.GivenEvent():
            yield from _event(node.event, here)
            for pair in node.values:
                yield _field(pair.key, _scope(node.event))
        case nodes.GivenCustomer():
            for pair in node.values:
                yield _field(pair.key, "customers")
        case nodes.GivenRow():
            yield Mention(node.catalog.span, (Symbol("catalog", node.catalog.text),))
            for pair in node.values:
                yield _field(pair.key, node.catalog.text)
        case nodes.TopOf():
            yield Mention(node.catalog.span, (Symbol("catalog", node.catalog.text),))
            yield from _of((node.by, node.where), replace(here, event=node.catalog.text))
        case nodes.Call(function=nodes.Name(text="promo"), arguments=(nodes.Ref() as drawn,)):
            yield Mention(drawn.span, (Symbol("promo", drawn.text),))
        case nodes.Candidate():
            yield from _candidate(node, here)
        case _ if is_dataclass(node):
            yield from _named(node)
            yield from _step(node, here)


_SINGLE = {
    (nodes.InSegment, "segment"): "segment",
    (nodes.EnterJoins, "segment"): "segment",
    (nodes.GivenSegment, "segment"): "segment",
    (nodes.GivenConsent, "consent"): "consent",
    (nodes.Cap, "segment"): "segment",
    (nodes.Cap, "channel"): "channel",
    (nodes.Cap, "topic"): "topic",
    (nodes.Budget, "channel"): "channel",
    (nodes.Capacity, "channel"): "channel",
    (nodes.Quiet, "channels"): "channel",
    (nodes.ExpectSend, "via"): "channel",
    (nodes.Send, "about"): "topic",
    (nodes.UsePolicy, "policy"): "policy",
    (nodes.Include, "fragment"): "fragment",
    (nodes.Start, "journey"): "journey",
    (nodes.Set, "name"): "profile",
}
"""What a part that is a name alone stands for."""


def _named(node: object) -> Iterator[Mention]:
    for attribute, kind in _singles(type(node)):
        value = getattr(node, attribute)
        for name in value if isinstance(value, tuple) else (value,):
            if isinstance(name, nodes.Name) and name.text != "any":
                yield Mention(name.span, (Symbol(kind, name.text),), defines=kind == "profile")


def _singles(type_: type) -> Iterator[tuple[str, str]]:
    return ((attribute, kind) for (of, attribute), kind in _SINGLE.items() if of is type_)


def _step(node: object, here: _Here) -> Iterator[Mention]:
    """A node's parts; of a step also its label, and the way into its blocks."""
    if isinstance(node, nodes.Step):
        if node.label is not None and kind_of(node) in LABELLED:
            path = "/".join((*here.path, node.label.text))
            yield Mention(node.label.span, (Symbol("step", path, here.owner),), defines=True)
        here = replace(here, path=inside(node, here.path))
    if isinstance(node, nodes.Arm):
        here = replace(here, path=(*here.path, node.name.text))
    match node:
        case (
            nodes.ExpectSend(step=there)
            | nodes.ExpectNotSent(step=there)
            | nodes.ExpectIn(step=there)
            | nodes.ExpectInvoke(step=there)
            | nodes.Assign(target=there)
        ):
            yield from _path(there, here)
        case _:
            pass
    yield from _parts(node, here)


def _parts(node: object, here: _Here) -> Iterator[Mention]:
    if isinstance(node, nodes.Moved):
        yield from _path(node.source, here)
        if node.target is not None:
            yield from _path(node.target, here)
        return
    for name in _attributes(type(node)):
        value = getattr(node, name)
        if not isinstance(value, nodes.Path):
            yield from _of(value, here)


_ATTRIBUTES: dict[type, tuple[str, ...]] = {}
"""By type, and so bounded by the types there are."""


def _attributes(type_: type) -> tuple[str, ...]:
    if type_ not in _ATTRIBUTES:
        names = (f.name for f in fields(type_) if not f.name.endswith("span"))
        _ATTRIBUTES[type_] = tuple(names)
    return _ATTRIBUTES[type_]


def _defined(kind: str, name: nodes.Name) -> Mention:
    return Mention(name.span, (Symbol(kind, name.text),), defines=True)


def _bound(items: tuple[object, ...], owner: str) -> Iterator[Mention]:
    for item in items:
        if isinstance(item, nodes.FieldBinding):
            yield Mention(item.name.span, (Symbol("field", item.name.text, owner),), defines=True)


def _settings(pairs: tuple[nodes.Pair, ...], here: _Here) -> Iterator[Mention]:
    for pair in pairs:
        match pair.value:
            case nodes.Ref(parts=(name,)) if pair.key.text == "consent":
                yield Mention(name.span, (Symbol("consent", name.text),))
            case value:
                yield from _of(value, here)


def _of_event(value: object) -> Iterator[Mention]:
    """`order_placed.total`, where nothing but an event's field can stand."""
    match value:
        case nodes.Ref(parts=(event, name)):
            yield Mention(event.span, (Symbol("event", event.text),))
            yield _field(name, event.text)
        case _:
            return


def _field(name: nodes.Name, of: str) -> Mention:
    return Mention(name.span, (Symbol("field", name.text, of),))


def _scope(event: nodes.EventRef) -> str:
    return event.name.text


def _with_event(
    node: nodes.Goal | nodes.EnterOn | nodes.OnEvent | nodes.WaitForEvent, here: _Here
) -> Iterator[Mention]:
    if isinstance(node, nodes.WaitForEvent):
        if node.label is not None:
            path = "/".join((*here.path, node.label.text))
            yield Mention(node.label.span, (Symbol("step", path, here.owner),), defines=True)
        yield from _event(node.event, here)
        yield from _of(node.where, replace(here, event=_scope(node.event)))
        here = replace(here, path=inside(node, here.path))
        yield from _of((node.up_to, node.branches, node.timeout), here)
        return
    yield from _event(node.event, here)
    within = replace(here, event=_scope(node.event))
    yield from _of(node.where, within)
    match node:
        case nodes.Goal():
            yield from _of(node.within, here)
            yield from _of(node.worth, within)
        case nodes.EnterOn():
            yield from _of(node.per, within)
        case nodes.OnEvent():
            yield from _of(node.steps, here)


def _event(node: nodes.EventRef, here: _Here) -> Iterator[Mention]:
    yield Mention(node.name.span, (Symbol("event", node.name.text),))
    if node.of is None:
        return
    if len(node.of.parts) == 1:
        (name,) = node.of.parts
        steps = _seen_from(name.text, here)
        others = tuple(Symbol(kind, name.text) for kind in ("channel", "promo", "journey"))
        yield Mention(name.span, (*steps, *others))
    else:
        yield from _path(node.of, here)


def _seen_from(written: str, here: _Here) -> tuple[Symbol, ...]:
    """The steps that a path may mean, as seen from the innermost block outwards."""
    return tuple(
        Symbol("step", "/".join((*here.path[:depth], written)), here.owner)
        for depth in range(len(here.path), -1, -1)
    )


def _path(path: nodes.Path, here: _Here) -> Iterator[Mention]:
    """A step's path: each part stands for the step so far. The first may be another journey."""
    first = path.parts[0]
    for index, part in enumerate(path.parts):
        own = _seen_from("/".join(p.text for p in path.parts[: index + 1]), here)
        if index == 0:
            other = Symbol("journey", first.text)
        else:
            rest = "/".join(p.text for p in path.parts[1 : index + 1])
            other = Symbol("step", rest, first.text)
        yield Mention(part.span, (*own, other) if len(path.parts) > 1 else own)


def _ref(node: nodes.Ref, here: _Here) -> Iterator[Mention]:
    match node.parts:
        case (nodes.Name(text="customer"), name):
            yield _field(name, "customers")
        case (nodes.Name(text="entry"), name):
            started = Symbol("parameter", name.text, here.owner)
            yield Mention(name.span, (Symbol("field", name.text, here.entry), started))
        case (nodes.Name(text="profile"), name):
            yield Mention(name.span, (Symbol("profile", name.text),))
        case (nodes.Name(text="customer" | "entry" | "profile" | "now"),):
            return
        case (name,):
            own = (Symbol("field", name.text, here.event),) if here.event else ()
            parameter = (Symbol("parameter", name.text, here.owner),) if here.owner else ()
            yield Mention(name.span, (*own, *parameter, Symbol("metric", name.text)))
        case (first, name):
            yield Mention(
                name.span,
                (Symbol("field", name.text, first.text),),
            )
        case _:
            return


def _candidate(node: nodes.Candidate, here: _Here) -> Iterator[Mention]:
    yield Mention(node.channel.span, (Symbol("channel", node.channel.text),))
    if isinstance(node.template, nodes.String):
        at = node.template.span
        inner = Span(at.path, at.start + 1, max(at.end - 1, at.start + 1))
        yield Mention(inner, (Symbol("template", node.template.value, node.channel.text),))
    else:
        yield from _of(node.template, here)
    yield from _of((node.values, node.condition), here)
