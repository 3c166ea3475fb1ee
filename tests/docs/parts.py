"""The parts of pages that are made from the code: verbs, codes, tables."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType

import click

from journeylang.cli.main import VERBS, cli
from journeylang.diagnostics import codes
from journeylang.diagnostics.codes import ALL_CODES
from journeylang.diagnostics.model import Code
from journeylang.engines.duckdb import DuckDbEngine
from journeylang.sql.migrations import TABLES, create_tables
from tests.docs.fences import ROOT

# --- verbs --------------------------------------------------------------------


def verbs() -> str:
    """Every verb's usage, help and options."""
    frame = click.Context(cli, info_name="journey", auto_envvar_prefix="JOURNEY")
    parts = [_options(cli, frame)]
    for name in VERBS:
        command = cli.get_command(frame, name)
        assert command is not None
        ctx = click.Context(command, info_name=name, parent=frame)
        usage = " ".join(("journey", name, *command.collect_usage_pieces(ctx)))
        parts.append(f"## {name}\n\n```text\n{usage}\n```\n\n{_prose(command)}")
        parts.append(_options(command, ctx))
        if isinstance(command, click.Group):
            parts += _inner(command, ctx)
    return "\n\n".join(part for part in parts if part)


def _inner(group: click.Group, outer: click.Context) -> Iterator[str]:
    """The same of the verbs below a verb."""
    for name, command in group.commands.items():
        ctx = click.Context(command, info_name=name, parent=outer)
        usage = " ".join((ctx.command_path, *command.collect_usage_pieces(ctx)))
        yield f"### {outer.info_name} {name}\n\n```text\n{usage}\n```\n\n{_prose(command)}"
        yield _options(command, ctx)


