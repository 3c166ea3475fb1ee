"""Requests as a manifest describes them: compiled once, made for one message or for a batch."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlencode

import httpx

from journeylang import __version__
from journeylang.classes import dataclass
from journeylang.delivery.authorisation import Unsigned, authorisation, is_fixed
from journeylang.delivery.declared import Auth, Request
from journeylang.delivery.json_text import Written
from journeylang.delivery.manifest import Manifest, SettingError, SettingValue
from journeylang.delivery.mime import Email
from journeylang.delivery.network import Host, host
from journeylang.delivery.provider import Finished, Note, Outgoing
from journeylang.delivery.scope import scope_of
from journeylang.delivery.shaping import Shape, ShapeError, ShapeFailedError
from journeylang.delivery.webpush import encrypted, subscription

_UNFIT = re.compile(rb"[\r\n\x00]")
_MOST_URLS = 1024
_LENGTH = 4
"""The place of the length among the headers."""

_USER_AGENT = f"journeylang/{__version__}"


Head = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A request, and what it says of whom: `ids` of its messages, in the order of its items.

    `headers` are complete.
    """

    ids: tuple[str, ...]
    method: str
    url: httpx.URL
    headers: list[tuple[bytes, bytes]]
    content: bytes

    @property
    def request(self) -> httpx.Request:
        """For who wants httpx's object."""
        return httpx.Request(self.method, self.url, headers=self.headers, content=self.content)


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


class Prepared(NamedTuple):
    """What a request of one message is made of; `timestamp` is the message's."""

    content: bytes
    kind: str
    path: Any
    headers: Mapping[str, Any]
    timestamp: int


class Item(NamedTuple):
    """What stands for a message in a batch: JSON; `timestamp` is the message's."""

    content: bytes
    timestamp: int


