"""Names of the project within templates: `customer.first_name`, `profile.stage`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from journeylang.loading.files import below
from journeylang.lsp.editing import Project
from journeylang.lsp.mentions import Mention, Symbol
from journeylang.source import Source

_CODE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_NAME = re.compile(r"\b(customer|profile)\s*\.\s*([A-Za-z_][A-Za-z0-9_]*)")
FOLDER = "templates"


def template_mentions(source: Source) -> Iterator[Mention]:
    """Every field of the customer or the profile that a template names."""
    for code in _CODE.finditer(source.text):
        for found in _NAME.finditer(source.text, code.start(), code.end()):
            owner, name = found.groups()
            symbol = (
                Symbol("field", name, "customers")
                if owner == "customer"
                else Symbol("profile", name)
            )
            yield Mention(source.span(*found.span(2)), (symbol,))


def all_templates(project: Project) -> Iterator[Source]:
    """Every text below ``templates/``."""
    for path in below(project.root, FOLDER).value or ():
        source = project.source(path)
        if source is not None:
            yield source


def template_files(project: Project, name: str, channel: str) -> list[str]:
    """The files of a template: one for each form that the channel sends."""
    stem = f"{FOLDER}/{name}.{channel}."
    return [path for path in below(project.root, FOLDER).value or () if path.startswith(stem)]


def template_names(project: Project, channel: str) -> list[str]:
    """The templates of a channel, as steps name them."""
    found = set()
    for path in below(project.root, FOLDER).value or ():
        stem, _, _ = path.removeprefix(f"{FOLDER}/").rpartition(".")
        name, _, of = stem.rpartition(".")
        if name and of == channel:
            found.add(name)
    return sorted(found)