def _prose(command: click.Command) -> str:
    paragraphs = (command.help or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _options(command: click.Command, ctx: click.Context) -> str:
    rows = []
    for option in command.params:
        if not isinstance(option, click.Option) or option.help is None:
            continue
        names = ", ".join((*option.opts, *option.secondary_opts))
        if not option.is_flag and not option.count:
            names += f" {option.make_metavar(ctx)}"
        default = option.get_help_extra(ctx).get("default", "")
        rows.append(
            (f"`{names}`", option.help, f"`{default}`" if default else "", _by(option, ctx))
        )
    return table(("option", "what it does", "default", "variable"), rows) if rows else ""


def _by(option: click.Option, ctx: click.Context) -> str:
    """The variable that sets the option; none for those that end the run at once."""
    if option.is_eager or option.name is None:
        return ""
    return f"`{ctx.auto_envvar_prefix}_{option.name.upper()}`"


# --- codes --------------------------------------------------------------------


def code_pages() -> str:
    """Every code, by family."""
    told = reported()
    parts = []
    for module in _families():
        title = " ".join((module.__doc__ or "").split())
        parts.append(f"## {title.rstrip('.')}")
        parts += [_code(code, code.id in told) for code in module.CODES]
    return "\n\n".join(parts)


def _families() -> list[ModuleType]:
    modules = [
        importlib.import_module(f"{codes.__name__}.{found.name}")
        for found in pkgutil.iter_modules(codes.__path__)
        if found.name != "family"
    ]
    families = sorted(modules, key=lambda module: str(module.CODES[0].id))
    assert [code for module in families for code in module.CODES] == list(ALL_CODES)
    return families


def _code(code: Code, told: bool) -> str:
    yet = "" if told else " This version does not look for it yet."
    return (
        f"### {code.id} {code.name}\n\n"
        f"*{code.severity}.* {code.title}.{yet}\n\n{code.why}\n\n"
        f"{_example('Bad', code, code.bad)}\n\n{_example('Good', code, code.good)}"
    )


def _example(title: str, code: Code, text: str) -> str:
    # Excerpts of files: a fence in the language itself is a whole file, and is compiled.
    language = {"journey": "text", "shell": "text"}.get(code.fence, code.fence)
    return f"{title}:\n\n```{language}\n{text}\n```"


def reported() -> set[str]:
    """Ids of the codes that some module of the package names."""
    named: set[str] = set()
    package = ROOT / "src" / "journeylang"
    for file in package.rglob("*.py"):
        if file.is_relative_to(package / "diagnostics" / "codes"):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Name(id=name) | ast.Attribute(attr=name):
                    named.add(name)
                case _:
                    pass
    return {
        value.id
        for module in _families()
        for name, value in vars(module).items()
        if isinstance(value, Code) and name in named
    }


# --- tables and views ---------------------------------------------------------

ONE_ROW_PER = {
    "set_aside": "key that several rows of a bound table have, or none, so that they are left out",
    "migration": "change of these tables that this database has been through",
    "meta": "setting of the runtime: the key that signs links, a digest of the views",
    "version": "version of a journey, with its plan",
    "revision": "apply: the texts it was made of, and its journeys' versions",
    "source": "text of a project that was applied",
    "step": "labelled step: its number and its path",
    "tick": "tick that was not idle, and what it did",
    "watermark": "evaluation that has happened, and when",
    "lock": "lock: the tick's number and the high-water mark of time",
    "run": "enrolment: where the customer is",
    "transition": "move of a run",
    "message": "decided message, or call of `invoke` (which has an `action`)",
    "batch": "some hundreds of messages, claimed together",
    "receipt": "change of a message's state",
    "decision": "message not sent, or entry refused, with the reason",
    "message_event": "feedback of a provider",
    "exposure": "customer and experiment, or hold-out: the first time",
    "weight": "arm, or channel of a send, that is learnt, and UTC day: the buckets that it owns",
    "pause": "pause of a journey, with what brought it about",
    "channel_pause": "pause of a channel, with what brought it about",
    "notice": "choice of a customer that a service outside is told",
    "budget_use": "message and budget or capacity that it is charged to",
    "list": "list of people in a file of the project, as applied",
    "prospect": "what somebody on a collected list said, when, and where that is from",
    "list_entry": "person on such a list: a customer key, an e-mail address or a telephone number",
    "member": "journey entered by joining a segment, and customer who was inside",
    "pending_entry": "`start` whose entry waits for the next tick",
    "consent_change": "consent given or taken back with the runtime itself",
    "profile": "customer and name: what `set` wrote last, as text, and by which step",
    "preference": "wish of a customer that is no consent: how often to be written to",
    "tracking_sum": "step, channel, day and kind: opens or clicks of those not told apart",
    "unclaimed": "feedback on a message that is not known by the provider's name yet",
    "promo_code": "code that was drawn for a message",
    "suppression": "address that is not written to any more",
}


def tables() -> str:
    """The runtime's tables with their columns; `?` marks those that may be NULL."""
    assert set(ONE_ROW_PER) == set(TABLES), "each table is explained, and no other"
    columns = _columns()
    rows = [
        (
            f"`{name}`",
            ONE_ROW_PER[name],
            ", ".join(f"`{column}{'?' if null else ''}`" for column, _, null in columns[name]),
        )
        for name in TABLES
    ]
    return table(("table", "one row per", "columns"), rows)


VIEWS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "runs": (
        "One row per enrolment: where everybody is, and how those who left have left.",
        {
            "customer_id": "the bound key",
            "run_id": "the run; unique together with the customer",
            "journey": "the journey's name",
            "version": "the version of the journey that moved the run last",
            "step": "path of the step where it rests; NULL once it has ended",
            "arrived_at": "when it came there",
            "wake_at": "when time alone moves it on; NULL once it has ended",
            "entered_at": "when it began: the event's instant, or the tick's",
            "status": "`active`, `finished`, `exited`, `gone`, `held_out`, `global_control`",
            "reason": "the name of the exit; `end`; why a held send waits",
            "ended_at": "the tick that ended it",
        },
    ),
    "messages": (
        "One row per decided message, with what has become of it.",
        {
            "customer_id": "the bound key",
            "message": "its public name, and its idempotency key at the provider",
            "journey": "the journey's name",
            "version": "the version that decided it",
            "step": "path of the send",
            "channel": "the channel that was chosen",
            "decided_at": "the tick that decided it",
            "expires_at": "not sent from then on",
            "cost": "as the channel's binding says, for each part; in the binding's currency",
            "state": "see [the states](architecture.md#delivery)",
            "run_id": "the run",
            "message_id": "the runtime's own number",
            "parts": "in how many a text message has gone out, if not in one",
        },
    ),
    "calls": (
        "One row per call of `invoke`, with what has become of it.",
        {
            "customer_id": "the bound key",
            "call": "its public name, and its idempotency key at the provider",
            "journey": "the journey's name",
            "version": "the version that decided it",
            "step": "path of the step",
            "service": "who is called",
            "action": "what for",
            "data": "JSON: the values given by `with`",
            "decided_at": "the tick that decided it",
            "expires_at": "not made from then on",
            "state": "see [the states](architecture.md#delivery)",
            "run_id": "the run",
            "message_id": "the runtime's own number, in one line with those of messages",
        },
    ),
    "non_sends": (
        "One row per message that was not sent and per entry that was refused.",
        {
            "customer_id": "the bound key",
            "journey": "the journey's name",
            "step": "path of the send; NULL: an entry",
            "at": "the tick that decided so",
            "reason": "the first rule that said no",
            "figures": "JSON: the channel, all channels with their reasons, what caps counted",
            "run_id": "the run, or the one that would have begun",
        },
    ),
    "exposures": (
        "One row per customer and experiment, the first time they met it; also for hold-outs.",
        {
            "customer_id": "the bound key",
            "journey": "the journey's name",
            "experiment": "path of the experiment; `holdout` for hold-out and control group",
            "arm": "the arm; of a hold-out `treated`, `held_out` or `global_control`",
            "at": "when",
            "run_id": "the run",
            "salt": "what the draw rested on: another salt is another experiment",
        },
    ),
    "preferences": (
        "One row per customer and wish, the newest: what people told the runtime itself.",
        {
            "customer_id": "the bound key",
            "name": "`consent NAME`, or `frequency`",
            "value": "`yes` or `no`; of `frequency` `any`, `weekly` or `monthly`",
            "at": "when",
            "source": "how they said it",
        },
    ),
    "tasks": (
        "One row per reply that no branch has taken, and no word like STOP: to be read.",
        {
            "customer_id": "the bound key",
            "message": "the message that it answers",
            "journey": "that message's journey",
            "step": "path of its send",
            "channel": "its channel",
            "at": "when it was written",
            "data": "JSON: `text` and `keyword`; personal",
            "event_id": "the provider's name for the reply",
        },
    ),
    "history": (
        "One row per move of a run, append only.",
        {
            "customer_id": "the bound key",
            "journey": "the journey's name",
            "at": "when it arrived: on the run's own time, not the tick's",
            "from_step": "path of the step that it left; NULL: it entered",
            "to_step": "path of the step that it came to; NULL: it ended",
            "why": "`entered`, `due`, `event`, `timeout`, `sent`, `skipped`, `held`, `exit`",
            "run_id": "the run",
            "tick": "the number of the tick",
        },
    ),
}


