"""Providers of the kind `http`: each message, or each batch, is a request.

How far a request got decides: without a connection it was certainly not taken; an answer says by
the manifest's rules what became of it; and where the answer was lost, nobody knows. A provider
that asks for patience gets it: up to ten seconds the sender waits itself, and longer the
messages wait in the outbox. What goes wrong for all is asked of nobody else.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections import deque
from collections.abc import Coroutine, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import Any, TypeVar

import httpx

from journeylang.classes import dataclass
from journeylang.delivery.authorisation import NotAuthorisedError
from journeylang.delivery.breaker import FAILURES, Breaker
from journeylang.delivery.classify import Meanings, answer, by_status
from journeylang.delivery.http2 import Http2Transport
from journeylang.delivery.manifest import Manifest, SettingValue, per_second
from journeylang.delivery.network import resolve
from journeylang.delivery.outcome import Accepted, Answer, Refused, TryLater, Unknown
from journeylang.delivery.pace import Pace
from journeylang.delivery.paths import Reply, first
from journeylang.delivery.provider import Outgoing, Preparer
from journeylang.delivery.requests import Bodies, Made, Requests
from journeylang.delivery.scope import personal
from journeylang.delivery.shaping import ShapeFailedError
from journeylang.delivery.transport import PinnedTransport
from journeylang.delivery.webpush import ManyHosts, NoRecipientError

PATIENCE = 10
"""Seconds that a sender waits itself when it is asked to."""

_TRIES = 3

T = TypeVar("T")


@dataclass(slots=True)
class _Group:
    """What goes with one request."""

    messages: list[Outgoing]
    made: Made
    tries: int = 0


class HttpProvider:
    """Sends as a manifest says. `settings` are complete (`read_settings`)."""

    def __init__(self, manifest: Manifest, settings: Mapping[str, SettingValue]) -> None:
        """Raises SettingError."""
        self.manifest = manifest
        self.name = manifest.name
        self.keyed = bool(settings.get("keyed", manifest.keyed))
        hours = manifest.key_hours
        self.key_life = None if hours is None else timedelta(hours=hours)
        self.in_flight = manifest.in_flight
        self._meanings = Meanings(manifest.response.rules, keyed=self.keyed)
        self.requests = Requests(manifest, settings)
        self.breaker = Breaker()
        self._settings = settings
        self._connections = int(settings["connections"])
        self._timeout = float(settings["timeout"])
        self._ca = str(settings["ca"]) if "ca" in settings else None
        self.rate = per_second(str(settings.get("rate", "")))
        self.pace = Pace(self.rate, burst=manifest.limits.burst)
        self._runner: asyncio.Runner | None = None
        self._transport: PinnedTransport | Http2Transport | ManyHosts | None = None

    # -- Provider

    def open(self) -> Refused | TryLater | None:
        """See `Provider`: resolves the name."""
        rest = self.breaker.left()
        if rest:
            return TryLater(
                detail="the provider is left alone for a while",
                after=int(rest) + 1,
                of_channel=True,
            )
        if self._transport is not None:
            return None
        host = self.requests.host
        if host is None:
            self._transport = ManyHosts(
                private=bool(self._settings.get("private")), timeout=self._timeout, ca=self._ca
            )
            return None
        addresses = resolve(host)
        if not isinstance(addresses, tuple):
            return addresses
        if self.requests.declared.version == "2":
            self._transport = Http2Transport(
                addresses=addresses, server_name=host.name, timeout=self._timeout, ca=self._ca
            )
        else:
            self._transport = PinnedTransport(
                addresses=addresses,
                port=host.port,
                server_name=host.name if host.secure else None,
                timeout=self._timeout,
                ca=self._ca,
            )
        return None

    def preparer(self) -> Preparer | None:
        """See `Provider`. What goes to a host of its own is made in its turn."""
        if self.requests.host is None:
            return None
        return Bodies(self.manifest, self._settings)

    def send(self, messages: Sequence[Outgoing], answers: dict[str, Answer]) -> None:
        """See `Provider`."""
        self._run(self._send_all(messages, answers))

    def close(self) -> None:
        """See `Provider`. The name is resolved anew by the next `open`."""
        if self._runner is not None:
            try:
                if self._transport is not None:
                    self._runner.run(self._transport.aclose())
            finally:
                self._runner.close()
                self._runner = None
        self._transport = None

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        # One loop for the provider's life: connections belong to the loop that made them.
        if self._runner is None:
            self._runner = asyncio.Runner()
        return self._runner.run(work)

    # -- sending

    async def _send_all(self, messages: Sequence[Outgoing], answers: dict[str, Answer]) -> None:
        # Connections that the other side has ended meanwhile are told as such in these turns.
        for _ in range(3):
            await asyncio.sleep(0)
        queue: deque[Outgoing] = deque(messages)
        again: deque[_Group] = deque()
        work = _Work(provider=self, queue=queue, again=again, answers=answers)
        if self.breaker.half_open:
            await work.step()
            if self.breaker.half_open:
                work.stop(TryLater(detail="the provider does not answer", of_channel=True))
        number = min(self._connections, max(len(queue), 1))
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(number):
                    group.create_task(work.run())
        except BaseException:
            # What was not begun is known not to be sent.
            work.stop(TryLater(detail="interrupted"))
            raise

    async def exchange(self, made: Made) -> Reply | TryLater | Refused | Unknown:
        """Ask, and say how far it got if there is no answer."""
        assert self._transport is not None, "opened"
        try:
            if isinstance(self._transport, PinnedTransport):
                status, headers, content = await self._transport.exchange(
                    made.method, made.url.raw_path, made.headers, made.content
                )
                return _reply(status, headers, content)
            response = await self._transport.handle_async_request(made.request)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            if isinstance(error.__cause__, ssl.SSLCertVerificationError):
                return Refused(
                    kind="config",
                    detail=f"the certificate is not trusted: {error.__cause__.verify_message}",
                )
            return TryLater(detail=f"no connection: {error}", of_channel=True)
        except httpx.TransportError as error:
            return Unknown(detail=f"the answer was lost: {error}")
        return _reply(response.status_code, response.headers.raw, response.content)

    def read(self, made: Made, reply: Reply, messages: Sequence[Outgoing]) -> list[Answer]:
        """What an answer says of each message of its request, in order."""
        batch = self.manifest.batch
        now = datetime.now(UTC)
        if batch is None:
            return [self._answer(reply, messages[0], now)]
        each = first(reply, (batch.answers,))
        if not isinstance(each, list) or by_status(reply.status, keyed=False) != "accepted":
            # Of all of them together; but that they were taken must be said one by one.
            whole = [self._answer(reply, one, now) for one in messages]
            if not any(isinstance(one, Accepted) for one in whole):
                return whole
            each = []
        parts = [Reply(status=reply.status, headers=reply.headers, body=part) for part in each]
        known = [self._answer(part, one, now) for part, one in zip(parts, messages, strict=False)]
        missing = Unknown(detail=f"HTTP {reply.status}: nothing was said of this message")
        return known + [missing] * (len(messages) - len(known))

    def _answer(self, reply: Reply, message: Outgoing, now: datetime) -> Answer:
        return answer(
            reply,
            self._meanings.of(reply),
            self.manifest.response,
            self.manifest.cost,
            now=now,
            fallback_id=message.id,
            personal=partial(personal, message),
        )


@dataclass(slots=True, kw_only=True)
class _Work:
    """One `send`: what is still to go, shared by its connections."""

    provider: HttpProvider
    queue: deque[Outgoing]
    again: deque[_Group]
    answers: dict[str, Answer]
    not_before: float = 0.0
    stopped: TryLater | None = None

    async def run(self) -> None:
        while self.queue or self.again:
            await self.step()

    async def step(self) -> None:
        """One request."""
        try:
            group = self.again.popleft() if self.again else self._next()
        except NotAuthorisedError as error:
            self.stop(error.answer)
            return
        if group is None:
            return
        provider = self.provider
        loop = asyncio.get_running_loop()
        try:
            # The instant may move on while this one sleeps.
            while (rest := self.not_before - loop.time()) > 0:  # noqa: ASYNC110
                await asyncio.sleep(rest)
            if provider.pace.limited:
                await provider.pace.turn(len(group.messages))
        except asyncio.CancelledError:
            self.again.append(group)
            raise
        if self.stopped is not None:
            self.answers |= {one.id: self.stopped for one in group.messages}
            return
        group.tries += 1
        reply = await provider.exchange(group.made)
        if not isinstance(reply, Reply):
            provider.breaker.bad()
            self.answers |= {one.id: reply for one in group.messages}
            if not isinstance(reply, Unknown) and reply.of_channel:
                self.stop(reply)
            elif provider.breaker.half_open:
                self.stop(TryLater(detail="the provider does not answer", of_channel=True))
            return
        self._answered(group, reply, loop.time())

    def _answered(self, group: _Group, reply: Reply, now: float) -> None:
        provider = self.provider
        read = provider.read(group.made, reply, group.messages)
        if reply.status < 500 and all(type(one) is Accepted for one in read):
            provider.breaker.good()
            self.answers |= {one.id: said for one, said in zip(group.messages, read, strict=True)}
            return
        asked = next((one for one in read if isinstance(one, TryLater) and one.of_channel), None)
        whole = asked is not None and all(one == read[0] for one in read)
        if asked is not None and whole and group.tries < _TRIES:
            wait = asked.after if asked.after is not None else group.tries
            if wait <= PATIENCE:
                self.not_before = max(self.not_before, now + wait)
                self.again.append(group)
                return
        if reply.status >= 500:
            provider.breaker.bad()
        else:
            provider.breaker.good()
        self.answers |= {one.id: said for one, said in zip(group.messages, read, strict=True)}
        if asked is not None and asked.after:
            provider.breaker.rest(asked.after)
        stopping = next(
            (one for one in read if isinstance(one, TryLater | Refused) and one.of_channel), None
        )
        if stopping is not None:
            self.stop(stopping)
        elif provider.breaker.half_open:
            # Where keys are not honoured, each that goes on would be one more in doubt.
            detail = f"HTTP {reply.status}, {FAILURES} times in a row"
            self.stop(TryLater(detail=detail, of_channel=True))

    def _next(self) -> _Group | None:
        """The next request; messages that cannot be written are answered on the way."""
        requests = self.provider.requests
        batch = self.provider.manifest.batch
        if batch is None:
            while self.queue:
                one = self.queue.popleft()
                try:
                    return _Group([one], requests.one(one))
                except ShapeFailedError as error:
                    self.answers[one.id] = _unwritable(error)
                except NotAuthorisedError as error:
                    self.answers[one.id] = error.answer
                    raise
            return None
        items: list[tuple[Outgoing, Any]] = []
        while self.queue and len(items) < batch.size:
            one = self.queue.popleft()
            try:
                items.append((one, requests.item(one)))
            except ShapeFailedError as error:
                self.answers[one.id] = _unwritable(error)
        if not items:
            return None
        try:
            return _Group([one for one, _ in items], requests.many(items))
        except ShapeFailedError as error:
            self.answers |= {one.id: _unwritable(error) for one, _ in items}
            return self._next()
        except NotAuthorisedError as error:
            self.answers |= {one.id: error.answer for one, _ in items}
            raise

    def stop(self, why: TryLater | Refused) -> None:
        """Nobody else is asked."""
        later = TryLater(
            detail=why.detail,
            after=why.after if isinstance(why, TryLater) else None,
            of_channel=True,
        )
        self.stopped = later
        self.answers |= {one.id: later for one in self.queue}
        self.answers |= {one.id: later for group in self.again for one in group.messages}
        self.queue.clear()
        self.again.clear()


def _unwritable(error: ShapeFailedError) -> Refused:
    if isinstance(error, NoRecipientError):
        return Refused(kind="invalid_recipient", detail=f"the message {error}")
    return Refused(kind="rejected", detail=f"the request {error}")


def _reply(status: int, raw: Sequence[tuple[bytes, bytes]], content: bytes) -> Reply:
    headers: dict[str, str] = {}
    for name, value in raw:
        known = _name(name)
        text = value.decode("utf-8", "replace")
        # A header that is there twice is one with both values (RFC 9110).
        headers[known] = f"{headers[known]}, {text}" if known in headers else text
    body: Any = None
    if content:
        try:
            body = (
                _JSON(content.decode("utf-8", "surrogatepass"))
                if _PLAIN_JSON(content)
                else json.loads(content)
            )
        except (ValueError, RecursionError):
            body = content[:4096].decode("utf-8", "replace")
    return Reply(status=status, headers=headers, body=body)


_JSON = json.JSONDecoder().decode

# Whatever else it may be encoded in begins otherwise.
_PLAIN_JSON = re.compile(rb"[\[{][^\x00]").match


@lru_cache(maxsize=256)
def _name(header: bytes) -> str:
    return header.decode("latin-1").lower()
