"""A project drafted from a database, or from a dbt project."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from journeylang.api.database import PASSWORD, POSTGRES_SCHEMES, open_address
from journeylang.classes import dataclass
from journeylang.diagnostics.codes.running import DATABASE_ERROR
from journeylang.diagnostics.codes.starting import (
    ADDRESS_WITH_PASSWORD,
    MANIFEST_UNREADABLE,
    NO_CUSTOMERS_FOUND,
)
from journeylang.diagnostics.model import Code, Diagnostic, Outcome

if TYPE_CHECKING:
    from journeylang.draft.binding import Draft
    from journeylang.draft.tables import Source
    from journeylang.engines.base import Engine

MANIFEST = Path("target") / "manifest.json"
VARIABLE = "DATABASE_URL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """A draft, and what `journey.toml` says of where the database is."""

    draft: Draft
    database: str
    notes: tuple[str, ...] = ()


def drafted(
    address: str, directory: Path, *, currency: str, environ: Mapping[str, str] | None = None
) -> Outcome[Drafted]:
    """A binding for `directory` from `postgresql://…`, `env:NAME`, a DuckDB file, or a manifest."""
    from journeylang.loading.secrets import secret

    place = Path(address)
    if place.is_dir():
        place = place / MANIFEST
    if place.suffix == ".json":
        return _of_dbt(place, currency)
    if PASSWORD.search(address):
        # It would stand in the shell's history, and is not to stand in a file.
        return _refused(
            ADDRESS_WITH_PASSWORD,
            "an address with a password is not taken from the command line",
            f"set it as a variable: `{VARIABLE}=… journey init --from env:{VARIABLE}`",
        )
    found = secret(address, os.environ if environ is None else environ)
    if found.value is None:
        return Outcome(value=None, diagnostics=found.diagnostics)
    opened = open_address(found.value, Path())
    if opened.value is None:
        return Outcome(value=None, diagnostics=opened.diagnostics)
    return _of_database(address, found.value, directory, opened.value, currency)


def _of_database(
    said: str, address: str, directory: Path, engine: Engine, currency: str
) -> Outcome[Drafted]:
    from journeylang.draft.binding import draft
    from journeylang.draft.database import Database
    from journeylang.engines.base import StatementError

    server = address.partition("://")[0] in POSTGRES_SCHEMES
    try:
        if server:
            # Nothing of somebody's database is written, whatever happens here.
            engine.execute("SET default_transaction_read_only = on")
        source = Database(engine)
        made = draft(source, whence=_whence(said, server), money=currency)
    except StatementError as error:
        return _refused(
            DATABASE_ERROR,
            f"the database does not tell of its tables: {error}",
            "the role needs USAGE on the schemas, and SELECT on the tables, that it is to read",
        )
    finally:
        engine.close()
    if made is None:
        return _nobody(source)
    setting = said if server or _is_named(said) else _from(directory, Path(said))
    return Outcome(value=Drafted(draft=made, database=setting))


def _of_dbt(path: Path, currency: str) -> Outcome[Drafted]:
    from journeylang.draft.binding import draft
    from journeylang.draft.manifest import Manifest, ManifestError

    try:
        source = Manifest(path)
    except ManifestError as error:
        return _refused(MANIFEST_UNREADABLE, str(error), error.way_out)
    made = draft(source, whence="a dbt project", money=currency)
    if made is None:
        return _nobody(source)
    notes = []
    if source.bare:
        notes.append(
            f"of {len(source.bare)} models no column is told, and they were left out;"
            " `dbt docs generate` writes a catalog with all of them"
        )
    if source.adapter not in ("duckdb", "postgres", None):
        notes.append(
            f"the project runs on {source.adapter}, where no journey runs yet:"
            " DuckDB and PostgreSQL are what there is"
        )
    setting = "warehouse.duckdb" if source.adapter == "duckdb" else f"env:{VARIABLE}"
    return Outcome(value=Drafted(draft=made, database=setting, notes=tuple(notes)))


def _is_named(said: str) -> bool:
    return said.startswith("env:")


def _whence(said: str, server: bool) -> str:
    if server:
        return "a PostgreSQL database"
    return "a DuckDB file" if _is_named(said) else Path(said).name


def _from(directory: Path, file: Path) -> str:
    """A file's path as a project in `directory` says it."""
    if file.is_absolute():
        return str(file)
    return os.path.relpath(file.resolve(), directory.resolve())


def _nobody(source: Source) -> Outcome[Drafted]:
    tables = [".".join(table.parts) for table in source.tables]
    listed = ", ".join(tables[:8]) + (", …" if len(tables) > 8 else "")
    there = f"there are {listed}" if tables else "there is none, or none that may be read"
    return _refused(
        NO_CUSTOMERS_FOUND,
        f"no table seems to be one of customers; {there}",
        "`journey init` without `--from`, and the binding written by hand",
    )


def _refused(code: Code, message: str, help_: str) -> Outcome[Drafted]:
    return Outcome(value=None, diagnostics=(Diagnostic(code=code, message=message, help=help_),))
