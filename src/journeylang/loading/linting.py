"""The rules, asked about a loaded project."""

from __future__ import annotations

from collections.abc import Iterator

from journeylang.analysis.declared import declare
from journeylang.analysis.findings import Findings
from journeylang.diagnostics.codes.running import BAD_CONFIG
from journeylang.diagnostics.model import Diagnostic
from journeylang.diagnostics.suggest import did_you_mean
from journeylang.lint import RULES, Checked, Settings, lint
from journeylang.loading.config import DEFAULT_ENVIRONMENT, Config
from journeylang.loading.find import CONFIG
from journeylang.loading.project import LoadedProject
from journeylang.loading.toml_places import place


def lint_project(loaded: LoadedProject) -> tuple[Diagnostic, ...]:
    """What the rules find; nothing while a definition is wrong, for rules do not guess."""
    if not loaded.whole:
        return ()
    return (*_volumes_of_nothing(loaded), *lint(checked(loaded), RULES))


def _volumes_of_nothing(loaded: LoadedProject) -> Iterator[Diagnostic]:
    """Volumes that the settings give for journeys that are not there."""
    journeys = loaded.project.journeys
    for name in loaded.config.lint.volumes:
        if name not in journeys:
            source = loaded.sources.get(CONFIG)
            yield Diagnostic(
                code=BAD_CONFIG,
                message=f"there is no journey `{name}` to have a volume",
                span=None if source is None else place(source, ("lint", "volumes", name)),
                help=did_you_mean(name, journeys) or "take it out",
            )


def checked(loaded: LoadedProject) -> Checked:
    """The project as the rules look at it."""
    return Checked(
        project=loaded.project,
        files=loaded.files,
        declared=declare(loaded.files, Findings()),
        sources=loaded.sources,
        templates=loaded.templates,
        parts=loaded.parts,
        uses=loaded.uses,
        settings=settings(loaded.config),
    )


def settings(config: Config) -> Settings:
    """What `journey.toml` says that rules need to know."""
    environments = config.env.values()
    dialects = {dialect(environment.database) for environment in environments}
    default = config.env.get(DEFAULT_ENVIRONMENT) or next(iter(environments), None)
    home = None if default is None else dialect(default.database)
    return Settings(
        sql_escape=config.lint.sql_escape,
        home=home or "duckdb",
        dialects=tuple(sorted(d for d in dialects if d is not None)) or ("duckdb",),
        postal_addresses=frozenset(
            name
            for environment in environments
            for name, channel in environment.channels.items()
            if channel.settings.get("postal_address")
        ),
        volumes=config.lint.volumes,
        consents=frozenset(
            environment.serve.tracking_consent
            for environment in environments
            if environment.serve.tracking_consent is not None
        ),
    )


_SCHEMES = {
    "postgresql": "postgres",
    "postgres": "postgres",
    "spark": "spark",
    "databricks": "databricks",
    "duckdb": "duckdb",
}


def dialect(database: str) -> str | None:
    """Of an environment's database: a file is DuckDB's; None where only a secret says it."""
    if database.startswith("env:"):
        return None
    scheme, separator, _ = database.partition("://")
    return _SCHEMES.get(scheme.partition("+")[0]) if separator else "duckdb"
