"""Generated steps that are neither waits for spans nor sends."""

from __future__ import annotations

from tests.agreement.expressions import LITERALS, Expressions, Names

PROFILE = (("p_text", "text"), ("p_int", "int"), ("p_money", "money"), ("p_at", "instant"))


MOMENTS = ("entry.at", "customer.joined", "last(visited.seen)", "last(ordered)", "entry.seen")
DATES = ("customer.born", "last(ordered.due)", "max(ordered.due)", "2026-03-29", "2026-10-25")
TIMES = ("customer.daily", "last(visited.daily)")
ON = ("", "", " on weekdays", " on sunday", " on saturday, tuesday", " on day")
SHIFTS = ("30m", "1h", "6h", "1d", "2d", "30d")
ELSE = ("", " else continue", " else exit", " else skip")


class Flow(Expressions):
    """Draws texts of steps."""

    def loop(self, label: str, names: Names, body: list[str], wait: str) -> str:
        """A loop that is slow enough; the wait stands somewhere in it."""
        at = self.pick(tuple(range(len(body) + 1)))
        body = [*body[:at], wait, *body[at:]]
        until = f" until {self.condition(names, 1)}" if self.chance(4) else ""
        times = self.pick((2, 2, 3, 4, 1))
        return f"{label}: repeat up to {times} times{until} {{ {' '.join(body)} }}"

    def until_moment(self, label: str, names: Names, following: str) -> str:
        """A wait for a moment near now, and the step behind it."""
        if self.chance(2):
            within = self.pick(("24h", "24h", "6h", "25h", "90m", "1d"))
            return f"{label}: wait until best hour within {within}\n  {following}"
        if self.chance(3):
            on = self.pick(ON)
            otherwise = "" if on else self.pick(ELSE)
            times = (*TIMES, "entry.daily") if names.trigger == "visited" else TIMES
            return f"{label}: wait until {self.pick(times)}{on}{otherwise}\n  {following}"
        if self.chance(4):
            dates = (*DATES, "entry.due") if names.trigger == "ordered" else DATES
            shift = self.pick(("", "", " + 1d", " + 2d", " - 1d", " - 30d"))
            moment = f"{self.pick(dates)}{shift}{self.pick(ELSE)}"
            return f"{label}: wait until {moment}\n  {following}"
        kinds = [m for m in MOMENTS if m != "entry.seen" or names.trigger == "visited"]
        kinds += [f"profile.{n}" for n, kind in names.profile if kind == "instant"]
        shift = self.pick(("", " + ", " + ", " + ", " - "))
        moment = self.pick(kinds) + (f"{shift}{self.pick(SHIFTS)}" if shift else "")
        return f"{label}: wait until {moment}{self.pick(ELSE)}\n  {following}"

    def until_state(self, label: str, names: Names, span: str, then: str, timeout: str) -> str:
        """A wait for a condition, often one that a row will make true."""
        condition = self.condition(names, 1)
        if self.chance(5):
            condition = f"exists({self.event(names)})"
        inside = ""
        if self.chance(6):
            inside = " {" + (f" then {then}" if self.chance(7) else "")
            inside += (f" timeout {timeout}" if self.chance(7) else "") + " }"
        return f"{label}: wait until {condition} up to {span}{inside}"

    def assignment(self, names: Names, of: tuple[str, str] | None = None) -> str:
        """`set` of a profile value, often to what others compare it with."""
        name, kind = of or self.pick(PROFILE)
        if of is not None:
            return f"set {name} = {self.pick(LITERALS[kind])}"
        if self.chance(3):
            return f"set {name} = {self.pick(LITERALS[kind])}"
        return f"set {name} = {self.value(names, kind)}"
