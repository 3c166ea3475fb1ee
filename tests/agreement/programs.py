"""Generated programs as text: two journeys, their policies, a metric and a segment.

Written by hand rather than from the grammar, so that every draw is a program that the
compiler takes; what it refuses is a failure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.agreement import rationing
from tests.agreement.calls import call
from tests.agreement.expressions import Draw, Expressions, Names
from tests.agreement.flow import PROFILE, Flow
from tests.agreement.prelude import CHANNELS, EVENTS, Theme
from tests.agreement.ways_in import BY_START, per, runs, start, way_in

WAITS = ("30m", "1h", "6h", "1d", "2d", "1w", "1mo")
TIMES = ("00:00", "00:30", "02:15", "02:30", "09:00", "23:45")
DAYS = ("weekdays", "monday", "sunday", "saturday, monday", "day")
METRICS = (("m_count", "int"), ("m_spent", "money"))
SEGMENTS = ("s_one", "s_two")
MESSAGES = ("j1/m1", "j2/m1")
FRAGMENT = """fragment chase(what: text, gap: duration = 1h, least: int = 1) {
  pause: wait gap
  note: send email "t" with { v: what }
  if customer.points >= least { on: wait for opened of note up to gap } else { late: wait 30m }
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A journey's texts."""

    headers: tuple[str, ...]
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A program's texts, so that some of them can be put otherwise; `tail` are definitions."""

    head: tuple[str, ...]
    journeys: Mapping[str, Parts]
    tail: tuple[str, ...]

    def text(self) -> str:
        journeys = (
            f'journey {name} "J" {{\n  ' + "\n  ".join([*parts.headers, *parts.steps]) + "\n}"
            for name, parts in self.journeys.items()
        )
        return "\n".join([*self.head, *journeys, *self.tail])


class Writer(Flow, Expressions):
    def __init__(self, draw: Draw[Any]) -> None:
        super().__init__(draw)
        self.theme = self.pick(tuple(Theme))
        # Everybody enters and stays; what happens then is the matter.
        self.busy = self.theme in (Theme.MESSAGES, Theme.RACES)
        self.starts = self.chance(2)
        self.labels = 0
        self.sends: list[str] = []
        self.loops = 0
        self.learns = False
        # What is learnt may be left out altogether.
        self.learning = True
        self.scopes: dict[str, Names] = {}
        self.trigger: str | None = None
        self.triggers: list[str | None] = []
        self.purpose = "marketing"
        self.profile = PROFILE if self.chance(3) else ()

    def text(self) -> str:
        return self.project().text()

    def project(self) -> Source:
        policies = (self._policy("p1", control=True), self._policy("p2", control=False))
        head = ("language 1", *policies, FRAGMENT)
        journeys = {name: self._journey(name) for name in ("j1", "j2")}
        return Source(head=head, journeys=journeys, tail=tuple(self._audience()))

    def _audience(self) -> list[str]:
        others = Names(others=MESSAGES, profile=self.profile)
        lines = [f"metric {name} = {self.figure(others, kind)}" for name, kind in METRICS]
        known = Names(others=MESSAGES, metrics=METRICS, profile=self.profile)
        lines.append(f"segment s_one = {self.condition(known)}")
        known = Names(others=MESSAGES, metrics=METRICS, segments=("s_one",))
        lines.append(f"segment s_two = {self.condition(known, 1)}")
        return lines

    # --- policies -------------------------------------------------------------

    def _policy(self, name: str, *, control: bool) -> str:
        least = int(self.busy)
        rules = [self._cap() for _ in range(self.pick((least, 1, 1, 2, 2, 3)))]
        rules += [self._quiet() for _ in range(self.pick((0, least, 1, 1, 2)))]
        if self.chance(2 + 3 * self.busy):
            rules += [rationing.rule(self) for _ in range(self.pick((1, 1, 2)))]
        if control and not self.busy and self.chance(2):
            rules.append(f'control {self.pick(("10%", "50%"))} salt "g"')
        if self.chance(3):
            rules.append(f"service ignores {self.pick(('caps', 'quiet', 'caps, quiet'))}")
        return f"policy {name} {{\n  " + "\n  ".join(rules) + "\n}"

    def _cap(self) -> str:
        channel = self.pick(("any", "any", *CHANNELS))
        per = self.pick(("1h", "1d", "3d", "7d", "day", "week", "month"))
        limit = self.pick((1, 1, 1, 2, "customer.points"))
        whose = f" for {self.pick(SEGMENTS)}" if self.chance(2) else ""
        of = "about offers" if self.chance(1) else channel
        return f"cap {of} {limit} per {per}{whose}{self._then()}"

    def _quiet(self) -> str:
        channels = self.pick(("email", "sms", "email, sms", "email, push"))
        start = self.pick(TIMES)
        end = self.pick([t for t in ("01:00", "02:30", "07:00", "09:00", "20:00") if t != start])
        return f"quiet {channels} {start} to {end}{self._then()}"

    def _then(self) -> str:
        return self.pick(("", "", " then hold", " then skip"))

    # --- journeys -------------------------------------------------------------

    def _journey(self, name: str) -> Parts:
        self.labels, self.sends = 0, []
        # Often the same for both: they then stand at their sends together.
        choices: list[str | None] = [*EVENTS, None, *self.triggers * 2]
        self.trigger = self.pick(choices)
        if self.starts and name == "j2":
            self.trigger = "started"
        self.triggers.append(self.trigger)
        self.purpose = self.pick(("marketing",) * 4 + ("service", "transactional"))
        self.learns = self.learning and self.chance(4)
        # The first message has a label that others can speak of.
        first = self._send("m", first=True)
        match self.theme:
            case Theme.RACES:
                before, behind = [self._race(1)], self._block(1, self.pick((0, 1)))
            case Theme.ENTRIES:
                before, behind = [], self._block(0, self.pick((0, 0, 1)))
            case _:
                before = self._block(1, self.pick((0, 0, 1)))
                behind = self._block(2, self.pick((0, 1, 2, 3)) + self.busy)
        headers = self._headers(name)
        if self.starts and (name == "j1" or self.chance(2)):
            behind.insert(0, start(self, self._label("g"), self._names()))
        if self.profile and name == "j2":
            # Every name is set somewhere, so that its type is known.
            behind += [self.assignment(self._names(), of=of) for of in PROFILE]
        if self.chance(3):
            before.append(call(self, self._label("c"), self._names()))
        steps = [*before, first, *behind]
        if self.purpose != "transactional" and self.chance(2):
            headers += rationing.header(self, "\n".join(steps))
        self.scopes[name] = self._names()
        return Parts(headers=tuple(headers), steps=tuple(steps))

    def _headers(self, name: str) -> list[str]:
        others = MESSAGES[1:] if name == "j1" else MESSAGES
        outside = Names(others=others, segments=SEGMENTS, metrics=METRICS, profile=self.profile)
        entry = self._entry(outside)
        headers = ['owner "a@b.example"', entry, self._reenter(entry)]
        if not self.busy and self.chance(1):
            headers.append(runs(self))
        if self.purpose != "marketing":
            reason = ' "a booking"' if self.purpose == "transactional" else ""
            headers.append(f"purpose {self.purpose}{reason}")
        if self.chance(3):
            headers.append(f"priority {self.pick((1, 5))}")
        if not self.busy and self.chance(1):
            headers.append(f"only customers where {self.condition(outside, 1)}")
        if not self.busy and self.chance(4 if self.theme is Theme.ENTRIES else 2):
            share = self.pick(("25%", "25%", "0.01%", "100%"))
            headers.append(f'holdout {share} salt "{name}"')
        headers += [
            f"exit when {self._leaving()} as {reason}"
            for reason in ("left", "right")[: 0 if self.busy else self.pick((0, 0, 1, 1, 2))]
        ]
        if self.chance(2):
            headers += rationing.guards(self)
        headers.append(f"policy {self.pick(('p1', 'p1', 'p2'))}")
        if self.learns:
            headers.append(self._goal())
            headers += rationing.results(self) if self.chance(3) else []
        return headers

    def _goal(self) -> str:
        event, where = self._awaited()
        return f"goal {event}{where} within {self.pick(('1h', '6h', '1d'))}"

    def _leaving(self) -> str:
        if self.theme is Theme.ENTRIES:
            return f"exists({self.pick(EVENTS)} since entry)"
        return self.condition(self._names(), 1)

    def _entry(self, outside: Names) -> str:
        if self.trigger is None:
            return way_in(self, outside)
        if self.trigger == "started":
            return BY_START
        seldom = not self.busy and self.chance(2)
        where = f" where {self.where(outside, self.trigger)}" if seldom else ""
        return f"enter on {self.trigger}{where}{per(self, self.trigger)}"

    def _reenter(self, entry: str) -> str:
        options = ["never", "after 1d", "after 1d", "after 2d"] * (1 if self.busy else 2)
        condition = entry.startswith("enter when") and not entry.startswith("enter when joins")
        options += ["always"] * (9 if self.busy else 3) * (not condition)
        return f"reenter {self.pick(options)}"

    def _names(self) -> Names:
        return Names(
            trigger=self.trigger,
            run=True,
            own=tuple(self.sends),
            others=MESSAGES,
            segments=SEGMENTS,
            metrics=METRICS,
            profile=self.profile,
        )

    # --- steps ----------------------------------------------------------------

    def _block(self, depth: int, steps: int) -> list[str]:
        return [self._step(depth) for _ in range(steps)]

    def _braces(self, depth: int, most: int = 2) -> str:
        return "{ " + " ".join(self._block(depth, self._draw(st.integers(0, most)))) + " }"

    def _label(self, letter: str) -> str:
        self.labels += 1
        return f"{letter}{self.labels}"

    def _step(self, depth: int) -> str:
        kinds = ["wait", "wait", "send", "send", "send"] * (3 if self.busy else 1)
        kinds += ["set", "set"] * bool(self.profile) + ["moment", "state", "call", "include"]
        if depth:
            kinds += ["race", "race", "race", "if", "if", "experiment", "factors"]
            kinds += ["repeat", "repeat"] * (self.loops < 2)
        if not self.busy:
            kinds.append("exit")
        match self.pick(kinds):
            case "wait":
                return self._wait()
            case "send":
                return self._send("s")
            case "race":
                return self._race(depth)
            case "if":
                return self._if(depth)
            case "experiment":
                return self._experiment(depth)
            case "repeat":
                return self._loop(depth)
            case "moment":
                label, names = self._label("v"), self._names()
                following = self._step(depth - 1) if depth else self._send("s")
                if "experiment factors" in following:
                    # It cannot be left out: what is behind it shows its values.
                    following = self._wait()
                return self.until_moment(label, names, following)
            case "state":
                names, span, before = self._names(), self.pick(WAITS), tuple(self.sends)
                braces = [self._braces(depth - 1) for _ in "ab"] if depth else ["{ }", "{ }"]
                text = self.until_state(self._label("u"), names, span, *braces)
                # What was drawn for a block that is not written is not there to be spoken of.
                self.sends = [s for s in self.sends if s in before or f"{s}: " in text]
                return text
            case "call":
                return call(self, self._label("c"), self._names())
            case "set":
                return self.assignment(self._names())
            case "include":
                return self._include()
            case "factors":
                return self._factors()
            case _:
                return self.pick(("exit", "exit as done"))

    def _include(self) -> str:
        gap = self.pick(("", f", gap: {self.pick(WAITS)}", f", {self.pick(WAITS)}"))
        least = f", least: {self.pick(('1', '-3', '10'))}" if gap and self.chance(5) else ""
        return f'{self._label("i")}: include chase("web"{gap}{least})'

    def _wait(self) -> str:
        label = self._label("w")
        if self.chance(4):
            days = f" on {self.pick(DAYS)}" if self.chance(3) else ""
            return f"{label}: wait until {self.pick(TIMES)}{days}"
        return f"{label}: wait {self.pick(WAITS)}"

    def _send(self, letter: str, *, first: bool = False) -> str:
        label = "m1" if first else self._label(letter)
        if self.chance(4):
            channels = self._draw(st.permutations(CHANNELS))[: self.pick((1, 2, 2, 3))]
            candidates = " ".join(f'{c} "t"{self._own()}{self._when()}' for c in channels)
            strategies = ["first", "first", "preferred", "preferred", "cheapest"]
            strategy = self.pick(strategies + ["best", "best"] * self.learns)
            text = f"{label}: send {strategy} of {{ {candidates} }}"
        else:
            text = f'{label}: send {self.pick(("email",) * 6 + ("sms", "push"))} "t"'
        if self.chance(2):
            kind = self.pick(("int", "money", "text", "instant"))
            values = [self.value(self._names(), kind) for _ in range(self.pick((1, 1, 2)))]
            given = values[0] if len(values) == 1 else f"[{', '.join(values)}]"
            text += f" with {{ v: {given}{self._pick()} }}"
        elif self.chance(2):
            code = f"promo({self.pick(('pool', 'pool', 'few', 'own', 'made'))})"
            text += f" with {{ c: {code} else {self.pick(('skip', 'skip', 'exit as none'))} }}"
        if self.chance(1) and self.chance(5 + 4 * self.busy):
            text += " about offers"
        if not self.busy and self.chance(3):
            text += f" expires {self.pick(('1h', '12h', '1d', '3d'))}"
        text += self.pick(("", "", "", " else skip", " else hold 30m", " else hold 1d"))
        self.sends.append(label)
        return text

    def _own(self) -> str:
        """Values that one channel of several has for itself."""
        if not self.chance(1):
            return ""
        return f" with {{ v: {self.value(self._names(), self.pick(('int', 'text')))} }}"

    def _pick(self) -> str:
        if not self.chance(5):
            return ""
        count = self.pick((1, 2, 2, 3, 4, 5))
        by = self.pick(("", " by price", " by stars", " by stars - customer.points"))
        where = self.pick(("", " where price < 20 EUR", " where stars > customer.points"))
        otherwise = self.pick(("", " else skip", " else exit", " else exit as few"))
        return f", p: top {count} of products{by}{where}{otherwise}"

    def _when(self) -> str:
        return f" when {self.condition(self._names(), 1)}" if self.chance(3) else ""

    def _race(self, depth: int) -> str:
        label = self._label("r")
        span = self.pick(WAITS)
        if self.chance(5):
            event, where = self._awaited()
            timeout = f" timeout {self._braces(depth - 1)}" if self.chance(5) else ""
            on = f" on {event} {self._braces(depth - 1)}" if self.chance(7) else ""
            inside = f" {{{on}{timeout} }}" if on or timeout else ""
            return f"{label}: wait for {event}{where} up to {span}{inside}"
        branches = ""
        for _ in range(self.pick((1, 2, 2, 3))):
            event, where = self._awaited()
            branches += f" on {event}{where} {self._braces(depth - 1, 1)}"
        timeout = f" timeout {self._braces(depth - 1)}" if self.chance(5) else ""
        return f"{label}: wait up to {span} {{{branches}{timeout} }}"

    def _awaited(self) -> tuple[str, str]:
        event, shape = self.source(self._names())
        seldom = 4
        if self.theme is Theme.RACES and self.chance(8):
            event = shape = self.pick(EVENTS)
            seldom = 1
        where = f" where {self.where(self._names(), shape)}" if self.chance(seldom) else ""
        return event, where

    def _loop(self, depth: int) -> str:
        label = self._label("l")
        self.loops += 1
        before = len(self.sends)
        body = self._block(depth - 1, self.pick((1, 1, 2)))
        wait = self._wait() if self.chance(7) else self._race(1)
        text = self.loop(label, self._names(), body, wait)
        self.loops -= 1
        # Within the loop a message has its own label; from outside it is spoken of by the path.
        del self.sends[before:]
        return text

    def _if(self, depth: int) -> str:
        text = f"if {self.condition(self._names())} {self._braces(depth - 1)}"
        if self.chance(3):
            text += f" else if {self.condition(self._names(), 1)} {self._braces(depth - 1)}"
        if self.chance(5):
            text += f" else {self._braces(depth - 1)}"
        return text

    def _factors(self) -> str:
        label = self._label("x")
        shown = ", ".join(
            f"{name}{label}: [{', '.join(self.pick(values))}]"
            for name, values in (
                ("f", (('"a"', '"b"'), ('"a"', '"b"', '"c"'))),
                ("g", (("1", "2", "3", "4", "5", "6", "7"), ("true", "false"), ("1.5", "2"))),
            )
        )
        adaptive, goal = "", ""
        if self.learning and self.chance(3):
            adaptive, goal = "adaptive ", f" {self._goal()}"
        salt = f'salt "{self.pick("uvw")}{label}"'
        return f"{label}: experiment factors {adaptive}{salt}{goal} {{ {shown} }}"

    def _experiment(self, depth: int) -> str:
        label = self._label("x")
        shares = self.pick(((50, 50), (30, 70), (0, 100), (100, 0), (20, 30, 50)))
        arms = " ".join(
            f"arm {name} {share}%{' control' if name == 'a' else ''} {self._braces(depth - 1)}"
            for name, share in zip("abc", shares, strict=False)
        )
        adaptive, goal = "", ""
        if self.learning and self.chance(3):
            adaptive, goal = "adaptive ", f" {self._goal()}"
        return f'{label}: experiment {adaptive}salt "{self.pick("uvw")}{label}"{goal} {{ {arms} }}'


@dataclass(frozen=True, kw_only=True)
class Program:
    """The text of a project but the binding.

    `triggers` are the events by which people enter.
    """

    text: str
    triggers: tuple[str, ...]
    theme: Theme

    def __repr__(self) -> str:
        return self.text


@st.composite
def programs(draw: Draw[Any]) -> Program:
    writer = Writer(draw)
    return written(writer, writer.text())


def written(writer: Writer, text: str) -> Program:
    triggers = tuple(t for t in writer.triggers if t in EVENTS)
    return Program(text=text, triggers=triggers, theme=writer.theme)
