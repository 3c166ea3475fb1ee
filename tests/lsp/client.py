"""A real client: the server in a process of its own, spoken to over its standard streams."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

from journeylang.lsp.server import CHECKED

DEADLINE = 30.0


class Editor(LanguageClient):
    """What an editor keeps: the texts that are open, and what it was told of each file."""

    def __init__(self, root: Path) -> None:
        super().__init__("tests", "1")
        self.root = root
        self.told: dict[str, list[lsp.Diagnostic]] = {}
        self.times = 0
        self.fresh = False
        self.logged: list[str] = []
        self._news = asyncio.Event()
        self._versions: dict[str, int] = {}

        @self.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)  # type: ignore[untyped-decorator]
        def published(params: lsp.PublishDiagnosticsParams) -> None:
            self.told[params.uri] = list(params.diagnostics)
            self.times += 1
            self._news.set()

        @self.feature(CHECKED)  # type: ignore[untyped-decorator]
        def whole(params: lsp.LSPObject) -> None:
            self.fresh = True
            self.times += 1
            self._news.set()

        @self.feature(lsp.WINDOW_LOG_MESSAGE)  # type: ignore[untyped-decorator]
        def logged(params: lsp.LogMessageParams) -> None:
            self.logged.append(params.message)

    def uri(self, path: str) -> str:
        return (self.root / path).as_uri()

    def document(self, path: str) -> lsp.TextDocumentIdentifier:
        return lsp.TextDocumentIdentifier(uri=self.uri(path))

    def open(self, path: str, text: str | None = None) -> str:
        if text is None:
            text = (self.root / path).read_text(encoding="utf-8")
        self._versions[path] = 1
        self.fresh = False
        language = "journey" if path.endswith(".journey") else "jinja"
        self.text_document_did_open(
            lsp.DidOpenTextDocumentParams(
                text_document=lsp.TextDocumentItem(
                    uri=self.uri(path), language_id=language, version=1, text=text
                )
            )
        )
        return text

    def change(self, path: str, text: str) -> None:
        """The whole text anew."""
        self._changed(path, lsp.TextDocumentContentChangeWholeDocument(text=text))

    def type(self, path: str, at: lsp.Position, text: str) -> None:
        """Some characters at a place, as a keystroke is told."""
        place = lsp.Range(start=at, end=at)
        self._changed(path, lsp.TextDocumentContentChangePartial(range=place, text=text))

    def _changed(self, path: str, change: lsp.TextDocumentContentChangeEvent) -> None:
        self._versions[path] += 1
        self.fresh = False
        self.text_document_did_change(
            lsp.DidChangeTextDocumentParams(
                text_document=lsp.VersionedTextDocumentIdentifier(
                    uri=self.uri(path), version=self._versions[path]
                ),
                content_changes=[change],
            )
        )

    def codes(self, path: str) -> list[str]:
        return sorted(str(d.code) for d in self.told.get(self.uri(path), []))

    async def until(self, path: str, *codes: str) -> list[lsp.Diagnostic]:
        """What is told of a file, once all is checked and its codes are exactly these."""
        wanted = sorted(codes)
        try:
            async with asyncio.timeout(DEADLINE):
                while not self.fresh or self.codes(path) != wanted:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(
                f"{path}: {self.codes(path)} and not {wanted}; {self.logged}"
            ) from None
        return self.told.get(self.uri(path), [])

    async def checked(self) -> None:
        """Until something new is told."""
        before = self.times
        async with asyncio.timeout(DEADLINE):
            while self.times == before:
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def editor(root: Path) -> AsyncIterator[Editor]:
    """A client with a server started, and both ended afterwards."""
    client = Editor(root)
    await client.start_io(sys.executable, "-m", "journeylang", "lsp")
    try:
        async with asyncio.timeout(DEADLINE):
            await client.initialize_async(
                lsp.InitializeParams(capabilities=lsp.ClientCapabilities(), root_uri=root.as_uri())
            )
        client.initialized(lsp.InitializedParams())
        yield client
        async with asyncio.timeout(DEADLINE):
            await client.shutdown_async(None)
        client.exit(None)
    except BaseException:
        # Nobody says goodbye: the process is not waited for.
        if client._server is not None:
            client._server.kill()
        raise
    finally:
        await client.stop()  # type: ignore[no-untyped-call]


def place(text: str, marked: str) -> lsp.Position:
    """Where `|` stands in some words of a text that stand there once."""
    words = marked.replace("|", "")
    assert text.count(words) == 1, f"{words!r} stands {text.count(words)} times"
    offset = text.index(words) + marked.index("|")
    line = text.count("\n", 0, offset)
    before = text[text.rfind("\n", 0, offset) + 1 : offset]
    return lsp.Position(line=line, character=len(before.encode("utf-16-le")) // 2)


def applied(text: str, edits: list[lsp.TextEdit]) -> str:
    """The text with the edits made, the last first."""
    lines = text.split("\n")

    def offset(at: lsp.Position) -> int:
        units = lines[at.line].encode("utf-16-le")[: 2 * at.character]
        return sum(len(line) + 1 for line in lines[: at.line]) + len(units.decode("utf-16-le"))

    for edit in sorted(edits, key=lambda e: offset(e.range.start), reverse=True):
        text = text[: offset(edit.range.start)] + edit.new_text + text[offset(edit.range.end) :]
    return text
