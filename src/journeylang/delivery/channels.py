"""The channels of an environment: which provider each has, and with which settings."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import field
from decimal import Decimal
from pathlib import Path
from typing import Literal, assert_never

from journeylang import resources
from journeylang.classes import dataclass
from journeylang.delivery.compose import Letterhead
from journeylang.delivery.files import FileProvider
from journeylang.delivery.manifest import (
    Manifest,
    ManifestError,
    SecretMissingError,
    SettingError,
    SettingValue,
    per_second,
    read_manifest,
    read_settings,
)
from journeylang.delivery.mime import address
from journeylang.delivery.provider import Provider
from journeylang.delivery.ramp import Ramp, ramp
from journeylang.diagnostics.codes.running import (
    BAD_CONFIG,
    BAD_PROVIDER,
    SECRET_MISSING,
    UNKNOWN_PROVIDER,
)
from journeylang.diagnostics.model import Diagnostic, Outcome
from journeylang.diagnostics.suggest import did_you_mean
from journeylang.runtime.channel_pauses import DEFAULTS, NO_LIMITS, Limits
from journeylang.sql.schema import CALLS

_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,4})?) *%")

OnUnknown = Literal["hold", "retry"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSettings:
    """A channel as journey.toml has it; `settings` are the provider's own."""

    provider: str
    settings: Mapping[str, object] = field(default_factory=dict)
    on_unknown: OnUnknown = "hold"
    ramp: Ramp | None = None
    limits: Limits = NO_LIMITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel ready to send."""

    name: str
    provider: Provider
    letterhead: Letterhead
    on_unknown: OnUnknown
    ramp: Ramp | None = None
    limits: Limits = NO_LIMITS


def channel_settings(
    given: str | Mapping[str, object], limits: Limits | None = None
) -> ChannelSettings:
    """`email = "file"`, or a table with `provider`, `on_unknown`, `ramp`, `max_bounces`,
    `max_complaints` and the settings of the provider. `limits` are those of the channel where
    nothing else is said.

    Raises:
        SettingError: neither.
    """
    limits = limits or NO_LIMITS
    if isinstance(given, str):
        return ChannelSettings(provider=given, limits=limits)
    rest = dict(given)
    provider = rest.pop("provider", None)
    if not isinstance(provider, str):
        raise SettingError('`provider` is missing: `provider = "file"`')
    written = rest.pop("ramp", None)
    warm_up = None if written is None else ramp(written)
    limits = Limits(
        bounces=_share(rest, "max_bounces", limits.bounces),
        complaints=_share(rest, "max_complaints", limits.complaints),
    )
    on_unknown = rest.pop("on_unknown", "hold")
    if on_unknown not in ("hold", "retry"):
        raise SettingError('`on_unknown` is "hold" or "retry"')
    return ChannelSettings(
        provider=provider,
        settings=rest,
        ramp=warm_up,
        limits=limits,
        on_unknown="retry" if on_unknown == "retry" else "hold",
    )


def channel_limits(given: Mapping[str, str | Mapping[str, object]]) -> dict[str, Limits]:
    """The shares of bounces and complaints at which channels pause.

    Raises:
        SettingError: a channel's settings are not understood.
    """
    return {
        name: channel_settings(setting, DEFAULTS.get(name)).limits
        for name, setting in given.items()
    }


def _share(rest: dict[str, object], name: str, default: Decimal | None) -> Decimal | None:
    written = rest.pop(name, None)
    if written is None:
        return default
    if written == "any":
        return None
    found = _PERCENT.fullmatch(written) if isinstance(written, str) else None
    if found is None or Decimal(found[1]) > 100:
        raise SettingError(f'`{name}` is a share of the messages: `{name} = "5%"`, or "any"')
    return Decimal(found[1]) / 100


def open_channels(
    given: Mapping[str, str | Mapping[str, object]],
    *,
    root: Path,
    environment: Mapping[str, str] | None = None,
    invoke: Mapping[str, str | Mapping[str, object]] | None = None,
) -> Outcome[dict[str, Channel]]:
    """All channels of an environment, by name. No connection is made yet.

    `invoke` are the services that journeys call: a service is a channel too, with `CALLS` before
    its name. `root` is the project's folder: its `providers/` come before those built in. Reports
    unknown providers, manifests and settings that are not understood, and missing secrets.
    """
    variables = os.environ if environment is None else environment
    channels: dict[str, Channel] = {}
    problems: list[Diagnostic] = []
    services = {CALLS + name: setting for name, setting in (invoke or {}).items()}
    for name, setting in {**given, **services}.items():
        made = _channel(name, setting, root, variables)
        if isinstance(made, Channel):
            channels[name] = made
        else:
            problems.append(made)
    return Outcome(value=channels, diagnostics=tuple(problems))


def _channel(
    name: str, given: str | Mapping[str, object], root: Path, environment: Mapping[str, str]
) -> Channel | Diagnostic:
    try:
        settings = channel_settings(given, DEFAULTS.get(name))
        manifest = manifest_of(settings.provider, root)
        if isinstance(manifest, Diagnostic):
            return manifest
        if name.startswith(CALLS) and not manifest.calls:
            return Diagnostic(
                code=UNKNOWN_PROVIDER,
                message=f"provider `{manifest.name}` makes no calls, as `{name}` does",
                help="`file` and `webhook` do",
            )
        if not name.startswith(CALLS) and not manifest.carries(name):
            return Diagnostic(
                code=UNKNOWN_PROVIDER,
                message=f"provider `{manifest.name}` does not carry the channel `{name}`",
                help=f"it carries {', '.join(manifest.channels) or 'calls alone'}",
            )
        values = read_settings(manifest, settings.settings, environment)
        provider = _provider(manifest, values, root)
    except SecretMissingError as error:
        return Diagnostic(
            code=SECRET_MISSING,
            message=f"{_called(name)}: {error}",
            help="set the variable in the environment of this process",
        )
    except SettingError as error:
        return Diagnostic(code=BAD_CONFIG, message=f"{_called(name)}: {error}")
    return Channel(
        name=name,
        provider=provider,
        letterhead=_letterhead(values),
        on_unknown=settings.on_unknown,
        ramp=settings.ramp,
        limits=settings.limits,
    )


def _called(name: str) -> str:
    return f"`{name}`" if name.startswith(CALLS) else f"channel `{name}`"


def manifest_of(provider: str, root: Path) -> Manifest | Diagnostic:
    """The provider of this name: the project's own, or one built in."""
    built_in = resources.providers()
    for folder in (root / "providers", built_in):
        path = folder / provider / "provider.toml"
        if provider.isidentifier() and path.is_file():
            try:
                return read_manifest(path)
            except ManifestError as error:
                return Diagnostic(
                    code=BAD_PROVIDER, message=f"providers/{provider}/provider.toml: {error}"
                )
            except OSError as error:
                reason = error.strerror or "cannot be read"
                return Diagnostic(
                    code=BAD_PROVIDER, message=f"providers/{provider}/provider.toml: {reason}"
                )
    known = sorted(
        {path.parent.name for f in (root / "providers", built_in) for path in f.glob("*/*.toml")}
    )
    return Diagnostic(
        code=UNKNOWN_PROVIDER,
        message=f"unknown provider `{provider}`",
        help=did_you_mean(provider, known) or f"there are {', '.join(known)}",
    )


