"""The language server, as an editor meets it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from journeylang.cli.main import cli
from journeylang.demo.place import write_project
from journeylang.loading.checking import check
from tests.lsp.client import Editor, applied, editor, place

WELCOME = "journeys/welcome.journey"
AUDIENCE = "journeys/audience.journey"
BINDING = "journeys/binding.journey"
HELLO = "templates/welcome/hello.email.html"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The demo's project, in a folder whose name has to be escaped."""
    to = tmp_path / "shop ü"
    to.mkdir()
    write_project(to)
    return to


def session(root: Path, work: Callable[[Editor], Awaitable[None]]) -> None:
    async def run() -> None:
        async with editor(root) as client:
            await work(client)

    asyncio.run(run())


def write(root: Path, edit: lsp.WorkspaceEdit) -> None:
    """Do to the files what an editor would do."""
    for uri, edits in (edit.changes or {}).items():
        (path,) = (p for p in root.rglob("*") if p.as_uri() == uri)
        text = path.read_text(encoding="utf-8")
        path.write_text(applied(text, list(edits)), encoding="utf-8")


def found(root: Path) -> list[str]:
    return [d.message for d in check(root).diagnostics]


async def renamed(client: Editor, path: str, at: lsp.Position, new: str) -> lsp.WorkspaceEdit:
    edit = await client.text_document_rename_async(
        lsp.RenameParams(text_document=client.document(path), position=at, new_name=new)
    )
    assert edit is not None
    return edit


async def completed(client: Editor, path: str, at: lsp.Position) -> dict[str, str | None]:
    answer = await client.text_document_completion_async(
        lsp.CompletionParams(text_document=client.document(path), position=at)
    )
    assert isinstance(answer, lsp.CompletionList)
    return {item.label: item.detail for item in answer.items}


def test_errors_are_told_while_one_types(root: Path) -> None:
    async def work(client: Editor) -> None:
        text = client.open(WELCOME)
        await client.until(WELCOME)
        client.change(WELCOME, text.replace("wait 2d", "wiat 2d"))
        (slip,) = await client.until(WELCOME, "JRN001")
        assert "wait" in slip.message
        client.change(WELCOME, text.replace("policy standard", "policy standart"))
        (unknown,) = await client.until(WELCOME, "JRN101")
        assert unknown.range.start == place(text, "policy |standard")
        assert "standard" in unknown.message
        client.change(WELCOME, text)
        await client.until(WELCOME)

    session(root, work)


def test_one_file_s_change_is_told_at_another(root: Path) -> None:
    async def work(client: Editor) -> None:
        client.open(WELCOME)
        text = client.open(AUDIENCE)
        await client.until(WELCOME)
        client.change(AUDIENCE, text.replace("segment app_user", "segment ap_user"))
        (unknown,) = await client.until(WELCOME, "JRN101")
        assert "app_user" in unknown.message
        client.text_document_did_close(
            lsp.DidCloseTextDocumentParams(text_document=client.document(AUDIENCE))
        )
        await client.until(WELCOME)

    session(root, work)


def test_hover(root: Path) -> None:
    async def work(client: Editor) -> None:
        text = client.open(WELCOME)
        await client.until(WELCOME)

        async def over(marked: str) -> str:
            answer = await client.text_document_hover_async(
                lsp.HoverParams(
                    text_document=client.document(WELCOME), position=place(text, marked)
                )
            )
            assert answer is not None, marked
            assert isinstance(answer.contents, lsp.MarkupContent)
            return answer.contents.value

        segment = await over("in segment app_|user")
        assert "**segment** `app_user`" in segment
        assert "```sql\nSELECT" in segment
        assert "event order_placed" in await over("exists(order|_placed")
        assert "welcome/choose.email.html" in await over('email "welcome/cho|ose"')
        assert "`subject/plain/hello`" in await over("arm plain 50% control {\n      he|llo")
        client.change(WELCOME, text.replace("policy standard", "policy standart"))
        await client.until(WELCOME, "JRN101")
        text = text.replace("policy standard", "policy standart")
        assert "JRN101" in await over("policy stan|dart")

    session(root, work)


