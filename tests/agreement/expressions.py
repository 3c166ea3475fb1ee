"""Generated conditions and values as text: well typed, in the scope in which they stand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from hypothesis import strategies as st

from tests.agreement import audiences
from tests.agreement.prelude import CHANNELS, EVENTS

T = TypeVar("T")
Draw = Callable[[st.SearchStrategy[T]], T]

FIELDS: dict[str, dict[str, str]] = {
    "customer": {
        "email": "text",
        "country": "text",
        "shout": "text",
        "timezone": "text",
        "points": "int",
        "rate": "number",
        "vip": "bool",
        "born": "date",
        "joined": "instant",
        "daily": "time",
    },
    "signed_up": {"source": "text", "score": "int"},
    "ordered": {"total": "money", "items": "int", "gift": "bool", "due": "date"},
    "visited": {"page": "text", "weight": "number", "seen": "instant", "daily": "time"},
    # What a `start` hands over.
    "started": {"r": "text", "n": "number", "i": "int", "m": "money", "d": "date", "b": "bool"},
}
LITERALS: dict[str, tuple[str, ...]] = {
    "text": ('"web"', '"a"', '"DE"', '"ä"', '""'),
    "int": ("0", "1", "2", "10", "9223372036854775807"),
    "number": ("0.5", "0.0", "1.25", "2.0"),
    "money": ("0 EUR", "5 EUR", "19.99 EUR", "0.0001 EUR"),
    "bool": ("true", "false"),
    "date": ("2026-03-28", "1990-02-28"),
    "instant": ("2026-03-28T23:30", "2026-03-29T01:00:00+02:00"),
    "time": ("09:00", "17:30"),
    "duration": ("1h", "1d", "30d"),
}
SPANS = ("30m", "1h", "6h", "1d", "3d", "30d")
COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
FEEDBACK = {
    "opened": "device",
    "clicked": "link",
    "bounced": "kind",
    "delivered": "",
    "failed": "",
    "called": "outcome",
    "answered": "value",
    "replied": "keyword",
    "complained": "",
    "unsubscribed": "",
}
# Of the feedback that is seldom: what is talked of, written or answered, and objections.
TALK = ("called", "called", "answered", "replied", "failed", "complained", "unsubscribed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What may be spoken of: `event` is the one in scope, `own` are this run's messages."""

    event: str | None = None
    trigger: str | None = None
    run: bool = False
    own: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    aggregates: bool = True
    segments: tuple[str, ...] = ()
    metrics: tuple[tuple[str, str], ...] = ()
    profile: tuple[tuple[str, str], ...] = ()