def _letterhead(values: Mapping[str, SettingValue]) -> Letterhead:
    sender, place = values.get("from"), values.get("postal_address")
    return Letterhead(
        sender=address(sender) if isinstance(sender, str) else None,
        postal_address=place if isinstance(place, str) else None,
    )


def _provider(manifest: Manifest, values: Mapping[str, SettingValue], root: Path) -> Provider:
    match manifest.kind:
        case "file":
            folder = root / str(values["folder"])
            return FileProvider(
                folder,
                name=manifest.name,
                in_flight=manifest.in_flight,
                form=str(values.get("form", "each")),
            )
        case "smtp":
            from journeylang.delivery.smtp import Server, SmtpProvider

            back = values.get("return_path")
            sender = address(back) if isinstance(back, str) else None
            server = Server(
                host=str(values["host"]),
                port=int(values["port"]),
                user=_text(values, "user"),
                password=_text(values, "password"),
                starttls=str(values["starttls"]),
                ca=_text(values, "ca"),
                hello=_text(values, "hello"),
                return_path=sender.mailbox if sender is not None else None,
                connections=int(values["connections"]),
                per_second=per_second(str(values.get("rate", ""))),
                timeout=float(values["timeout"]),
            )
            return SmtpProvider(server, name=manifest.name, in_flight=manifest.in_flight)
        case "set":
            from journeylang.delivery.sets import SetProvider

            return SetProvider(manifest, values, root)
        case "http":
            from journeylang.delivery.http import HttpProvider

            return HttpProvider(manifest, values)
        case _:
            assert_never(manifest.kind)


def _text(values: Mapping[str, SettingValue], name: str) -> str | None:
    value = values.get(name)
    return value if isinstance(value, str) else None