def test_completion(root: Path) -> None:
    async def work(client: Editor) -> None:
        text = client.open(WELCOME)
        await client.until(WELCOME)

        async def at(marked: str, typed: str) -> dict[str, str | None]:
            """What is proposed behind words that are put in at a place."""
            position = place(text, marked)
            line = text.split("\n")[: position.line + 1]
            offset = sum(len(x) + 1 for x in line[:-1]) + position.character
            changed = text[:offset] + typed + text[offset:]
            client.change(WELCOME, changed)
            before, _, last = (text[:offset] + typed).rpartition("\n")
            return await completed(
                client, WELCOME, lsp.Position(line=before.count("\n") + 1, character=len(last))
            )

        steps = await at("confirm: wait 30m\n|", "\n  x: ")
        assert {"wait", "send", "experiment", "if", "include"} <= steps.keys() | {"if", "include"}
        assert "owner" not in steps
        segments = await at("in segment app_user|", " and customer in segment ")
        assert segments.get("gold") == "segment"
        assert "standard" not in segments
        fields = await at("in segment app_user|", " and customer.")
        assert fields.get("push_token") == "field"
        assert "order_placed" in await at("exists(order_placed since entry|", ") and exists(")
        assert "email" in await at("settle: wait 2d|", "\n  y: send ")
        assert (await at('email "welcome/choose|', ""))["welcome/choose"] == "template"
        assert "standard" in await at("policy |standard", "")
        conditions = await at('push "welcome/nudge" when |', "")
        assert conditions.get("count") == "function"
        broken = await at("holdout 10%|", "\n  exit when (((\n  goal ")
        assert broken.get("order_placed") == "event"
        assert "seg" not in await at("# Does naming|", " seg")

    session(root, work)


def test_definition_and_references(root: Path) -> None:
    async def work(client: Editor) -> None:
        text = client.open(WELCOME)
        binding = client.open(BINDING)
        await client.until(WELCOME)

        async def go(path: str, at: lsp.Position) -> list[tuple[str, int]]:
            answer = await client.text_document_definition_async(
                lsp.DefinitionParams(text_document=client.document(path), position=at)
            )
            assert isinstance(answer, list)
            return [
                (place.uri.rsplit("/", 1)[-1], place.range.start.line)
                for place in answer
                if isinstance(place, lsp.Location)
            ]

        ((file, line),) = await go(WELCOME, place(text, "in segment app_|user"))
        audience = (root / AUDIENCE).read_text(encoding="utf-8")
        assert file == "audience.journey"
        assert audience.split("\n")[line].startswith("segment app_user")
        templates = await go(WELCOME, place(text, 'email "welcome/cho|ose"'))
        assert {name for name, _ in templates} >= {"choose.email.html"}
        template = client.open(HELLO)
        assert "customer.first_name" in template
        at = template.index("customer.first_name") + len("customer.fi")
        head = template[:at]
        position = lsp.Position(line=head.count("\n"), character=len(head) - head.rfind("\n") - 1)
        ((file, line),) = await go(HELLO, position)
        assert file == "binding.journey"
        assert "first_name" in binding.split("\n")[line]

        answer = await client.text_document_references_async(
            lsp.ReferenceParams(
                text_document=client.document(HELLO),
                position=position,
                context=lsp.ReferenceContext(include_declaration=True),
            )
        )
        files = {place.uri.rsplit("/", 1)[-1] for place in answer or ()}
        assert {"binding.journey", "hello.email.html"} <= files

    session(root, work)


def test_renamed_segment_and_field_mean_the_same(root: Path) -> None:
    """Everything that names them is renamed with them, templates too; nothing is found after."""
    before = found(root)

    async def work(client: Editor) -> None:
        text = client.open(WELCOME)
        binding = client.open(BINDING)
        await client.until(WELCOME)
        write(root, await renamed(client, WELCOME, place(text, "in segment app_|user"), "has_app"))
        write(
            root, await renamed(client, BINDING, place(binding, "field first|_name"), "given_name")
        )

    session(root, work)
    assert found(root) == before
    assert "customer.given_name" in (root / HELLO).read_text(encoding="utf-8")
    assert "app_user" not in (root / WELCOME).read_text(encoding="utf-8")


def test_renamed_step_says_whence_people_come(root: Path) -> None:
    async def work(client: Editor) -> None:
        text = client.open(WELCOME)
        await client.until(WELCOME)
        write(root, await renamed(client, WELCOME, place(text, "set|tle: wait"), "breathe"))
        text = (root / WELCOME).read_text(encoding="utf-8")
        client.change(WELCOME, text)
        write(root, await renamed(client, WELCOME, place(text, "sub|ject: experiment"), "line"))

    session(root, work)
    text = (root / WELCOME).read_text(encoding="utf-8")
    assert "breathe: wait 2d" in text
    assert "\nmoved in welcome: settle -> breathe" in text
    assert "\nmoved in welcome: subject/plain/hello -> line/plain/hello" in text
    assert not [m for m in found(root) if "yet" not in m]