class Bodies:
    """Makes them in another process, from the manifest and the settings."""

    def __init__(self, manifest: Manifest, settings: Mapping[str, SettingValue]) -> None:
        self.manifest = manifest
        self.settings = dict(settings)
        self._requests: Requests | None = None

    def __reduce__(self) -> tuple[type[Bodies], tuple[Manifest, dict[str, SettingValue]]]:
        return Bodies, (self.manifest, self.settings)

    def __call__(self, one: Email | Note) -> Prepared | Item:
        if self._requests is None:
            self._requests = Requests(self.manifest, self.settings, signs=False)
        if self.manifest.batch is None:
            return self._requests.body(one)
        return self._requests.item(one)


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

    def __init__(
        self, manifest: Manifest, settings: Mapping[str, SettingValue], *, signs: bool = True
    ) -> None:
        """Without `signs` nobody is asked for a token, and no key is needed.

        Raises:
            SettingError: a text, the host or a key is none.
        """
        assert manifest.request is not None, "a manifest of the kind `http`"
        self.manifest = manifest
        self.declared: Request = manifest.request
        # A setting without a value is none, so that a text may ask for it.
        self.settings: dict[str, object] = dict.fromkeys(manifest.settings) | dict(settings)
        scope: dict[str, object] = {"settings": self.settings}
        try:
            self.shapes = compile_request(manifest)
            base = settings.get("base_url") or self.shapes.base.render(scope)
            texts = self.shapes.auth.render(scope) or {}
        except (ShapeError, ShapeFailedError) as error:
            raise SettingError(f"provider `{manifest.name}`: {error}") from None
        self._authorisation = authorisation(self.declared.auth if signs else None, texts)
        by_url = "url" in manifest.settings and not settings.get("base_url")
        batch = self.shapes.batch_body
        self._joins = (
            batch is not None and self.declared.encoding == "json" and batch.keeps("items")
        )
        self._urls: dict[str, httpx.URL] = {}
        # Of requests whose heads are the same but for the length: what stands before and behind it.
        self._heads: dict[tuple[object, ...], tuple[httpx.URL, Head, Head]] = {}
        self._fixed = is_fixed(self._authorisation)
        self._private = bool(settings.get("private"))
        self._allowed = str(settings.get("hosts", "")).split()
        # Of notifications to browsers each goes to a host of its own.
        self.host: Host | None = None
        if self.declared.encoding != "webpush":
            self.host = host(
                str(base or ""),
                private=self._private,
                setting="url" if by_url else "base_url",
            )

    def body(self, outgoing: Outgoing) -> Prepared:
        """What is sent of one message alone.

        Raises:
            ShapeFailedError: a value is missing or unfit.
        """
        scope = {"settings": self.settings, **scope_of(outgoing)}
        shapes = self.shapes
        content, kind = self._encoded(shapes.body, scope)
        path, headers = shapes.path.render(scope), shapes.headers.render(scope) or {}
        return Prepared(content, kind, path, headers, _instant(scope))

    def one(self, outgoing: Outgoing) -> Made:
        """The request for one message.

        Raises:
            ShapeFailedError: a value is missing or unfit.
            NotAuthorisedError: nobody gives a token for it.
        """
        if self.host is not None:
            made = outgoing.content if isinstance(outgoing, Finished) else self.body(outgoing)
            assert isinstance(made, Prepared)
            return self._sent(
                (outgoing.id,),
                self.host,
                self._target(self.host, made.path),
                made.headers,
                made.content,
                made.kind,
                made.timestamp,
            )
        scope = {"settings": self.settings, **scope_of(outgoing)}
        shapes = self.shapes
        timestamp = _instant(scope)
        body = shapes.body.json(scope)
        to = subscription(_address(outgoing), self._allowed, private=self._private)
        content = encrypted(to, body)
        headers = {"Content-Encoding": "aes128gcm", **(shapes.headers.render(scope) or {})}
        kind = "application/octet-stream"
        return self._sent((outgoing.id,), to.host, to.target, headers, content, kind, timestamp)

    def item(self, outgoing: Outgoing) -> Item:
        """What stands for one message in a batch."""
        if isinstance(outgoing, Finished):
            assert isinstance(outgoing.content, Item)
            return outgoing.content
        scope = {"settings": self.settings, **scope_of(outgoing)}
        return Item(self.shapes.body.json(scope), _instant(scope))

    def many(self, items: Sequence[tuple[Outgoing, Item]]) -> Made:
        """The request for a batch of items."""
        shapes = self.shapes
        assert shapes.batch_path is not None
        assert shapes.batch_headers is not None
        assert shapes.batch_body is not None
        ids = tuple(one.id for one, _ in items)
        scope: dict[str, object] = {
            "settings": self.settings,
            "items": self._listed([item.content for _, item in items]),
            "batch": {
                "id": hashlib.sha256("\0".join(ids).encode()).hexdigest()[:32],
                "size": len(ids),
            },
        }
        assert self.host is not None, "browsers are written to one by one"
        content, kind = self._encoded(shapes.batch_body, scope)
        target = self._target(self.host, shapes.batch_path.render(scope))
        headers = shapes.batch_headers.render(scope) or {}
        return self._sent(ids, self.host, target, headers, content, kind, items[0][1].timestamp)

    def _listed(self, items: Sequence[bytes]) -> Any:
        """The list of them; where it goes in as it is, it is written already."""
        joined = b"[" + b",".join(items) + b"]"
        return Written(joined) if self._joins else json.loads(joined)

    def _target(self, host: Host, path: Any) -> str:
        target = f"{host.path}{path or ''}" or "/"
        if not target.isascii() or not target.isprintable() or " " in target:
            raise ShapeFailedError("`request.path` is no path: `| urlencode` makes a value fit")
        return target

    def _sent(
        self,
        ids: tuple[str, ...],
        host: Host,
        target: str,
        headers: Mapping[str, Any],
        content: bytes,
        kind: str,
        timestamp: int,
    ) -> Made:
        if len(content) > self.manifest.limits.body_bytes:
            raise ShapeFailedError("is larger than the provider takes")
        length = "Content-Length", str(len(content))
        named = [f"{name}: {value}" for name, value in headers.items()]
        key = (host.name, host.port, target, kind, *named)
        known = self._heads.get(key)
        if known is not None:
            url, before, after = known
            return Made(
                ids=ids,
                method=self.declared.method,
                url=url,
                headers=[*before, _header(*length), *after],
                content=content,
            )
        sent = [
            ("Host", host.authority),
            ("User-Agent", _USER_AGENT),
            ("Accept", "application/json"),
            ("Content-Type", kind),
            length,
            *headers.items(),
        ]
        sent += self._authorisation.headers(
            Unsigned(
                id=ids[0],
                timestamp=timestamp,
                method=self.declared.method,
                origin=host.origin,
                target=target,
                headers=sent,
                content=content,
            )
        )
        headers_sent = [_header(name, str(value)) for name, value in sent]
        url = self._url(f"{host.origin}{target}")
        if self._fixed:
            if len(self._heads) >= _MOST_URLS:
                self._heads.clear()
            self._heads[key] = url, headers_sent[:_LENGTH], headers_sent[_LENGTH + 1 :]
        return Made(
            ids=ids,
            method=self.declared.method,
            url=url,
            headers=headers_sent,
            content=content,
        )

    def _url(self, text: str) -> httpx.URL:
        """Reading an address costs as much as all of its request."""
        known = self._urls.get(text)
        if known is None:
            if len(self._urls) >= _MOST_URLS:
                self._urls.clear()
            known = self._urls[text] = httpx.URL(text)
        return known

    def _encoded(self, shape: Shape, scope: Mapping[str, object]) -> tuple[bytes, str]:
        match self.declared.encoding:
            case "json" | "webpush":
                return shape.json(scope), "application/json"
            case "form":
                fields = _fields(shape.render(scope))
                return (
                    urlencode(fields, encoding="utf-8", errors="replace").encode(),
                    "application/x-www-form-urlencoded",
                )
            case "multipart":
                body = shape.render(scope)
                boundary = hashlib.sha256(repr(body).encode("utf-8", "replace")).hexdigest()[:32]
                return (
                    _multipart(_fields(body), boundary),
                    f"multipart/form-data; boundary={boundary}",
                )


@lru_cache(maxsize=1024)
def _header(name: str, value: str) -> tuple[bytes, bytes]:
    """Nearly all are the same each time. Raises ShapeFailedError."""
    encoded = value.encode()
    if _UNFIT.search(encoded):
        raise ShapeFailedError(f"`request.headers.{name}` has a line break")
    return name.encode(), encoded


def _address(outgoing: Outgoing) -> str:
    return outgoing.to if isinstance(outgoing, Note) else ""


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
