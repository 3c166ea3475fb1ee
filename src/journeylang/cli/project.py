"""What the verbs that need a project share: finding it, refusing one with errors, instants."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from journeylang.cli.terminal import print_diagnostics

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from journeylang.diagnostics.model import Diagnostic, Outcome
    from journeylang.engines.base import Engine
    from journeylang.loading.inputs import Inputs
    from journeylang.loading.project import LoadedProject, Loading
    from journeylang.loading.understood import Understood

WRITERS = min(os.cpu_count() or 1, 2)
"""Processes that write messages where the environment does not say how many."""

_SPAN = re.compile(r"(\d+)([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def load_project(env: str | None = None) -> LoadedProject:
    """The project that the working directory is in, without an error; else exits.

    Warnings are left to `journey check`.
    """
    return _loaded(_root(), env)


def remembered_project(env: str) -> LoadedProject:
    """The same, and what it means is remembered for those who ask for one person then."""
    from journeylang.loading.inputs import inputs
    from journeylang.loading.understood import kept

    root = _root()
    given = inputs(root)
    loaded = _loaded(root, env)
    if given is not None and kept(root, env, given) is None:
        _understand(loaded, env, given)
    return loaded


def understood_project(env: str) -> Understood:
    """What that project means: from what is remembered of it, if nothing has changed since."""
    from journeylang.loading.inputs import inputs
    from journeylang.loading.understood import kept

    root = _root()
    given = inputs(root)
    known = kept(root, env, given) if given is not None else None
    return known or _understand(_loaded(root, env), env, given)


def _loaded(root: Path, env: str | None) -> LoadedProject:
    from journeylang.loading.project import load

    loading = load(root, env)
    if not loading.outcome.ok or loading.outcome.value is None:
        stop([d for d in loading.diagnostics if d.is_error], loading, code=1)
    return loading.outcome.value


def _understand(loaded: LoadedProject, env: str, given: Inputs | None) -> Understood:
    from journeylang.api.program import template_entry_fields
    from journeylang.loading.inputs import inputs
    from journeylang.loading.understood import keep, understood

    known = understood(loaded, env, template_entry_fields(loaded))
    # What was saved meanwhile may be in one of them and not in the other.
    again = inputs(loaded.root)
    if given is not None and again is not None and again.key == given.key:
        keep(known, env, given)
    return known


def _root() -> Path:
    from journeylang.diagnostics.codes.running import PROJECT_NOT_FOUND
    from journeylang.diagnostics.model import Diagnostic
    from journeylang.loading.find import find_project

    root = find_project(Path.cwd())
    if root is None:
        stop(
            [
                Diagnostic(
                    code=PROJECT_NOT_FOUND,
                    message=f"no journey.toml in `{Path.cwd()}` or above it",
                    help="name the project: `journey -C DIR …`; `journey init` starts one",
                )
            ]
        )
    return root


@contextmanager
def database(env: str) -> Iterator[Engine]:
    """The environment's database, closed afterwards; exits if it cannot be opened."""
    with opened(load_project(env), env) as engine:
        yield engine


@contextmanager
def opened(loaded: LoadedProject | Understood, env: str) -> Iterator[Engine]:
    """The database of a project that is loaded already."""
    with _closed_behind(_open(loaded, env), loaded) as engine:
        yield engine


@contextmanager
def opened_beside(loaded: Understood, env: str, work: Callable[[], object]) -> Iterator[Engine]:
    """The same, opened while something else is done: imports, for one, take half as long."""
    from threading import Thread

    if "://" not in loaded.database:
        # Two threads that both import wait for each other at every turn.
        import journeylang.engines.duckdb  # noqa: F401
    found: list[Outcome[Engine]] = []
    other = Thread(target=lambda: found.append(_open(loaded, env)))
    other.start()
    try:
        work()
    finally:
        other.join()
    with _closed_behind(found[0], loaded) as engine:
        yield engine


def _open(loaded: LoadedProject | Understood, env: str) -> Outcome[Engine]:
    from journeylang.api.database import open_database, open_named
    from journeylang.loading.find import CONFIG
    from journeylang.loading.understood import Understood

    if isinstance(loaded, Understood):
        source = loaded.sources.get(CONFIG)
        return open_named(loaded.database, env, root=loaded.root, source=source)
    return open_database(loaded, env)


@contextmanager
def _closed_behind(found: Outcome[Engine], loaded: LoadedProject | Understood) -> Iterator[Engine]:
    if found.value is None:
        stop(found.diagnostics, loaded)
    try:
        yield found.value
    finally:
        found.value.close()


def stop(
    diagnostics: Iterable[Diagnostic],
    loaded: Loading | LoadedProject | Understood | None = None,
    *,
    code: int = 2,
) -> NoReturn:
    """Show what is in the way and exit."""
    print_diagnostics(diagnostics, loaded.sources if loaded is not None else {}, err=True)
    raise click.exceptions.Exit(code)


class Instant(click.ParamType[datetime]):
    """An instant as ISO 8601, without a zone in UTC; yields naive UTC."""

    name = "instant"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            instant = datetime.fromisoformat(str(value))
            instant = instant.astimezone(UTC).replace(tzinfo=None) if instant.tzinfo else instant
        except (ValueError, OverflowError):
            self.fail(
                f"`{value}` is no instant; write one as 2026-03-01 or 2026-03-01T09:00", param, ctx
            )
        # Windows and waits reach from it into both directions, and have to find a calendar there.
        if not 1900 <= instant.year < 2200:
            self.fail(f"`{value}` lies outside of the years 1900 to 2199", param, ctx)
        return instant


class SpanOfTime(click.ParamType[timedelta]):
    """A span of time such as `30s`, `1m`, `1h`, `1d`."""

    name = "span"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        if isinstance(value, timedelta):
            return value
        found = _SPAN.fullmatch(str(value))
        seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
        if not 0 < seconds < 10**9:
            self.fail(f"`{value}` is no span of time; write one as 30s, 5m, 1h or 1d", param, ctx)
        return timedelta(seconds=seconds)


def refuse_unknown(name: str, known: Collection[str], what: str = "journey") -> None:
    """Exit, with what may be meant, unless the project has the journey, or what else it is."""
    if name in known:
        return
    from journeylang.diagnostics.suggest import did_you_mean

    listed = f"there is {', '.join(sorted(known))}" if known else "the project has none"
    raise click.UsageError(f"no {what} `{name}`; {did_you_mean(name, known) or listed}")


def utc_now() -> datetime:
    """The real clock, as naive UTC."""
    return datetime.now(UTC).replace(tzinfo=None)
