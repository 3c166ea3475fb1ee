"""The parts of the page on providers: who is built in, and every key of a manifest."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from journeylang.delivery import declared
from journeylang.delivery.manifest import Manifest, Setting, http_settings
from journeylang.loading.providers import providers, read
from tests.docs.fences import ROOT
from tests.docs.parts import table

SCHEMA = ROOT / "docs" / "schemas" / "provider.json"


def schema() -> dict[str, Any]:
    """Of `provider.toml`."""
    made = Manifest.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


def written_schema() -> str:
    return json.dumps(schema(), ensure_ascii=False, indent=2) + "\n"


def built_in() -> str:
    """Every built-in provider: what it carries, and its settings beyond those of all."""
    rows = []
    for found in providers(None):
        provider = read(found)[0].value
        assert provider is not None, found.name
        one = provider.manifest
        shared = set(http_settings({"channels": list(one.channels)})) if one.request else set()
        own = [
            f"`{name}`" + ("" if not setting.required else " (required)")
            for name, setting in one.settings.items()
            if name not in shared
        ]
        carries = ["any channel" if name == "*" else name for name in one.channels]
        rows.append(
            (
                f"`{one.name}`",
                f"[{one.title}]({one.documentation})" if one.documentation else one.title,
                ", ".join([*carries, *(["calls"] if one.calls else [])]),
                "yes" if one.keyed else "no",
                ", ".join(own),
            )
        )
    shared_rows = [
        (f"`{name}`", one["help"], str(one.get("default", "")))
        for name, one in http_settings({"channels": ["email"]}).items()
    ]
    return "\n\n".join(
        (
            table(("provider", "what", "carries", "honours keys", "settings"), rows),
            "Those that speak HTTP by a manifest also have:",
            table(("setting", "what it does", "default"), shared_rows),
        )
    )


def manifest() -> str:
    """Every table of a manifest and its keys."""
    parts = []
    for title, model in _tables():
        words = " ".join(inspect.cleandoc(model.__doc__ or "").split("\n\n")[0].split())
        rows = [
            (f"`{field.alias or name}`", kind_of(model, name), field.description or "")
            for name, field in model.model_fields.items()
        ]
        parts.append(f"### {title}\n\n{words}\n\n{table(('key', 'what it holds', ''), rows)}")
    return "\n\n".join(parts)


def _tables() -> Iterator[tuple[str, type[BaseModel]]]:
    yield "provider.toml", Manifest
    yield "settings.NAME", Setting
    yield _TITLES["Request"], declared.Request
    auths = ("Basic", "Bearer", "ByHeader", "Signed", "Aws", "Apple", "Google", "Vapid")
    for name in auths:
        auth: type[BaseModel] = getattr(declared, name)
        yield f'request.auth, kind = "{_kind(auth)}"', auth
    for name in tuple(_TITLES)[1:]:
        yield _TITLES[name], getattr(declared, name)
    signatures = ("Hmac", "Standard", "Ecdsa", "Token", "BasicToken", "Twilio", "Mailgun", "Jwt")
    for name in (*signatures, "Sns"):
        model: type[BaseModel] = getattr(declared, name)
        yield f'webhook.signature, kind = "{_kind(model)}"', model


def _kind(model: type[BaseModel]) -> str:
    return str(model.model_json_schema()["properties"]["kind"]["const"])


_TITLES = {
    "Request": "request",
    "Batch": "batch",
    "Response": "response",
    "Rule": "response.rules",
    "Match": "a condition of `where`",
    "Wait": "response.retry_after",
    "Limits": "limits",
    "Cost": "cost",
    "Set": "set",
    "Webhook": "webhook",
    "Event": "webhook.event",
}


def kind_of(model: type[BaseModel], name: str) -> str:
    """As the JSON Schema has it, with the default."""
    field = model.model_fields[name]
    known = model.model_json_schema()["properties"][field.alias or name]
    shown = _words(known)
    if field.is_required():
        return f"{shown}, required"
    default = known.get("default")
    if default in (None, [], {}) or isinstance(default, dict | list):
        return shown
    return f"{shown}, else `{json.dumps(default, ensure_ascii=False)}`"


def _words(known: dict[str, Any]) -> str:
    match known:
        case {"enum": list(values)}:
            return " or ".join(f'`"{value}"`' for value in values)
        case {"const": value}:
            return f"`{json.dumps(value)}`"
        case {"anyOf": list(kinds)} | {"oneOf": list(kinds)}:
            named = [_words(one) for one in kinds if one.get("type") != "null"]
            return " or ".join(dict.fromkeys(named))
        case {"type": "array", **rest}:
            inner = rest.get("items") or {}
            return f"list of {_words(inner)}" if inner else "list"
        case {"type": "object"} | {"$ref": _}:
            return "table"
        case {"type": "integer"}:
            return "number"
        case {"type": "boolean"}:
            return "true or false"
        case {"type": "string"}:
            return "text"
        case _:
            return "anything"
