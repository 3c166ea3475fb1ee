"""How the answer to `journey why` looks in a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import click

from journeylang.classes import dataclass
from journeylang.runtime.zones import local
from journeylang.why.model import Answer, Clause, Line, Outside, Rule, Run, Story

_TRUTH = {True: "true", False: "false", None: "?"}
_COLOURS = {True: "green", False: "red", None: "yellow"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Writes an answer as lines of at most `width` columns."""

    width: int
    tz: ZoneInfo

    def lines(self, answer: Answer) -> Iterator[str]:
        """All of it."""
        known = "" if answer.known else ", no longer among the customers"
        yield _bold(f"customer {answer.customer}") + known
        at = self.clock(answer.at)
        yield from self._folded(f"at {at}; instants are as clocks show them in {answer.zone}", "")
        for story in answer.stories:
            yield ""
            yield from self._story(story)

    def clock(self, instant: datetime) -> str:
        return f"{local(self.tz, instant):%Y-%m-%d %H:%M}"

    def _story(self, story: Story) -> Iterator[str]:
        if not story.runs and not story.refused:
            yield f"{_bold(story.journey)}: never entered"
        elif not story.runs:
            yield f"{_bold(story.journey)}: never let in"
        if story.earlier:
            runs = "run" if story.earlier == 1 else "runs"
            yield f"{_bold(story.journey)}: {story.earlier:,} earlier {runs} left out, see --all"
        for run in story.runs:
            yield f"{_bold(story.journey)}, version {run.version}: {self._where(run)}"
            yield from self._timeline(run.lines)
            if run.ahead:
                yield "  leaves early as soon as"
                yield from self._clauses(run.ahead, "    ")
        if story.refused:
            shown = story.refused[-5:]
            more = len(story.refused) - len(shown)
            if more:
                yield f"  {more:,} earlier times not let in, see --output json"
            yield from self._timeline(shown)
        if story.outside is not None:
            yield from self._outside(story.outside)

    def _where(self, run: Run) -> str:
        if run.status != "active":
            left = f" on {self.clock(run.ended_at)}" if run.ended_at is not None else ""
            reason = f" as `{run.reason}`" if run.reason and run.reason != run.status else ""
            return f"{run.status.replace('_', ' ')}{reason}{left}"
        until = f" until {self.clock(run.until)}" if run.until is not None else ""
        held = f" ({run.reason})" if run.reason else ""
        return f"at `{run.step}`{held}{until}"

    def _timeline(self, lines: Iterable[Line]) -> Iterator[str]:
        before = None
        for line in lines:
            at = self.clock(line.at)
            shown = "" if at == before else at
            before = at
            step = f"{line.step}: " if line.step is not None else ""
            text, clauses = f"{step}{line.text}", line.clauses
            if line.kind == "branch" and len(clauses) == 1:
                # The condition stands in the line itself.
                text, clauses = text + _values(clauses[0]), clauses[0].parts
            yield from self._folded(text, f"  {shown:<16}  ", " " * 22)
            yield from self._clauses(clauses, " " * 22)
            for rule in line.rules:
                yield from self._rule(rule, " " * 22)
            if line.needs:
                needs = "; ".join(line.needs)
                yield from self._folded(f"what would change it: {needs}", " " * 22, " " * 24)

    def _rule(self, rule: Rule, margin: str) -> Iterator[str]:
        reason = "" if rule.reason == "when" else f"{rule.reason}, "
        yield from self._folded(f"{rule.channel}: {reason}{rule.text}", margin)
        for use in rule.uses:
            yield from self._folded(f"{self.clock(use.at)}  {use.what}", margin + "  ")
        yield from self._clauses(rule.clauses, margin + "  ")

    def _outside(self, outside: Outside) -> Iterator[str]:
        yield "  to enter now"
        yield from self._clauses(outside.clauses, "    ")
        for note in outside.notes:
            yield from self._folded(note, "    ")
        if outside.needs:
            yield from self._folded(f"what is missing: {'; '.join(outside.needs)}", "    ")

    def _clauses(self, clauses: Iterable[Clause], margin: str) -> Iterator[str]:
        for clause in clauses:
            word = click.style(f"{_TRUTH[clause.holds]:<5}", fg=_COLOURS[clause.holds])
            text = clause.text + _values(clause)
            first, *rest = self._folded(text, margin + " " * 6, margin + " " * 8)
            yield f"{margin}{word} {first[len(margin) + 6 :]}"
            yield from rest
            if clause.parts:
                yield from self._clauses(clause.parts, margin + "  ")

    def _folded(self, text: str, margin: str, further: str | None = None) -> list[str]:
        indent = margin + "  " if further is None else further
        return textwrap.wrap(
            text,
            max(self.width, 40),
            initial_indent=margin,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [margin]


def _values(clause: Clause) -> str:
    values = ", ".join(v.value if v.of == "rows" else f"{v.of} = {v.value}" for v in clause.values)
    return f"   ({values})" if values else ""


def _bold(text: str) -> str:
    return click.style(text, bold=True)
