"""`provider.toml`: what a provider is, and which settings it has.

Strangers write manifests and settings, so pydantic reads the first, and the second are
checked against it. A secret is named (`env:NAME`) and read from the environment.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, assert_never

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from journeylang.delivery.declared import Batch, Cost, Limits, Request, Response, Set, Webhook
from journeylang.delivery.mime import address

SettingType = Literal["text", "int", "bool", "secret", "choice", "rate", "address"]
SettingValue = str | int | bool

Kind = Literal["file", "smtp", "http", "set"]

_RATE = re.compile(r"(\d{1,6})/([smh])")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


# What the code of a kind reads: each must be required or have a default.
_NEEDED = {
    "file": ("folder",),
    "smtp": ("host", "port", "starttls", "connections", "timeout"),
    "http": (),
    "set": ("folder",),
}


class ManifestError(ValueError):
    """A manifest is not understood; the message is one line."""


class SettingError(ValueError):
    """A setting of a channel is wrong; the message is one line and quotes no secret."""


class SecretMissingError(SettingError):
    """A variable that a setting names is not set."""


class Setting(BaseModel):
    """One setting: its type, its default, and what it is for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: SettingType
    help: str
    required: bool = False
    default: SettingValue | None = None
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None


class Manifest(BaseModel):
    """A provider of messages over `channels`, of `calls`, or of both.

    `keyed`: the same id sent twice makes one message, or one call; `key_hours` says for how long
    the provider remembers. A setting of the name `keyed` decides in its place.

    `in_flight`: how many messages are handed over between two commits.

    A manifest of the kind `http` says all else itself, and has some settings without naming them:
    `http_settings`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    kind: Kind
    title: str
    documentation: str | None = Field(default=None, pattern=r"^https://\S+$")
    channels: tuple[str, ...] = ()
    calls: bool = False
    keyed: bool
    key_hours: int | None = Field(default=None, ge=1)
    in_flight: int = Field(default=500, ge=1, le=10_000)
    settings: dict[str, Setting] = Field(default_factory=dict)
    request: Request | None = None
    batch: Batch | None = None
    response: Response = Response()
    limits: Limits = Limits()
    cost: Cost | None = None
    set: Set | None = None
    webhook: Webhook | None = None

    @model_validator(mode="before")
    @classmethod
    def _with_shared(cls, written: Any) -> Any:
        if not isinstance(written, dict) or written.get("kind") != "http":
            return written
        own = written.get("settings", {})
        shared = http_settings(written)
        return written if not isinstance(own, dict) else written | {"settings": shared | own}

    @model_validator(mode="after")
    def _defaults_fit(self) -> Manifest:
        if not self.channels and not self.calls:
            raise ValueError("it carries nothing: name `channels`, or `calls = true`")
        for name, setting in self.settings.items():
            if setting.default is not None:
                _checked(name, setting, setting.default)
            if (setting.type == "choice") != bool(setting.choices):
                raise ValueError(f"`{name}`: `choices` belongs to the type `choice`")
        if (self.kind == "http") != (self.request is not None):
            raise ValueError("`request` belongs to the kind `http`")
        if (self.kind == "set") != (self.set is not None):
            raise ValueError("`set` belongs to the kind `set`")
        if self.kind != "http" and self.batch is not None:
            raise ValueError("`batch` belongs to the kind `http`")
        if self.key_hours is not None and not self.keyed:
            raise ValueError("`key_hours` without `keyed`")
        if self.limits.rate is not None and not per_second(self.limits.rate):
            raise ValueError(f"`limits.rate`: `{self.limits.rate}` is no rate like `100/s`")
        for name in _NEEDED[self.kind]:
            needed = self.settings.get(name)
            if needed is None or not (needed.required or needed.default is not None):
                raise ValueError(f"kind `{self.kind}` needs the setting `{name}`, or its default")
        return self

    def carries(self, channel: str) -> bool:
        return "*" in self.channels or channel in self.channels


def http_settings(written: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The settings that every provider of the kind `http` has, as a manifest would write them."""
    limits, request = written.get("limits"), written.get("request")
    limits = limits if isinstance(limits, dict) else {}
    base = request.get("base") if isinstance(request, dict) else None
    push = isinstance(request, dict) and request.get("encoding") == "webpush"
    channels = written.get("channels")
    shared: dict[str, dict[str, Any]] = {
        "base_url": {
            "type": "text",
            "help": f"instead of {base}" if base else "where the requests go, `https://…`",
            "required": not base and not push,
        },
        "rate": {
            "type": "rate",
            "help": "at most so many messages, of all who deliver: `100/s`, `500/m`",
        },
        "connections": {
            "type": "int",
            "minimum": 1,
            "maximum": 64,
            "help": "how many connections are kept open",
        },
        "timeout": {
            "type": "int",
            "minimum": 1,
            "maximum": 600,
            "help": "seconds to wait for a whole answer",
        },
        "private": {
            "type": "bool",
            "default": False,
            "help": "true: the address may be one of a private network, or without TLS",
        },
        "ca": {
            "type": "text",
            "help": "a file with the certificates to trust; none: the system's",
        },
    }
    if push:
        del shared["base_url"]
    for name in ("rate", "connections", "timeout"):
        if name in limits:
            shared[name]["default"] = limits[name]
    shared["connections"].setdefault("default", 8)
    shared["timeout"].setdefault("default", 30)
    if isinstance(channels, list) and "email" in channels:
        shared["from"] = {
            "type": "address",
            "required": True,
            "help": "the sender of e-mails whose template names none",
        }
        shared["postal_address"] = {"type": "text", "help": "stands below marketing e-mails"}
    return shared


