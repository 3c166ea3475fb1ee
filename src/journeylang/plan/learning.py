"""What a journey learns: which arm, and which channel, leads to the goal most often."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from journeylang.model.journey import Experiment, Factors, Goal, Journey, Send
from journeylang.model.steps import steps
from journeylang.plan.operations import Learning


def lessons(
    journey: Journey, drawn: Callable[[str, str], int], sent: Callable[[str], int]
) -> Iterator[Learning]:
    """Everything of the journey that learns.

    `drawn` is the number of an experiment by its path and salt, `sent` that of a send by its path.
    """
    for step in steps(journey.body):
        match step:
            case Experiment(learns=Goal() as goal):
                yield Learning(
                    step=drawn(step.path, step.salt),
                    salt=step.salt,
                    arms=tuple((a.name, a.low, a.high) for a in step.arms),
                    goal=goal,
                    judged="exposures",
                )
            case Factors(learns=Goal() as goal):
                for factor in step.factors:
                    yield Learning(
                        step=drawn(factor.path, factor.value.salt),
                        salt=factor.value.salt,
                        arms=factor.arms,
                        goal=goal,
                        judged="exposures",
                    )
            case Send(learns=Goal() as goal):
                channels = tuple(dict.fromkeys(c.channel for c in step.candidates))
                ends = [10_000 * n // len(channels) for n in range(len(channels) + 1)]
                yield Learning(
                    step=sent(step.path),
                    salt=f"{journey.name}/{step.path}",
                    arms=tuple(zip(channels, ends, ends[1:], strict=False)),
                    goal=goal,
                    judged="messages",
                )
            case _:
                pass
