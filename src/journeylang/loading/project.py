"""Loading a project: everything that is in its folder, understood and checked together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from journeylang.analysis.check import check_files
from journeylang.analysis.environment import Environment
from journeylang.analysis.messages import (
    TemplateFile,
    TemplateKey,
    check_messages,
    sends,
)
from journeylang.analysis.template_scope import EXTENSIONS
from journeylang.analysis.template_use import TemplateUse
from journeylang.analysis.templates import included
from journeylang.classes import dataclass
from journeylang.diagnostics.codes import names, syntax
from journeylang.diagnostics.echoes import without_echoes
from journeylang.diagnostics.model import Diagnostic, Outcome, in_order
from journeylang.loading.environments import environments
from journeylang.loading.escapes import forbidden
from journeylang.loading.files import below
from journeylang.loading.find import CONFIG
from journeylang.loading.lists import with_lists
from journeylang.loading.reading import Reading
from journeylang.loading.zones import zone_names
from journeylang.model.project import Project
from journeylang.source import Source
from journeylang.syntax.nodes import File

if TYPE_CHECKING:
    from journeylang.loading.config import Config

JOURNEYS = "journeys"
TEMPLATES = "templates"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedProject:
    """A project and all that it was made of. Paths are below ``root``, with ``/``.

    ``sources`` holds every file that was read, for diagnostics. ``templates`` are those that
    a step sends, ``parts`` further ones that they include, by their path below ``templates/``.
    ``whole``: no definition was left out of the model for an error.
    """

    root: Path
    config: Config
    project: Project
    files: tuple[File, ...]
    sources: Mapping[str, Source]
    templates: Mapping[TemplateKey, tuple[TemplateFile, ...]]
    parts: Mapping[str, Source]
    uses: Mapping[TemplateKey, TemplateUse]
    whole: bool = True

    def template_texts(self) -> dict[str, str]:
        """Every template by its path below ``templates/``: what the renderer is made of."""
        sent = (file.source for files in self.templates.values() for file in files)
        texts = {s.path.removeprefix(f"{TEMPLATES}/"): s.text for s in sent}
        return texts | {path: source.text for path, source in self.parts.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading:
    """What a load found: the project if there is one, everything wrong, and the sources.

    Unlike an ``Outcome`` it has the sources even when there is no project, for the
    diagnostics to be shown with their lines.
    """

    outcome: Outcome[LoadedProject]
    sources: Mapping[str, Source]
    checked: int = 0

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        return self.outcome.diagnostics


def load(root: Path, env: str | None = None, *, reading: Reading | None = None) -> Loading:
    """Read and check the project at ``root``, and that it has the environment ``env``.

    Without ``env`` it is checked with the parameters of every environment; the value is then that
    of `dev`, or of the first one by name.

    There is a value whenever the settings could be read; it is fit for use when the outcome is
    ``ok``. No secret is looked at.
    """
    reader = _Reader(root=root, reading=reading or Reading())
    config = reader.config(env)
    files = reader.journeys()
    checked = len(reader.parsed)
    reader.problems.extend(forbidden(config, files))
    first, *others = environments(config, reader.sources.get(CONFIG), env)
    found = reader.check(files, first)
    for other in others:
        reader.check(files, other, again=True)
    value = None
    if config is not None:
        value = LoadedProject(
            root=root,
            config=config,
            project=found.project,
            files=tuple(files),
            sources=reader.sources,
            templates=found.templates,
            parts=found.parts,
            uses=found.uses,
            whole=found.whole,
        )
    return Loading(
        outcome=Outcome(
            value=value, diagnostics=once(without_echoes(reader.problems, reader.sources))
        ),
        sources=reader.sources,
        checked=checked,
    )


def _has_holes(diagnostics: tuple[Diagnostic, ...]) -> bool:
    """Whether some of the text is not in the tree: what it defines is then not known."""
    return any(diagnostic.code in syntax.CODES for diagnostic in diagnostics)


def once(problems: list[Diagnostic]) -> tuple[Diagnostic, ...]:
    """In order; of two findings of one code at one place the first, for the second follows."""
    found: dict[object, Diagnostic] = {}
    for diagnostic in problems:
        key = (diagnostic.code.id, diagnostic.span) if diagnostic.span else diagnostic
        found.setdefault(key, diagnostic)
    return in_order(list(found.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    """The project with the parameters of one environment."""

    project: Project
    templates: Mapping[TemplateKey, tuple[TemplateFile, ...]]
    parts: Mapping[str, Source]
    uses: Mapping[TemplateKey, TemplateUse]
    whole: bool


@dataclass(slots=True)
class _Reader:
    root: Path
    reading: Reading
    problems: list[Diagnostic] = field(default_factory=list)
    sources: dict[str, Source] = field(default_factory=dict)
    parsed: list[str] = field(default_factory=list)
    holes: set[str] = field(default_factory=set)
    there: list[TemplateKey] = field(default_factory=list)

    def read(self, path: str) -> Source | None:
        outcome = self.reading.read(self.root, path)
        self.problems.extend(outcome.diagnostics)
        if outcome.value is not None:
            self.sources[path] = outcome.value
        return outcome.value if outcome.ok else None

    def config(self, env: str | None) -> Config | None:
        from journeylang.loading.config import environment, read_config

        source = self.read(CONFIG)
        if source is None:
            return None
        outcome = read_config(source)
        self.problems.extend(outcome.diagnostics)
        if outcome.value is not None and env is not None:
            self.problems.extend(environment(outcome.value, env, source).diagnostics)
        return outcome.value

    def journeys(self) -> list[File]:
        """The trees of all files; those without one are remembered as missing."""
        listing = below(self.root, JOURNEYS, ".journey")
        self.problems.extend(listing.diagnostics)
        if listing.diagnostics:
            self.holes.add(JOURNEYS)
        paths = listing.value or []
        if not paths and not self.holes:
            self.problems.append(
                Diagnostic(
                    code=names.MISSING_PART,
                    message=f"the project has no *.journey file in `{JOURNEYS}/`",
                    help=f"write one: `{JOURNEYS}/binding.journey`; `journey init` drafts it",
                )
            )
        files = []
        for path in paths:
            self.parsed.append(path)
            source = self.read(path)
            outcome = self.reading.parse(source) if source is not None else None
            if outcome is not None:
                self.problems.extend(outcome.diagnostics)
            if outcome is None or outcome.value is None or _has_holes(outcome.diagnostics):
                self.holes.add(path)
            if outcome is not None and outcome.value is not None:
                files.append(outcome.value)
        return files

    def check(
        self, files: list[File], environment: Environment | None, *, again: bool = False
    ) -> _Checked:
        """Check the files with an environment's parameters, and the templates that are then sent.

        ``again``: what another environment has shown is not told again, and what is new is
        told with the environment's name.
        """
        problems: list[Diagnostic] = []
        outcome = check_files(files, zones=zone_names(), holes=self.holes, environment=environment)
        project = outcome.value
        assert project is not None
        if files:
            problems.extend(outcome.diagnostics)
        listed = with_lists(
            project,
            self.root,
            texts=[self.sources[p].text for p in self.parsed if p in self.sources],
        )
        assert listed.value is not None
        project = listed.value
        problems.extend(listed.diagnostics)
        templates = self.templates(project)
        parts = self.parts(templates)
        whole = outcome.ok and listed.ok and not self.holes
        messages = check_messages(project, templates, included=parts, there=self.there, whole=whole)
        problems.extend(messages.diagnostics)
        if again and environment is not None:
            known = {(d.code.id, d.span) for d in self.problems}
            note = f"with what the environment `{environment.name}` gives"
            problems = [
                d if d.span is not None and d.span.path == CONFIG else replace(d, notes=(note,))
                for d in problems
                if (d.code.id, d.span) not in known
            ]
        self.problems.extend(problems)
        return _Checked(
            project=project,
            templates=templates,
            parts=parts,
            uses=messages.value or {},
            whole=whole,
        )

    def templates(self, project: Project) -> dict[TemplateKey, tuple[TemplateFile, ...]]:
        """The files of every template that a step sends."""
        listing = below(self.root, TEMPLATES)
        self.problems.extend(listing.diagnostics)
        known: dict[TemplateKey, dict[str, str]] = {}
        for path in listing.value or ():
            name, _, extension = path.removeprefix(f"{TEMPLATES}/").rpartition(".")
            name, _, channel = name.rpartition(".")
            if name and extension in EXTENSIONS:
                known.setdefault((name, channel), {})[extension] = path
        self.there[:] = known
        wanted = {
            (candidate.template, candidate.channel): None
            for journey in project.journeys.values()
            for send in sends(journey.body)
            for candidate in send.candidates
        }
        return {key: self._template(key, known[key]) for key in wanted if key in known}

    def _template(self, key: TemplateKey, paths: Mapping[str, str]) -> tuple[TemplateFile, ...]:
        found = []
        for extension in EXTENSIONS:
            path = paths.get(extension)
            source = self.read(path) if path is not None else None
            if source is not None:
                found.append(
                    TemplateFile(name=key[0], channel=key[1], extension=extension, source=source)
                )
        return tuple(found)

    def parts(self, templates: Mapping[TemplateKey, tuple[TemplateFile, ...]]) -> dict[str, Source]:
        """What the templates include, and what that includes, by path below ``templates/``."""
        found: dict[str, Source] = {}
        waiting = [file.source for files in templates.values() for file in files]
        while waiting:
            for name in included(waiting.pop()):
                path = f"{TEMPLATES}/{name}"
                inside = ".." not in name.split("/") and not name.startswith("/")
                if name in found or not inside or not (self.root / path).exists():
                    continue
                source = self.sources.get(path) or self.read(path)
                if source is not None:
                    found[name] = source
                    waiting.append(source)
        return found
