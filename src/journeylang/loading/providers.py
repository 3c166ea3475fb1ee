"""Manifests of providers, looked at before anything is sent: `journey provider check`."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Never

from pydantic import ValidationError

from journeylang import resources
from journeylang.classes import dataclass
from journeylang.delivery.declared import Webhook
from journeylang.delivery.examples import Example, differences, read_example
from journeylang.delivery.feedback import event_shape, signature_shape
from journeylang.delivery.manifest import Manifest, SettingError, worded
from journeylang.delivery.replies import challenge_shape
from journeylang.delivery.requests import compile_request
from journeylang.delivery.scope import CALL, MESSAGE
from journeylang.delivery.shaping import Shape, ShapeError, ShapeFailedError
from journeylang.diagnostics.codes.running import BAD_PROVIDER, UNKNOWN_PROVIDER
from journeylang.diagnostics.model import Diagnostic, Outcome
from journeylang.diagnostics.suggest import did_you_mean
from journeylang.loading.toml_places import place
from journeylang.source import Source, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A provider's folder as it was read."""

    manifest: Manifest
    source: Source
    example: Example | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Where a provider is; `built_in`: it comes with the package."""

    name: str
    folder: Path
    built_in: bool

    def shown(self, file: str) -> str:
        return f"providers/{self.name}/{file}"


def providers(root: Path | None) -> list[Found]:
    """Every provider of the project and the package by name; the project's come first."""
    folders = [(root / "providers", False)] if root is not None else []
    folders.append((resources.providers(), True))
    found: dict[str, Found] = {}
    for folder, built_in in folders:
        for path in sorted(folder.glob("*/provider.toml")):
            name = path.parent.name
            found.setdefault(name, Found(name=name, folder=path.parent, built_in=built_in))
    return sorted(found.values(), key=lambda one: one.name)


def find(root: Path | None, name: str) -> Found | Diagnostic:
    known = {one.name: one for one in providers(root)}
    if name in known:
        return known[name]
    return Diagnostic(
        code=UNKNOWN_PROVIDER,
        message=f"unknown provider `{name}`",
        help=did_you_mean(name, known) or f"there are {', '.join(known)}",
    )


def read(found: Found) -> tuple[Outcome[Provider], dict[str, Source]]:
    """The provider and everything that is wrong with it, with the files that were read."""
    sources: dict[str, Source] = {}
    texts = {}
    for file in ("provider.toml", "example.json"):
        path = found.folder / file
        if file == "example.json" and not path.is_file():
            continue
        try:
            texts[file] = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return _stopped(f"{found.shown(file)} cannot be read"), sources
        sources[found.shown(file)] = Source(path=found.shown(file), text=texts[file])
    source = sources[found.shown("provider.toml")]
    manifest = _manifest(source)
    if manifest.value is None:
        return Outcome(value=None, diagnostics=manifest.diagnostics), sources
    problems = [*manifest.diagnostics, *_texts(manifest.value, source)]
    if manifest.value.name != found.name:
        problems.append(
            _wrong(
                f"`name` is `{manifest.value.name}`, and the folder is `{found.name}`",
                place(source, ("name",)),
                help_="both are the name that a channel is given",
            )
        )
    example: Example | None = None
    if not problems and "example.json" in texts:
        read_one = _example(manifest.value, sources[found.shown("example.json")])
        example = read_one.value
        problems += read_one.diagnostics
    made = Provider(manifest=manifest.value, source=source, example=example)
    return Outcome(value=made, diagnostics=tuple(problems)), sources


def _manifest(source: Source) -> Outcome[Manifest]:
    try:
        return Outcome(value=Manifest.model_validate(tomllib.loads(source.text)))
    except tomllib.TOMLDecodeError as error:
        return _stopped(f"`{source.path}` is no TOML: {error}", source.span(0, 0))
    except RecursionError:
        return _stopped(f"`{source.path}` is nested too deep", source.span(0, 0))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        problems = []
        for one in found:
            keys = tuple(key for key in one["loc"] if not _of_pydantic(key))
            shown = ".".join(str(key) for key in keys)
            help_ = ""
            if one["type"] == "extra_forbidden":
                near = did_you_mean(str(keys[-1]), _keys_of_manifests())
                help_ = near or "take it out; docs/providers.md has every key"
            words = worded(shown, one["type"], one["msg"])
            problems.append(_wrong(words, place(source, keys), help_=help_))
        return Outcome(value=None, diagnostics=tuple(problems))


