"""Diagnostics as GitHub's workflow commands: each is shown at its line of a pull request.

``::error file=…,line=…,col=…,endColumn=…,title=…::message``. Columns are given for places on one
line only: GitHub leaves out an annotation over several lines that has them. See "Workflow
commands for GitHub Actions", and the toolkit's ``command.ts`` for what is escaped.
"""

from collections.abc import Iterable, Mapping

from journeylang.diagnostics.model import Diagnostic
from journeylang.diagnostics.region import region
from journeylang.source import Source


def render_github(
    diagnostics: Iterable[Diagnostic], sources: Mapping[str, Source], *, folder: str = ""
) -> str:
    """A line for each diagnostic; ``folder`` is where the project lies in the repository."""
    return "\n".join(_command(diagnostic, sources, folder) for diagnostic in diagnostics)


def _command(diagnostic: Diagnostic, sources: Mapping[str, Source], folder: str) -> str:
    properties: dict[str, str | int] = {}
    if diagnostic.span is not None:
        properties["file"] = f"{folder}{diagnostic.span.path}"
    place = region(diagnostic.span, sources)
    if place is not None:
        properties["line"] = place.line
        if place.is_on_one_line:
            properties["col"] = place.column
        properties["endLine"] = place.end_line
        if place.is_on_one_line:
            properties["endColumn"] = place.end_column
    properties["title"] = f"{diagnostic.code.id} {diagnostic.code.name}"
    given = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    message = "\n".join(part for part in (diagnostic.message, diagnostic.help) if part)
    return f"::{diagnostic.severity} {given}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
