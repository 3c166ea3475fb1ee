"""What each environment of `journey.toml` gives to journeys, with the places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeylang.analysis.environment import Environment, Setting
from journeylang.loading.toml_places import place
from journeylang.source import Source

if TYPE_CHECKING:
    from journeylang.loading.config import Config


def environments(
    config: Config | None, source: Source | None, chosen: str | None
) -> tuple[Environment | None, ...]:
    """The chosen environment; without one all of them, `dev` first. At least one.

    Of environments that give the same only the first is there. None if the settings could not be
    read: nothing is then known of any value.
    """
    if config is None or source is None or (chosen is not None and chosen not in config.env):
        return (None,)
    wanted = [chosen] if chosen is not None else sorted(config.env, key=lambda e: (e != "dev", e))
    found: list[Environment] = []
    seen: list[object] = []
    for name in wanted:
        given = (config.env[name].parameters, frozenset(config.env[name].invoke))
        if given not in seen:
            seen.append(given)
            found.append(_environment(name, config, source))
    return tuple(found) or (Environment(name=None, services=frozenset()),)


def _environment(name: str, config: Config, source: Source) -> Environment:
    table = ("env", name, "parameters")
    shared: dict[str, Setting] = {}
    own: dict[str, dict[str, Setting]] = {}
    for key, value in config.env[name].parameters.items():
        if isinstance(value, dict):
            own[key] = {
                inner: Setting(value=v, span=place(source, (*table, key, inner)))
                for inner, v in value.items()
            }
        else:
            shared[key] = Setting(value=value, span=place(source, (*table, key)))
    return Environment(
        name=name,
        shared=shared,
        own=own,
        services=frozenset(config.env[name].invoke),
        places={key: place(source, (*table, key)) for key in own},
        span=place(source, table),
    )
