"""What is meant by an event's name: ``order_placed``, ``opened of hello``, ``sent of email``."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import field

from journeylang.analysis.declared import MESSAGE_EVENTS, REDEEMED, Declared
from journeylang.analysis.findings import Findings
from journeylang.analysis.scope import NO_SHAPE, EventScope, Scope, Shape
from journeylang.classes import dataclass
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.model import Label
from journeylang.model.expressions import BoundEvent, MessageEvent
from journeylang.model.types import TEXT, Type, money
from journeylang.syntax import nodes

_UNKNOWN_TEXT = TEXT.maybe()

_FIELDS: Mapping[str, Mapping[str, Type | None]] = {
    "opened": {"device": _UNKNOWN_TEXT},
    "clicked": {"link": _UNKNOWN_TEXT},
    "bounced": {"kind": TEXT},
    "replied": {"text": _UNKNOWN_TEXT, "keyword": _UNKNOWN_TEXT},
    "answered": {"question": _UNKNOWN_TEXT, "value": _UNKNOWN_TEXT},
    "called": {"outcome": TEXT},
}


def message_fields(name: str) -> Mapping[str, Type | None]:
    """The fields of what is said about a message, by the event's name."""
    return _FIELDS.get(name, {})


_PII: Mapping[str, frozenset[str]] = {"replied": frozenset({"text"})}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Resolves the names of events. ``steps`` has, per journey, each label's kind by path."""

    declared: Declared
    events: Mapping[str, Shape]
    catalogs: Mapping[str, Shape]
    steps: Mapping[str, Mapping[str, str]]
    findings: Findings
    # By the identity of a journey's steps, which live as long as this does.
    _by_label: dict[int, dict[str, list[str]]] = field(default_factory=dict)
    _candidates: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def event(self, node: nodes.EventRef, scope: Scope) -> EventScope | None:
        """The event and its fields; None when it was reported (or will be elsewhere)."""
        name = node.name.text
        if name in MESSAGE_EVENTS:
            return self._message(node, scope)
        if name == REDEEMED:
            return self._redeemed(node)
        if name not in self.events:
            self._unknown(node)
            return None
        if node.of is not None:
            self.findings.error(
                names.OUT_OF_PLACE,
                node.of.span,
                f"`{name}` is an event of the database, of no message",
                help=f"write `{name}` alone; `of` follows {_listed(MESSAGE_EVENTS[:3])}, …",
            )
            return None
        return EventScope(
            name=name, source=BoundEvent(name=name, span=node.span), shape=self.events[name]
        )

    def _redeemed(self, node: nodes.EventRef) -> EventScope | None:
        promos = self.declared.promos
        if node.of is None or len(node.of.parts) != 1:
            self.findings.error(
                names.MISSING_PART,
                node.span,
                "the redemption of which promo?",
                help="write `redeemed of PROMO`",
            )
            return None
        (promo,) = node.of.parts
        if promo.text not in promos:
            self.findings.unknown("promo", promo.text, promo.span, promos)
            return None
        own = f"redeemed_of_{promo.text}"
        if not any(isinstance(line, nodes.RedeemedBy) for line in promos[promo.text].items):
            self.findings.error(
                names.MISSING_PART,
                promo.span,
                f"it is not known when a code of `{promo.text}` is redeemed",
                labels=(Label(promos[promo.text].name.span, "the promo"),),
                help="say so in the promo: `redeemed by code_redeemed.code`",
            )
            return None
        shape = self.events.get(own)
        if shape is None:
            return None
        return EventScope(name=own, source=BoundEvent(name=own, span=node.span), shape=shape)

    def _unknown(self, node: nodes.EventRef) -> None:
        name = node.name.text
        advice = ""
        if name in self.declared.metrics:
            advice = f"`{name}` is a metric: write it without an aggregate around it"
        elif name in self.declared.segments:
            advice = f"`{name}` is a segment: write `in segment {name}`"
        elif name == "customer":
            advice = "aggregates are over events: a customer has one value of each field"
        self.findings.unknown(
            "event",
            name,
            node.name.span,
            (*self.events, *MESSAGE_EVENTS),
            label="no event of this name is bound",
            help=advice,
        )

    def _message(self, node: nodes.EventRef, scope: Scope) -> EventScope | None:
        name = node.name.text
        source = self._narrowed(name, node, scope)
        if source is None:
            return None
        shape = Shape(fields=_FIELDS.get(name, {}), pii=_PII.get(name, frozenset()))
        if name == "sent":
            shape = Shape(fields={"cost": self._cost(source)})
        return EventScope(name=name, source=source, shape=shape)

    def _narrowed(self, name: str, node: nodes.EventRef, scope: Scope) -> MessageEvent | None:
        if node.of is None:
            return MessageEvent(name=name, span=node.span)
        parts = [part.text for part in node.of.parts]
        journey = scope.journey
        if journey is not None:
            own = self._step(journey.steps, parts, scope.inside, node.of)
            if isinstance(own, _Reported):
                return None
            if own is not None and scope.run:
                return MessageEvent(
                    name=name, journey=journey.name, path=own, own=True, span=node.span
                )
            if own is not None:
                self.findings.error(
                    names.OUT_OF_PLACE,
                    node.of.span,
                    f"`{node.of.text}` is a message of a run that has not begun here",
                    help=f"write `{journey.name}/{own}` for the same message of any earlier run",
                )
                return None
        if len(parts) == 1:
            if parts[0] in self.declared.channels:
                return MessageEvent(name=name, channel=parts[0], span=node.span)
            self._unknown_of(node.of, scope)
            return None
        if parts[0] not in self.declared.journeys:
            self._unknown_of(node.of, scope)
            return None
        return self._elsewhere(name, node, node.of)

    def _elsewhere(self, name: str, node: nodes.EventRef, of: nodes.Path) -> MessageEvent | None:
        journey, *rest = (part.text for part in of.parts)
        steps = self.steps.get(journey, {})
        found = self._step(steps, rest, (), of)
        if isinstance(found, _Reported):
            return None
        if found is None:
            self.findings.unknown(
                "step",
                "/".join(rest),
                of.span,
                [path for path, kind in steps.items() if kind == "send"],
                label=f"`{journey}` has no message of this path",
            )
            return None
        return MessageEvent(name=name, journey=journey, path=found, span=node.span)

    def _labelled(self, steps: Mapping[str, str], label: str) -> Sequence[str]:
        """The paths that end in a label, in the order written."""
        known = self._by_label.get(id(steps))
        if known is None:
            known = self._by_label[id(steps)] = {}
            for path in steps:
                known.setdefault(path.rsplit("/", 1)[-1], []).append(path)
        return known.get(label, ())

    def _step(
        self,
        steps: Mapping[str, str],
        parts: Sequence[str],
        inside: tuple[str, ...],
        of: nodes.Path,
    ) -> str | _Reported | None:
        """The path meant: as seen from the innermost block outwards, or a label that is unique."""
        written = "/".join(parts)
        found = None
        for depth in range(len(inside), -1, -1):
            path = "/".join((*inside[:depth], written))
            if path in steps:
                found = path
                break
        if found is None:
            near = [p for p in self._labelled(steps, parts[-1]) if p.endswith(f"/{written}")]
            messages = [path for path in near if steps[path] == "send"]
            if len(messages) > 1:
                self.findings.error(
                    names.UNKNOWN_NAME,
                    of.span,
                    f"`{written}` is the label of {len(messages)} messages",
                    label="which of them is meant is not clear",
                    help="write the whole path: " + _listed(messages[:4]),
                )
                return _REPORTED
            if not near:
                return None
            found = (messages or near)[0]
        if steps[found] == "send":
            return found
        self.findings.error(
            names.TYPE_MISMATCH,
            of.span,
            f"`{written}` is {with_article(steps[found])}, not a message",
            help="behind `of` stands the label of a `send`, or a channel",
        )
        return _REPORTED

    def _unknown_of(self, of: nodes.Path, scope: Scope) -> None:
        steps = scope.journey.steps if scope.journey is not None else {}
        advice = ""
        if of.text in self.declared.journeys:
            advice = f"to mean a message of `{of.text}`, write `{of.text}/LABEL`"
        elif scope.journey is None:
            advice = "outside of a journey, write `JOURNEY/LABEL` or a channel"
        if of.text in self.declared.promos:
            advice = f"what becomes of its codes is `redeemed of {of.text}`"
        self.findings.unknown(
            "message or channel",
            of.text,
            of.span,
            self._of_candidates(steps),
            label="neither a message of this journey nor a channel",
            help=advice,
        )

    def _of_candidates(self, steps: Mapping[str, str]) -> Collection[str]:
        """What may stand behind `of`: labels and paths of messages, channels."""
        if not self.findings.guesses:
            return ()
        known = self._candidates.get(id(steps))
        if known is None:
            paths = [path for path, kind in steps.items() if kind == "send"]
            labels = [path.rsplit("/", 1)[-1] for path in paths]
            known = tuple(dict.fromkeys([*labels, *self.declared.channels, *paths]))
            self._candidates[id(steps)] = known
        return known

    def _cost(self, source: MessageEvent) -> Type | None:
        """Money in the currency of the channels that cost something, if it is one."""
        currencies = self._currencies(source)
        return money(currencies[0]).maybe() if len(currencies) == 1 else None

    def no_cost(self, source: MessageEvent, node: nodes.Name) -> None:
        """Report why `sent.cost` has no type."""
        currencies = self._currencies(source)
        if currencies:
            self.findings.error(
                names.CURRENCY_MISMATCH,
                node.span,
                f"messages cost {' and '.join(currencies)}, depending on the channel",
                help="narrow it to one channel: `sum(sent.cost of email)`",
            )
        else:
            self.findings.error(
                names.MISSING_PART,
                node.span,
                "no channel has a cost",
                help="give the channel one: `channel email { …, cost: 0.0004 EUR }`",
            )

    def _currencies(self, source: MessageEvent) -> list[str]:
        channels = self.declared.channels
        if source.channel is not None:
            channels = {source.channel: channels[source.channel]}
        return sorted(
            {
                pair.value.currency
                for channel in channels.values()
                for pair in channel.settings
                if pair.key.text == "cost" and isinstance(pair.value, nodes.Money)
            }
        )


@dataclass(frozen=True, slots=True)
class _Reported:
    """The name was found and is not what may stand here."""


_REPORTED = _Reported()


def unknown_event(node: nodes.EventRef) -> EventScope:
    """In place of an event that was reported: every field of it passes."""
    return EventScope(
        name=node.name.text,
        source=BoundEvent(name=node.name.text, span=node.span),
        shape=NO_SHAPE,
    )


def _listed(items: Sequence[str]) -> str:
    return ", ".join(f"`{item}`" for item in items)


def with_article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
