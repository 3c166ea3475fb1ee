"""What verbs print with."""

import io

import click
import pytest

from journeylang.cli import terminal
from journeylang.diagnostics import Diagnostic
from journeylang.diagnostics.codes import names
from journeylang.source import Source


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")


def test_a_terminal_is_coloured_and_a_file_is_not() -> None:
    assert terminal.wants_colour(Terminal())
    assert not terminal.wants_colour(io.StringIO())


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_variables_turn_colour_off(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    assert not terminal.wants_colour(Terminal())


@pytest.mark.parametrize("choice", [True, False])
def test_the_option_wins(choice: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    with click.Context(click.Command("x"), color=choice):
        assert terminal.wants_colour(Terminal()) is choice
        assert terminal.wants_colour(io.StringIO()) is choice


def test_a_console_writes_words_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.console().print("[bold] :smile: 42")
    assert capsys.readouterr().out == "[bold] :smile: 42\n"


def test_findings_end_with_their_number(capsys: pytest.CaptureFixture[str]) -> None:
    source = Source(path="a.journey", text="segment a = palced")
    diagnostic = Diagnostic(
        code=names.UNKNOWN_NAME, message="unknown", span=source.span(12, 18), label="here"
    )
    terminal.print_diagnostics([diagnostic], {"a.journey": source})
    assert capsys.readouterr().out.splitlines()[-3:] == [
        *("   = help: journey rule JRN101", "", "1 error"),
    ]
    terminal.print_diagnostics([], {})
    assert capsys.readouterr().out == ""
    terminal.print_diagnostics([], {}, output="json", err=True)
    assert capsys.readouterr().err == '{\n  "format_version": 1,\n  "diagnostics": []\n}\n'
