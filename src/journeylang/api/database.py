"""An environment's database, opened."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from journeylang.diagnostics.codes.running import DATABASE_IN_USE, DATABASE_UNAVAILABLE
from journeylang.diagnostics.codes.syntax import NOT_SUPPORTED_YET
from journeylang.diagnostics.model import Code, Diagnostic, Outcome
from journeylang.loading.find import CONFIG
from journeylang.loading.project import LoadedProject
from journeylang.source import Span

if TYPE_CHECKING:
    from journeylang.engines.base import Engine


def open_database(
    loaded: LoadedProject,
    env: str,
    *,
    environ: Mapping[str, str] | None = None,
    wait: float = 10.0,
    create: bool = False,
    before: Callable[[str], None] | None = None,
) -> Outcome[Engine]:
    """The environment's database, opened; a file is waited for if another process has it."""
    from journeylang.engines.base import DatabaseBusyError, DatabaseUnavailableError
    from journeylang.engines.duckdb import DuckDbEngine
    from journeylang.loading.config import secret
    from journeylang.loading.toml_places import place

    source = loaded.sources.get(CONFIG)
    keys = ("env", env, "database")
    found = secret(
        loaded.config.env[env].database,
        os.environ if environ is None else environ,
        source=source,
        keys=keys,
    )
    if found.value is None:
        return Outcome(value=None, diagnostics=found.diagnostics)
    where = place(source, keys) if source is not None else None
    if "://" in found.value:
        return _refused(
            NOT_SUPPORTED_YET,
            f"databases other than DuckDB are not supported yet: {found.value.split('://')[0]}",
            where,
            "name a DuckDB file",
        )
    path = loaded.root / found.value
    try:
        return Outcome(value=DuckDbEngine.open(str(path), wait=wait, create=create, before=before))
    except DatabaseBusyError as error:
        return _refused(
            DATABASE_IN_USE,
            f"`{found.value}` is in use by {error.holder}",
            where,
            "close the other program, or wait for it to end",
        )
    except DatabaseUnavailableError as error:
        return _refused(
            DATABASE_UNAVAILABLE,
            f"`{found.value}` can't be opened: {error}",
            where,
            "correct the path, or load the data first",
        )


def _refused(code: Code, message: str, span: Span | None, help_: str) -> Outcome[Engine]:
    return Outcome(
        value=None, diagnostics=(Diagnostic(code=code, message=message, span=span, help=help_),)
    )
