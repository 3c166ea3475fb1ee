"""Every send against its templates: are they there, and does the step give what they use?"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import field

from journeylang.analysis.scope import AT, RESERVED_OF_CUSTOMERS
from journeylang.analysis.template_checks import without_subject, wrong_filter
from journeylang.analysis.template_lists import wrong_uses
from journeylang.analysis.template_scope import EXTENSIONS, GIVEN
from journeylang.analysis.template_use import TemplateUse, Used
from journeylang.analysis.templates import template_use
from journeylang.classes import dataclass
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.model import Diagnostic, Label, Outcome, in_order
from journeylang.diagnostics.suggest import closest, did_you_mean
from journeylang.model import journey as model
from journeylang.model.entry import entry_fields
from journeylang.model.project import Project
from journeylang.model.steps import steps
from journeylang.model.types import TEXT, Kind, Type
from journeylang.source import Source

_ABSENT = {
    "customer": "customers have no field of this name",
    "entry": "this journey's entry has no field of this name",
    "profile": "no journey sets it",
}
TemplateKey = tuple[str, str]
"""(name, channel): ``("welcome/hello", "email")``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateFile:
    """One file of a template; an e-mail may have an HTML and a text file."""

    name: str
    channel: str
    extension: str
    source: Source


def check_messages(
    project: Project,
    templates: Mapping[TemplateKey, tuple[TemplateFile, ...]],
    *,
    included: Mapping[str, Source] | None = None,
    there: Collection[TemplateKey] = (),
    whole: bool = True,
) -> Outcome[dict[TemplateKey, TemplateUse]]:
    """What each template that a send names uses; reports what is missing on either side.

    A template with no file is there and could not be read, which was told before.
    ``included`` are templates by path, for those that others are made of. ``there`` are all
    templates of the project, to guess from. Without ``whole`` the project has errors of its
    own, so that a field it lacks may be among them: fields are then not checked.
    """
    check = _Messages(
        project=project,
        templates=templates,
        included=included or {},
        there=there,
        whole=whole,
    )
    for journey in project.journeys.values():
        for send in sends(journey.body):
            for candidate in send.candidates:
                check.candidate(journey, send, candidate)
    # A template that several steps send is told about once.
    once = {(d.code.id, d.span, d.message): d for d in reversed(check.problems)}
    return Outcome(value=check.uses, diagnostics=in_order(list(once.values())))


def sends(block: model.Block) -> Iterator[model.Send]:
    """All sends of a block and of the blocks within, in the order written."""
    return (step for step in steps(block) if isinstance(step, model.Send))


