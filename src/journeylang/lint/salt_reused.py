"""JRN402: two draws with one salt, so that the same customers are on the same side of both."""

from __future__ import annotations

from collections.abc import Iterator

from journeylang.analysis.paths import WITHOUT_BLOCKS
from journeylang.classes import dataclass
from journeylang.diagnostics.codes.experiments import SALT_REUSED
from journeylang.diagnostics.model import Diagnostic, Label
from journeylang.lint.rule import Checked, Rule
from journeylang.lint.tree import inner
from journeylang.source import Span
from journeylang.syntax import nodes

_Way = tuple[tuple[int, int], ...]
"""The step and the block in it, by place, of each block that a draw stands in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draw:
    salt: str
    what: str
    at: Span
    owner: str
    way: _Way = ()
    arms: tuple[object, ...] = ()


def salt_reused(checked: Checked) -> Iterator[Diagnostic]:
    """Each draw whose salt an earlier one has.

    One experiment that is written in two branches, of which everybody takes one, is one draw:
    its arms and their shares are the same.
    """
    first: dict[str, list[_Draw]] = {}
    for draw in sorted(_draws(checked), key=lambda draw: draw.at):
        earlier = first.setdefault(draw.salt, [])
        clash = next((other for other in earlier if not _is_one(draw, other)), None)
        earlier.append(draw)
        if clash is not None:
            yield Diagnostic(
                code=SALT_REUSED,
                message=f'the salt `"{draw.salt}"` draws twice',
                span=draw.at,
                label=f"for {draw.what}",
                labels=(Label(clash.at, f"for {clash.what} already"),),
                help="give it a salt of its own: the same customers are on the same side of both",
            )


def _draws(checked: Checked) -> Iterator[_Draw]:
    for policy in checked.declared.policies.values():
        for rule in policy.rules:
            if isinstance(rule, nodes.Control) and rule.salt is not None:
                yield _Draw(
                    salt=rule.salt.value,
                    what="the control group",
                    at=rule.salt.span,
                    owner=policy.name.text,
                )
    for journey in checked.declared.journeys.values():
        name = journey.name.text
        for header in journey.headers:
            if isinstance(header, nodes.Holdout) and header.salt is not None:
                yield _Draw(
                    salt=header.salt.value,
                    what=f"the hold-out of `{name}`",
                    at=header.salt.span,
                    owner=name,
                )
        yield from _experiments(f"journey {name}", journey.steps)
    for fragment in checked.declared.fragments.values():
        yield from _experiments(f"fragment {fragment.name.text}", fragment.steps)


def _experiments(owner: str, block: nodes.Block) -> Iterator[_Draw]:
    waiting: list[tuple[nodes.Step, _Way]] = [(step, ()) for step in block]
    while waiting:
        step, way = waiting.pop()
        if isinstance(step, nodes.Experiment | nodes.FactorExperiment) and step.salt is not None:
            label = "" if step.label is None else f" `{step.label.text}`"
            yield _Draw(
                salt=step.salt.value,
                what=f"the experiment{label}",
                at=step.salt.span,
                owner=owner,
                way=way,
                arms=_arms(step),
            )
        if step.__class__ in WITHOUT_BLOCKS:
            continue
        for number, within in enumerate(inner(step)):
            waiting.extend((each, (*way, (step.span.start, number))) for each in within)


def _arms(step: nodes.Experiment | nodes.FactorExperiment) -> tuple[object, ...]:
    if isinstance(step, nodes.FactorExperiment):
        return step.factors
    return tuple((arm.name, arm.share) for arm in step.arms)


def _is_one(draw: _Draw, other: _Draw) -> bool:
    """Whether everybody takes part in one of the two at most, and in the same way."""
    if draw.owner != other.owner or not draw.arms or draw.arms != other.arms:
        return False
    for mine, others in zip(draw.way, other.way, strict=False):
        if mine != others:
            return mine[0] == others[0]
    return False


RULE = Rule(code=SALT_REUSED, find=salt_reused)
