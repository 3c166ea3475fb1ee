"""`example.json`: what a provider's manifest makes of one message, and of what comes back.

The example is looked at by `journey provider check`, and by a test for every built-in provider:
the request has to be the one that is written there, and each answer and webhook has to mean what
is written beside it. Secrets of an example are the names of their variables.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from journeylang.delivery.classify import answer, outcome
from journeylang.delivery.declared import Apple, Aws, Google, Vapid
from journeylang.delivery.feedback import Feed, NotTaken
from journeylang.delivery.manifest import Manifest, SettingValue, read_settings
from journeylang.delivery.mime import Email, address
from journeylang.delivery.outcome import Accepted, TryLater
from journeylang.delivery.paths import Reply
from journeylang.delivery.provider import Call, Note, Outgoing
from journeylang.delivery.requests import Made, Requests
from journeylang.delivery.scope import personal, scope_of
from journeylang.delivery.shaping import Shape
from journeylang.delivery.signing import Received

_NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
_ITS_OWN = frozenset({"host", "user-agent", "accept", "content-type", "content-length"})


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Message(_Table):
    """A message of a channel; e-mail has what stands last."""

    id: str = "0f343b0931126a20f133d67c2b018a3b"
    channel: str
    to: str
    text: str
    at: datetime = _NOW
    subject: str = ""
    html: str | None = None
    sender: str | None = Field(default=None, alias="from")
    reply_to: str | None = None
    unsubscribe: str | None = None


class CallOf(_Table):
    id: str = "0f343b0931126a20f133d67c2b018a3b"
    service: str
    action: str
    customer: str
    at: datetime = _NOW
    data: dict[str, JsonValue] = Field(default_factory=dict)


class Requested(_Table):
    """A request; a body as a form is a table of texts. Headers are those of the manifest alone."""

    method: str = "POST"
    url: str
    headers: dict[str, str] = Field(default_factory=dict)
    body: JsonValue


class Answered(_Table):
    """An answer and what it means; what is not written is not looked at."""

    status: int
    headers: dict[str, str] = Field(default_factory=dict)
    body: JsonValue = None
    outcome: str
    provider_id: str | None = None
    after: int | None = None
    cost: str | None = None


class Told(_Table):
    """A webhook, its signature aside, and the events in it."""

    headers: dict[str, str] = Field(default_factory=dict)
    body: JsonValue
    events: tuple[dict[str, str], ...]


class Example(_Table):
    settings: dict[str, SettingValue] = Field(default_factory=dict)
    message: Message | None = None
    call: CallOf | None = None
    request: Requested | None = None
    batch: Requested | None = None
    written: str | None = None
    row: dict[str, JsonValue] | None = None
    answers: tuple[Answered, ...] = ()
    webhooks: tuple[Told, ...] = ()


def outgoing(example: Example) -> list[Outgoing]:
    """The example's message, and its call.

    Raises:
        ValueError: the message is an e-mail to no address.
    """
    made: list[Outgoing] = []
    one, call = example.message, example.call
    if one is not None and one.channel == "email":
        to = address(one.to)
        sender = address(one.sender or "Acme <hello@acme.example>")
        reply = address(one.reply_to) if one.reply_to is not None else None
        if to is None or sender is None:
            raise ValueError("the message has no address")
        made.append(
            Email(
                id=one.id,
                sender=sender,
                to=to,
                subject=one.subject,
                text=one.text,
                html=one.html,
                date=one.at,
                reply_to=reply,
                unsubscribe=one.unsubscribe,
            )
        )
    elif one is not None:
        made.append(
            Note(
                id=one.id,
                channel=one.channel,
                to=one.to,
                text=one.text,
                at=one.at,
                subject=one.subject,
                html=one.html,
            )
        )
    if call is not None:
        made.append(
            Call(
                id=call.id,
                service=call.service,
                action=call.action,
                customer=call.customer,
                at=call.at,
                data=call.data,
            )
        )
    return made


def settings_of(manifest: Manifest, example: Example) -> dict[str, SettingValue]:
    """Raises SettingError."""
    named = {
        value.removeprefix("env:"): value.removeprefix("env:")
        for value in example.settings.values()
        if isinstance(value, str) and value.startswith("env:")
    }
    return read_settings(manifest, example.settings, named)


def requests_of(manifest: Manifest, example: Example) -> Requests:
    """Makes the example's requests, without what depends on the clock or on another server.

    Raises:
        SettingError: they cannot be made.
    """
    auth = manifest.request.auth if manifest.request is not None else None
    signs = not isinstance(auth, Aws | Apple | Google | Vapid)
    return Requests(manifest, settings_of(manifest, example), signs=signs)


def shown(made: Made, encoding: str) -> dict[str, Any]:
    """A request as an example has it."""
    request = made.request
    return {
        "method": request.method,
        "url": str(request.url),
        "headers": {
            name.decode(): value.decode()
            for name, value in request.headers.raw
            if name.decode().lower() not in _ITS_OWN
        },
        "body": _body(request, encoding),
    }


def _body(request: httpx.Request, encoding: str) -> Any:
    match encoding:
        case "json":
            return json.loads(request.content)
        case "webpush":
            return None  # encrypted, and otherwise each time
        case "form":
            fields = parse_qsl(request.content.decode(), keep_blank_values=True)
        case _:
            fields = []
            boundary = request.headers["Content-Type"].partition("boundary=")[2]
            for part in request.content.decode().split(f"--{boundary}")[1:-1]:
                head, _, value = part.strip("\r\n").partition("\r\n\r\n")
                fields.append((head.partition('name="')[2].partition('"')[0], value))
    table: dict[str, Any] = {}
    for name, one in fields:
        known = table.get(name)
        before = known if isinstance(known, list) else [known]
        table[name] = one if known is None else [*before, one]
    return table


def differences(manifest: Manifest, example: Example) -> Iterator[str]:
    """What a manifest does otherwise than its example says, a line each.

    Raises:
        SettingError, ShapeFailedError: the request cannot be made at all.
    """
    if manifest.kind == "http":
        yield from _requests(manifest, example)
    if manifest.set is not None and example.row is not None:
        given = dict.fromkeys(manifest.settings) | settings_of(manifest, example)
        scope = {"settings": given, **scope_of(outgoing(example)[0])}
        row = Shape(dict(manifest.set.columns), path="set.columns").render(scope)
        yield from _compared("row", example.row, row)
    for number, one in enumerate(example.answers):
        yield from _answer(manifest, example, one, f"answers.{number}")
    if example.webhooks:
        feed = Feed(manifest, settings_of(manifest, example))
        for number, told in enumerate(example.webhooks):
            yield from _webhook(feed, told, f"webhooks.{number}")


def _requests(manifest: Manifest, example: Example) -> Iterator[str]:
    assert manifest.request is not None, "of the kind `http`"
    requests = requests_of(manifest, example)
    encoding = manifest.request.encoding
    ones = outgoing(example)
    if example.request is not None and ones:
        got = shown(requests.one(ones[0]), encoding)
        yield from _compared("request", example.request.model_dump(), got)
    if example.batch is not None and manifest.batch is not None and ones:
        many = requests.many([(one, requests.item(one)) for one in ones[:1]])
        yield from _compared("batch", example.batch.model_dump(), shown(many, encoding))


def _answer(manifest: Manifest, example: Example, one: Answered, where: str) -> Iterator[str]:
    body = one.body
    headers = {name.lower(): value for name, value in one.headers.items()}
    reply = Reply(status=one.status, headers=headers, body=body)
    means = outcome(reply, manifest.response.rules, keyed=manifest.keyed)
    yield from _same(f"{where}.outcome", one.outcome, means)
    first = next(iter(outgoing(example)), None)
    read = answer(
        reply,
        means,
        manifest.response,
        manifest.cost,
        now=_NOW,
        fallback_id="",
        personal=lambda: () if first is None else personal(first),
    )
    match read:
        case Accepted():
            if one.provider_id is not None:
                yield from _same(f"{where}.provider_id", one.provider_id, read.provider_id)
            if one.cost is not None:
                paid = None if read.cost is None else f"{read.cost.amount} {read.cost.currency}"
                yield from _same(f"{where}.cost", one.cost, paid)
        case TryLater() if one.after is not None:
            yield from _same(f"{where}.after", one.after, read.after)
        case _:
            pass


def _webhook(feed: Feed, told: Told, where: str) -> Iterator[str]:
    if feed.webhook.encoding == "form":
        assert isinstance(told.body, dict)
        raw = urlencode({k: str(v) for k, v in told.body.items()}).encode()
    else:
        raw = json.dumps(told.body).encode()
    received = Received(
        url="https://journeys.acme.example/hooks/x",
        headers={name.lower(): value for name, value in told.headers.items()},
        body=raw,
    )
    events = feed.events(received, datetime(2100, 1, 1))  # noqa: DTZ001 - naive UTC
    if isinstance(events, NotTaken):
        yield f"`{where}`: {events.why}"
        return
    got = [
        {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name in ("name", "id", "at", "message", "provider_id", "detail", "address")
            if (value := getattr(event, name)) is not None
            and (name != "at" or feed.webhook.event.at is not None)
        }
        for event in events
    ]
    yield from _compared(f"{where}.events", [dict(one) for one in told.events], got)


def _compared(where: str, wanted: Any, got: Any) -> Iterator[str]:
    """Every place where two structures differ."""
    match wanted, got:
        case dict(), dict():
            for name in dict.fromkeys((*wanted, *got)):
                inner = f"{where}.{name}"
                if name not in got:
                    yield f"`{inner}` is missing"
                elif name not in wanted:
                    yield f"`{inner}` is too much"
                else:
                    yield from _compared(inner, wanted[name], got[name])
        case list(), list() if len(wanted) == len(got):
            for number, (one, other) in enumerate(zip(wanted, got, strict=True)):
                yield from _compared(f"{where}.{number}", one, other)
        case _:
            yield from _same(where, wanted, got)


def _same(where: str, wanted: object, got: object) -> Iterator[str]:
    if type(wanted) is not type(got) or wanted != got:
        yield f"`{where}` is {_brief(got)}, not {_brief(wanted)}"


def _brief(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 120 else f"{text[:117]}…"


def read_example(text: str) -> Example:
    """Raises ValueError: it is no JSON, or no example."""
    return Example.model_validate(json.loads(text))
