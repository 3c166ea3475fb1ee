"""Requests as a manifest describes them: compiled once, made for one message or for a batch."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx

from journeylang import __version__
from journeylang.delivery.declared import Auth, Basic, Bearer, ByHeader, Request, Signed
from journeylang.delivery.manifest import Manifest, SettingError, SettingValue
from journeylang.delivery.network import Host, host
from journeylang.delivery.provider import Outgoing
from journeylang.delivery.scope import scope_of
from journeylang.delivery.shaping import Shape, ShapeError, ShapeFailedError
from journeylang.delivery.signing import standard_key, standard_signature

_HEADER = re.compile(r"[^\r\n\x00]*")
_USER_AGENT = f"journeylang/{__version__}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A request, and what it says of whom: `ids` of its messages, in the order of its items."""

    ids: tuple[str, ...]
    request: httpx.Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Shapes:
    """All texts of a manifest's request, compiled."""

    base: Shape
    auth: Shape
    path: Shape
    headers: Shape
    body: Shape
    batch_path: Shape | None
    batch_headers: Shape | None
    batch_body: Shape | None


def compile_request(manifest: Manifest) -> Shapes:
    """Raises ShapeError."""
    request, batch = manifest.request, manifest.batch
    assert request is not None, "a manifest of the kind `http`"
    return Shapes(
        base=Shape(request.base, path="request.base"),
        auth=Shape(_auth_texts(request.auth), path="request.auth"),
        path=Shape(request.path, path="request.path"),
        headers=Shape(dict(request.headers), path="request.headers"),
        body=Shape(request.body, path="request.body"),
        batch_path=None if batch is None else Shape(batch.path or request.path, path="batch.path"),
        batch_headers=None
        if batch is None
        else Shape({**request.headers, **batch.headers}, path="batch.headers"),
        batch_body=None if batch is None else Shape(batch.body, path="batch.body"),
    )


def _auth_texts(auth: Auth | None) -> dict[str, str]:
    return {} if auth is None else {k: str(v) for k, v in auth.model_dump().items() if k != "kind"}


