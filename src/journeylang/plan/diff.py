"""What has changed in a journey between two versions, step by step, with its category.

Both sides are models, so that what is merely written otherwise is no change. Counts of people are
added where there is a database.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Literal

from journeylang.classes import dataclass
from journeylang.model.binding import Channel
from journeylang.model.expressions import Expression
from journeylang.model.journey import Experiment, Factors, If, Journey, Leave, Step
from journeylang.model.project import Project
from journeylang.model.steps import steps
from journeylang.plan.aspects import GRAVITY, RESTING, Aspect, Category, Excerpt, aspects
from journeylang.plan.ways_in import way_in

Sign = Literal["+", "-", "~"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A project at one of two points; `templates` are digests of texts, by `name.channel`."""

    project: Project
    excerpt: Excerpt
    templates: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change. `path` is the step's, None for what is the whole journey's.

    `kind` is "step", or the header or definition that changed, `name` what is shown of it.
    `resting`: people may wait there. `spoils`: arms changed under the same salt.
    """

    sign: Sign
    category: Category
    kind: str
    name: str
    path: str | None = None
    before: str | None = None
    after: str | None = None
    resting: bool = False
    spoils: bool = False


def gravest(categories: Iterator[Category]) -> Category:
    """The gravest of some categories, `none` of none."""
    return max(categories, key=GRAVITY.index, default="none")


def changes(old: Side, new: Side, name: str) -> list[Change]:
    """Everything that changed in the journey of this name, which both sides have."""
    before, after = old.project.journeys[name], new.project.journeys[name]
    return [
        *_headers(before, after, old, new),
        *_steps(before, after, old, new),
        *_conditions(before, after, old, new),
        *_policy(before, after, old, new),
        *_binding(old, new),
    ]


# --- steps ----------------------------------------------------------------------


def labelled(journey: Journey) -> dict[str, Step]:
    """Every step that has a path of its own, in the order written."""
    return {s.path: s for s in steps(journey.body) if not isinstance(s, If | Leave)}


def _steps(before: Journey, after: Journey, old: Side, new: Side) -> Iterator[Change]:
    was, is_ = labelled(before), labelled(after)
    for path, step in is_.items():
        resting = isinstance(step, RESTING)
        if path not in was:
            shown = "; ".join(a.shown for a in aspects(step, new.excerpt, new.templates)[:1])
            yield Change(
                sign="+", category="compatible", kind="step", name=path, path=path, after=shown
            )
            continue
        if type(was[path]) is not type(step):
            yield Change(
                sign="~",
                category="review" if resting else "breaking",
                kind="step",
                name=path,
                path=path,
                before=_kind(was[path]),
                after=_kind(step),
                resting=isinstance(was[path], RESTING),
            )
            continue
        yield from _aspects(path, was[path], step, old, new)
    for path, step in was.items():
        if path not in is_:
            yield Change(
                sign="-",
                category="breaking" if isinstance(step, RESTING) else "review",
                kind="step",
                name=path,
                path=path,
                resting=isinstance(step, RESTING),
            )
    stay = [path for path in was if path in is_]
    order = [path for path in is_ if path in was]
    if stay != order:
        first = next(path for path, other in zip(order, stay, strict=True) if path != other)
        yield Change(
            sign="~",
            category="review",
            kind="order",
            name=first,
            path=first,
            after="comes earlier",
        )


def _aspects(path: str, was: Step, step: Step, old: Side, new: Side) -> Iterator[Change]:
    pairs: list[tuple[Aspect, Aspect]] = [
        (a, b)
        for a, b in zip(
            aspects(was, old.excerpt, old.templates),
            aspects(step, new.excerpt, new.templates),
            strict=True,
        )
        if a.value != b.value
    ]
    # A text that was changed goes without saying where another template is sent.
    named = {a.name for a, _ in pairs}
    for a, b in pairs:
        if a.name == "text" and "template" in named:
            continue
        said = a.shown != b.shown
        yield Change(
            sign="~",
            category=b.category,
            kind="step",
            name=path,
            path=path,
            before=a.shown if said else None,
            after=b.shown if said else f"{b.shown} changed",
            resting=isinstance(step, RESTING),
            spoils=b.category == "experiment" and _spoils(was, step),
        )


def _spoils(was: Step, step: Step) -> bool:
    """Whether somebody drawn before would be drawn otherwise under the same salt."""
    if isinstance(was, Experiment) and isinstance(step, Experiment):
        arms = [[(a.name, a.low, a.high) for a in e.arms] for e in (was, step)]
        return was.salt == step.salt and arms[0] != arms[1]
    if isinstance(was, Factors) and isinstance(step, Factors):
        known = {f.path: f for f in was.factors}
        return any(
            f.path in known
            and known[f.path].value.salt == f.value.salt
            and known[f.path].arms != f.arms
            for f in step.factors
        )
    return False


def _kind(step: Step) -> str:
    return {"WaitMoment": "wait until", "WaitState": "wait until", "Race": "wait for"}.get(
        type(step).__name__, type(step).__name__.lower()
    )


# --- what has no label ------------------------------------------------------------


def _conditions(before: Journey, after: Journey, old: Side, new: Side) -> Iterator[Change]:
    """`if` and `exit`, told by their order: they have no name by which to find them."""
    was, is_ = list(_unlabelled(before, old)), list(_unlabelled(after, new))
    keys = [[(kind, repr(value)) for kind, value, _ in side] for side in (was, is_)]
    matcher = SequenceMatcher(a=keys[0], b=keys[1], autojunk=False)
    for tag, low, high, low_now, high_now in matcher.get_opcodes():
        if tag == "equal":
            continue
        gone, come = was[low:high], is_[low_now:high_now]
        for n in range(max(len(gone), len(come))):
            a = gone[n] if n < len(gone) else None
            b = come[n] if n < len(come) else None
            found = b or a
            assert found is not None
            yield Change(
                sign="~" if a and b else "+" if b else "-",
                category="review",
                kind=found[0],
                name=found[0],
                before=a[2] if a else None,
                after=b[2] if b else None,
            )


def _unlabelled(journey: Journey, side: Side) -> Iterator[tuple[str, Expression | str, str]]:
    for step in steps(journey.body):
        if isinstance(step, If):
            yield "if", step.condition, side.excerpt(step.condition.span)
        elif isinstance(step, Leave):
            yield "exit", step.reason, f"as {step.reason}"


# --- headers and definitions --------------------------------------------------------


def _headers(before: Journey, after: Journey, old: Side, new: Side) -> Iterator[Change]:
    a, b = _header_values(before, old), _header_values(after, new)
    for kind, (value, shown) in b.items():
        was, was_shown = a[kind]
        if was == value:
            continue
        # By another value of a parameter it means something else, and reads the same.
        same = was_shown == shown
        yield Change(
            sign="~" if was_shown and shown else "+" if shown else "-",
            category="review",
            kind=kind,
            name=kind,
            before=None if same else was_shown or None,
            after=f"{shown} (other values)" if same else shown or None,
        )


def _header_values(journey: Journey, side: Side) -> dict[str, tuple[object, str]]:
    """What a journey says of itself, by kind: by what it is compared, and what is shown."""

    def of(*parts: object) -> str:
        return "; ".join(side.excerpt(p.span) for p in parts if p is not None)  # type: ignore[attr-defined]

    def plain(part: object, shown: object) -> tuple[object, str]:
        return part, "" if part is None else str(shown)

    again = journey.reenter
    return {
        "enter": (journey.entry, entry_words(journey, side)),
        "reenter": plain(again, f"{again.rule} {again.days}d" if again.days else again.rule),
        "only customers": (journey.only, of(journey.only)),
        "exit when": (
            journey.exits,
            "; ".join(f"{side.excerpt(x.condition.span)} as {x.reason}" for x in journey.exits),
        ),
        "runs": (journey.runs, of(journey.runs)),
        "purpose": plain((journey.purpose, journey.purpose_reason), journey.purpose),
        "priority": plain(journey.priority, journey.priority),
        "holdout": (journey.holdout, of(journey.holdout)),
        "goal": (journey.goals, of(*journey.goals)),
        "guard": (journey.guards, of(*journey.guards)),
        "budget": (journey.budgets, of(*journey.budgets)),
        "policy": plain(journey.policy, journey.policy),
        "upgrade": plain(journey.upgrade == "drain", journey.upgrade),
    }


def entry_words(journey: Journey, side: Side) -> str:
    """How one enters, with the conditions: `on signed_up where source = "web"`."""
    entry = journey.entry
    asked = {"where": getattr(entry, "where", None), "when": getattr(entry, "condition", None)}
    words = way_in(entry).removeprefix("enter ").removesuffix("when").rstrip()
    conditions = [f"{word} {side.excerpt(e.span)}" for word, e in asked.items() if e is not None]
    return " ".join([*([words] if words else []), *conditions])


def _policy(before: Journey, after: Journey, old: Side, new: Side) -> Iterator[Change]:
    name = after.policy
    if name is None or before.policy != name:
        return
    if old.project.policies.get(name) != new.project.policies.get(name):
        yield Change(
            sign="~", category="review", kind="policy", name=name, after="holds from the next tick"
        )


_PARTS = ("events", "consents", "topics", "catalogs", "promos", "channels")


def _binding(old: Side, new: Side) -> Iterator[Change]:
    """Which parts of the binding are others; their effect is that of a condition."""
    before, after = old.project.binding, new.project.binding
    if before == after:
        return
    if before.customers != after.customers:
        yield Change(sign="~", category="review", kind="customers", name="binding")
    for part in _PARTS:
        was: dict[str, object] = getattr(before, part)
        is_: dict[str, object] = getattr(after, part)
        for name in sorted(was.keys() | is_.keys()):
            one, other = was.get(name), is_.get(name)
            if one == other:
                continue
            sign: Sign = "+" if one is None else "-" if other is None else "~"
            kind = part.removesuffix("s")
            change = Change(sign=sign, category="review", kind=kind, name=name)
            if isinstance(one, Channel) and isinstance(other, Channel):
                words, others = _channel(one, old), _channel(other, new)
                differ = [(a, b) for a, b in zip(words, others, strict=True) if a != b]
                before_, after_ = (", ".join(pair[n] for pair in differ) for n in (0, 1))
                change = replace(change, before=before_ or None, after=after_ or None)
            yield change


def _channel(one: Channel, side: Side) -> tuple[str, ...]:
    """What a channel is, one thing after the other."""
    cost = "no cost" if one.cost is None else f"cost {one.cost.normalize():f} {one.currency}"
    consent = "no consent" if one.consent is None else f"consent {one.consent}"
    return (f"address {side.excerpt(one.address.span)}", consent, cost)
