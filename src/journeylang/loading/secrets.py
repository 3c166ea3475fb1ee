"""Secrets, which settings name by their variables."""

from __future__ import annotations

from collections.abc import Mapping

from journeylang.diagnostics.codes.running import SECRET_MISSING
from journeylang.diagnostics.model import Diagnostic, Outcome
from journeylang.loading.toml_places import Keys, place
from journeylang.source import Source


def secret(
    value: str, environ: Mapping[str, str], *, source: Source | None = None, keys: Keys = ()
) -> Outcome[str]:
    """The value itself, or for ``env:NAME`` that of the variable; ``keys`` say where it stands."""
    if not value.startswith("env:"):
        return Outcome(value=value)
    name = value.removeprefix("env:")
    if environ.get(name):
        return Outcome(value=environ[name])
    diagnostic = Diagnostic(
        code=SECRET_MISSING,
        message=f"the variable {name} is not set",
        span=None if source is None else place(source, keys),
        help=f"set it: `{name}=… journey …`",
    )
    return Outcome(value=None, diagnostics=(diagnostic,))
