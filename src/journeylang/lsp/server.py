"""The server: what it is asked, and when it looks.

A keystroke is answered from the text at hand: its own errors at once, names from trees that are
kept. All of the project is checked in one thread beside it, once nothing has been typed for a
moment; while there is more than one wish to check, only the last counts. Whatever goes wrong is
told to the editor's log, and the server goes on.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from journeylang import __version__
from journeylang.classes import dataclass
from journeylang.diagnostics.model import Diagnostic
from journeylang.loading.find import find_project
from journeylang.lsp import hover, renaming
from journeylang.lsp.completion import TRIGGERS, complete
from journeylang.lsp.editing import Project
from journeylang.lsp.findings import actions, edits, shown, uri
from journeylang.lsp.in_templates import template_files, template_mentions, template_names
from journeylang.lsp.mentions import Mention, Symbol
from journeylang.lsp.outline import TOKEN_TYPES, folds, semantic_tokens, symbols
from journeylang.lsp.people import People, hints
from journeylang.lsp.positions import offset, span_range, whole
from journeylang.source import Source, Span

PAUSE = 0.25
"""Seconds without a keystroke after which all of the project is checked."""

CHECKED = "journey/checked"
"""Told after each whole check: an editor may then show that nothing is under way."""


class RefusedError(JsonRpcInvalidParams):
    """A request that cannot be fulfilled, with the reason for whoever asked."""


@dataclass(slots=True)
class Open:
    """A document of a project, as it is now."""

    project: Project
    path: str
    source: Source

    def offset(self, at: lsp.Position) -> int:
        return offset(self.source, at)


@dataclass(slots=True)
class Projects:
    """The projects that documents are open of, and their checks."""

    server: LanguageServer
    pause: float = PAUSE
    known: dict[Path, Project] = field(default_factory=dict)
    _waiting: dict[Path, asyncio.TimerHandle] = field(default_factory=dict)
    _running: set[Path] = field(default_factory=set)
    _told: dict[Path, set[str]] = field(default_factory=dict)
    # One thread: checks of two projects at a time would only slow each other.
    _thread: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(max_workers=1, thread_name_prefix="check")
    )

    def of(self, document: str) -> tuple[Project, str] | None:
        """The project and the path of a document; None outside of any project."""
        file = file_of(document)
        if file is None:
            return None
        # A file that has vanished is still below its project's root.
        root = find_project(file.parent)
        if root is None:
            return None
        project = self.known.setdefault(root, Project(root=root))
        path = project.path(file)
        return None if path is None else (project, path)

    def open(self, document: str) -> Open | None:
        found = self.of(document)
        if found is None:
            return None
        source = found[0].source(found[1])
        return None if source is None else Open(project=found[0], path=found[1], source=source)

    def edited(self, document: str, text: str | None) -> None:
        found = self.of(document)
        if found is None:
            return
        project, path = found
        project.edit(path, text)
        if text is not None:
            self.publish(project, path, project.at_once(path))
        self.soon(project)

    def soon(self, project: Project) -> None:
        """Check the project after a pause; a wish before is replaced."""
        before = self._waiting.pop(project.root, None)
        if before is not None:
            before.cancel()
        loop = asyncio.get_running_loop()
        self._waiting[project.root] = loop.call_later(
            self.pause, lambda: asyncio.ensure_future(self._safely(project))
        )

    async def _safely(self, project: Project) -> None:
        try:
            await self._check(project)
        except Exception as error:  # noqa: BLE001 -- an editor outlives what it is given
            self.log(f"the project could not be checked: {type(error).__name__}: {error}")

    async def _check(self, project: Project) -> None:
        if project.root in self._running:
            self.soon(project)
            return
        self._running.add(project.root)
        edition = project.edition
        loop = asyncio.get_running_loop()
        try:
            checking = await loop.run_in_executor(self._thread, project.check)
        finally:
            self._running.discard(project.root)
        if project.edition != edition:
            # Something was typed meanwhile: places have moved. Another check is on its way.
            self.soon(project)
            return
        project.take(checking)
        now = project.shown()
        for path in self._told.get(project.root, set()) - now.keys():
            self.publish(project, path, [])
        for path, found in now.items():
            self.publish(project, path, found)
        self.server.protocol.notify(CHECKED, {"root": project.root.as_uri()})

    def publish(self, project: Project, path: str, found: Sequence[Diagnostic]) -> None:
        told = self._told.setdefault(project.root, set())
        told.add(path) if found else told.discard(path)
        self.server.text_document_publish_diagnostics(
            lsp.PublishDiagnosticsParams(
                uri=uri(project.root, path),
                diagnostics=shown(found, project.root, project.source),
            )
        )

    def log(self, message: str) -> None:
        self.server.window_log_message(
            lsp.LogMessageParams(type=lsp.MessageType.Warning, message=message)
        )


def file_of(document: str) -> Path | None:
    """The file of a URI; None for what is in no file (a new, unsaved text)."""
    parts = urlsplit(document)
    if parts.scheme != "file":
        return None
    return Path(unquote(parts.path))


def make_server(pause: float = PAUSE, env: str = "dev") -> LanguageServer:
    """The server, ready to be started over a stream. `env`: whose people are told of."""
    server = LanguageServer("journey", __version__)
    projects = Projects(server=server, pause=pause)
    _documents(server, projects)
    _looking(server, projects)
    _naming(server, projects)
    _counting(server, projects, People(env=env, environ=os.environ))
    return server


def _documents(server: LanguageServer, projects: Projects) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: lsp.DidOpenTextDocumentParams) -> None:
        projects.edited(params.text_document.uri, params.text_document.text)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: lsp.DidChangeTextDocumentParams) -> None:
        document = server.workspace.get_text_document(params.text_document.uri)
        projects.edited(document.uri, document.source)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: lsp.DidCloseTextDocumentParams) -> None:
        projects.edited(params.text_document.uri, None)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: lsp.DidSaveTextDocumentParams) -> None:
        found = projects.of(params.text_document.uri)
        if found is not None:
            projects.soon(found[0])

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def elsewhere(params: lsp.DidChangeWatchedFilesParams) -> None:
        for change in params.changes:
            found = projects.of(change.uri)
            if found is not None:
                found[0].edition += 1
                projects.soon(found[0])

    @server.feature(lsp.TEXT_DOCUMENT_FORMATTING)
    def formatting(params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit] | None:
        from journeylang.syntax.format import format_source

        there = projects.open(params.text_document.uri)
        if there is None or not there.path.endswith(".journey"):
            return None
        text = format_source(there.source).value
        if text is None or text == there.source.text:
            return None
        return [lsp.TextEdit(range=whole(there.source), new_text=text)]

    @server.feature(
        lsp.TEXT_DOCUMENT_CODE_ACTION,
        lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix]),
    )
    def code_actions(params: lsp.CodeActionParams) -> list[lsp.CodeAction] | None:
        there = projects.open(params.text_document.uri)
        if there is None:
            return None
        found = there.project.shown().get(there.path, [])
        return actions(found, there.project.root, there.project.source, params.range)


def _looking(server: LanguageServer, projects: Projects) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    def hovering(params: lsp.HoverParams) -> lsp.Hover | None:
        there = projects.open(params.text_document.uri)
        if there is None:
            return None
        at = there.offset(params.position)
        parts = [
            hover.explain(d)
            for d in there.project.at_once(there.path)
            if d.span is not None and d.span.start <= at <= d.span.end
        ]
        mention = _mention(there, at)
        if mention is not None:
            told = hover.describe(there.project, there.project.names().symbol(mention))
            parts = [*([told] if told else []), *parts]
        if not parts:
            return None
        content = lsp.MarkupContent(
            kind=lsp.MarkupKind.Markdown, value="\n\n---\n\n".join(dict.fromkeys(parts))
        )
        place = None if mention is None else span_range(there.source, mention.span)
        return lsp.Hover(contents=content, range=place)

    @server.feature(
        lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(trigger_characters=list(TRIGGERS))
    )
    def completing(params: lsp.CompletionParams) -> lsp.CompletionList:
        there = projects.open(params.text_document.uri)
        items: list[lsp.CompletionItem] = []
        if there is not None:
            project = there.project
            items = complete(
                there.source,
                there.offset(params.position),
                project.names(),
                lambda channel: template_names(project, channel),
            )
        return lsp.CompletionList(is_incomplete=False, items=items)

    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def outline(params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
        there = projects.open(params.text_document.uri)
        if there is None or not there.path.endswith(".journey"):
            return []
        tree = there.project.tree(there.path)
        return [] if tree is None else symbols(there.source, tree)

    @server.feature(lsp.WORKSPACE_SYMBOL)
    def everywhere(params: lsp.WorkspaceSymbolParams) -> list[lsp.SymbolInformation]:
        found = []
        for project in projects.known.values():
            for symbol, spans in project.names().defined.items():
                if params.query.lower() not in symbol.name.lower():
                    continue
                location = _location(project, spans[0])
                if location is not None:
                    found.append(
                        lsp.SymbolInformation(
                            name=symbol.name,
                            container_name=symbol.within or symbol.kind,
                            kind=lsp.SymbolKind.Object,
                            location=location,
                        )
                    )
        return found

    @server.feature(lsp.TEXT_DOCUMENT_FOLDING_RANGE)
    def folding(params: lsp.FoldingRangeParams) -> list[lsp.FoldingRange]:
        there = projects.open(params.text_document.uri)
        if there is None or not there.path.endswith(".journey"):
            return []
        return folds(there.source)

    @server.feature(
        lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL,
        lsp.SemanticTokensLegend(token_types=TOKEN_TYPES, token_modifiers=["declaration"]),
    )
    def tokens(params: lsp.SemanticTokensParams) -> lsp.SemanticTokens:
        there = projects.open(params.text_document.uri)
        data = [] if there is None else semantic_tokens(there.source, there.project.names())
        return lsp.SemanticTokens(data=data)


def _naming(server: LanguageServer, projects: Projects) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_DEFINITION)
    def definition(params: lsp.DefinitionParams) -> list[lsp.Location]:
        there = projects.open(params.text_document.uri)
        symbol = None if there is None else _symbol(there, params.position)
        if there is None or symbol is None:
            return []
        project = there.project
        if symbol.kind == "template":
            spans = [Span(p, 0, 0) for p in template_files(project, symbol.name, symbol.within)]
        else:
            spans = project.names().definitions(symbol)
        return [place for span in spans if (place := _location(project, span)) is not None]

    @server.feature(lsp.TEXT_DOCUMENT_REFERENCES)
    def references(params: lsp.ReferenceParams) -> list[lsp.Location]:
        there = projects.open(params.text_document.uri)
        symbol = None if there is None else _symbol(there, params.position)
        if there is None or symbol is None:
            return []
        defined = there.project.names().definitions(symbol)
        return [
            place
            for span in renaming.references(there.project, symbol)
            if params.context.include_declaration or span not in defined
            if (place := _location(there.project, span)) is not None
        ]

    @server.feature(lsp.TEXT_DOCUMENT_PREPARE_RENAME)
    def renamable(params: lsp.PrepareRenameParams) -> lsp.Range | None:
        there = projects.open(params.text_document.uri)
        mention = None if there is None else _mention(there, there.offset(params.position))
        if there is None or mention is None:
            return None
        symbol = there.project.names().symbol(mention)
        known = there.project.names().definitions(symbol)
        if symbol.kind not in renaming.RENAMED or not known:
            return None
        return span_range(there.source, mention.span)

    @server.feature(lsp.TEXT_DOCUMENT_RENAME, lsp.RenameOptions(prepare_provider=True))
    def rename(params: lsp.RenameParams) -> lsp.WorkspaceEdit | None:
        there = projects.open(params.text_document.uri)
        symbol = None if there is None else _symbol(there, params.position)
        if there is None or symbol is None:
            return None
        try:
            changed = renaming.rename(there.project, symbol, params.new_name)
        except renaming.RefusedError as refused:
            raise RefusedError(str(refused)) from None
        made = edits(changed, there.project.root, there.project.source)
        return lsp.WorkspaceEdit(changes=made)


def _counting(server: LanguageServer, projects: Projects, people: People) -> None:
    # Beside the checks: a database that does not answer keeps nobody from them.
    thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="people")

    @server.feature(lsp.TEXT_DOCUMENT_INLAY_HINT)
    async def inlay(params: lsp.InlayHintParams) -> list[lsp.InlayHint]:
        there = projects.open(params.text_document.uri)
        if there is None or not there.path.endswith(".journey"):
            return []
        loop = asyncio.get_running_loop()
        waiting = await loop.run_in_executor(thread, people.waiting, there.project)
        # What was typed meanwhile counts: places are those of the text as it is now.
        now = projects.open(params.text_document.uri)
        tree = None if now is None else now.project.tree(now.path)
        if now is None or tree is None:
            return []
        lines = range(params.range.start.line, params.range.end.line + 1)
        return list(hints(now.source, tree, waiting, lines))


def _mention(there: Open, at: int) -> Mention | None:
    if there.path.endswith(".journey"):
        return there.project.names().at(there.path, at)
    found = (m for m in template_mentions(there.source) if m.span.start <= at <= m.span.end)
    return next(found, None)


def _symbol(there: Open, at: lsp.Position) -> Symbol | None:
    mention = _mention(there, there.offset(at))
    return None if mention is None else there.project.names().symbol(mention)


def _location(project: Project, span: Span) -> lsp.Location | None:
    source = project.source(span.path)
    if source is None:
        return None
    return lsp.Location(uri=uri(project.root, span.path), range=span_range(source, span))
