"""What a project means in an environment, kept from one verb to the next.

Whoever asks about one person needs the model, and the texts to quote: neither the trees nor the
templates. What was found without an error needs no second look while not a byte has changed.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from journeylang.classes import dataclass
from journeylang.diagnostics.decode import decode
from journeylang.loading.find import CONFIG
from journeylang.loading.inputs import Inputs
from journeylang.loading.plain import NotPlainError, plain, project_of
from journeylang.model.project import Project
from journeylang.source import Source
from journeylang.syntax.grammar import cache_folder, forget_oldest, recall, remember

if TYPE_CHECKING:
    from journeylang.loading.project import LoadedProject

_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """A project without an error. ``database`` is as the settings have it, secrets unread.

    ``entry_fields`` are those that the templates of a journey use. ``sources`` are its texts.
    """

    root: Path
    project: Project
    sources: Mapping[str, Source]
    database: str
    entry_fields: Mapping[str, tuple[str, ...]]


def understood(
    loaded: LoadedProject, env: str, entry_fields: Mapping[str, tuple[str, ...]]
) -> Understood:
    """The same of a project that was read just now."""
    return Understood(
        root=loaded.root,
        project=loaded.project,
        sources=loaded.sources,
        database=loaded.config.env[env].database,
        entry_fields=entry_fields,
    )


def kept(root: Path, env: str, given: Inputs) -> Understood | None:
    """What was understood of these very inputs; None if that is not known, or cannot be read."""
    file = _file(root, env)
    written = recall(file) if file is not None else None
    if written is None or written.get("key") != _key(given, env):
        return None
    try:
        fields = {str(name): tuple(map(str, own)) for name, own in written["fields"].items()}
        sources = _sources(given)
        # Not from what is kept: an address may have a password in it.
        settings = tomllib.loads(sources[CONFIG].text)
        return Understood(
            root=root,
            project=project_of(written["project"]),
            sources=sources,
            database=str(settings["env"][env]["database"]),
            entry_fields=fields,
        )
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        return None


def keep(known: Understood, env: str, given: Inputs) -> None:
    """Remember it, if what was read are these inputs and there is a place for it.

    A project with lists of people is not kept: theirs are no files of this program's.
    """
    file = _file(known.root, env)
    lists = known.project.lists or known.project.collected
    if file is None or lists or _sources(given) != _texts(known.sources):
        return
    try:
        project = plain(known.project)
    except NotPlainError:
        return
    fields = {name: list(own) for name, own in known.entry_fields.items()}
    written: dict[str, Any] = {"key": _key(given, env), "fields": fields, "project": project}
    remember(file, written)
    forget_oldest(file.parent)


def _texts(sources: Mapping[str, Source]) -> dict[str, Source]:
    return {path: one for path, one in sources.items() if _is_text(path)}


def _sources(given: Inputs) -> dict[str, Source]:
    made = {path: decode(path, data).value for path, data in given.data.items() if _is_text(path)}
    return {path: source for path, source in made.items() if source is not None}


def _is_text(path: str) -> bool:
    return path == CONFIG or path.endswith(".journey")


def _key(given: Inputs, env: str) -> str:
    return f"{_FORMAT} {env} {given.key}"


def _file(root: Path, env: str) -> Path | None:
    folder = cache_folder("projects")
    name = hashlib.sha256(f"{root.resolve()}\0{env}".encode(errors="replace")).hexdigest()[:24]
    return folder / f"{name}.json" if folder is not None else None
