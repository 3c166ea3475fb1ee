"""The shortest way from a text to what the rules find in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from journeylang.analysis.check import check_files
from journeylang.analysis.declared import declare
from journeylang.analysis.findings import Findings
from journeylang.analysis.messages import TemplateFile, TemplateKey, check_messages
from journeylang.diagnostics.codes import find_code
from journeylang.diagnostics.codes.lists import SQL_REFUSED
from journeylang.diagnostics.codes.syntax import NOT_SUPPORTED_YET
from journeylang.diagnostics.model import Diagnostic
from journeylang.lint import RULES, Checked, Rule, Settings, lint
from journeylang.source import Source
from journeylang.syntax.nodes import File
from journeylang.syntax.parse import parse

HERE = Path(__file__).parent
BINDING = (HERE / "_binding.journey").read_text(encoding="utf-8")


def rule(code: str) -> Rule:
    """The rule that looks for a code."""
    return next(rule for rule in RULES if rule.code is find_code(code))


def checked(
    *texts: str,
    binding: str = BINDING,
    templates: Mapping[str, str] | None = None,
    settings: Settings | None = None,
) -> Checked:
    """The project of these files beside the shared binding; it has to be right.

    What is not supported yet may stand in it, and SQL that is refused elsewhere: most rules look
    at what is written.

    ``templates`` by their path below `templates/`, such as ``welcome/hello.email.html``.
    """
    named = {f"case{number or ''}.journey": text for number, text in enumerate(texts)}
    sources = {path: Source(path=path, text=text) for path, text in named.items()}
    if binding:
        sources["_binding.journey"] = Source(path="_binding.journey", text=binding)
    files: list[File] = []
    for source in sources.values():
        outcome = parse(source)
        assert outcome.ok, outcome.diagnostics
        assert outcome.value is not None
        files.append(outcome.value)
    project = check_files(files)
    assert project.value is not None
    fine = (NOT_SUPPORTED_YET, SQL_REFUSED)
    wrong = [d for d in project.diagnostics if d.is_error and d.code not in fine]
    assert wrong == []
    made: dict[TemplateKey, list[TemplateFile]] = {}
    for path, text in (templates or {}).items():
        source = Source(path=f"templates/{path}", text=text)
        sources[source.path] = source
        if path.count(".") < 2:
            continue  # a part of others
        name, channel, extension = path.rsplit(".", 2)
        file = TemplateFile(name=name, channel=channel, extension=extension, source=source)
        made.setdefault((name, channel), []).append(file)
    by_key = {key: tuple(found) for key, found in made.items()}
    parts = {path: sources[f"templates/{path}"] for path in templates or {}}
    uses = check_messages(project.value, by_key, included=parts).value if by_key else {}
    return Checked(
        project=project.value,
        files=tuple(files),
        declared=declare(files, Findings()),
        sources=sources,
        templates=by_key,
        parts=parts,
        uses=uses or {},
        settings=settings or Settings(),
    )


def found(
    code: str,
    *texts: str,
    binding: str = BINDING,
    templates: Mapping[str, str] | None = None,
    settings: Settings | None = None,
) -> tuple[Diagnostic, ...]:
    """What one rule finds in these files."""
    project = checked(*texts, binding=binding, templates=templates, settings=settings)
    return lint(project, (rule(code),))


def places(diagnostics: Sequence[Diagnostic], text: str) -> list[str]:
    """The characters at which each finding points, in a single file."""
    return [text[d.span.start : d.span.end] for d in diagnostics if d.span is not None]
