"""What a test expects, held against what happened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from datetime import datetime, timedelta
from typing import assert_never

from journeylang.classes import dataclass
from journeylang.diagnostics.model import Label
from journeylang.model.trials import (
    Expectation,
    Left,
    Moment,
    NothingElse,
    NotSent,
    Rests,
    Sent,
    Trial,
)
from journeylang.source import Span
from journeylang.trial.clock import Clock
from journeylang.trial.played import Entry, Message, Played

# The language writes instants to the minute.
_MINUTE = timedelta(minutes=1)
# Nothing happens to them, which is what they are for.
_HELD = ("held_out", "global_control")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An expectation that did not come true: what was expected, and what was there instead."""

    span: Span
    message: str
    found: str
    labels: tuple[Label, ...] = ()


def judge(trial: Trial, played: Played, clock: Clock) -> tuple[Failure, ...]:
    """Every clause that is false, in the order written."""
    return tuple(_Judge(trial, played, clock).failures())


@dataclass(slots=True)
class _Judge:
    trial: Trial
    played: Played
    clock: Clock
    messages: list[Message] = field(init=False)
    exits: list[Entry] = field(init=False)

    def __post_init__(self) -> None:
        # What an expectation has met is taken away: the next one means another.
        self.messages = list(self.played.messages)
        self.exits = [e for e in self.played.entries if e.ended_at is not None]

    def failures(self) -> Iterator[Failure]:
        for happening in self.played.unheard:
            yield Failure(
                span=happening.span,
                message=f"nothing was sent that could be {happening.event.name}",
                found="no such message by then",
            )
        # What is positive first, so that `no send` and `nothing else` see what is left.
        ordered = sorted(self.trial.expected, key=_late)
        found = [(e.span, failure) for e in ordered for failure in self._failures(e)]
        yield from (failure for _, failure in sorted(found, key=lambda one: one[0].start))

    def _failures(self, expected: Expectation) -> Iterator[Failure]:
        match expected:
            case Sent(negated=False):
                yield from self._sent(expected)
            case Sent():
                for met in self._fitting(expected):
                    yield Failure(
                        span=expected.span,
                        message=f"`{expected.step}` is not expected to {_be(expected)}",
                        found=self._when(met),
                    )
            case NotSent():
                yield from self._not_sent(expected)
            case Rests():
                yield from self._rests(expected)
            case Left(negated=False):
                yield from self._left(expected)
            case Left():
                for gone in self._gone(expected):
                    yield Failure(
                        span=expected.span,
                        message="no such exit is expected",
                        found=self._how(gone),
                    )
            case NothingElse():
                yield from self._nothing_else(expected)
            case _:
                assert_never(expected)

    def _sent(self, expected: Sent) -> Iterator[Failure]:
        fitting = self._fitting(expected)
        if fitting:
            self.messages.remove(fitting[0])
            return
        other = [m for m in self.played.messages if m.step == expected.step]
        reasons = [n for n in self.played.non_sends if n.step == expected.step]
        if other:
            found = " and ".join(self._when(m) for m in other)
        elif reasons:
            found = f"not sent at {self._shown(reasons[0].at)}: {reasons[0].reason}"
        elif not self.played.entries:
            found = self._not_entered()
        else:
            found = f"never decided; {self._where()}"
        yield Failure(
            span=expected.span,
            message=f"`{expected.step}` is expected to {_be(expected)}{self._via(expected)}",
            found=found,
        )

    def _fitting(self, expected: Sent) -> list[Message]:
        return [
            m
            for m in self.messages
            if m.step == expected.step
            and expected.channel in (None, m.channel)
            and self._at(m.at, expected.at)
        ]

    def _via(self, expected: Sent) -> str:
        via = f" by {expected.channel}" if expected.channel is not None else ""
        return f"{via}{self._expected_at(expected.at)}"

    def _not_sent(self, expected: NotSent) -> Iterator[Failure]:
        here = [n for n in self.played.non_sends if n.step == expected.step]
        if any(n.reason == expected.reason and self._at(n.at, expected.at) for n in here):
            return
        sent = [m for m in self.played.messages if m.step == expected.step]
        if here:
            found = " and ".join(f"not sent at {self._shown(n.at)}: {n.reason}" for n in here)
        elif sent:
            found = self._when(sent[0])
        else:
            found = f"never decided; {self._where()}"
        at = self._expected_at(expected.at)
        yield Failure(
            span=expected.span,
            message=f"`{expected.step}` is expected not to be sent{at}, as {expected.reason}",
            found=found,
        )

    def _rests(self, expected: Rests) -> Iterator[Failure]:
        at = self.played.until if expected.at is None else self.clock.instant(expected.at)
        # Moves to the minute: one that the tick of `at` makes a moment later is meant.
        resting = self._resting(at)
        if expected.step not in resting:
            named = " and ".join(f"`{step}`" for step in resting)
            yield Failure(
                span=expected.span,
                message=f"a run is expected in `{expected.step}`{self._expected_at(expected.at)}",
                found=f"it is in {named}" if resting else "nobody is in the journey then",
            )

    def _resting(self, at: datetime) -> list[str]:
        """Where the runs are: of each run its last move counts."""
        last: dict[int, str | None] = {}
        for move in self.played.moves:
            if move.at < at + _MINUTE:
                last[move.run] = move.to
        return [step for step in last.values() if step is not None]

    def _left(self, expected: Left) -> Iterator[Failure]:
        gone = self._gone(expected)
        if gone:
            self.exits.remove(gone[0])
            return
        others = [e for e in self.played.entries if e.ended_at is not None]
        if others:
            found = " and ".join(self._how(e) for e in others)
        elif not self.played.entries:
            found = self._not_entered()
        else:
            found = f"nobody has left; {self._where()}"
        reason = f" `{expected.reason}`" if expected.reason is not None else ""
        yield Failure(
            span=expected.span,
            message=f"an exit{reason} is expected{self._expected_at(expected.at)}",
            found=found,
        )

    def _gone(self, expected: Left) -> list[Entry]:
        return [
            e
            for e in self.exits
            if e.ended_at is not None
            and expected.reason in (None, e.reason, e.status)
            and self._at(e.ended_at, expected.at)
        ]

    def _nothing_else(self, expected: NothingElse) -> Iterator[Failure]:
        rest = [f"`{m.step}` {'' if m.call else 'was '}{self._when(m)}" for m in self.messages]
        rest += [self._how(e) for e in self.exits if e.reason != "end" and e.status not in _HELD]
        if rest:
            yield Failure(
                span=expected.span,
                message="nothing else is expected to happen",
                found=" and ".join(rest),
            )

    # --- words ----------------------------------------------------------------

    def _at(self, at: datetime, expected: Moment | None) -> bool:
        if expected is None:
            return True
        wanted = self.clock.instant(expected)
        return wanted <= at < wanted + _MINUTE

    def _expected_at(self, at: Moment | None) -> str:
        return "" if at is None else f" at {self._shown(self.clock.instant(at))}"

    def _shown(self, at: datetime) -> str:
        return self.clock.shown(at)

    def _when(self, message: Message) -> str:
        return f"{message.how} at {self._shown(message.at)}"

    def _how(self, entry: Entry) -> str:
        assert entry.ended_at is not None
        return f"left as {entry.reason or entry.status} at {self._shown(entry.ended_at)}"

    def _where(self) -> str:
        resting = self._resting(self.played.until)
        if resting:
            return "at the end the run is in " + " and ".join(f"`{s}`" for s in resting)
        ended = [e for e in self.played.entries if e.ended_at is not None]
        return self._how(ended[-1]) if ended else "no run was left"

    def _not_entered(self) -> str:
        refused = [n for n in self.played.non_sends if n.step is None]
        if refused:
            return f"not let in at {self._shown(refused[0].at)}: {refused[0].reason}"
        return "nobody came into the journey"


def _be(expected: Sent) -> str:
    return "call" if expected.call else "be sent"


def _late(expected: Expectation) -> int:
    if isinstance(expected, NothingElse):
        return 2
    return int(getattr(expected, "negated", False))
