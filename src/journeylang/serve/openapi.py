"""The OpenAPI document of what strangers' programs may call."""

from __future__ import annotations

from typing import Any

from journeylang import __version__
from journeylang.analysis.sources import message_fields
from journeylang.model.types import Kind, Type
from journeylang.serve.intake import LONGEST, MOST, OUTCOMES, TOLD, Intake, Shape

_PLAIN: dict[Kind, dict[str, Any]] = {
    Kind.TEXT: {"type": "string", "maxLength": LONGEST},
    Kind.INT: {"type": "integer"},
    Kind.NUMBER: {"type": "number"},
    Kind.BOOL: {"type": "boolean"},
    Kind.DATE: {"type": "string", "format": "date"},
    Kind.TIME: {"type": "string", "format": "time"},
    Kind.INSTANT: {"type": "string", "format": "date-time"},
}


def document(name: str, intake: Intake) -> dict[str, Any]:
    """Version 3.1; the events are those of the binding."""
    schemas = {shape.event: _event(shape) for shape in intake.shapes.values()}
    schemas |= {event: _told(event) for event in TOLD}
    one = {"oneOf": [{"$ref": f"#/components/schemas/{event}"} for event in schemas]}
    many = {"type": "array", "items": one, "minItems": 1, "maxItems": MOST}
    posted = {"oneOf": [one, many, _object({"events": many}, ["events"])]}
    return {
        "openapi": "3.1.0",
        "info": {"title": f"{name}: journeys", "version": __version__},
        "paths": {
            "/events": {
                "post": {
                    "summary": "Take in what has happened",
                    "description": "Kept when it is answered with 202. The same `key` again is the"
                    " same event: post again whatever was not answered.",
                    "security": [{"token": []}],
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": posted}},
                    },
                    "responses": {
                        "202": _answer("Kept; what was refused is listed", "Accepted"),
                        "400": _answer("No JSON", "Error"),
                        "401": _answer("No token, or none that is known", "Error"),
                        "413": _answer("More than 1 MiB", "Error"),
                        "422": _answer("None of it is an event that is known", "Accepted"),
                        "429": {"description": "Too many requests a second"},
                        "503": _answer("It cannot be kept for now", "Error"),
                    },
                }
            },
            "/health": {"get": _get("Whether all is well", "application/json")},
            "/metrics": {"get": _get("Figures for Prometheus", "text/plain")},
        },
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                **schemas,
                "Error": _object({"error": {"type": "string"}}, ["error"]),
                "Accepted": _object(
                    {
                        "accepted": {"type": "integer"},
                        "refused": {
                            "type": "array",
                            "items": _object(
                                {"index": {"type": "integer"}, "error": {"type": "string"}},
                                ["index", "error"],
                            ),
                        },
                    },
                    ["accepted", "refused"],
                ),
            },
        },
    }


def _event(shape: Shape) -> dict[str, Any]:
    fields = {field.name: _type(field.type) for field in shape.fields}
    required = [field.name for field in shape.fields if field.required]
    return _object(
        {
            "event": {"const": shape.event},
            "key": _key("what makes two events the same one"),
            "customer": _key("the customer's key"),
            "at": _at(),
            "data": _object(fields, required),
        },
        ["event", "key", "customer", *(["data"] if required else [])],
    )


def _told(event: str) -> dict[str, Any]:
    fields = {name: _type(type_) for name, type_ in message_fields(event).items() if type_}
    required = [
        name for name, type_ in message_fields(event).items() if type_ and not type_.optional
    ]
    if event == "called":
        fields["outcome"] = {"enum": list(OUTCOMES)}
    return _object(
        {
            "event": {"const": event},
            "key": _key("what makes two events the same one"),
            "message": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
            "at": _at(),
            "data": _object(fields, required),
        },
        ["event", "key", "message", *(["data"] if required else [])],
    )


def _type(type_: Type) -> dict[str, Any]:
    if type_.kind is Kind.MONEY:
        amount = {"type": ["number", "string"]}
        with_currency = _object(
            {"amount": amount, "currency": {"const": type_.currency}}, ["amount", "currency"]
        )
        return {"oneOf": [amount, with_currency]}
    return _PLAIN.get(type_.kind, {})


def _key(words: str) -> dict[str, Any]:
    return {"type": ["string", "integer"], "maxLength": 255, "description": words}


def _at() -> dict[str, Any]:
    return {"type": "string", "format": "date-time", "description": "now, if it is left out"}


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _answer(words: str, schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": words, "content": content}


def _get(words: str, kind: str) -> dict[str, Any]:
    return {"summary": words, "responses": {"200": {"description": words, "content": {kind: {}}}}}
