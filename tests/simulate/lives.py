"""Generated journeys without coupling, and what people in them are taken to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.agreement.expressions import Draw

EVENTS = ("opened of email", "clicked of email", "ordered", "signed_up")


@dataclass(slots=True)
class _Writer:
    draw: Draw[Any]
    labels: int = 0

    def pick(self, options: tuple[str, ...]) -> str:
        return str(self.draw(st.sampled_from(options)))

    def chance(self, of_ten: int) -> bool:
        return bool(self.draw(st.integers(1, 10)) <= of_ten)

    def label(self) -> str:
        self.labels += 1
        return f"s{self.labels}"

    def condition(self) -> str:
        return self.pick(
            (
                "customer.points >= 50",
                "customer.mobile is known and not exists(ordered within 2d)",
                "exists(opened of email since entry)",
                "count(ordered) >= 2",
                "last(ordered) newer than 1d",
                "sum(ordered.total since entry) > 50 EUR",
            )
        )

    def send(self) -> str:
        channels = self.pick(
            (
                'email "m/m"',
                'email "m/m"',
                f'first of {{ sms "m/m" when {self.condition()} email "m/m" }}',
                'first of { email "m/m" sms "m/m" }',
            )
        )
        more = self.pick(("", "", " expires 20h", " else skip", " else hold 8h"))
        return f"{self.label()}: send {channels}{more}"

    def block(self, depth: int, most: int) -> list[str]:
        return [self.step(depth) for _ in range(self.draw(st.integers(1, most)))]

    def step(self, depth: int) -> str:
        kinds = ("send", "send", "wait", "wait", "race", "if", "experiment", "invoke")
        kind = self.pick(kinds)
        if kind == "invoke":
            return f'{self.label()}: invoke loyalty "award" with {{ points: 100 }}'
        if kind == "send" or (depth == 0 and kind != "wait"):
            return self.send()
        if kind == "wait":
            waits = ("30m", "7h", "1d", "2d", "until 09:00", "until 02:30 on weekdays")
            return f"{self.label()}: wait {self.pick(waits)}"
        inner = "\n".join(self.block(depth - 1, 2))
        other = "\n".join(self.block(depth - 1, 1))
        if kind == "if":
            return f"if {self.condition()} {{\n{inner}\n}} else {{\n{other}\n}}"
        label = self.label()
        if kind == "experiment":
            return (
                f'{label}: experiment salt "{label}" {{\n'
                f"arm a 50% {{\n{inner}\n}}\narm b 50% {{\n{other}\n}}\n}}"
            )
        event = self.pick(EVENTS)
        where = " where total > 30 EUR" if event == "ordered" and self.chance(5) else ""
        on = f"on {event.partition(' ')[0]} {{\n{inner}\n}}"
        end = self.pick(("exit as silent", other))
        return (
            f"{label}: wait for {event}{where} up to {self.pick(('9h', '2d'))} {{\n{on}\n"
            f"timeout {{\n{end}\n}}\n}}"
        )


@st.composite
def journeys(draw: Draw[Any]) -> tuple[str, str]:
    """A journey's text, and that of its policy and its people's ways."""
    w = _Writer(draw)
    rules = [w.pick(("cap email 1 per 1d", "cap any 2 per day", "cap sms 1 per week", ""))]
    rules += [
        w.pick(("cap email 2 per 3d then skip", "quiet email 20:00 to 09:00 then hold", "")),
        w.pick(("quiet sms 22:00 to 07:00 then skip", "quiet email, sms 01:00 to 03:00", "")),
        w.pick(('control 10% salt "g"', "", "")),
    ]
    head = ['owner "a@b.example"']
    head.append(w.pick(("enter on signed_up", "enter on ordered where total > 20 EUR")))
    head.append(f"reenter {w.pick(('never', 'always', 'after 1d', 'after 2d'))}")
    head.append(w.pick(("", "", "only customers where customer.points < 50")))
    head.append(w.pick(("", "", "only customers where not exists(ordered within 1d)")))
    head.append(w.pick(('holdout 25% salt "h"', "", "")))
    exits = ("exists(ordered where total > 500 EUR since entry)", "exists(clicked since entry)")
    for number, condition in enumerate(exits):
        if w.chance(4):
            also = w.pick(("", "", " and customer.points < 50", " or customer.points > 90"))
            head.append(f"exit when {condition}{also} as out_{number}")
    head.append("goal ordered within 1d")
    head.append("policy p")
    # One `only customers` at most.
    only = [line for line in head if line.startswith("only")]
    head = [line for line in head if line and line not in only[1:]]
    steps = w.block(2, 4)
    if not any("send " in step for step in steps):
        steps.append(w.send())
    journey = "\n".join(['journey j "J" {', *head, *steps, "}"])
    policy = "\n".join(["policy p {", *(rule for rule in rules if rule), "}"])
    # What messages bring about lets nobody in: that couples a run with the next.
    entered_by_orders = any("enter on ordered" in line for line in head)
    follows = "" if entered_by_orders else "ordered after clicked 60% within 30h"
    assume = f"""assume typical {{
  delivered of email 97%
  bounced of email {w.pick(("0.5%", "10%"))}
  opened {w.pick(("20%", "60%"))} within {w.pick(("3h", "24h"))}
  clicked of email {w.pick(("5%", "30%"))} within 30h
  unsubscribed {w.pick(("1%", "20%"))} within 12h
  complained after opened 5% within 3h
  signed_up {w.pick(("30%", "90%"))} per 1d
  ordered {w.pick(("10%", "70%"))} per 2d
  {follows}
}}"""
    return journey, f"{policy}\n{assume}"
