"""What a template uses, found in its syntax tree before any message is made from it.

Only the fields that are found here are fetched for a message, so what cannot be found (the
customer as a whole) is an error. False alarms are worse than silence: whatever looks like
a guard against an unknown value counts as one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from journeylang.analysis.front_matter import Part, take_apart
from journeylang.analysis.template_checks import wrong_default
from journeylang.analysis.template_guards import (
    DEFAULT,
    OWNERS,
    Field,
    asked,
    field_of,
    fields_of,
    left_as_it_is,
)
from journeylang.analysis.template_links import pictures_for_addresses
from journeylang.analysis.template_parts import asked_about, defined_in, replacing
from journeylang.analysis.template_scope import FILTERS, GIVEN, GLOBALS, LARGEST
from journeylang.analysis.template_trees import environment
from journeylang.analysis.template_use import FilterUse, TemplateUse, Used
from journeylang.classes import dataclass
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.codes.running import TEMPLATE_FAILED
from journeylang.diagnostics.codes.syntax import FILE_TOO_LARGE, NOT_SUPPORTED_YET
from journeylang.diagnostics.model import Diagnostic, Label, Outcome, Severity, in_order
from journeylang.diagnostics.suggest import did_you_mean
from journeylang.source import Source, Span

if TYPE_CHECKING:
    from jinja2 import nodes as jinja

_TAG = re.compile(r"\{[\{%#]")


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
            rows=tuple(finder.rows),
            items=tuple(finder.items),
        )
    return Outcome(value=value, diagnostics=in_order(problems))


def included(source: Source) -> tuple[str, ...]:
    """The templates that a template names: candidates for ``others``, found without parsing."""
    return tuple(dict.fromkeys(_NAMED.findall(source.text)))


_NAMED = re.compile(r"\{%[-+]?\s*(?:include|extends|import|from)\s+(?:\[\s*)?[\"']([^\"']+)[\"']")


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
    rows: list[tuple[str, str, Used]] = field(default_factory=list)
    items: list[tuple[str, Used]] = field(default_factory=list)
    unreadable: bool = False
    _part: Part = field(default_factory=lambda: Part(name="body", text="", start=0, end=0))
    _undeclared: frozenset[str] = frozenset()
    _seen: set[str] = field(default_factory=set)
    # Of the file at hand: what brought it in without the names of the message, the blocks that
    # another one puts its own in the place of, the lists behind the names of loops.
    _alone: Span | None = None
    _replaced: frozenset[str] = frozenset()
    _looped: dict[str, str] = field(default_factory=dict)
    _filter: FilterUse | None = None
    _behind: FilterUse | None = None
    _printed: bool = False

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
        if not source.path.endswith((".txt", ".md")):
            self._pictures(parts.value.body)
        for part in (*(parts.value.head if head else ()), parts.value.body):
            self._part = part
            self._parse(part, given)

    def _pictures(self, body: Part) -> None:
        for start, end in pictures_for_addresses(body.text):
            self.problems.append(
                Diagnostic(
                    code=names.TYPE_MISMATCH,
                    message="`qr` makes the whole picture, and no address of one",
                    span=self.source.span(body.start + start, body.start + end),
                    help="write `{{ qr(url) }}` where the picture is to stand, and no `<img …>`",
                )
            )

    def _parse(self, part: Part, given: frozenset[str]) -> None:
        if not _TAG.search(part.text):
            return
        from jinja2 import TemplateSyntaxError, meta
        from jinja2 import nodes as jinja

        try:
            tree = environment().parse(part.text)
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
        replaced = self._replaced | replacing(tree)
        for node in tree.find_all((jinja.Include, jinja.Extends, jinja.Import, jinja.FromImport)):
            own = replaced if isinstance(node, jinja.Extends) else frozenset()
            self._follow(node, given | set_here, own)

    def _follow(self, node: jinja.Node, given: frozenset[str], replaced: frozenset[str]) -> None:
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
        other = self.others.get(name)
        if other is not None and isinstance(node, jinja.FromImport):
            self._macros(node, other)
        if name in self._seen:
            return
        self._seen.add(name)
        if other is not None:
            alone = getattr(node, "with_context", True) is False
            self._enter(other, given, place if alone else self._alone, replaced)
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

    def _enter(
        self,
        other: Source,
        given: frozenset[str],
        alone: Span | None,
        replaced: frozenset[str],
    ) -> None:
        here = self.source, self._part, self._undeclared, self._alone, self._replaced, self._looped
        self._alone, self._replaced, self._looped = alone, replaced, {}
        self.file(other, frozenset() if alone else given, head=False)
        self.source, self._part, self._undeclared, self._alone, self._replaced, self._looped = here

    def _macros(self, node: jinja.FromImport, other: Source) -> None:
        """Whether what is taken from another template is there."""
        there = defined_in(other)
        wanted = (each if isinstance(each, str) else each[0] for each in node.names)
        for name in wanted if there is not None else ():
            if there is not None and name not in there:
                self.problems.append(
                    Diagnostic(
                        code=names.TEMPLATE_VARIABLE_MISSING,
                        message=f"no macro `{name}` in `{other.path}`",
                        span=self._place(rf"\b{re.escape(name)}\b", node.lineno),
                        help=did_you_mean(name, there),
                    )
                )

    def _not_there(self, name: str, span: Span) -> bool:
        """Report a name of the message in a template that is brought in without them."""
        if self._alone is None:
            return False
        self.problems.append(
            Diagnostic(
                code=names.TEMPLATE_VARIABLE_MISSING,
                message=f"`{name}` is not there in a template that is brought in without it",
                span=span,
                labels=(Label(self._alone, "brought in here, without the names of the message"),),
                help="write `with context` there, or hand the value to the macro",
            )
        )
        return True

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
            case jinja.Block(name=name) if name in self._replaced:
                pass
            case jinja.For(target=jinja.Name(name=each), iter=jinja.Name(name=many)):
                before, self._looped = self._looped, {**self._looped, each: many}
                asked_of = frozenset((each, name) for name in asked_about(node, each))
                self._each(node.iter_child_nodes(), guarded | asked_of)
                self._looped = before
            case jinja.Getattr(node=jinja.Name(name=each), attr=name) if each in self._looped:
                self._row(each, name, node.lineno, (each, name) in guarded)
            case jinja.Name(ctx="load"):
                self._name(node, guarded)
            case jinja.Output():
                for shown in node.nodes:
                    self._printed = isinstance(shown, jinja.Name)
                    self._visit(shown, guarded)
                self._printed = False
            case jinja.Filter():
                self._known("filter", node.name, node.lineno)
                safe = node.name in DEFAULT
                inner = guarded | fields_of(node.node) if safe and node.node else guarded
                use = FilterUse(name=node.name, arguments=len(node.args) + len(node.kwargs))
                instead = left_as_it_is(node.node, guarded)
                if instead is not None:
                    self._behind = use
                    place = self._place(rf"\b{node.name}\b", node.lineno)
                    self.problems.extend(wrong_default(use, instead, place))
                elif node.node is not None and fields_of(node.node):
                    # `default` leaves a value as it is: what stands behind it writes it.
                    self._filter = self._filter or (self._behind if safe else None) or use
                    self._behind = None
                self._each([node.node] if node.node else [], inner)
                self._filter = self._behind = None
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
        if self._not_there(f"{owner}.{name}", span):
            return
        self.found[owner].append(Used(name=name, guarded=guarded, filter=self._filter, span=span))

    def _row(self, each: str, name: str, line: int, guarded: bool) -> None:
        span = self._place(rf"\b{re.escape(each)}\b\s*\.\s*{re.escape(name)}\b", line)
        used = Used(name=name, guarded=guarded, span=span)
        self.rows.append((self._looped[each], each, used))

    def _name(self, node: jinja.Name, guarded: frozenset[Field]) -> None:
        name = node.name
        if name in self._looped:
            span = self._place(rf"\b{re.escape(name)}\b", node.lineno)
            used = Used(name=name, guarded=True, filter=self._filter, span=span)
            self.items.append((self._looped[name], used))
        if name not in self._undeclared or name in GLOBALS:
            return
        span = self._place(rf"\b{re.escape(name)}\b", node.lineno)
        if self._not_there(name, span):
            return
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
        elif name in GIVEN:
            self.functions.add(name)
        else:
            safe = ("", name) in guarded
            used = Used(
                name=name, guarded=safe, filter=self._filter, printed=self._printed, span=span
            )
            self.found["names"].append(used)

    def _known(self, kind: str, name: str, line: int) -> None:
        known = FILTERS if kind == "filter" else frozenset(environment().tests)
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
