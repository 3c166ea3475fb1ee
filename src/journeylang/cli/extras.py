"""Parts of the package that not everybody installs, and what to do where one is missing."""

from __future__ import annotations

from importlib.util import find_spec

from journeylang.cli.project import stop


def needs(extra: str, *modules: str) -> None:
    """Exit, with what to install, unless the modules of an extra are there."""
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        from journeylang.diagnostics.codes.running import EXTRA_MISSING
        from journeylang.diagnostics.model import Diagnostic

        message = f"not installed: {', '.join(missing)}"
        install = f"`pip install 'journeylang[{extra}]'`"
        stop([Diagnostic(code=EXTRA_MISSING, message=message, help=install)])
