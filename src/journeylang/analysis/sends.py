"""Sends: channels, templates, the values for them, and what if no channel is open."""

from __future__ import annotations

import re

from journeylang.analysis.expressions import Checker
from journeylang.analysis.given import of_channel, of_send
from journeylang.analysis.parameters import in_braces
from journeylang.analysis.scope import Scope
from journeylang.analysis.spans import parameter, seconds
from journeylang.analysis.strategies import strategy
from journeylang.classes import dataclass
from journeylang.diagnostics.codes import consent, names
from journeylang.diagnostics.model import Label
from journeylang.model import journey as model
from journeylang.source import Span
from journeylang.syntax import nodes

_TEMPLATE = re.compile(r"(?!\.)[\w.-]+(/(?!\.)[\w.-]+)*")
_DEFAULT_EXPIRES = 7 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Builds the sends of one journey, whose purpose decides what they need."""

    journey: str
    purpose: model.Purpose
    checker: Checker

    def send(self, node: nodes.Send, label: str, path: str, scope: Scope) -> model.Send | None:
        findings = self.checker.findings
        how = strategy(node, self.checker)
        candidates = [self._candidate(c, node, label, scope) for c in node.candidates]
        self._one_of_each(candidates)
        given = of_send(node, scope, self.checker)
        expires: int | None = _DEFAULT_EXPIRES
        if node.expires is not None:
            expires = seconds(node.expires, scope, findings)
        otherwise, fine = self._otherwise(node.otherwise, scope)
        topic = self._topic(node.about)
        whole = tuple(c for c in candidates if c is not None)
        if node.about is not None and topic is None:
            return None
        if len(whole) < len(candidates) or given is None or expires is None or not fine:
            return None
        if how is None:
            return None
        return model.Send(
            label=label,
            path=path,
            strategy=how,
            candidates=whole,
            values=given.values,
            picks=given.picks,
            code=given.code,
            expires=expires,
            otherwise=otherwise,
            topic=topic,
            span=node.span,
        )

    def _candidate(
        self, node: nodes.Candidate, send: nodes.Send, label: str, scope: Scope
    ) -> model.Candidate | None:
        condition = None
        if node.condition is not None:
            condition = self.checker.condition(node.condition, scope)
        values = of_channel(node, send, scope, self.checker)
        template = self._template(node, label, scope)
        if not self._reachable(node.channel) or template is None or values is None:
            return None
        if node.condition is not None and condition is None:
            return None
        path, span = template
        return model.Candidate(
            channel=node.channel.text, template=path, when=condition, values=values, span=span
        )

    def _one_of_each(self, candidates: list[model.Candidate | None]) -> None:
        """A message is known by its channel: that has one template, and one set of values."""
        seen: dict[str, model.Candidate] = {}
        for candidate in candidates:
            if candidate is None:
                continue
            first = seen.setdefault(candidate.channel, candidate)
            if (first.template, first.values) != (candidate.template, candidate.values):
                self.checker.findings.error(
                    names.REPEATED_PART,
                    candidate.span,
                    f"`{candidate.channel}` is tried twice, with different messages",
                    labels=(Label(first.span, "tried here already"),),
                    help="choose between two messages of a channel by an `if` around two sends",
                )

    def _template(self, node: nodes.Candidate, label: str, scope: Scope) -> tuple[str, Span] | None:
        """The template's path, and where it is written: by a parameter, elsewhere."""
        if node.template is None:
            return f"{self.journey}/{label}", node.span
        if isinstance(node.template, nodes.Ref):
            given = parameter(node.template, "template", scope, self.checker.findings)
            if not isinstance(given, nodes.String):
                return None
            text, span = given.value, given.span
        else:
            filled = in_braces(node.template, scope, self.checker.findings)
            if filled is None:
                return None
            text, span = filled
        if _TEMPLATE.fullmatch(text):
            return text, (span if span != node.template.span else node.span)
        self.checker.findings.error(
            names.BAD_VALUE,
            span,
            f'`"{text}"` is no name of a template',
            help="a template is named by its path below `templates/`, without the"
            ' channel and the ending: `"welcome/hello"`',
        )
        return None

    def _reachable(self, name: nodes.Name) -> bool:
        """The channel is there, and fit for the journey's purpose."""
        checker = self.checker
        channel = checker.declared.channels.get(name.text)
        if channel is None:
            checker.findings.unknown("channel", name.text, name.span, checker.declared.channels)
            return False
        needs_consent = self.purpose != "transactional"
        if needs_consent and not any(pair.key.text == "consent" for pair in channel.settings):
            checker.findings.error(
                consent.CHANNEL_WITHOUT_CONSENT,
                name.span,
                f"a {self.purpose} message by `{name.text}`, a channel without a consent",
                labels=(Label(channel.name.span, "the channel, without `consent: …`"),),
                help="name the consent in the channel; only a journey with"
                ' `purpose transactional "…"` does without',
            )
        return True

    def _otherwise(
        self, node: nodes.Otherwise | None, scope: Scope
    ) -> tuple[model.Otherwise | None, bool]:
        """The send's own `else`; and whether it is right."""
        if node is None:
            return None, True
        match node.action:
            case "skip":
                return model.Otherwise(action="skip", span=node.span), True
            case "hold":
                if node.hold is None:
                    return model.Otherwise(action="hold", span=node.span), True
                hold = seconds(node.hold, scope, self.checker.findings)
                if hold is None:
                    return None, False
                return model.Otherwise(action="hold", seconds=hold, span=node.span), True
            case "continue" | "exit":
                self.checker.findings.error(
                    names.OUT_OF_PLACE,
                    node.span,
                    f"`else {node.action}` has no meaning behind a send",
                    help="write `else skip` or `else hold 12h`",
                )
                return None, False

    def _topic(self, name: nodes.Name | None) -> str | None:
        if name is None:
            return None
        if name.text in self.checker.declared.topics:
            return name.text
        self.checker.findings.unknown("topic", name.text, name.span, self.checker.declared.topics)
        return None
