"""From the model to the plan.

Blocks are turned into continuations: the tree of what follows a step ends where the next
park begins. An empty remainder of a block goes on behind the block, so a branch that does
not park joins what stands after the `if` without a jump.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from journeylang.model.entry import Runs
from journeylang.model.journey import (
    BestHour,
    Block,
    Calendar,
    Earlier,
    Elapsed,
    Experiment,
    Factors,
    If,
    Invoke,
    Journey,
    Leave,
    Race,
    Repeat,
    Send,
    Set,
    Start,
    Step,
    TimeOfDay,
    Wait,
    WaitMoment,
    WaitState,
)
from journeylang.model.project import Project
from journeylang.model.steps import expressions, steps
from journeylang.model.types import Kind, Type
from journeylang.model.walk import entry_fields, walk
from journeylang.plan.learning import lessons
from journeylang.plan.numbering import HOLDOUT_PATH, Numbering, number
from journeylang.plan.offers import Offers
from journeylang.plan.operations import (
    OPENS_COUNT,
    Act,
    ActionPark,
    Again,
    Ahead,
    Assign,
    Begin,
    Call,
    DayStart,
    FactorDraw,
    JourneyPlan,
    Learning,
    Moment,
    MomentPark,
    Node,
    OpeningHour,
    Park,
    PastClock,
    Program,
    RaceBranch,
    RacePark,
    SendPark,
    Split,
    StatePark,
    WaitPark,
    WallClock,
    ZoneRule,
)
from journeylang.plan.results import results
from journeylang.plan.ways import Met, Rest, Ways, once
from journeylang.source import Span

_LONG_AGO = datetime(1970, 1, 1)  # noqa: DTZ001 - instants are naive here


def build(
    project: Project,
    numbering: Numbering | None = None,
    template_entry_fields: Mapping[str, Sequence[str]] | None = None,
) -> Program:
    """The plan of all journeys of a checked project.

    `template_entry_fields`: per journey, the fields of `entry` that its templates use.

    Raises:
        TooManyWaysError: a journey's branches without a wait between them multiply beyond
            `MAX_WAYS`.
    """
    numbers = number(project, numbering)
    rules: dict[ZoneRule, int] = {}
    journeys = tuple(
        _JourneyBuilder(
            project, journey, numbers, rules, (template_entry_fields or {}).get(name, ())
        ).build()
        for name, journey in project.journeys.items()
    )
    return Program(journeys=journeys, rules=tuple(rules))


class _JourneyBuilder:
    def __init__(
        self,
        project: Project,
        journey: Journey,
        numbers: Numbering,
        rules: dict[ZoneRule, int],
        template_fields: Sequence[str],
    ) -> None:
        self.project = project
        self.journey = journey
        self.numbers = numbers
        self.rules = rules
        self.template_fields = template_fields
        self.offers = Offers(project=project, journey=journey, rule=self._rule)
        self.ways = Ways(journey)
        self.parks: dict[int, Park] = {}
        # The loops around the step at hand: how deep, and how often all of them are passed.
        self.depth = 0
        self.times = 1
        self.visits = 0
        self.earlier: Earlier | None = None
        self.numbered: dict[str, int] = {}
        self.tried = dict(drawn_by(journey.body))
        self.kept: dict[int, int] = {}

    def build(self) -> JourneyPlan:
        journey = self.journey
        entry = self._block(journey.body, self.ways.end("end"))
        for earlier in journey.earlier:
            self.earlier, self.numbered = earlier, dict(earlier.numbers)
            self._block(earlier.body, self.ways.end("end"))
        self.earlier = None
        edges = self.ways.edges(entry)
        # Exits of those who enter are leaves of their own: checked before they advance.
        for way_out in journey.exits:
            self.ways.leaf(None, way_out.reason, Met(), exited=True)
        offers = self.offers
        marketing = journey.purpose == "marketing"
        return JourneyPlan(
            journey=self.numbers.journeys[journey.name],
            name=journey.name,
            purpose=journey.purpose,
            priority=journey.priority,
            entry=journey.entry,
            reenter=journey.reenter,
            reenter_rule=(
                self._rule(DayStart(days=1 - journey.reenter.days))
                if journey.reenter.rule == "after"
                else None
            ),
            # Who is on the way finishes; nobody begins any more.
            runs=Runs(start=None, end=_LONG_AGO, span=journey.span)
            if journey.upgrade == "drain"
            else journey.runs,
            only=journey.only,
            exits=journey.exits,
            guards=journey.guards,
            results=results(self.project, journey),
            holdout=journey.holdout,
            control=offers.control if offers.policy is not None and marketing else None,
            holdout_step=self._number(HOLDOUT_PATH),
            salts=tuple(
                (self._drawn(s.path, s.salt), s.salt)
                for body in self._bodies()
                for s in steps(body)
                if isinstance(s, Experiment)
            ),
            factors=self._factors(),
            entry_fields=self._entry_fields(),
            parks=tuple(self.parks.values()),
            edges=edges,
            leaves=self.ways.leaves,
            learning=self._lessons(),
            pinned=tuple((n, e.version) for e in journey.earlier for _, n in e.numbers) or None,
            kept=tuple(self.kept.items()) or None,
            max_rounds=2 * self.visits + 2,
            span=journey.span,
        )

    # --- ways -----------------------------------------------------------------

    def _block(self, block: Block, rest: Rest) -> Rest:
        """What happens from the first step of a block on, with `rest` behind it."""
        for step in reversed(block):
            rest = self._step(step, rest)
        return rest

    def _step(self, step: Step, rest: Rest) -> Rest:
        match step:
            case Wait():
                return self.ways.to(self._wait(step, rest))
            case WaitMoment():
                return self._moment(step, rest)
            case WaitState():
                return self._state(step, rest)
            case Race():
                return self.ways.to(self._race(step, rest))
            case Send():
                return self.ways.to(self._send(step, rest))
            case If():
                then, otherwise = self._block(step.then, rest), self._block(step.otherwise, rest)
                return once(lambda met: self.ways.decide(step.condition, then(met), otherwise(met)))
            case Experiment():
                return self._experiment(step, rest)
            case Set():
                act = Assign(name=step.name, value=step.value)
                return self.ways.to(self._act(step.path, act, step.span, rest))
            case Invoke():
                call = Call(
                    service=step.service, action=step.action, values=step.values, depth=self.depth
                )
                return self.ways.to(self._act(step.path, call, step.span, rest))
            case Start():
                begin = Begin(journey=step.journey, values=step.values, depth=self.depth)
                return self.ways.to(self._act(step.path, begin, step.span, rest))
            case Factors():
                met_here = tuple((self._drawn(f.path, f.value.salt), None) for f in step.factors)
                return lambda met: rest(met.exposed(*met_here))
            case Repeat():
                return self._repeat(step, rest)
            case Leave():
                return self.ways.end(step.reason)
            case _:
                assert_never(step)

    def _experiment(self, step: Experiment, rest: Rest) -> Rest:
        number_ = self._drawn(step.path, step.salt)
        arms = [(a.low, a.high, a.name, self._block(a.body, rest)) for a in step.arms]

        def split(met: Met) -> Node:
            ways = tuple(
                (low, high, way(met.exposed((number_, name)))) for low, high, name, way in arms
            )
            names = tuple(name for _, _, name, _ in arms) if step.learns is not None else ()
            kept = self.kept.get(number_)
            node = Split(step=number_, salt=step.salt, arms=ways, learned=names, kept=kept)
            return self.ways.sized(node, *(way for _, _, way in ways))

        return once(split)

    def _factors(self) -> tuple[FactorDraw, ...]:
        found = [
            FactorDraw(
                step=self._drawn(f.path, f.value.salt),
                salt=f.value.salt,
                arms=f.arms,
                learned=s.learns is not None,
            )
            for body in self._bodies()
            for s in steps(body)
            if isinstance(s, Factors)
            for f in s.factors
        ]
        return tuple({draw.step: draw for draw in reversed(found)}.values())[::-1]

    def _bodies(self) -> Iterator[Block]:
        """The journey's own steps, and those of the versions that somebody is still on."""
        self.earlier = None
        yield self.journey.body
        for earlier in self.journey.earlier:
            self.earlier, self.numbered = earlier, dict(earlier.numbers)
            yield earlier.body
        self.earlier = None

    def _lessons(self) -> tuple[Learning, ...]:
        found: dict[tuple[int, str], Learning] = {}
        for body in self._bodies():
            for lesson in lessons(replace(self.journey, body=body), self._drawn, self._rest):
                kept = replace(lesson, kept=self.kept.get(lesson.step))
                found.setdefault((kept.experiment, kept.salt), kept)
        return tuple(found.values())

    def _repeat(self, step: Repeat, rest: Rest) -> Rest:
        depth = self.depth + 1
        begin: list[Rest] = []

        def pass_over(met: Met) -> Node:
            over = rest(replace(met, passes=met.passes.left(depth)))
            once_more = begin[0](replace(met, passes=met.passes.another(depth)))
            again = self.ways.sized(
                Again(
                    depth=depth, times=step.times, met=met.passes, then=once_more, otherwise=over
                ),
                once_more,
                over,
            )
            return again if step.until is None else self.ways.decide(step.until, over, again)

        self.depth, self.times = depth, self.times * step.times
        begin.append(self._block(step.body, once(pass_over)))
        self.depth, self.times = depth - 1, self.times // step.times
        return lambda met: begin[0](replace(met, passes=met.passes.another(depth)))

    # --- parks ----------------------------------------------------------------

    def _wait(self, step: Wait, rest: Rest) -> int:
        number_ = self._rest(step.path)
        elapsed = isinstance(step.until, Elapsed)
        self._park(
            number_,
            lambda: WaitPark(
                step=number_,
                path=step.path,
                until=step.until,
                seconds=step.until.seconds if isinstance(step.until, Elapsed) else None,
                rule=None if elapsed else self._rule_of(step.until),
                edge=self.ways.edge(number_, "due", rest),
                span=step.span,
            ),
        )
        return number_

    def _moment(self, step: WaitMoment, rest: Rest) -> Rest:
        number_ = self._rest(step.path)
        moment = self._when(step)
        self._park(
            number_,
            lambda: MomentPark(
                step=number_,
                path=step.path,
                moment=moment,
                edge=self.ways.edge(number_, "due", self._block(step.body, rest)),
                span=step.span,
            ),
        )
        passed = self.ways.end("passed") if step.leaves else rest

        def ahead(met: Met) -> Node:
            then, otherwise = self.ways.leaf(number_, None, met), passed(met)
            node = Ahead(moment=moment, then=then, otherwise=otherwise)
            return self.ways.sized(node, then, otherwise)

        return once(ahead)

    def _when(self, step: WaitMoment) -> Moment | OpeningHour:
        moment = step.moment
        if isinstance(moment, BestHour):
            return OpeningHour(
                within=moment.within,
                wall=self._rule(WallClock(far=False)),
                past=self._rule(PastClock(days=OPENS_COUNT)),
            )
        match moment.type:
            case Type(kind=Kind.DATE):
                return Moment(value=moment, wall=self._rule(WallClock(far=True)))
            case Type(kind=Kind.TIME):
                near = self._rule(WallClock(far=False))
                return Moment(value=moment, wall=near, weekdays=step.weekdays)
            case _:
                return Moment(value=moment)

    def _state(self, step: WaitState, rest: Rest) -> Rest:
        number_ = self._rest(step.path)
        then = self._block(step.then, rest)
        self._park(
            number_,
            lambda: StatePark(
                step=number_,
                path=step.path,
                condition=step.condition,
                then=self.ways.edge(number_, "state", then),
                seconds=step.deadline.seconds if isinstance(step.deadline, Elapsed) else None,
                rule=self._rule_of(step.deadline),
                edge=self.ways.edge(number_, "timeout", self._block(step.timeout, rest)),
                span=step.span,
            ),
        )
        return once(
            lambda met: self.ways.decide(
                step.condition, then(met), self.ways.leaf(number_, None, met)
            )
        )

    def _race(self, step: Race, rest: Rest) -> int:
        number_ = self._rest(step.path)

        def park() -> RacePark:
            branches = tuple(
                RaceBranch(
                    event=b.event,
                    where=b.where,
                    edge=self.ways.edge(number_, "event", self._block(b.body, rest)),
                )
                for b in step.branches
            )
            return RacePark(
                step=number_,
                path=step.path,
                branches=branches,
                seconds=step.deadline.seconds if isinstance(step.deadline, Elapsed) else None,
                rule=self._rule_of(step.deadline),
                edge=self.ways.edge(number_, "timeout", self._block(step.timeout, rest)),
                span=step.span,
            )

        self._park(number_, park)
        return number_

    def _send(self, step: Send, rest: Rest) -> int:
        number_ = self._rest(step.path)
        otherwise = step.otherwise
        limit = step.expires
        if otherwise is not None and otherwise.seconds is not None:
            limit = min(limit, otherwise.seconds)
        self._park(
            number_,
            lambda: SendPark(
                step=number_,
                path=step.path,
                label=step.label,
                preferred=step.strategy == "preferred",
                learned=step.learns is not None,
                candidates=self.offers.candidates(step),
                offers=self.offers.of(step, number_),
                values=step.values,
                picks=step.picks,
                code=step.code,
                expires=step.expires,
                limit=limit,
                otherwise=otherwise.action if otherwise is not None else None,
                topic=step.topic,
                depth=self.depth,
                edge=self.ways.edge(number_, "sent", rest),
                retry=self.ways.edge(number_, "retry", self.ways.to(number_)),
                lacking=(
                    self.ways.edge(number_, "sent", self.ways.end(way_out))
                    if (way_out := _way_out(step)) is not None
                    else None
                ),
                span=step.span,
            ),
        )
        return number_

    def _act(self, path: str, act: Act, span: Span, rest: Rest) -> int:
        number_ = self._rest(path)
        self._park(
            number_,
            lambda: ActionPark(
                step=number_,
                path=path,
                act=act,
                edge=self.ways.edge(number_, "done", rest),
                span=span,
            ),
        )
        return number_

    def _park(self, number_: int, make: Callable[[], Park]) -> None:
        # What stands behind an `if` is reached from each of its branches: one park all the same.
        if number_ not in self.parks:
            self.visits += self.times
            self.parks[number_] = make()

    # --- names and numbers ----------------------------------------------------

    def _number(self, path: str) -> int:
        return self.numbers.steps[self.journey.name, path]

    def _rest(self, path: str) -> int:
        """Where somebody rests: people on an earlier version do so by themselves."""
        return self._number(path) if self.earlier is None else self.numbered[path]

    def _drawn(self, path: str, salt: str) -> int:
        """Under one salt an experiment is one, whatever the version.

        Under another one than the newest version's at this path it is one by itself; but what was
        drawn by it before there was another stays, and so its exposures are kept by path and salt.
        """
        if self.tried.setdefault(path, salt) == salt:
            return self._number(path)
        number_ = self._rest(path)
        self.kept[number_] = self._number(path)
        return number_

    def _rule(self, rule: ZoneRule) -> int:
        return self.rules.setdefault(rule, len(self.rules))

    def _rule_of(self, until: Elapsed | Calendar | TimeOfDay) -> int | None:
        return None if isinstance(until, Elapsed) else self._rule(until)

    def _entry_fields(self) -> tuple[str, ...]:
        """Fields of the entry event that something later in the journey reads."""
        nodes = [n for e in expressions(self.journey) for n in walk(e)]
        return tuple(dict.fromkeys((*entry_fields(nodes), *self.template_fields)))


def drawn_by(body: Block) -> Iterator[tuple[str, str]]:
    """Experiments and factors by path, with the salt."""
    for step in steps(body):
        if isinstance(step, Experiment):
            yield step.path, step.salt
        elif isinstance(step, Factors):
            yield from ((f.path, f.value.salt) for f in step.factors)


def _way_out(step: Send) -> str | None:
    """The reason with which those leave for whom rows or a code are missing."""
    if step.code is not None and step.code.reason is not None:
        return step.code.reason
    return next((p.reason for p in step.picks if p.otherwise == "exit"), None)