def read_manifest(path: Path) -> Manifest:
    """The manifest in a file.

    Raises:
        ManifestError: it is no TOML, or not a manifest.
        OSError: it cannot be read.
    """
    try:
        return Manifest.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ManifestError(f"no TOML: {error}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ManifestError(worded(place, first["type"], first["msg"])) from None


def worded(place: str, kind: str, words: str) -> str:
    """What pydantic finds wrong, in the words of this project."""
    match kind:
        case "extra_forbidden":
            return f"there is no key `{place}`"
        case "missing":
            return f"`{place}` is missing"
        case _:
            words = words.removeprefix("Value error, ")
            words = words[:1].lower() + words[1:]
            return f"`{place}`: {words}" if place else words


def read_settings(
    manifest: Manifest, given: Mapping[str, object], environment: Mapping[str, str]
) -> dict[str, SettingValue]:
    """The settings of a channel, with defaults, secrets read; what has no value is left out.

    Raises:
        SettingError: unknown, missing or unfit.
        SecretMissingError: a variable that is named is not set.
    """
    for name in given:
        if name not in manifest.settings:
            known = ", ".join(sorted(manifest.settings))
            raise SettingError(f"provider `{manifest.name}` has no setting `{name}`: {known}")
    settings: dict[str, SettingValue] = {}
    for name, setting in manifest.settings.items():
        value = given.get(name, setting.default)
        if value is None:
            if setting.required:
                raise SettingError(f"`{name}` is missing: {setting.help}")
            continue
        if isinstance(value, str) and value.startswith("env:"):
            variable = value.removeprefix("env:")
            if variable not in environment:
                raise SecretMissingError(f"`{name}` names {variable}, which is not set")
            value = environment[variable]
        elif setting.type == "secret":
            raise SettingError(f'`{name}` is a secret: name its variable, `{name} = "env:NAME"`')
        settings[name] = _checked(name, setting, value)
    return settings


def _checked(name: str, setting: Setting, value: object) -> SettingValue:
    match setting.type:
        case "text" | "secret":
            if isinstance(value, str) and value.strip():
                return value
            raise SettingError(f"`{name}` is no text")
        case "int":
            number = int(value) if isinstance(value, str) and value.isdecimal() else value
            if not isinstance(number, int) or isinstance(number, bool):
                raise SettingError(f"`{name}` is no whole number")
            low, high = setting.minimum, setting.maximum
            if (low is not None and number < low) or (high is not None and number > high):
                raise SettingError(f"`{name}` is not between {low} and {high}")
            return number
        case "bool":
            if isinstance(value, bool):
                return value
            raise SettingError(f"`{name}` is neither true nor false")
        case "choice":
            if isinstance(value, str) and value in setting.choices:
                return value
            raise SettingError(f"`{name}` is none of {', '.join(setting.choices)}")
        case "rate":
            if isinstance(value, str) and per_second(value):
                return value
            raise SettingError(f"`{name}` is no rate like `100/s`")
        case "address":
            if isinstance(value, str) and address(value) is not None:
                return value
            raise SettingError(f"`{name}` is no address like `Acme <hello@acme.example>`")
        case _:
            assert_never(setting.type)


def per_second(rate: str) -> float:
    """`100/s`, `500/m`, `2000/h` as messages a second; 0.0 if it is no rate."""
    found = _RATE.fullmatch(rate.replace(" ", ""))
    return int(found[1]) / _SECONDS[found[2]] if found else 0.0