def test_renaming_is_refused_with_a_reason(root: Path) -> None:
    async def work(client: Editor) -> None:
        text = client.open(WELCOME)
        await client.until(WELCOME)
        at = place(text, "in segment app_|user")
        with pytest.raises(JsonRpcException, match="there is a segment `gold` already"):
            await renamed(client, WELCOME, at, "gold")
        with pytest.raises(JsonRpcException, match="is no name"):
            await renamed(client, WELCOME, at, "9 lives")
        nothing = await client.text_document_prepare_rename_async(
            lsp.PrepareRenameParams(
                text_document=client.document(WELCOME), position=place(text, "reen|ter never")
            )
        )
        assert nothing is None

    session(root, work)


def test_formatting(root: Path) -> None:
    async def work(client: Editor) -> None:
        text = client.open(WELCOME)
        await client.until(WELCOME)
        ask = lsp.DocumentFormattingParams(
            text_document=client.document(WELCOME),
            options=lsp.FormattingOptions(tab_size=2, insert_spaces=True),
        )
        assert await client.text_document_formatting_async(ask) is None
        loose = text.replace("  settle: wait 2d", "      settle:   wait 2d")
        client.change(WELCOME, loose)
        edits = await client.text_document_formatting_async(ask)
        assert edits is not None
        assert applied(loose, list(edits)) == text
        client.change(WELCOME, text + "\njourney {")
        assert await client.text_document_formatting_async(ask) is None

    session(root, work)


def test_fixes_are_offered(root: Path) -> None:
    extra = "segment nobody = customer.first_name is known # journey: ignore[JRN107] fine\n"

    async def work(client: Editor) -> None:
        client.open(AUDIENCE, (root / AUDIENCE).read_text(encoding="utf-8") + extra)
        told = await client.until(AUDIENCE, *await unused(client))
        (suppression,) = [d for d in told if d.code == "JRN702"]
        answer = await client.text_document_code_action_async(
            lsp.CodeActionParams(
                text_document=client.document(AUDIENCE),
                range=suppression.range,
                context=lsp.CodeActionContext(diagnostics=[]),
            )
        )
        titles = [a.title for a in answer or () if isinstance(a, lsp.CodeAction)]
        assert "Leave the suppression out" in titles

    async def unused(client: Editor) -> list[str]:
        await client.checked()
        while not client.codes(AUDIENCE):
            await client.checked()
        return client.codes(AUDIENCE)

    session(root, work)


def test_outline_folding_and_tokens(root: Path) -> None:
    async def work(client: Editor) -> None:
        text = client.open(WELCOME)
        await client.until(WELCOME)
        answer = await client.text_document_document_symbol_async(
            lsp.DocumentSymbolParams(text_document=client.document(WELCOME))
        )
        welcome = next(s for s in answer or () if isinstance(s, lsp.DocumentSymbol))
        names = [s.name for s in welcome.children or ()]
        assert names[:3] == ["confirm", "subject", "settle"]
        subject = (welcome.children or ())[1]
        assert [s.name for s in subject.children or ()] == ["hello", "hello"]
        folds = await client.text_document_folding_range_async(
            lsp.FoldingRangeParams(text_document=client.document(WELCOME))
        )
        lines = text.split("\n")
        assert all(lines[f.start_line].rstrip().endswith("{") for f in folds or ())
        assert len(folds or ()) > 5
        tokens = await client.text_document_semantic_tokens_full_async(
            lsp.SemanticTokensParams(text_document=client.document(WELCOME))
        )
        assert tokens is not None
        assert len(tokens.data) % 5 == 0
        assert len(tokens.data) > 100

    session(root, work)