@cache
def _keys_of_manifests() -> frozenset[str]:
    """The keys of every table of a manifest."""
    schema = Manifest.model_json_schema()
    tables = [schema, *schema["$defs"].values()]
    return frozenset(name for table in tables for name in table.get("properties", {}))


def _of_pydantic(key: int | str) -> bool:
    """Names of alternatives stand in the location too."""
    return isinstance(key, str) and (key.startswith(("tagged-union", "function-")) or "[" in key)


def _texts(manifest: Manifest, source: Source) -> Iterator[Diagnostic]:
    """What the texts of a manifest ask for must be there."""
    try:
        for shape, names in _shapes(manifest):
            for leaf, name, attribute in shape.names():
                yield from _name(manifest, source, names, leaf, name, attribute)
    except ShapeError as error:
        yield _wrong(str(error), place(source, _keys(error.path)))


def _shapes(manifest: Manifest) -> Iterator[tuple[Shape, tuple[str, ...]]]:
    """Each text, compiled, and the names that it may ask for."""
    if manifest.request is not None:
        shapes = compile_request(manifest)
        outgoing = (("message",) if manifest.channels else ()) + (
            ("call",) if manifest.calls else ()
        )
        yield shapes.base, ("settings",)
        yield shapes.auth, ("settings",)
        for one in (shapes.path, shapes.headers, shapes.body):
            yield one, ("settings", *outgoing)
        # The bodies of a batch's messages go into its body, and nowhere else.
        for batch in (shapes.batch_path, shapes.batch_headers):
            if batch is not None:
                yield batch, ("settings", "batch")
        if shapes.batch_body is not None:
            yield shapes.batch_body, ("settings", "items", "batch")
    if manifest.set is not None:
        yield Shape(dict(manifest.set.columns), path="set.columns"), ("settings", "message")
    webhook: Webhook | None = manifest.webhook
    if webhook is not None:
        yield event_shape(webhook), ("settings", "event", "body", "headers")
        yield signature_shape(webhook), ("settings",)
        yield challenge_shape(webhook), ("settings",)


def _name(
    manifest: Manifest,
    source: Source,
    names: tuple[str, ...],
    leaf: str,
    name: str,
    attribute: str | None,
) -> Iterator[Diagnostic]:
    at = place(source, _keys(leaf))
    if name not in names:
        yield _wrong(
            f"`{leaf}` asks for `{name}`, which is not there",
            at,
            help_=f"there are {', '.join(f'`{one}`' for one in names)}",
        )
        return
    known = {
        "settings": frozenset(manifest.settings),
        "message": MESSAGE,
        "call": CALL,
        "batch": frozenset({"id", "size"}),
    }.get(name)
    if attribute is None or known is None or attribute in known:
        return
    yield _wrong(
        f"`{leaf}` asks for `{name}.{attribute}`, which is not there",
        at,
        help_=did_you_mean(attribute, known)
        or f"there are {', '.join(f'`{one}`' for one in sorted(known))}",
    )


def _keys(path: str) -> tuple[str | int, ...]:
    return tuple(int(key) if key.isdecimal() else key for key in path.split("."))


def _example(manifest: Manifest, source: Source) -> Outcome[Example]:
    start = source.span(0, 0)
    try:
        example = read_example(source.text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        shown = ".".join(str(key) for key in first["loc"])
        return _stopped(f"`{source.path}`: `{shown}`: {first['msg'].lower()}", start)
    except (json.JSONDecodeError, RecursionError) as error:
        return _stopped(f"`{source.path}` is no JSON: {error}", start)
    try:
        problems = [
            _wrong(
                f"{line}, as `{source.path}` has it",
                start,
                help_="`journey provider render` shows what is made",
            )
            for line in differences(manifest, example)
        ]
    except (SettingError, ShapeFailedError, ValueError) as error:
        problems = [_wrong(f"the example cannot be made: {error}", start)]
    return Outcome(value=example, diagnostics=tuple(problems))


def _stopped(message: str, span: Span | None = None) -> Outcome[Never]:
    return Outcome(value=None, diagnostics=(_wrong(message, span),))


def _wrong(message: str, span: Span | None, help_: str = "") -> Diagnostic:
    return Diagnostic(code=BAD_PROVIDER, message=message, span=span, help=help_)
