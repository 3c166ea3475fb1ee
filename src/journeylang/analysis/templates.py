"""What a template uses, found in its syntax tree before any message is made from it.

Only the fields that are found here are fetched for a message, so what cannot be found (the
customer as a whole) is an error. False alarms are worse than silence: whatever looks like
a guard against an unknown value counts as one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from journeylang.analysis.front_matter import Part, take_apart
from journeylang.analysis.template_guards import OWNERS, Field, asked, field_of, fields_of
from journeylang.analysis.template_scope import FILTERS, GIVEN, GLOBALS, LARGEST, NOT_YET
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.codes.running import TEMPLATE_FAILED
from journeylang.diagnostics.codes.syntax import FILE_TOO_LARGE, NOT_SUPPORTED_YET
from journeylang.diagnostics.model import Diagnostic, Outcome, Severity, in_order
from journeylang.diagnostics.suggest import did_you_mean
from journeylang.source import Source, Span

if TYPE_CHECKING:
    from jinja2 import Environment
    from jinja2 import nodes as jinja

_TAG = re.compile(r"\{[\{%#]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """A name in a template; ``guarded``: nothing breaks where its value is unknown."""

    name: str
    guarded: bool
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateUse:
    """What a template asks for, each use with its place.

    ``names`` are plain names, to be given by the step's ``with``; ``functions`` the names that
    every template has (`link`, `unsubscribe_url`, `journey`, …).
    """

    customer: tuple[Used, ...] = ()
    entry: tuple[Used, ...] = ()
    profile: tuple[Used, ...] = ()
    names: tuple[Used, ...] = ()
    functions: frozenset[str] = frozenset()

    @property
    def customer_fields(self) -> tuple[str, ...]:
        """Each field once, in the order of first use."""
        return tuple(dict.fromkeys(use.name for use in self.customer))

    @property
    def entry_fields(self) -> tuple[str, ...]:
        """Each field once, in the order of first use."""
        return tuple(dict.fromkeys(use.name for use in self.entry))

    def merged(self, other: TemplateUse) -> TemplateUse:
        """What either of two files of one message uses."""
        return TemplateUse(
            customer=self.customer + other.customer,
            entry=self.entry + other.entry,
            profile=self.profile + other.profile,
            names=self.names + other.names,
            functions=self.functions | other.functions,
        )


def template_use(
    source: Source, others: Mapping[str, Source] | None = None
) -> Outcome[TemplateUse]:
    """Everything that a template file uses, its front matter included.

    ``others`` are templates by their path below ``templates/``, for what is included, extended
    or imported. Reports what is wrong with the template by itself: its syntax, unknown
    filters and tests, and what cannot be followed. No value when the syntax is wrong.
    """
    problems: list[Diagnostic] = []
    finder = _Finder(source=source, problems=problems, others=others or {})
    finder.file(source, frozenset(), head=True)
    found = finder.found
    value = None
    if not finder.unreadable:
        value = TemplateUse(
            customer=tuple(found["customer"]),
            entry=tuple(found["entry"]),
            profile=tuple(found["profile"]),
            names=tuple(found["names"]),
            functions=frozenset(finder.functions),
        )
    return Outcome(value=value, diagnostics=in_order(problems))


def included(source: Source) -> tuple[str, ...]:
    """The templates that a template names: candidates for ``others``, found without parsing."""
    return tuple(dict.fromkeys(_NAMED.findall(source.text)))


_NAMED = re.compile(r"\{%[-+]?\s*(?:include|extends|import|from)\s+(?:\[\s*)?[\"']([^\"']+)[\"']")


@cache
def _environment() -> Environment:
    from jinja2 import pass_context
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    # Nothing is rendered here: escaping does not matter to a tree.
    environment = ImmutableSandboxedEnvironment(autoescape=True)
    # Jinja computes what is constant while it looks at a tree, `"x" * 10 ** 9` too. It leaves
    # alone what is intercepted, and filters that ask for the context.
    environment.intercepted_binops = frozenset(environment.default_binop_table)
    # Jinja stops at the first unknown filter or test; here all of them are told.
    environment.filters = _Lenient(dict.fromkeys(environment.filters, pass_context(_never)))
    environment.tests = _Lenient(environment.tests)
    return environment


def _never(*_: object) -> str:
    raise AssertionError("no template is rendered here")


class _Lenient(dict[str, Any]):
    """Answers for every name; says truthfully which ones it has."""

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name, default or str)


@dataclass(slots=True)
class _Finder:
    """Walks a template and those that it includes; ``_part`` is the piece at hand."""

    source: Source
    problems: list[Diagnostic]
    others: Mapping[str, Source]
    found: dict[str, list[Used]] = field(
        default_factory=lambda: {"customer": [], "entry": [], "profile": [], "names": []}
    )
    functions: set[str] = field(default_factory=set)
    unreadable: bool = False
    _part: Part = field(default_factory=lambda: Part(name="body", text="", start=0, end=0))
    _undeclared: frozenset[str] = frozenset()
    _seen: set[str] = field(default_factory=set)

    def file(self, source: Source, given: frozenset[str], *, head: bool) -> None:
        """The body of a file, and its front matter if the message's own.

        ``given`` are names that an including template has set.
        """
        self.source = source
        if len(source.text) > LARGEST:
            self.unreadable = True
            self.problems.append(
                Diagnostic(
                    code=FILE_TOO_LARGE,
                    message=f"`{source.path}` has more than {LARGEST // 1024} KiB",
                    span=source.span(0, 0),
                    help="no message is that long: link to what is large",
                )
            )
            return
        parts = take_apart(source)
        self.problems.extend(parts.diagnostics)
        self.unreadable = self.unreadable or bool(parts.diagnostics)
        assert parts.value is not None
        for part in (*(parts.value.head if head else ()), parts.value.body):
            self._part = part
            self._parse(part, given)

    def _parse(self, part: Part, given: frozenset[str]) -> None:
        if not _TAG.search(part.text):
            return
        from jinja2 import TemplateSyntaxError, meta
        from jinja2 import nodes as jinja

        try:
            tree = _environment().parse(part.text)
            self._undeclared = frozenset(meta.find_undeclared_variables(tree)) - given
        except TemplateSyntaxError as error:
            what = error.message or "wrong syntax"
            self._broken(f"the template cannot be read: {what}", error.lineno)
            return
        except RecursionError:
            self._broken("the template is nested too deep", 1)
            return
        try:
            self._visit(tree, frozenset())
        except RecursionError:
            self._broken("the template is nested too deep", 1)
            return
        set_here = {name.name for name in tree.find_all(jinja.Name) if name.ctx != "load"}
        for node in tree.find_all((jinja.Include, jinja.Extends, jinja.Import, jinja.FromImport)):
            self._follow(node, given | set_here)

    def _follow(self, node: jinja.Node, given: frozenset[str]) -> None:
        """The templates that another one is made of use what they use for it too."""
        from jinja2 import nodes as jinja

        word = {"FromImport": "from"}.get(type(node).__name__, type(node).__name__.lower())
        place = self._place(rf"\b{word}\b", node.lineno)
        template = getattr(node, "template", None)
        if not isinstance(template, jinja.Const) or not isinstance(template.value, str):
            self.problems.append(
                Diagnostic(
                    code=NOT_SUPPORTED_YET,
                    message=f"`{word}` of a template whose name is computed is not supported yet",
                    span=place,
                    help=f'write the name: `{{% {word} "shared/footer.html" %}}`',
                )
            )
            return
        name = template.value
        if name in self._seen:
            return
        self._seen.add(name)
        other = self.others.get(name)
        if other is not None:
            self._enter(other, given)
        elif not (isinstance(node, jinja.Include) and node.ignore_missing):
            self.problems.append(
                Diagnostic(
                    code=names.TEMPLATE_MISSING,
                    message=f"no template `{name}`",
                    span=place,
                    label=f"there is no `templates/{name}`",
                    help=did_you_mean(name, self.others),
                )
            )

    def _enter(self, other: Source, given: frozenset[str]) -> None:
        here = self.source, self._part, self._undeclared
        self.file(other, given, head=False)
        self.source, self._part, self._undeclared = here

    def _broken(self, message: str, line: int) -> None:
        self.unreadable = True
        self.problems.append(
            Diagnostic(
                code=TEMPLATE_FAILED,
                severity=Severity.ERROR,
                message=message,
                span=self._line(line),
                help="this is Jinja: `{{ value }}`, `{% if … %} … {% endif %}`",
            )
        )

    # The walk

    def _visit(self, node: jinja.Node, guarded: frozenset[Field]) -> None:
        from jinja2 import nodes as jinja

        match node:
            case jinja.Getattr() | jinja.Getitem() if (at := field_of(node)) is not None:
                self._use(at, node.lineno, at in guarded)
            case jinja.Name(ctx="load"):
                self._name(node, guarded)
            case jinja.Filter():
                self._known("filter", node.name, node.lineno)
                safe = node.name in ("default", "d")
                inner = guarded | fields_of(node.node) if safe and node.node else guarded
                self._each([node.node] if node.node else [], inner)
                self._each([*node.args, *node.kwargs], guarded)
            case jinja.Test():
                self._known("test", node.name, node.lineno)
                safe = node.name in ("defined", "undefined", "none")
                self._visit(node.node, guarded | fields_of(node.node) if safe else guarded)
                self._each([*node.args, *node.kwargs], guarded)
            case jinja.If():
                inner = guarded | asked(node.test)
                self._visit(node.test, inner)
                self._each([*node.body, *node.elif_, *node.else_], inner)
            case jinja.CondExpr():
                inner = guarded | asked(node.test)
                self._visit(node.test, inner)
                self._each([node.expr1, *([node.expr2] if node.expr2 else [])], inner)
            case jinja.And() | jinja.Or():
                inner = guarded | asked(node.left)
                self._visit(node.left, inner)
                self._visit(node.right, inner)
            case jinja.Compare():
                # A comparison with an unknown value is false, here as in the language.
                self._visit(node.expr, guarded | fields_of(node.expr))
                for operand in node.ops:
                    self._visit(operand.expr, guarded | fields_of(operand.expr))
            case _:
                self._each(node.iter_child_nodes(), guarded)

    def _each(self, nodes: Iterable[jinja.Node], guarded: frozenset[Field]) -> None:
        for node in nodes:
            self._visit(node, guarded)

    def _use(self, at: Field, line: int, guarded: bool) -> None:
        owner, name = at
        if owner not in self._undeclared:
            return
        span = self._place(rf"\b{owner}\b\s*(?:\.\s*|\[\s*['\"]){re.escape(name)}\b", line)
        self.found[owner].append(Used(name=name, guarded=guarded, span=span))

    def _name(self, node: jinja.Name, guarded: frozenset[Field]) -> None:
        name = node.name
        if name not in self._undeclared or name in GLOBALS:
            return
        span = self._place(rf"\b{re.escape(name)}\b", node.lineno)
        if name in OWNERS:
            self.problems.append(
                Diagnostic(
                    code=names.TEMPLATE_VARIABLE_MISSING,
                    message=f"`{name}` is used as a whole",
                    span=span,
                    label="which of its fields are meant cannot be seen here",
                    help=f"name the field: `{{{{ {name}.FIELD }}}}`",
                )
            )
        elif name in NOT_YET:
            self.problems.append(
                Diagnostic(
                    code=NOT_SUPPORTED_YET,
                    message=f"`{name}` in a template is not supported yet",
                    span=span,
                )
            )
        elif name in GIVEN:
            self.functions.add(name)
        else:
            used = Used(name=name, guarded=("", name) in guarded, span=span)
            self.found["names"].append(used)

    def _known(self, kind: str, name: str, line: int) -> None:
        known = FILTERS if kind == "filter" else frozenset(_environment().tests)
        if name in known:
            return
        self.problems.append(
            Diagnostic(
                code=names.TEMPLATE_VARIABLE_MISSING,
                message=f"unknown {kind} `{name}`",
                span=self._place(rf"\b{re.escape(name)}\b", line),
                label=f"no {kind} of this name is there",
                help=did_you_mean(name, known),
            )
        )

    # Places: Jinja knows lines alone, so the name is looked for from its line onwards.

    def _place(self, pattern: str, line: int) -> Span:
        part = self._part
        start = part.start + _offset(part.text, line) if part.name == "body" else part.start
        found = re.compile(pattern).search(self.source.text, start, part.end)
        if found is None:
            return self._line(line)
        return self.source.span(found.start(), found.end())

    def _line(self, line: int) -> Span:
        part = self._part
        if part.name != "body":
            return self.source.span(part.start, part.end)
        start = part.start + _offset(part.text, line)
        end = self.source.text.find("\n", start)
        text = self.source.text[start : part.end if end < 0 else end]
        indent = len(text) - len(text.lstrip())
        return self.source.span(start + indent, start + max(len(text.rstrip()), indent))


def _offset(text: str, line: int) -> int:
    """Where a line of the text begins; lines count from 1."""
    at = 0
    for _ in range(line - 1):
        following = text.find("\n", at)
        if following < 0:
            break
        at = following + 1
    return at
