"""What a name is: how it was declared, and what a segment becomes."""

from __future__ import annotations

from dataclasses import is_dataclass

from journeylang.diagnostics.model import Diagnostic
from journeylang.lsp.editing import Project
from journeylang.lsp.in_templates import template_files
from journeylang.lsp.mentions import Symbol
from journeylang.model.tree import below
from journeylang.source import Source, Span
from journeylang.syntax import nodes

_MOST_LINES = 24

_OF_RUNTIME = {
    "sent": "A message was handed to its provider.",
    "delivered": "A provider has said that a message arrived.",
    "opened": "A message was opened, as far as its channel can tell.",
    "clicked": "A link in a message was followed; `link` is which.",
    "bounced": "A message came back; `kind` is `hard` or `soft`.",
    "complained": "Somebody has called a message spam.",
    "unsubscribed": "Somebody has withdrawn the consent to a channel.",
    "replied": "Somebody has answered a message in words.",
    "answered": "Somebody has answered a question by a click.",
    "called": "A call was made; `outcome` is what came of it.",
    "failed": "A message could not be sent.",
    "redeemed": "A code of a promo was used: `redeemed of PROMO`.",
}


def describe(project: Project, symbol: Symbol) -> str | None:
    """Markdown on a symbol; None where there is nothing to be said."""
    definitions = project.names().definitions(symbol)
    if not definitions:
        if symbol.kind == "event" and symbol.name in _OF_RUNTIME:
            return f"**event** `{symbol.name}`\n\n{_OF_RUNTIME[symbol.name]}"
        if symbol.kind == "template":
            files = template_files(project, symbol.name, symbol.within)
            listed = "\n".join(f"- `{path}`" for path in files)
            return f"**template** `{symbol.name}` ({symbol.within})\n\n{listed or 'not there'}"
        return None
    span = definitions[0]
    source, tree = project.source(span.path), project.tree(span.path)
    if source is None or tree is None:
        return None
    parts = [f"**{symbol.kind}** `{symbol.name}`"]
    if symbol.within:
        parts[0] += f" of `{symbol.within}`"
    declared = declaration(tree, span)
    title = getattr(declared, "title", None)
    if isinstance(title, nodes.String):
        parts.append(title.value)
    if declared is not None:
        parts.append(_fenced(_excerpt(source, declared), "journey"))
    if symbol.kind == "segment":
        sql = segment_sql(project, symbol.name)
        if sql is not None:
            parts.append(_fenced(sql, "sql"))
    return "\n\n".join(parts)


def explain(diagnostic: Diagnostic) -> str:
    """What a code means."""
    code = diagnostic.code
    return f"**{code.id}** {code.name}: {code.title}.\n\n{code.why}"


def declaration(tree: nodes.File, name: Span) -> object | None:
    """The node that the name at a place belongs to."""
    for node in below(tree):
        if not is_dataclass(node):
            continue
        for attribute in ("name", "label"):
            own = getattr(node, attribute, None)
            if isinstance(own, nodes.Name) and own.span == name:
                return node
    return None


def _excerpt(source: Source, node: object) -> str:
    span = getattr(node, "span", None)
    if not isinstance(span, Span):
        return ""
    lines = source.excerpt(span).rstrip().split("\n")
    if len(lines) > _MOST_LINES:
        lines = [*lines[:_MOST_LINES], "…"]
    return "\n".join(lines)


def _fenced(text: str, language: str) -> str:
    return f"```{language}\n{text}\n```"


def segment_sql(project: Project, name: str) -> str | None:
    """The query that a segment becomes, as of the last check; None before there was one."""
    loaded = None if project.checking is None else project.checking.loaded
    if loaded is None or not loaded.whole or name not in loaded.project.segments:
        return None
    from journeylang.api.database import dialect_of
    from journeylang.plan.numbering import number
    from journeylang.sql.compiler import Compiler
    from journeylang.sql.script import laid_out, segment_query

    dialect = dialect_of(loaded, None)
    steps = number(loaded.project).steps
    sql = segment_query(Compiler(project=loaded.project, dialect=dialect, steps=steps), name)
    return laid_out(sql) if dialect.name == "duckdb" else sql
