"""An environment's database, opened."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from journeylang.diagnostics.codes.running import (
    DATABASE_ERROR,
    DATABASE_IN_USE,
    DATABASE_NEWER,
    DATABASE_UNAVAILABLE,
)
from journeylang.diagnostics.codes.syntax import NOT_SUPPORTED_YET
from journeylang.diagnostics.model import Code, Diagnostic, Outcome
from journeylang.loading.find import CONFIG
from journeylang.source import Source, Span

if TYPE_CHECKING:
    from journeylang.engines.base import (
        DatabaseBusyError,
        DatabaseUnavailableError,
        Engine,
    )
    from journeylang.loading.project import LoadedProject
    from journeylang.runtime.migrate import NewerSchemaError
    from journeylang.sql.dialects import Dialect

PASSWORD = re.compile(r"://[^/@]*:[^/]*@|password=")
POSTGRES_SCHEMES = ("postgresql", "postgres")


def open_database(
    loaded: LoadedProject,
    env: str,
    *,
    environ: Mapping[str, str] | None = None,
    wait: float = 10.0,
    create: bool = False,
    before: Callable[[str], None] | None = None,
) -> Outcome[Engine]:
    """The environment's database, opened; a file is waited for if another process has it.

    One whose tables a later release has changed is refused, and closed again.
    """
    return open_named(
        loaded.config.env[env].database,
        env,
        root=loaded.root,
        source=loaded.sources.get(CONFIG),
        environ=environ,
        wait=wait,
        create=create,
        before=before,
    )


def open_named(
    database: str,
    env: str,
    *,
    root: Path,
    source: Source | None = None,
    environ: Mapping[str, str] | None = None,
    wait: float = 10.0,
    create: bool = False,
    before: Callable[[str], None] | None = None,
) -> Outcome[Engine]:
    """See `open_database`, of what the settings in `source` say of an environment's database."""
    from journeylang.engines.base import StatementError
    from journeylang.runtime.migrate import NewerSchemaError, refuse_newer

    opened = _opened(
        database, env, root, source, environ=environ, wait=wait, create=create, before=before
    )
    if opened.value is not None:
        try:
            refuse_newer(opened.value)
        except NewerSchemaError as error:
            opened.value.close()
            return newer(error)
        except StatementError as error:
            opened.value.close()
            return _refused(
                DATABASE_ERROR,
                f"the runtime's own tables can't be read: {error}",
                None,
                "the role needs its rights on the schema `journey` and all that is in it",
            )
    return opened


def file_stamp(loaded: LoadedProject, env: str, environ: Mapping[str, str]) -> object:
    """What changes whenever something is written to the environment's file; None without one."""
    from journeylang.loading.secrets import secret

    found = secret(loaded.config.env[env].database, environ).value
    if found is None or "://" in found:
        return None
    try:
        stat = (loaded.root / found).stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def newer(error: NewerSchemaError) -> Outcome[Any]:
    """A later release has been here."""
    return _refused(
        DATABASE_NEWER,
        f"the database is ahead of this release of journeylang: {error}",
        None,
        "install the release that has changed it, or a later one",
    )


def _opened(
    database: str,
    env: str,
    root: Path,
    source: Source | None,
    *,
    environ: Mapping[str, str] | None,
    wait: float,
    create: bool,
    before: Callable[[str], None] | None,
) -> Outcome[Engine]:
    from journeylang.loading.secrets import secret
    from journeylang.loading.toml_places import place

    keys = ("env", env, "database")
    found = secret(
        database,
        os.environ if environ is None else environ,
        source=source,
        keys=keys,
    )
    if found.value is None:
        return Outcome(value=None, diagnostics=found.diagnostics)
    # A place shows its line: none of a line with a password in it.
    hidden = PASSWORD.search(database) is not None
    where = place(source, keys) if source is not None and not hidden else None
    return open_address(found.value, root, where=where, wait=wait, create=create, before=before)


def open_address(
    address: str,
    root: Path,
    *,
    where: Span | None = None,
    wait: float = 10.0,
    create: bool = False,
    before: Callable[[str], None] | None = None,
) -> Outcome[Engine]:
    """The database at `postgresql://…`, or the DuckDB file at a path within `root`."""
    from journeylang.engines.base import DatabaseBusyError, DatabaseUnavailableError
    from journeylang.engines.duckdb import DuckDbEngine

    scheme, separator, _ = address.partition("://")
    if separator and scheme in POSTGRES_SCHEMES:
        return _postgres(address, where, before)
    if separator:
        return _refused(
            NOT_SUPPORTED_YET,
            f"databases other than DuckDB and PostgreSQL are not supported yet: {scheme}",
            where,
            "name a DuckDB file, or `postgresql://…`",
        )
    path = root / address
    try:
        return Outcome(value=DuckDbEngine.open(str(path), wait=wait, create=create, before=before))
    except DatabaseBusyError as error:
        return busy(address, error, where)
    except DatabaseUnavailableError as error:
        return unavailable(address, error, where)


def busy(path: str, error: DatabaseBusyError, where: Span | None = None) -> Outcome[Any]:
    """Another process has the file."""
    return _refused(
        DATABASE_IN_USE,
        f"`{path}` is in use by {error.holder}",
        where,
        "close the other program, or wait for it to end",
    )


def unavailable(
    path: str, error: DatabaseUnavailableError, where: Span | None = None
) -> Outcome[Any]:
    """The file is not there, or is no database."""
    return _refused(
        DATABASE_UNAVAILABLE,
        f"`{path}` can't be opened: {error}",
        where,
        "correct the path, or load the data first",
    )


def dialect_of(
    loaded: LoadedProject, env: str | None, environ: Mapping[str, str] | None = None
) -> Dialect:
    """What an environment's database speaks: DuckDB's SQL where nothing says otherwise.

    Without a name it is that of `dev`, or of the first environment.
    """
    from journeylang.loading.config import DEFAULT_ENVIRONMENT
    from journeylang.loading.secrets import secret
    from journeylang.sql.dialects import DUCKDB
    from journeylang.sql.postgres import POSTGRES

    named = loaded.config.env
    found = named.get(env or DEFAULT_ENVIRONMENT) or next(iter(named.values()), None)
    if found is None:
        return DUCKDB
    database = secret(found.database, os.environ if environ is None else environ).value or ""
    return POSTGRES if database.partition("://")[0] in POSTGRES_SCHEMES else DUCKDB


def _postgres(
    url: str, where: Span | None, before: Callable[[str], None] | None
) -> Outcome[Engine]:
    # Where it is may hold a password: nothing of it is told but what the server answers.
    from journeylang.engines.base import DatabaseUnavailableError
    from journeylang.engines.postgres import PostgresEngine

    try:
        return Outcome(value=PostgresEngine.open(url, before=before))
    except DatabaseUnavailableError as error:
        return _refused(
            DATABASE_UNAVAILABLE,
            f"the PostgreSQL database can't be opened: {error}",
            where,
            "correct the address (`postgresql://user@host/database`), or start the server",
        )


def _refused(code: Code, message: str, span: Span | None, help_: str) -> Outcome[Any]:
    return Outcome(
        value=None, diagnostics=(Diagnostic(code=code, message=message, span=span, help=help_),)
    )