@dataclass(slots=True)
class _Messages:
    project: Project
    templates: Mapping[TemplateKey, tuple[TemplateFile, ...]]
    included: Mapping[str, Source]
    there: Collection[TemplateKey]
    whole: bool
    problems: list[Diagnostic] = field(default_factory=list)
    uses: dict[TemplateKey, TemplateUse] = field(default_factory=dict)
    comparisons: int = 20_000
    """Names that may still be compared with one that is missing, over all that are."""

    def candidate(
        self, journey: model.Journey, send: model.Send, candidate: model.Candidate
    ) -> None:
        key = candidate.template, candidate.channel
        files = self.templates.get(key)
        if files is None:
            self._missing(key, candidate)
            return
        if key not in self.uses:
            self._read(key, files)
        use = self.uses.get(key)
        if use is not None:
            self._against(journey, send, candidate, use)

    def _missing(self, key: TemplateKey, candidate: model.Candidate) -> None:
        name, channel = key
        paths = ", ".join(f"{name}.{channel}.{e}" for e in EXTENSIONS)
        usual = f"templates/{name}.{channel}.{'html' if channel == 'email' else 'txt'}"
        near = None
        if self.comparisons > 0:
            self.comparisons -= len(self.there)
            near = closest(name, [there for there, by in self.there if by == channel])
        self.problems.append(
            Diagnostic(
                code=names.TEMPLATE_MISSING,
                message=f"`{name}` has no template for `{channel}`",
                span=candidate.span,
                label="there is nothing to send",
                help=f"did you mean `{near}`?" if near else f"write `{usual}`",
                notes=(f"looked for in `templates/`: {paths}",),
            )
        )

    def _read(self, key: TemplateKey, files: tuple[TemplateFile, ...]) -> None:
        if not files:
            return
        merged = TemplateUse()
        for file in files:
            outcome = template_use(file.source, self.included)
            self.problems.extend(outcome.diagnostics)
            if outcome.value is None:
                return
            merged = merged.merged(outcome.value)
        self.uses[key] = merged
        self.problems.extend(without_subject(key, files))

    def _against(
        self,
        journey: model.Journey,
        send: model.Send,
        candidate: model.Candidate,
        use: TemplateUse,
    ) -> None:
        values = send.given(candidate)
        lists = {name: v.type for name, v in values.items() if isinstance(v, model.Several)}
        rows = frozenset(pick.name for pick in send.picks)
        given: dict[str, Type | None] = {
            name: None if name in lists else value.type for name, value in values.items()
        }
        given.update(dict.fromkeys(rows))
        if send.code is not None:
            given[send.code.name] = TEXT
        # The letters of a text are as good as a list.
        single = {name for name, type_ in given.items() if type_ and type_.kind is not Kind.TEXT}
        self.problems.extend(wrong_uses(use, lists, rows, frozenset(single)))
        for used in use.names:
            if used.name not in given:
                if not used.guarded:
                    self._not_given(used, given, candidate)
            else:
                self._may_be_unknown(used, used.name, given[used.name])
                self.problems.extend(wrong_filter(used, used.name, given[used.name]))
        for row in use.rows:
            self._of_row(row, send)
        if self.whole:
            self._fields("profile", use.profile, self.project.profile, candidate)
            customer = self._customer_fields()
            self._fields("customer", use.customer, customer, candidate)
            self._fields("entry", use.entry, self._entry_fields(journey), candidate)

    def _not_given(
        self, used: Used, given: Mapping[str, Type | None], candidate: model.Candidate
    ) -> None:
        help_ = did_you_mean(used.name, [*given, *GIVEN])
        if not help_ and used.name in self._customer_fields():
            help_ = f"a customer's field is written `customer.{used.name}`"
        self.problems.append(
            Diagnostic(
                code=names.TEMPLATE_VARIABLE_MISSING,
                message=f"`{used.name}` is not given to the template",
                span=used.span,
                label="no value for this",
                labels=(Label(candidate.span, f"sent here without `{used.name}`"),),
                help=help_ or f"give it: `with {{ {used.name}: … }}`",
            )
        )

    def _fields(
        self,
        owner: str,
        uses: tuple[Used, ...],
        fields: Mapping[str, Type],
        candidate: model.Candidate,
    ) -> None:
        for used in uses:
            name = f"{owner}.{used.name}"
            if used.name in fields:
                self._may_be_unknown(used, name, fields[used.name])
                self.problems.extend(wrong_filter(used, name, fields[used.name]))
                continue
            self.problems.append(
                Diagnostic(
                    code=names.TEMPLATE_VARIABLE_MISSING,
                    message=f"unknown field `{name}`",
                    span=used.span,
                    label=_ABSENT[owner],
                    labels=(Label(candidate.span, "the template is sent here"),)
                    if owner == "entry"
                    else (),
                    help=did_you_mean(used.name, fields),
                )
            )

    def _of_row(self, row: tuple[str, str, Used], send: model.Send) -> None:
        """A field of a catalogue's rows, where the list is one that the step picks."""
        many, each, used = row
        pick = next((pick for pick in send.picks if pick.name == many), None)
        catalog = None if pick is None else self.project.binding.catalogs.get(pick.catalog)
        if catalog is None or not self.whole:
            return
        fields = {field.name: field.type for field in catalog.fields} | {"key": TEXT}
        if used.name in fields:
            self._may_be_unknown(used, f"{each}.{used.name}", fields[used.name])
            return
        self.problems.append(
            Diagnostic(
                code=names.TEMPLATE_VARIABLE_MISSING,
                message=f"unknown field `{used.name}` of `{many}`",
                span=used.span,
                label=f"the catalogue `{catalog.name}` has no field of this name",
                help=did_you_mean(used.name, fields),
            )
        )

    def _may_be_unknown(self, used: Used, name: str, type_: Type | None) -> None:
        if type_ is None or not type_.optional or used.guarded:
            return
        self.problems.append(
            Diagnostic(
                code=names.UNKNOWN_VALUE_IN_TEMPLATE,
                message=f"`{name}` may be unknown",
                span=used.span,
                label="without a value no message is made",
                help=f'write `{{{{ {name} | default("…") }}}}`',
            )
        )

    def _customer_fields(self) -> dict[str, Type]:
        customers = self.project.binding.customers
        bound = {} if customers is None else {f.name: f.type for f in customers.fields}
        return {**bound, **RESERVED_OF_CUSTOMERS}

    def _entry_fields(self, journey: model.Journey) -> dict[str, Type]:
        return {**dict(entry_fields(journey.entry)), **AT}
