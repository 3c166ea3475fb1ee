"""The texts that a project's meaning rests on, so that it can be read again as it was.

Of `journey.toml` that is what an environment gives to journeys, and never where its database is or
how to get in. Of a list of people it is the head line, and nobody who is on it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from journeylang.classes import dataclass
from journeylang.loading.config import Config, SettingValue
from journeylang.loading.find import CONFIG
from journeylang.loading.project import LoadedProject, Loading, load

_HEAD = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Texts by path, with ``/``; `lists` are the paths of those whose head line alone is here."""

    files: Mapping[str, str]

    @property
    def digests(self) -> dict[str, str]:
        return {path: digest(text) for path, text in sorted(self.files.items())}

    @property
    def digest(self) -> str:
        return digest(json.dumps(self.digests, sort_keys=True))


def digest(text: str) -> str:
    """SHA-256 of a text in UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def snapshot(loaded: LoadedProject, env: str) -> Snapshot:
    """What the project means in an environment, as texts."""
    files = {path: s.text for path, s in loaded.sources.items() if path != CONFIG}
    files |= {path: _head(loaded.root / path) for path in _lists(loaded)}
    return Snapshot(files={**files, CONFIG: settings(loaded.config, env)})


def settings(config: Config, env: str) -> str:
    """A `journey.toml` with what the meaning of journeys rests on in one environment."""
    here = config.env[env]
    shared = {k: v for k, v in here.parameters.items() if not isinstance(v, dict)}
    lines = [
        "[project]",
        f"name = {_value(config.project.name)}",
        f"language = {config.project.language}",
        "",
        f"[env.{_value(env)}]",
        'database = "applied"',
        *(f"invoke.{_value(name)} = {_value('file')}" for name in sorted(here.invoke)),
        *_table(f"env.{_value(env)}.parameters", shared),
    ]
    for name, own in sorted(here.parameters.items()):
        if isinstance(own, dict):
            lines += _table(f"env.{_value(env)}.parameters.{_value(name)}", own)
    return "\n".join(lines) + "\n"


def _table(name: str, values: Mapping[str, SettingValue]) -> Iterator[str]:
    if values:
        yield ""
        yield f"[{name}]"
        yield from (f"{_value(key)} = {_value(value)}" for key, value in sorted(values.items()))


def _value(value: SettingValue) -> str:
    """JSON's spelling is TOML's too, but for one character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _lists(loaded: LoadedProject) -> list[str]:
    project = loaded.project
    return sorted({*project.lists, *(p.path for p in project.prospects.values())})


def _head(path: Path) -> str:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return file.readline(_HEAD)
    except (OSError, UnicodeDecodeError):
        return ""


@contextmanager
def laid_out(found: Snapshot, *, lists: Path | None = None) -> Iterator[Path]:
    """A folder with the texts, for as long as it is needed.

    `lists`: a project's folder, from which the lists of people are taken as they are there now.
    """
    with tempfile.TemporaryDirectory(prefix="journey-") as made:
        root = Path(made)
        for path, text in found.files.items():
            place = root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            now = None if lists is None else lists / path
            if now is not None and path.startswith("lists/") and now.is_file():
                shutil.copyfile(now, place)
            else:
                place.write_bytes(text.encode("utf-8", "surrogatepass"))
        yield root


def read_again(found: Snapshot, env: str, *, lists: Path | None = None) -> Loading:
    """The project of these texts, checked anew."""
    with laid_out(found, lists=lists) as root:
        return load(root, env)
