"""The channels of an environment whose providers tell what became of messages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from journeylang.delivery.channels import channel_settings, manifest_of
from journeylang.delivery.feedback import Feed
from journeylang.delivery.manifest import SettingError, read_settings
from journeylang.diagnostics.codes.running import BAD_CONFIG
from journeylang.diagnostics.model import Diagnostic, Outcome


def open_feeds(
    given: Mapping[str, str | Mapping[str, object]],
    *,
    root: Path,
    environment: Mapping[str, str],
) -> Outcome[dict[str, Feed]]:
    """By channel; of providers that tell nothing there is none."""
    feeds: dict[str, Feed] = {}
    problems: list[Diagnostic] = []
    for name, setting in given.items():
        try:
            settings = channel_settings(setting)
            manifest = manifest_of(settings.provider, root)
            if isinstance(manifest, Diagnostic):
                problems.append(manifest)
            elif manifest.webhook is not None:
                values = read_settings(manifest, settings.settings, environment)
                feeds[name] = Feed(manifest, values)
        except SettingError as error:
            problems.append(Diagnostic(code=BAD_CONFIG, message=f"channel `{name}`: {error}"))
    return Outcome(value=feeds, diagnostics=tuple(problems))
