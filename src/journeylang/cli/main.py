"""The command line's frame: verbs by name, options for all of them, and how a run ends.

No verb is imported before it is asked for, and nothing heavy is imported here: `journey
--help` answers from the table below.

Exit codes: 0 fine, 1 the answer is no, 2 the tool could not do it; 130 after an interrupt
and 141 when the reader of the output has gone, as for any other program.
"""

import os
import sys
from collections.abc import Sequence
from contextlib import chdir
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn

import click

from journeylang import __version__
from journeylang.diagnostics.suggest import closest
from journeylang.resources import ResourceMissingError

VERBS: dict[str, tuple[str, str]] = {
    "demo": ("journeylang.cli.demo:command", "Make a small shop and run thirty days of it."),
    "init": ("journeylang.cli.init:command", "Start a project in a folder."),
    "fmt": ("journeylang.cli.fmt:command", "Put files into the one layout."),
    "check": ("journeylang.cli.check:command", "Find what is wrong in a project; offline."),
    "rule": ("journeylang.cli.rule:command", "Explain a code, with a bad and a good example."),
    "test": ("journeylang.cli.test:command", "Run the tests that are written in the language."),
    "simulate": ("journeylang.cli.simulate:command", "Rehearse on the real people; send nothing."),
    "compile": ("journeylang.cli.compile:command", "Show the SQL, the plan or the tree."),
    "diff": ("journeylang.cli.diff:command", "Show what changed in meaning since a revision."),
    "plan": ("journeylang.cli.plan:command", "Show what an apply would do, with counts."),
    "apply": ("journeylang.cli.plan:apply_command", "Do it, or exactly what a saved plan says."),
    "versions": ("journeylang.cli.versions:command", "List what was applied."),
    "run": ("journeylang.cli.run:command", "Tick: move people, decide and deliver messages."),
    "responses": (
        "journeylang.cli.responses:command",
        "Credit answers on paper or by phone.",
    ),
    "serve": ("journeylang.cli.serve:command", "Take in answers: links, webhooks, events."),
    "status": ("journeylang.cli.status:command", "Show runs per step, the queue and doubts."),
    "why": ("journeylang.cli.why:command", "Tell what happened to a customer, and why (not)."),
    "preview": ("journeylang.cli.preview:command", "Show a message as a customer would get it."),
    "pause": ("journeylang.cli.pause:pause_command", "Let a journey stand still."),
    "resume": ("journeylang.cli.pause:resume_command", "Let a paused journey go on."),
    "provider": ("journeylang.cli.provider:command", "Look at providers and check manifests."),
    "report": ("journeylang.cli.report:command", "Show what journeys have brought."),
    "forget": ("journeylang.cli.forget:command", "Erase a person from the runtime's tables."),
    "graph": ("journeylang.cli.graph:command", "Draw the steps of a journey."),
    "doctor": ("journeylang.cli.doctor:command", "Look whether all is there that it needs."),
    "completion": ("journeylang.cli.completion:command", "Let a shell complete what is typed."),
    "lsp": ("journeylang.cli.lsp:command", "Answer an editor: the language server."),
}
"""Each verb's command, as ``module:attribute``, and the line that ``--help`` has for it."""

INTERRUPTED = 130
READER_GONE = 141


class Verbs(click.Group):
    """A group whose members are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module, _, attribute = VERBS[cmd_name][0].partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in VERBS and not name.startswith("-") and not ctx.resilient_parsing:
            meant = closest(name, VERBS)
            ctx.fail(f"no verb `{name}`" + (f"; did you mean `{meant}`?" if meant else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl([(name, line) for name, (_, line) in VERBS.items()])


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "JOURNEY"},
    subcommand_metavar="VERB [ARGS]...",
)
@click.option(
    "-C",
    "directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Work as if started in DIR.",
)
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colour the output; NO_COLOR is honoured.",
)
@click.version_option(__version__, prog_name="journey", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context, directory: Path | None, color: str) -> None:
    """Customer journeys as text, run as set-based SQL on the database that is already there.

    Every option can be set by a variable: JOURNEY_COLOR, JOURNEY_RUN_EVERY, and so on.
    """
    if directory is not None:
        ctx.with_resource(chdir(directory))
    if color != "auto":
        ctx.color = color == "always"
    elif os.environ.get("NO_COLOR"):
        ctx.color = False


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit; nothing that goes wrong ends in a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that cannot show a letter must not stop a run.
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _run(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
    except BrokenPipeError:
        # The interpreter flushes once more at its end and would complain there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = READER_GONE
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    if "_JOURNEY_COMPLETE" in os.environ:
        cli.main(arguments, prog_name="journey")
    try:
        with cli.make_context("journey", arguments) as ctx:
            cli.invoke(ctx)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except ResourceMissingError as error:
        click.echo(f"error: {error}", err=True)
        return 2
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the last handler there is
        _tell_internal(error)
        return 2
    return 0


def _tell_internal(error: Exception) -> None:
    """One line, without the error's own words: those may hold a customer's data."""
    import traceback

    if os.environ.get("JOURNEY_DEBUG"):
        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    frames = traceback.extract_tb(error.__traceback__)
    package = str(Path(__file__).parent.parent)
    ours = [frame for frame in frames if frame.filename.startswith(package)] or frames
    where = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "start"
    click.echo(
        f"internal error: {type(error).__name__} at {where};"
        " set JOURNEY_DEBUG=1 to see the traceback",
        err=True,
    )
