"""Sends: channels, templates, the values for them, and what if no channel is open."""

from __future__ import annotations

import re
from dataclasses import dataclass

from journeylang.analysis.expressions import Checker
from journeylang.analysis.parameters import in_braces
from journeylang.analysis.picks import pick
from journeylang.analysis.promos import drawn
from journeylang.analysis.scope import Scope
from journeylang.analysis.spans import parameter, seconds
from journeylang.analysis.strategies import strategy
from journeylang.analysis.template_scope import GIVEN
from journeylang.diagnostics.codes import consent, names
from journeylang.diagnostics.model import Label
from journeylang.model import journey as model
from journeylang.model.expressions import Expression
from journeylang.source import Span
from journeylang.syntax import nodes

_TEMPLATE = re.compile(r"(?!\.)[\w.-]+(/(?!\.)[\w.-]+)*")
_DEFAULT_EXPIRES = 7 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """What `with` gives to the template."""

    values: tuple[tuple[str, Expression], ...]
    picks: tuple[model.Pick, ...]
    code: model.Code | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Builds the sends of one journey, whose purpose decides what they need."""

    journey: str
    purpose: model.Purpose
    checker: Checker

    def send(self, node: nodes.Send, label: str, path: str, scope: Scope) -> model.Send | None:
        findings = self.checker.findings
        how = strategy(node, self.checker)
        candidates = [self._candidate(c, label, scope) for c in node.candidates]
        given = self._values(node, scope)
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

    def _candidate(self, node: nodes.Candidate, label: str, scope: Scope) -> model.Candidate | None:
        findings = self.checker.findings
        condition = None
        if node.condition is not None:
            condition = self.checker.condition(node.condition, scope)
        if node.values:
            findings.later("`with` for a single channel of several", node.values[0].key.span)
            return None
        template = self._template(node, label, scope)
        if not self._reachable(node.channel) or template is None:
            return None
        if node.condition is not None and condition is None:
            return None
        path, span = template
        return model.Candidate(channel=node.channel.text, template=path, when=condition, span=span)

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

    def _values(self, node: nodes.Send, scope: Scope) -> _Given | None:
        findings = self.checker.findings
        seen: dict[str, nodes.Name] = {}
        found: list[tuple[str, Expression]] = []
        picks: list[model.Pick] = []
        codes: list[model.Code] = []
        fine = True
        for pair in node.values:
            key = pair.key
            value = self._value(pair, node.otherwise, scope)
            first = seen.setdefault(key.text, key)
            if first is not key:
                findings.error(
                    names.REPEATED_PART,
                    key.span,
                    f"`{key.text}` is given twice",
                    labels=(Label(first.span, "given here already"),),
                    help="remove one of the two",
                )
            elif key.text in GIVEN:
                findings.error(
                    names.DUPLICATE_NAME,
                    key.span,
                    f"`{key.text}` is in every template already",
                    help=f"choose another name, such as `{key.text}_here`",
                )
            elif key.text in scope.drawn:
                findings.error(
                    names.DUPLICATE_NAME,
                    key.span,
                    f"`{key.text}` is drawn by an experiment before",
                    labels=(Label(scope.drawn[key.text].span, "drawn here"),),
                    help="leave it out: the template has the value that was drawn",
                )
            match value:
                case None:
                    fine = False
                case model.Pick():
                    picks.append(value)
                case model.Code():
                    codes.append(value)
                case _:
                    found.append((key.text, value))
        for further in codes[1:]:
            findings.error(
                names.REPEATED_PART,
                further.span,
                "a message has one code",
                labels=(Label(codes[0].span, "the first"),),
                help="send the other one by a message of its own",
            )
        # None lets the run go on; all of them lead to one place.
        ways = {p.reason for p in picks if p.otherwise is not None} | {c.reason for c in codes}
        if len(ways) > 1:
            findings.error(
                names.REPEATED_PART,
                codes[-1].span if codes else picks[-1].span,
                "the values of a send have different `else`s",
                help="let all of them `skip`, or all of them `exit` by one name",
            )
            return None
        values = (*found, *scope.drawn.items())
        if not fine or len(codes) > 1:
            return None
        return _Given(values=values, picks=tuple(picks), code=codes[0] if codes else None)

    def _value(
        self, pair: nodes.Pair, otherwise: nodes.Otherwise | None, scope: Scope
    ) -> Expression | model.Pick | model.Code | None:
        findings = self.checker.findings
        match pair.value:
            case nodes.TopOf() as top:
                return pick(pair, top, otherwise, scope, self.checker)
            case nodes.ListOf():
                findings.later("a list of values", pair.value.span)
                return None
            case nodes.Call(function=nodes.Name(text="promo")) as call:
                return drawn(pair, call, otherwise, self.checker)
            case value:
                if pair.otherwise is not None:
                    findings.error(
                        names.OUT_OF_PLACE,
                        pair.otherwise.span,
                        f"the value of `{pair.key.text}` is always there",
                        help="leave `else` out: it belongs behind `promo(…)` and `top … of`",
                    )
                return self.checker.value(value, scope)

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