def views() -> str:
    """The stable views with their columns."""
    columns = _columns()
    names = [name for name in columns if name not in TABLES]
    assert sorted(names) == sorted(VIEWS), "each view is explained, and no other"
    parts = []
    for name, (what, meanings) in VIEWS.items():
        assert [column for column, _, _ in columns[name]] == list(meanings), name
        rows = [
            (f"`{column}`", "the key's own" if column == "customer_id" else kind, meanings[column])
            for column, kind, _ in columns[name]
        ]
        parts.append(f"### journey.{name}\n\n{what}\n\n{table(('column', 'type', ''), rows)}")
    return "\n\n".join(parts)


def _columns() -> dict[str, list[tuple[str, str, bool]]]:
    """(name, type, may be NULL) of each column of a fresh database's tables and views."""
    engine = DuckDbEngine.open(":memory:")
    try:
        for statement in create_tables("VARCHAR"):
            engine.execute(statement)
        rows = engine.query(
            "SELECT table_name, column_name, data_type, is_nullable = 'YES'"
            " FROM information_schema.columns WHERE table_schema = 'journey'"
            " ORDER BY table_name, ordinal_position"
        )
    finally:
        engine.close()
    found: dict[str, list[tuple[str, str, bool]]] = {}
    for table, column, kind, null in rows:
        found.setdefault(table, []).append((column, kind, null))
    return found


# --- Markdown -----------------------------------------------------------------


def table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _code_span(text: str) -> str:
    """Code within a line; the ticks around it are more than any within."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    ticks = "`" * (longest + 1)
    space = " " if longest else ""
    return f"{ticks}{space}{text}{space}{ticks}"
