"""What somebody has to do something about: told once, and on `/health` for as long as it lasts."""

from __future__ import annotations

from pathlib import Path

from journeylang.diagnostics.codes.running import RESTART_NEEDED
from journeylang.diagnostics.decode import decode
from journeylang.diagnostics.model import Diagnostic
from journeylang.loading.find import CONFIG
from journeylang.loading.project import LoadedProject
from journeylang.serve.current import Tell


class Attention:
    """`away` is why the database cannot be had, where waiting alone does not help.

    Of the settings only what rests on the project follows an apply; all else is as it was when
    the server began: tokens, keys, providers, addresses.
    """

    def __init__(self, loaded: LoadedProject, tell: Tell) -> None:
        self.away: Diagnostic | None = None
        self.restart: Diagnostic | None = None
        self._tell = tell
        self._told: set[str] = set()
        self._file = loaded.root / CONFIG
        source = loaded.sources.get(CONFIG)
        self._text = None if source is None else source.text
        self._stamp: object = None

    def held(self, problem: Diagnostic) -> None:
        """From now on the database cannot be had for this reason."""
        self.away = problem
        self._once(problem)

    def had(self) -> None:
        """The database can be had."""
        if self.away is not None:
            self._told.discard(self.away.message)
        self.away = None

    def look(self) -> None:
        """Whether the settings are still those of the start."""
        stamp = _stamp(self._file)
        if self._text is None or stamp == self._stamp:
            return
        self._stamp = stamp
        if _read(self._file) in (self._text, None):
            self.restart = None
            return
        self.restart = Diagnostic(
            code=RESTART_NEEDED,
            message=f"`{CONFIG}` is no longer what this server began with",
            help="restart `journey serve`; until then it goes on with the former settings",
        )
        self._once(self.restart)

    def now(self) -> list[dict[str, str]]:
        """What there is to do now, as plain data."""
        return [
            {"code": one.code.id, "message": one.message, "help": one.help or ""}
            for one in (self.away, self.restart)
            if one is not None
        ]

    def _once(self, problem: Diagnostic) -> None:
        if problem.message not in self._told:
            self._told.add(problem.message)
            self._tell([problem])


def _stamp(file: Path) -> object:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _read(file: Path) -> str | None:
    """None while it is being written anew."""
    try:
        found = decode(CONFIG, file.read_bytes()).value
    except OSError:
        return None
    return None if found is None else found.text or None