class Expressions:
    """Draws texts of expressions."""

    def __init__(self, draw: Draw[Any]) -> None:
        self._draw = draw

    def pick(self, options: Sequence[T]) -> T:
        picked: T = self._draw(st.sampled_from(options))
        return picked

    def chance(self, of_ten: int) -> bool:
        """True in `of_ten` cases of ten; false is the simpler one."""
        return bool(self._draw(st.integers(0, 9)) >= 10 - of_ten)

    # --- conditions -----------------------------------------------------------

    def condition(self, names: Names, depth: int = 2) -> str:
        how = self.pick(("test", "test", "test", "and", "or", "not") if depth else ("test",))
        match how:
            case "and" | "or":
                left, right = self.condition(names, depth - 1), self.condition(names, depth - 1)
                return f"({left} {how} {right})"
            case "not":
                return f"not ({self.condition(names, depth - 1)})"
            case _:
                return self._test(names)

    def _test(self, names: Names) -> str:
        kinds = ["compare", "compare", "known", "between", "in", "text", "aged", "flag"]
        if names.aggregates:
            kinds = ["exists", "exists", "figure", "figure", "top", "list", *kinds]
            if names.segments:
                kinds.append("segment")
        match self.pick(kinds):
            case "exists":
                return f"exists({self.event(names)})"
            case "figure":
                kind = self.pick(("int", "int", "money", "number", "instant"))
                figure = self.figure(names, kind)
                return f"{figure} {self.pick(COMPARISONS)} {self.pick(LITERALS[kind])}"
            case "top":
                return audiences.top(self, names)
            case "list":
                return self.pick((audiences.listed, audiences.selected))(self)
            case "segment":
                negated = self.pick(("", "not "))
                return f"customer {negated}in segment {self.pick(names.segments)}"
            case "known":
                return f"{self.value(names, self._kind())} is {self.pick(('known', 'unknown'))}"
            case "between":
                kind = self.pick(("int", "number", "money", "instant", "date"))
                low, high = (self.value(names, kind, 0) for _ in "ab")
                return f"{self.value(names, kind)} between {low} and {high}"
            case "in":
                kind = self.pick(("text", "int", "money"))
                options = ", ".join(self.value(names, kind, 0) for _ in range(2))
                return f"{self.value(names, kind)} {self.pick(('in', 'not in'))} ({options})"
            case "text":
                how = self.pick(("contains", "starts with"))
                return f"{self.value(names, 'text')} {how} {self.pick(LITERALS['text'])}"
            case "aged":
                subject = self.value(names, self.pick(("instant", "date")))
                return f"{subject} {self.pick(('older', 'newer'))} than {self.pick(SPANS)}"
            case "flag":
                return "gift" if names.event == "ordered" else "customer.vip"
            case _:
                kind = self._kind()
                how = self.pick(COMPARISONS if kind != "bool" else ("=", "!="))
                return f"{self.value(names, kind)} {how} {self.value(names, kind, 0)}"

    def _kind(self) -> str:
        return self.pick(("int", "text", "money", "number", "bool", "date", "instant", "time"))

    # --- values ---------------------------------------------------------------

    def value(self, names: Names, kind: str, depth: int = 1) -> str:
        """A value of a kind: a field, a literal, a figure, or arithmetic of those."""
        options: list[str] = [f"customer.{f}" for f, k in FIELDS["customer"].items() if k == kind]
        options += [f"profile.{name}" for name, of in names.profile if of == kind] * 2
        if names.event is not None:
            fields = FIELDS.get(names.event, {})
            options += [f for f, k in fields.items() if k == kind] * 3
            options += ["at"] * (kind == "instant")
        if names.run:
            fields = FIELDS[names.trigger] if names.trigger else {}
            options += [f"entry.{f}" for f, k in fields.items() if k == kind]
            options += ["entry.at"] * (kind == "instant")
        if names.aggregates:
            options += [name for name, of in names.metrics if of == kind]
        ways = ["field"] * 2 * bool(options) + ["literal"]
        if depth:
            if kind in ("int", "number", "money", "instant", "date"):
                ways.append("arithmetic")
            if names.aggregates:
                ways += ["figure", "most"] + ["age", "tile"] * (kind == "int")
        match self.pick(ways):
            case "field":
                return self.pick(options)
            case "arithmetic":
                return self._arithmetic(names, kind)
            case "figure":
                return self.figure(names, kind)
            case "most":
                return audiences.most(self, names, kind)
            case "age":
                return audiences.age(self, names)
            case "tile":
                return f"({audiences.tile(self, names)})"
            case _:
                return self.pick(LITERALS[kind])

    def _arithmetic(self, names: Names, kind: str) -> str:
        left = self.value(names, kind, 0)
        if kind in ("int", "number", "money") and self.chance(2):
            return f"(-{left})"
        match kind:
            case "instant" | "date":
                spans = [d for d in LITERALS["duration"] if kind == "instant" or d.endswith("d")]
                return f"({left} {self.pick('+-')} {self.pick(spans)})"
            case "money":
                operator = self.pick("+-*/")
                other = kind if operator in "+-" else self.pick(("int", "number"))
                return f"({left} {operator} {self.value(names, other, 0)})"
            case "number":
                return f"({left} {self.pick('+-*/')} {self.value(names, kind, 0)})"
            case _:
                return f"({left} {self.pick('+-*')} {self.value(names, kind, 0)})"

    def figure(self, names: Names, kind: str) -> str:
        """An aggregate whose value is of the kind."""
        of = [(e, f) for e in EVENTS for f, k in FIELDS[e].items() if k == kind]
        if kind == "int" and self.pick((True, False)):
            return f"count({self.event(names)})"
        if kind == "instant" and self.pick((True, True, False)):
            return f"{self.pick(('first', 'last'))}({self.event(names)})"
        if kind == "int" and self.chance(2):
            return f"distinct(visited.page{self.scope(names, 'visited')})"
        if not of:
            return self.pick(LITERALS[kind])
        event, field = self.pick(of)
        functions = ["first", "last"]
        if kind in ("int", "number", "money"):
            functions += ["sum"] + ["avg"] * (kind != "int")
        if kind in ("int", "number", "money", "date", "time", "instant"):
            functions += ["min", "max"]
        return f"{self.pick(functions)}({event}.{field}{self.scope(names, event)})"

    # --- events ---------------------------------------------------------------

    def event(self, names: Names) -> str:
        """An event with its condition and windows, as it stands inside an aggregate."""
        source, shape = self.source(names)
        return f"{source}{self.scope(names, shape)}"

    def source(self, names: Names) -> tuple[str, str]:
        """An event, and under which name its fields are known."""
        options = [(name, name) for name in EVENTS] * 2
        talk = self.pick(TALK)
        for of in (*CHANNELS[:2], *names.own * 2, *names.others):
            options.append((f"sent of {of}", "sent"))
            options += [(f"{name} of {of}", name) for name in ("opened", "clicked")]
            options.append((f"{talk} of {of}", talk))
        options.append(("delivered", "delivered"))
        options += [("redeemed of pool", "redeemed"), ("redeemed of own", "redeemed")]
        return self.pick(options)

    def scope(self, names: Names, event: str) -> str:
        text = ""
        if self.chance(3):
            text += f" where {self.where(names, event)}"
        match self.pick(("", "", "within", "within", "entry", "last")):
            case "within":
                text += f" within {self.pick(SPANS)}"
            case "entry" if names.run:
                text += " since entry"
            case "last":
                text += f" since last({self.pick(EVENTS)})"
            case _:
                pass
        return text

    def where(self, names: Names, event: str) -> str:
        """A condition on an event's rows."""
        if event not in EVENTS:
            return self._of_feedback(event)
        # What is asked of the customer there may again be over events; not for ever.
        deeper = names.aggregates and names.event is None and self.chance(3)
        return self.condition(replace(names, event=event, aggregates=deeper), 1)

    def _of_feedback(self, event: str) -> str:
        field = FEEDBACK.get(event)
        if event == "sent":
            return "cost > 0.01 EUR"
        if field == "outcome":
            return self.pick(('outcome = "reached"', 'outcome in ("later", "no_answer")'))
        return f'{field} = "a"' if field else "at newer than 1d"
