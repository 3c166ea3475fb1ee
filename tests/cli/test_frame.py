"""The frame of the command line: verbs by name, options for all, and how a run ends."""

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from journeylang import __version__
from journeylang.cli import main as frame
from journeylang.cli.main import VERBS, Verbs, cli

HEAVY = (
    "duckdb",
    "jinja2",
    "lark",
    "psycopg",
    "pydantic",
    "rich",
    "sqlglot",
    "httpx",
    "yaml",
    "asyncio",
)


def journey(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A real run of the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "journeylang", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
    )


def test_help_names_every_verb_and_imports_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from journeylang.cli.main import VERBS, cli\n"
        "text = cli.make_context('journey', [], resilient_parsing=True).get_help()\n"
        "assert all(f'  {verb} ' in text for verb in VERBS), text\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])\n"
        "print([name for name in sys.modules if name.startswith('journeylang.cli.')])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["[]", "['journeylang.cli.main']"]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_there_and_is_called_so(verb: str) -> None:
    module = VERBS[verb][0].partition(":")[0]
    assert find_spec(module) is not None
    command = cli.get_command(click.Context(cli), verb)
    assert command is not None
    assert command.name == verb


def test_version() -> None:
    done = journey("--version")
    assert (done.returncode, done.stdout) == (0, f"journey {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["chekc"], "no verb `chekc`; did you mean `check`?"),
        (["elephant"], "no verb `elephant`\n"),
        (["--colour", "never", "rule"], "No such option"),
        (["-C", "/no/such/folder", "rule"], "does not exist"),
        (["rule", "JRN1O1"], "did you mean"),
        (["rule", "elephant"], "`journey rule` lists all of them"),
    ],
)
def test_wrong_use_ends_with_2_and_no_traceback(arguments: list[str], words: str) -> None:
    done = journey(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def with_verb(monkeypatch: pytest.MonkeyPatch, body: Callable[[], None]) -> None:
    """Let every verb be one that does ``body``."""
    command = click.Command("check", callback=body)
    monkeypatch.setattr(Verbs, "get_command", lambda *_: command)


def ending(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as stop:
        frame.main(arguments)
    assert isinstance(stop.value.code, int)
    return stop.value.code


def test_a_bug_is_one_line_without_data(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def body() -> None:
        raise KeyError("ann@example.com")

    monkeypatch.delenv("JOURNEY_DEBUG", raising=False)
    with_verb(monkeypatch, body)
    assert ending(["check"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("internal error: KeyError at ")
    assert err.endswith("set JOURNEY_DEBUG=1 to see the traceback\n")
    assert err.count("\n") == 1
    assert "ann@example.com" not in err


def test_the_traceback_is_there_when_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def body() -> None:
        raise KeyError("x")

    monkeypatch.setenv("JOURNEY_DEBUG", "1")
    with_verb(monkeypatch, body)
    assert ending(["check"]) == 2
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt_is_no_error(
    interruption: BaseException,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def body() -> None:
        raise interruption

    with_verb(monkeypatch, body)
    assert ending(["check"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize("code", [0, 1, 2])
def test_a_verb_chooses_its_exit_code(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def body() -> None:
        click.get_current_context().exit(code)

    with_verb(monkeypatch, body)
    assert ending(["check"]) == code


def test_a_reader_that_leaves_ends_quietly() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "journeylang", "rule"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_the_folder_is_changed_for_the_verb_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Path] = []
    with_verb(monkeypatch, lambda: seen.append(Path.cwd()))
    before = Path.cwd()
    assert ending(["-C", str(tmp_path), "check"]) == 0
    assert seen == [tmp_path]
    assert Path.cwd() == before


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        ([], {}, None),
        ([], {"NO_COLOR": "1"}, False),
        ([], {"NO_COLOR": ""}, None),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        (["--color", "never"], {}, False),
        ([], {"JOURNEY_COLOR": "never"}, False),
    ],
)
def test_colour_is_a_matter_of_choice(
    arguments: list[str],
    environment: dict[str, str],
    expected: bool | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("NO_COLOR", "JOURNEY_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    seen: list[bool | None] = []
    with_verb(monkeypatch, lambda: seen.append(click.get_current_context().color))
    assert ending([*arguments, "check"]) == 0
    assert seen == [expected]


def test_options_have_variables() -> None:
    done = CliRunner().invoke(cli, ["rule", "101"], env={"JOURNEY_RULE_OUTPUT": "json"})
    assert done.exit_code == 0
    assert done.output.startswith('{\n  "format_version": 1')
