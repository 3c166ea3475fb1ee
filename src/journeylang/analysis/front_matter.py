"""The head of a template: YAML between two ``---`` lines, whose values are templates too."""

from __future__ import annotations

import re
from itertools import pairwise

from journeylang.analysis.template_scope import FRONT_MATTER
from journeylang.classes import dataclass
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.codes.running import TEMPLATE_FAILED
from journeylang.diagnostics.model import Code, Diagnostic, Outcome, Severity
from journeylang.diagnostics.suggest import did_you_mean
from journeylang.source import Source

_HEAD = re.compile(r"---[ \t]*\r?\n(.*?)(?:^|\n)---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_OPENING = re.compile(r"---[ \t]*\r?\n")
# `subject: {{ subject }}` is what everybody writes first; to YAML it is a mapping.
_BARE = re.compile(r"^(\w+:[ \t]*)(\{[\{%#].*?)[ \t]*\r?$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece that is a template of its own: ``text`` as Jinja sees it.

    ``name`` is the key of the front matter, or ``body``. The piece lies between ``start`` and
    ``end`` of the file, where YAML may write it otherwise (quotes, folded lines).
    """

    name: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateParts:
    """A template file taken apart: the values of its front matter, and the body."""

    head: tuple[Part, ...]
    body: Part


def take_apart(source: Source) -> Outcome[TemplateParts]:
    """The parts of a template file; reports YAML that cannot be read, and unknown keys."""
    text = source.text
    found = _HEAD.match(text)
    start = found.end() if found else 0
    body = Part(name="body", text=text[start:], start=start, end=len(text))
    if found is None:
        problems = []
        if _OPENING.match(text):
            message = "the front matter has no end: a line of `---` is missing"
            problems.append(_broken(source, 0, 3, message))
        return Outcome(value=TemplateParts(head=(), body=body), diagnostics=tuple(problems))
    reader = _Head(source=source, text=found[1], start=found.start(1))
    head = reader.parts()
    return Outcome(
        value=TemplateParts(head=tuple(head), body=body), diagnostics=tuple(reader.problems)
    )


class _Head:
    """Reads the lines between the fences; ``start`` is where they begin in the file."""

    def __init__(self, *, source: Source, text: str, start: int) -> None:
        self.source = source
        self.text = text
        self.start = start
        self.problems: list[Diagnostic] = []

    def parts(self) -> list[Part]:
        import yaml

        # The quotes shift columns but no lines, so only the lines of marks are used.
        quoted = _BARE.sub(lambda m: f"{m[1]}'{m[2].replace(chr(39), chr(39) * 2)}'", self.text)
        try:
            root = yaml.compose(quoted, Loader=yaml.SafeLoader)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            what = getattr(error, "problem", None) or "this is no YAML"
            self._broken(mark.line if mark else 0, f"the front matter cannot be read: {what}")
            return []
        if root is None:
            return []
        if not isinstance(root, yaml.MappingNode):
            self._broken(0, "the front matter is no list of `key: value`")
            return []
        lines = [key.start_mark.line for key, _ in root.value]
        ends = [following for _, following in pairwise(lines)] + [self.text.count("\n") + 1]
        found: list[Part] = []
        for (key, value), line, end in zip(root.value, lines, ends, strict=True):
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
            if name not in FRONT_MATTER:
                listed = ", ".join(f"`{known}`" for known in FRONT_MATTER)
                help_ = did_you_mean(name, FRONT_MATTER) or f"there are {listed}"
                self._problem(
                    names.UNKNOWN_NAME, line, f"unknown key `{name}` in the front matter", help_
                )
            elif any(part.name == name for part in found):
                self._problem(
                    names.REPEATED_PART,
                    line,
                    f"`{name}` stands twice in the front matter",
                    "remove one of the two",
                )
            elif not isinstance(value, yaml.ScalarNode) or value.tag.endswith(":null"):
                self._broken(line, f"`{name}` has no text")
            else:
                found.append(
                    Part(
                        name=name,
                        text=str(value.value),
                        start=self._at(line),
                        end=self._at(end),
                    )
                )
        return found

    def _at(self, line: int) -> int:
        """Where a line of the head begins in the file; lines count from 0."""
        at = 0
        for _ in range(line):
            following = self.text.find("\n", at)
            if following < 0:
                return self.start + len(self.text)
            at = following + 1
        return self.start + at

    def _broken(self, line: int, message: str) -> None:
        start = self._at(line)
        self.problems.append(_broken(self.source, start, self._end(start), message))

    def _problem(self, code: Code, line: int, message: str, advice: str) -> None:
        start = self._at(line)
        span = self.source.span(start, self._end(start))
        self.problems.append(Diagnostic(code=code, message=message, span=span, help=advice))

    def _end(self, start: int) -> int:
        end = self.source.text.find("\n", start)
        return len(self.source.text) if end < 0 else end


def _broken(source: Source, start: int, end: int, message: str) -> Diagnostic:
    return Diagnostic(
        code=TEMPLATE_FAILED,
        severity=Severity.ERROR,
        message=message,
        span=source.span(start, end),
        help="between the `---` lines stand `key: value` lines; a text with a colon in it is"
        " put in quotation marks, and within them others are `'…'`",
    )