def test_whatever_an_editor_sends_the_server_lives(root: Path) -> None:
    """Half-written, huge, deep, of another encoding, outside of any project, gone meanwhile."""

    async def work(client: Editor) -> None:
        text = client.open(WELCOME)
        await client.until(WELCOME)
        for broken in (
            text[: len(text) // 2],
            "{" * 500,
            "}" * 500,
            'segment s = "' + "ü🚲" * 50,
            "\0\ufffd",
            "segment s = customer.first_name is known\n" * 4_000,
            "x" * (1024 * 1024 + 1),
            "",
            text,
        ):
            client.change(WELCOME, broken)
            await completed(client, WELCOME, lsp.Position(line=0, character=9))
            for ask in (
                client.text_document_hover_async(
                    lsp.HoverParams(
                        text_document=client.document(WELCOME),
                        position=lsp.Position(line=10_000, character=10_000),
                    )
                ),
                client.text_document_document_symbol_async(
                    lsp.DocumentSymbolParams(text_document=client.document(WELCOME))
                ),
                client.text_document_semantic_tokens_full_async(
                    lsp.SemanticTokensParams(text_document=client.document(WELCOME))
                ),
            ):
                await ask
        await client.until(WELCOME)
        (root / AUDIENCE).unlink()
        client.workspace_did_change_watched_files(
            lsp.DidChangeWatchedFilesParams(
                changes=[lsp.FileEvent(uri=client.uri(AUDIENCE), type=lsp.FileChangeType.Deleted)]
            )
        )
        while "JRN101" not in client.codes(WELCOME):
            await client.checked()
        (root / BINDING).write_bytes(b"\xff\xfe\x00")
        client.open("../elsewhere.journey", "segment s = true")
        await completed(client, "../elsewhere.journey", lsp.Position(line=0, character=3))

    session(root, work)


def test_typing_fast_leaves_the_last_word(root: Path) -> None:
    """Each keystroke is a change of one character; what is told at last is of the last text."""

    async def work(client: Editor) -> None:
        text = client.open(WELCOME)
        await client.until(WELCOME)
        start = place(text, "settle: wait 2d|")
        typed = "\n  if customer in segment nobody { exit }"
        line, character = start.line, start.character
        for letter in typed:
            client.type(WELCOME, lsp.Position(line=line, character=character), letter)
            line, character = (line + 1, 0) if letter == "\n" else (line, character + 1)
        while not any("nobody" in d.message for d in client.told[client.uri(WELCOME)]):
            await client.checked()

    session(root, work)


def test_people_are_counted_beside_the_steps_where_they_wait(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        cli, ["demo", str(tmp_path / "shop"), "--customers", "400", "--days", "3", "--no-deliver"]
    )
    assert done.exit_code == 0, done.output
    root = tmp_path / "shop"
    with duckdb.connect(str(root / "acme.duckdb")) as database:
        counted = dict(
            database.execute(
                "SELECT step, count(*) FROM journey.runs"
                " WHERE journey = 'welcome' AND status = 'active' GROUP BY step"
            ).fetchall()
        )
    assert len(counted) > 1

    async def work(client: Editor) -> None:
        text = client.open(WELCOME)

        async def told(text: str) -> dict[str, str]:
            end = lsp.Position(line=text.count("\n"), character=0)
            found = await client.text_document_inlay_hint_async(
                lsp.InlayHintParams(
                    text_document=client.document(WELCOME),
                    range=lsp.Range(start=lsp.Position(line=0, character=0), end=end),
                )
            )
            lines = text.split("\n")
            hints = {
                lines[h.position.line].split(":")[0].strip(): str(h.label) for h in found or []
            }
            assert all(h.position.character == len(lines[h.position.line]) for h in found or [])
            return hints

        wanted = {step.rpartition("/")[2]: f"{count:,} here" for step, count in counted.items()}
        assert await told(text) == wanted
        # Half a file has no places; then they are where the text is now.
        client.change(WELCOME, text[: len(text) // 2])
        await told(text[: len(text) // 2])
        client.change(WELCOME, f"# one line more\n{text}")
        assert await told(f"# one line more\n{text}") == wanted

    session(root, work)


@pytest.mark.parametrize(
    "database", ["nothing.duckdb", "env:NO_SUCH_VARIABLE", "postgresql://me@127.0.0.1:1/shop"]
)
def test_a_database_that_is_away_counts_nobody(root: Path, database: str) -> None:
    config = (root / "journey.toml").read_text(encoding="utf-8")
    config = config.replace('"acme.duckdb"', f'"{database}"')
    (root / "journey.toml").write_text(config, encoding="utf-8")

    async def work(client: Editor) -> None:
        text = client.open(WELCOME)
        end = lsp.Position(line=text.count("\n"), character=0)
        found = await client.text_document_inlay_hint_async(
            lsp.InlayHintParams(
                text_document=client.document(WELCOME),
                range=lsp.Range(start=lsp.Position(line=0, character=0), end=end),
            )
        )
        assert not found
        await client.until(WELCOME)

    session(root, work)
