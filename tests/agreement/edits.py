"""Another version of a generated program: some of its texts put otherwise.

Not every edit is a program: a step that others speak of cannot go. What the compiler refuses is
left as it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from journeylang.model.project import Project
from tests.agreement.both import InvalidProgramError, compiled
from tests.agreement.programs import WAITS, Parts, Source, Writer
from tests.oracle.ways import ways

_SPAN = re.compile(
    r"(?<=wait )(?:30m|1h|6h|1d|2d|1w|1mo)\b|(?<=up to )(?:30m|1h|6h|1d|2d|1w|1mo)\b"
)
_CLOCK = re.compile(r"(?<=wait until )\d\d:\d\d")
_LABEL = re.compile(r"([a-z]\d+): ")
KINDS = (
    *("retime", "retime", "add", "add", "remove", "rename", "rename", "swap", "swap", "again"),
    *("upgrade", "upgrade", "upgrade", "exit", "definition", "policy", "wrap", "clock"),
)


class Editor:
    """Draws versions of what a writer has written, one after the other."""

    def __init__(self, writer: Writer, source: Source) -> None:
        self.writer = writer
        self.source = source
        self.project = compiled(source.text())
        self.paths = {(name, path) for name, path in _resting(self.project)}
        self.labels = 0

    def version(self) -> str | None:
        """The text of the next version; None if nothing came of it."""
        draw = self.writer
        source = self.source
        for _ in range(draw.pick((1, 1, 2, 3))):
            source = self._edited(source)
        text = source.text()
        if text == self.source.text():
            return None
        try:
            project = compiled(text)
            there = set(_resting(project))
            moves = list(self._moves(self.paths - there, there, project))
            if moves:
                text = "\n".join([text, *moves])
                project = compiled(text)
        except InvalidProgramError:
            return None
        self.source, self.project, self.paths = source, project, self.paths | there
        return text

    def _moves(
        self, gone: set[tuple[str, str]], there: set[tuple[str, str]], project: Project
    ) -> Iterable[str]:
        draw = self.writer
        for name, path in sorted(gone):
            targets = sorted(p for n, p in there if n == name)
            kind = draw.pick(("to", "to", "to", "to", "exit", "exit", "nowhere"))
            if kind == "exit" or (kind == "to" and not targets):
                yield f"moved in {name}: {path} -> exit"
            elif kind == "to":
                yield f"moved in {name}: {path} -> {draw.pick(targets)}"

    def _edited(self, source: Source) -> Source:
        draw = self.writer
        kind = draw.pick(KINDS)
        if kind == "definition":
            return self._redefined(source)
        name = draw.pick(tuple(source.journeys))
        parts = source.journeys[name]
        made = self._journey(kind, name, parts)
        return replace(source, journeys={**source.journeys, name: made})

    def _redefined(self, source: Source) -> Source:
        """A segment or a metric asks for something else."""
        others = self.writer._audience()
        at = self.writer.pick(range(len(others)))
        tail = (*source.tail[:at], others[at], *source.tail[at + 1 :])
        return replace(source, tail=tail)

    def _journey(self, kind: str, name: str, parts: Parts) -> Parts:
        draw, steps = self.writer, list(parts.steps)
        at = draw.pick(range(len(steps)))
        match kind:
            case "retime":
                steps[at] = _SPAN.sub(lambda _: draw.pick(WAITS), steps[at])
            case "clock":
                steps[at] = _CLOCK.sub(lambda _: draw.pick(("00:30", "09:00", "23:45")), steps[at])
            case "add":
                steps.insert(at, self._new(name))
            case "remove" if len(steps) > 1:
                del steps[at]
            case "again":
                # What is written later comes first: people may come to it a second time.
                steps.append(steps.pop(at))
            case "swap":
                to = draw.pick(range(len(steps)))
                steps[at], steps[to] = steps[to], steps[at]
            case "rename":
                steps[at] = _LABEL.sub(lambda _: f"{self._label()}: ", steps[at], count=1)
            case "wrap":
                condition = draw.condition(draw.scopes[name], 1)
                steps[at] = f"if {condition} {{ {steps[at]} }}"
            case "upgrade" | "exit" | "policy":
                return replace(parts, headers=self._headers(kind, name, parts.headers))
            case _:
                pass
        return replace(parts, steps=tuple(steps))

    def _headers(self, kind: str, name: str, headers: tuple[str, ...]) -> tuple[str, ...]:
        draw = self.writer
        words = {"upgrade": "upgrade ", "exit": "exit when ", "policy": "policy "}
        rest = tuple(h for h in headers if not h.startswith(words[kind]))
        match kind:
            case "upgrade":
                return (*rest, f"upgrade {draw.pick(('pin', 'pin', 'drain', 'migrate'))}")
            case "policy":
                return (*rest, f"policy {draw.pick(('p1', 'p2'))}")
            case _:
                leaving = f"exit when {draw.condition(draw.scopes[name], 1)} as edited"
                return (*rest, *((leaving,) if draw.chance(6) else ()))

    def _new(self, name: str) -> str:
        draw, label = self.writer, self._label()
        match draw.pick(("wait", "wait", "send", "send", "if", "until")):
            case "wait":
                return f"{label}: wait {draw.pick(WAITS)}"
            case "until":
                return f"{label}: wait until {draw.pick(('02:30', '09:00'))}"
            case "send":
                return f'{label}: send {draw.pick(("email", "email", "sms"))} "t"'
            case _:
                condition = draw.condition(draw.scopes[name], 1)
                return f'if {condition} {{ {label}: send email "t" }} else {{ exit as other }}'

    def _label(self) -> str:
        self.labels += 1
        return f"e{self.labels}"


def _resting(project: Project) -> Iterable[tuple[str, str]]:
    """Journey and path of every step at which people rest."""
    for name, journey in project.journeys.items():
        for path in ways(journey):
            yield name, path
