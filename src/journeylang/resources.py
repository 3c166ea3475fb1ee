"""The data that comes with the package: the grammar, the providers, the demo's project.

In a wheel it lies in ``journeylang/_data``, put there by the wheel's ``force-include``. In
a checkout, whether installed as editable or just on the path, it lies beside ``src``.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


class ResourceMissingError(RuntimeError):
    """The installation lacks a part of itself."""


def grammar() -> Path:
    """The folder of ``journey.lark``."""
    return _find("grammar")


def providers() -> Path:
    """The folder with one folder for each built-in provider."""
    return _find("providers")


def journeys() -> Path:
    """The demo shop's project: ``journey.toml``, journeys, templates."""
    return _find("journeys")


def _find(name: str) -> Path:
    packed = _PACKAGE / "_data" / name
    if packed.is_dir():
        return packed
    root = _PACKAGE.parent.parent
    # Two levels above an installed package lies the interpreter's own library: only a
    # folder that is this project's may answer.
    if (root / "src" / "journeylang") == _PACKAGE and (root / "pyproject.toml").is_file():
        beside = root / name
        if beside.is_dir():
            return beside
    raise ResourceMissingError(
        f"the installation is incomplete: `{name}` is neither in {packed.parent}"
        f" nor in a checkout; install journeylang again"
    )
