"""``journey.toml``: environments, their databases and channels, and what to leave out.

Strangers write it, so pydantic reads it: an unknown key is an error. What a channel's provider
understands is in the provider's manifest and is checked where messages leave.
"""

from __future__ import annotations

import re
import tomllib
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from journeylang.diagnostics.codes.running import BAD_CONFIG, UNKNOWN_ENVIRONMENT
from journeylang.diagnostics.model import Diagnostic, Outcome, Severity
from journeylang.diagnostics.selection import Refused, Selection, prefixes
from journeylang.diagnostics.suggest import did_you_mean
from journeylang.loading.toml_places import Keys, place
from journeylang.source import Source

DEFAULT_ENVIRONMENT = "dev"

SettingValue = str | int | float | bool


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class ProjectTable(_Table):
    """``[project]``: what it is called, and the edition of the language it is written in."""

    name: str = Field(
        pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,62}$",
        description="letters, digits, `-` and `_`, at most 63",
    )
    language: Literal[1] = Field(default=1, description="the edition that the files are written in")


class LintTable(_Table):
    """``[lint]``: which findings are told, how severe they are; whether `sql` may be used.

    Codes are ids, names, or what they begin with: ``["JRN6", "uncapped-send"]``.
    """

    select: tuple[str, ...] = Field(default=(), description="these findings alone")
    ignore: tuple[str, ...] = Field(default=(), description="all but these findings")
    severity: dict[str, Severity] = Field(
        default_factory=dict, description="a code as `error` or as `warning`"
    )
    sql_escape: Literal["allow", "warning", "error"] = Field(
        default="allow", alias="sql-escape", description="what SQL written by hand is"
    )
    volumes: dict[str, Annotated[int, Field(gt=0)]] = Field(
        default_factory=dict, description="entries that a journey is expected to have in 30 days"
    )

    @field_validator("select")
    @classmethod
    def _selectable(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        return _prefixes(words)

    @field_validator("ignore")
    @classmethod
    def _ignorable(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        return _prefixes(words, leaving_out=True)

    @field_validator("severity")
    @classmethod
    def _weighable(cls, weights: dict[str, Severity]) -> dict[str, Severity]:
        return {_prefixes((word,), leaving_out=True)[0]: w for word, w in weights.items()}

    @property
    def selection(self) -> Selection:
        return Selection(
            select=self.select, ignore=self.ignore, severities=tuple(self.severity.items())
        )


def _prefixes(words: tuple[str, ...], *, leaving_out: bool = False) -> tuple[str, ...]:
    found = prefixes(words, leaving_out=leaving_out)
    if isinstance(found, Refused):
        raise ValueError(f"{found.message}; {found.help}")
    return found


class ChannelTable(BaseModel):
    """A channel's provider, by name, and the settings that the provider's manifest knows.

    In the file the settings stand beside ``provider``; ``"file"`` alone is short for a table
    with that provider.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: str = Field(min_length=1)
    settings: dict[str, SettingValue] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _as_written(cls, written: Any) -> Any:
        if isinstance(written, str):
            return {"provider": written}
        if not isinstance(written, dict):
            raise ValueError(
                'a channel is the name of a provider, or a table with `provider = "…"`'
            )
        others = {key: value for key, value in written.items() if key != "provider"}
        return {**{k: v for k, v in written.items() if k == "provider"}, "settings": others}

    @property
    def given(self) -> dict[str, object]:
        """As it stands in the file: what `delivery.channels.open_channels` is given."""
        return {"provider": self.provider, **self.settings}


class ServeTable(_Table):
    """``[env.NAME.serve]``: what ``journey serve`` takes in and shows."""

    token: str | None = Field(
        default=None, description="`env:NAME`, the secret that whoever posts events has to know"
    )
    former_token: str | None = Field(
        default=None, description="`env:NAME`, one that counts beside it for a while"
    )
    events: tuple[str, ...] = Field(
        default=(), description="those that may be written into the tables they are bound to"
    )
    tracking_consent: str | None = Field(
        default=None,
        description="opens and clicks are kept of each person who gave this consent, of others as"
        " sums; without one, of everybody",
    )
    opens: bool = Field(
        default=True, description="false: no picture in e-mails that tells of opens"
    )
    preferences: str | None = Field(
        default=None, description="the service of `invoke` that is told what people choose"
    )
    spool: str = Field(
        default=".journey/spool",
        min_length=1,
        description="the folder for what is not in the database yet",
    )
    dashboard: str | None = Field(
        default=None,
        description="`env:NAME`, the secret of those who may look at how things stand, and pause;"
        " without one there is no dashboard",
    )

    @field_validator("dashboard")
    @classmethod
    def _dashboard_by_reference(cls, written: str | None) -> str | None:
        return _reference("dashboard", "DASHBOARD_TOKEN", written)

    @field_validator("token", "former_token")
    @classmethod
    def _by_reference(cls, written: str | None) -> str | None:
        return _reference("token", "INTAKE_TOKEN", written)


def _reference(key: str, variable: str, written: str | None) -> str | None:
    if written is not None and not re.fullmatch(r"env:\w+", written):
        raise ValueError(f'a secret is named by its variable: `{key} = "env:{variable}"`')
    return written


class Environment(_Table):
    """``[env.NAME]``: a database, and how messages leave."""

    database: str = Field(
        min_length=1,
        description="a DuckDB file, an address `postgresql://…`, or `env:NAME`, the variable that"
        " has either",
    )
    base_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^/\s?#]+(/[^\s?#]*)?$",
        description="where links of messages lead: to `journey serve`",
    )
    link_key: str | None = Field(
        default=None, description="`env:NAME`, the secret that signs them; else the database's own"
    )
    channels: dict[str, ChannelTable] = Field(
        default_factory=dict,
        description="of each channel the provider, or a table with `provider` and its settings",
    )
    invoke: dict[str, ChannelTable] = Field(
        default_factory=dict, description="the same of each service that journeys call"
    )
    parameters: dict[str, SettingValue | dict[str, SettingValue]] = Field(
        default_factory=dict,
        description="of all journeys that have one of the name; a table in it is named like a"
        " journey, and is for that journey alone",
    )
    serve: ServeTable = Field(default=ServeTable(), description="see below")
    auto_apply: bool | None = Field(
        default=None,
        description="whether `run` applies what has changed by itself; else in `dev` alone",
    )
    writers: int | None = Field(
        default=None,
        ge=0,
        le=64,
        description="processes that write messages; with 0 the one that delivers writes them, else"
        " as many as the machine has use for",
    )

    @field_validator("parameters", mode="before")
    @classmethod
    def _values(cls, written: Any) -> Any:
        if isinstance(written, dict):
            for name, value in written.items():
                for inner in value.values() if isinstance(value, dict) else (value,):
                    if not isinstance(inner, SettingValue):
                        raise ValueError(f"`{name}` is no text, number, `true` or `false`")
        return written

    @field_validator("link_key")
    @classmethod
    def _by_reference(cls, written: str | None) -> str | None:
        return _reference("link_key", "LINK_KEY", written)


class Config(_Table):
    """All of ``journey.toml``."""

    project: ProjectTable
    lint: LintTable = LintTable()
    env: dict[str, Environment] = Field(default_factory=dict)

    def applies_by_itself(self, env: str) -> bool:
        """Whether `run` applies what has changed first; by default in `dev` alone."""
        said = self.env[env].auto_apply
        return env == DEFAULT_ENVIRONMENT if said is None else said


def read_config(source: Source) -> Outcome[Config]:
    """The settings in a file, or what is wrong with them, each with its line."""
    try:
        written = tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        return Outcome(value=None, diagnostics=(_no_toml(source, str(error)),))
    except RecursionError:
        return Outcome(value=None, diagnostics=(_no_toml(source, "nested too deep"),))
    try:
        return Outcome(value=Config.model_validate(written))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        return Outcome(
            value=None,
            diagnostics=tuple(_wrong(source, tuple(e["loc"]), e["type"], e["msg"]) for e in found),
        )


def environment(config: Config, name: str, source: Source) -> Outcome[Environment]:
    """The environment of this name."""
    found = config.env.get(name)
    if found is not None:
        return Outcome(value=found)
    listed = ", ".join(f"`{env}`" for env in sorted(config.env))
    diagnostic = Diagnostic(
        code=UNKNOWN_ENVIRONMENT,
        message=f"no environment `{name}` in `{source.path}`",
        help=did_you_mean(name, config.env)
        or (f"there is {listed}" if listed else f'add `[env.{name}]` with `database = "…"`'),
    )
    return Outcome(value=None, diagnostics=(diagnostic,))


_LINE = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")


def _no_toml(source: Source, message: str) -> Diagnostic:
    at = _LINE.search(message)
    offset = source.offset(int(at[1]), int(at[2])) if at and at[1] else len(source.text)
    words = _LINE.sub("", message)
    return Diagnostic(
        code=BAD_CONFIG,
        message=f"`{source.path}` is no TOML: {words[:1].lower()}{words[1:]}",
        span=source.span(offset, min(offset + 1, len(source.text))),
        help='a setting is written `key = "value"`, a table `[env.dev]`',
    )


def _wrong(source: Source, keys: Keys, kind: str, message: str) -> Diagnostic:
    """pydantic's finding in the words of the file."""
    # The settings of a channel stand in the channel's own table.
    keys = tuple(key for n, key in enumerate(keys) if not (key == "settings" and n == 4))
    shown = ".".join(str(key) for key in keys) or "the file"
    help_ = ""
    match kind:
        case "extra_forbidden":
            known = _known(keys[:-1])
            message = f"unknown key `{keys[-1]}`" + (
                f" in `[{shown_table(keys)}]`" if keys[:-1] else ""
            )
            help_ = did_you_mean(str(keys[-1]), known) or "there are " + ", ".join(
                f"`{key}`" for key in known
            )
        case "missing":
            message = f"`{keys[-1]}` is missing" + (
                f" in `[{shown_table(keys)}]`" if keys[:-1] else ""
            )
            help_ = f"add `{keys[-1]} = …`" if keys[:-1] else f"add a table `[{keys[-1]}]`"
            keys = keys[:-1]
        case "value_error":
            message = message.removeprefix("Value error, ")
        case _:
            message = f"`{shown}`: {message[:1].lower()}{message[1:]}"
    return Diagnostic(code=BAD_CONFIG, message=message, span=place(source, keys), help=help_)


def shown_table(keys: Keys) -> str:
    return ".".join(str(key) for key in keys[:-1])


def _known(table: Keys) -> tuple[str, ...]:
    """The keys that a table may have."""
    match table:
        case ():
            model: type[BaseModel] = Config
        case ("project",):
            model = ProjectTable
        case ("lint",):
            model = LintTable
        case ("env", _, "serve"):
            model = ServeTable
        case _:
            model = Environment
    return tuple(field.alias or name for name, field in model.model_fields.items())