class Requests:
    """Makes the requests of one channel."""

    def __init__(self, manifest: Manifest, settings: Mapping[str, SettingValue]) -> None:
        """Raises SettingError."""
        assert manifest.request is not None, "a manifest of the kind `http`"
        self.manifest = manifest
        self.declared: Request = manifest.request
        # A setting without a value is none, so that a text may ask for it.
        self.settings: dict[str, object] = dict.fromkeys(manifest.settings) | dict(settings)
        scope: dict[str, object] = {"settings": self.settings}
        try:
            self.shapes = compile_request(manifest)
            base = settings.get("base_url") or self.shapes.base.render(scope)
            self._auth = self.shapes.auth.render(scope) or {}
        except (ShapeError, ShapeFailedError) as error:
            raise SettingError(f"provider `{manifest.name}`: {error}") from None
        by_url = "url" in manifest.settings and not settings.get("base_url")
        self.host: Host = host(
            str(base or ""),
            private=bool(settings.get("private")),
            setting="url" if by_url else "base_url",
        )
        self._key = (
            standard_key(str(self._auth["secret"]))
            if isinstance(self.declared.auth, Signed) and self._auth.get("secret")
            else None
        )

    def one(self, outgoing: Outgoing) -> Made:
        """The request for one message.

        Raises:
            ShapeFailedError: a value is missing or unfit.
        """
        scope = {"settings": self.settings, **scope_of(outgoing)}
        shapes = self.shapes
        return self._made(
            (outgoing.id,),
            path=shapes.path.render(scope),
            headers=shapes.headers.render(scope),
            body=shapes.body.render(scope),
            timestamp=_instant(scope),
        )

    def item(self, outgoing: Outgoing) -> Any:
        """What stands for one message in a batch."""
        return self.shapes.body.render({"settings": self.settings, **scope_of(outgoing)})

    def many(self, items: Sequence[tuple[Outgoing, Any]]) -> Made:
        """The request for a batch of items."""
        shapes = self.shapes
        assert shapes.batch_path is not None
        assert shapes.batch_headers is not None
        assert shapes.batch_body is not None
        ids = tuple(one.id for one, _ in items)
        first = scope_of(items[0][0])
        scope: dict[str, object] = {
            "settings": self.settings,
            "items": [item for _, item in items],
            "batch": {
                "id": hashlib.sha256("\0".join(ids).encode()).hexdigest()[:32],
                "size": len(ids),
            },
        }
        return self._made(
            ids,
            path=shapes.batch_path.render(scope),
            headers=shapes.batch_headers.render(scope),
            body=shapes.batch_body.render(scope),
            timestamp=_instant(first),
        )

    def _made(
        self, ids: tuple[str, ...], *, path: Any, headers: Any, body: Any, timestamp: int
    ) -> Made:
        target = f"{self.host.path}{path or ''}" or "/"
        if not target.isascii() or not target.isprintable() or " " in target:
            raise ShapeFailedError("`request.path` is no path: `| urlencode` makes a value fit")
        content, kind = self._encoded(body)
        if len(content) > self.manifest.limits.body_bytes:
            raise ShapeFailedError("is larger than the provider takes")
        sent = [
            ("Host", self.host.authority),
            ("User-Agent", _USER_AGENT),
            ("Accept", "application/json"),
            ("Content-Type", kind),
            ("Content-Length", str(len(content))),
            *self._authorised(ids[0], timestamp, content),
            *((headers or {}).items()),
        ]
        for name, value in sent:
            if not _HEADER.fullmatch(str(value)):
                raise ShapeFailedError(f"`request.headers.{name}` has a line break")
        request = httpx.Request(
            self.declared.method,
            f"{self.host.origin}{target}",
            headers=[(name.encode(), str(value).encode()) for name, value in sent],
            content=content,
        )
        return Made(ids=ids, request=request)

    def _encoded(self, body: Any) -> tuple[bytes, str]:
        match self.declared.encoding:
            case "json":
                text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
                return text.encode("utf-8", "replace"), "application/json"
            case "form":
                fields = _fields(body)
                return (
                    urlencode(fields, encoding="utf-8", errors="replace").encode(),
                    "application/x-www-form-urlencoded",
                )
            case "multipart":
                boundary = hashlib.sha256(repr(body).encode("utf-8", "replace")).hexdigest()[:32]
                return (
                    _multipart(_fields(body), boundary),
                    f"multipart/form-data; boundary={boundary}",
                )

    def _authorised(self, id_: str, timestamp: int, content: bytes) -> list[tuple[str, str]]:
        auth, texts = self.declared.auth, self._auth
        match auth:
            case None:
                return []
            case Basic():
                import base64

                pair = f"{texts.get('user', '')}:{texts.get('password', '')}".encode()
                return [("Authorization", f"Basic {base64.b64encode(pair).decode()}")]
            case Bearer():
                return [("Authorization", f"Bearer {texts.get('token', '')}")]
            case ByHeader():
                return [(str(texts["name"]), str(texts.get("value", "")))]
            case Signed():
                signed = [("webhook-id", id_), ("webhook-timestamp", str(timestamp))]
                if self._key is not None:
                    value = standard_signature(self._key, id_, timestamp, content)
                    signed.append(("webhook-signature", value))
                return signed


def _instant(scope: Mapping[str, object]) -> int:
    one = scope.get("message") or scope.get("call")
    assert isinstance(one, dict)
    return int(one["timestamp"])


def _fields(body: Any) -> list[tuple[str, str]]:
    """A table as the fields of a form; a list is the same field several times."""
    fields: list[tuple[str, str]] = []
    for name, value in (body or {}).items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict | list):
                raise ShapeFailedError(f"`request.body.{name}` is a structure within a form")
            text = str(one).lower() if isinstance(one, bool) else str(one)
            fields.append((name, text))
    return fields


def _multipart(fields: Sequence[tuple[str, str]], boundary: str) -> bytes:
    parts = []
    for name, value in fields:
        shown = name.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "").replace("\n", "")
        parts.append(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{shown}"\r\n\r\n{value}\r\n'
        )
    parts.append(f"--{boundary}--\r\n")
    return "".join(parts).encode("utf-8", "replace")
