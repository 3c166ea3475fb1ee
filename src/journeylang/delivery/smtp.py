"""Provider `smtp`: e-mail to a mail server over a few connections that are kept open.

Of each message exactly one of four things is said, by how far it got:

- no connection, or lost before the server asked for the content: not sent, try later;
- the server answered 4xx: not taken, try later; 5xx: refused for ever;
- the connection was lost while the content or its final dot was under way: in doubt, for
  SMTP has no way to ask later;
- 250 after the final dot: accepted.

A log-in that is refused, a missing STARTTLS and an untrusted certificate stop the channel;
no message is lost by it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import ssl
from collections import deque
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Any, TypeVar

from aiosmtplib import SMTP, SMTPException, SMTPResponseException

from journeylang.delivery import smtp_answers
from journeylang.delivery.mime import Email, to_bytes
from journeylang.delivery.outcome import Accepted, Answer, Refused, TryLater, Unknown
from journeylang.delivery.pace import Pace
from journeylang.delivery.provider import Note, Outgoing, Preparer

_DOTS = re.compile(rb"(?m)^\.")
_LINE_ENDS = re.compile(rb"\r\n|\n|\r")
_START_INPUT = 354

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """How a mail server is reached. `per_second` 0: no limit; `timeout` in seconds."""

    host: str
    port: int = 587
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    starttls: str = "auto"
    ca: str | None = None
    hello: str | None = None
    return_path: str | None = None
    connections: int = 8
    per_second: float = 0.0
    timeout: float = 60.0

    @property
    def must_encrypt(self) -> bool:
        """A password never goes out readable, unless that is asked for."""
        if self.starttls == "auto":
            return self.password is not None and not _is_this_machine(self.host)
        return self.starttls == "required"


class _Stage(Enum):
    BEFORE_CONTENT = 1
    CONTENT = 2


class SmtpProvider:
    """Sends over at most `server.connections` connections."""

    keyed = False
    key_life: timedelta | None = None

    def __init__(self, server: Server, *, name: str = "smtp", in_flight: int = 200) -> None:
        self.server = server
        self.name = name
        self.in_flight = in_flight
        self._runner: asyncio.Runner | None = None
        self._idle: list[SMTP] = []
        self._live = 0  # connections that a worker holds
        self._tls: ssl.SSLContext | None = None
        self.rate = server.per_second
        self._pace = Pace(server.per_second)

    # -- Provider

    def open(self) -> Refused | TryLater | None:
        """See `Provider`: one connection is made, encrypted and logged in."""
        return self._run(self._open())

    def preparer(self) -> Preparer:
        """See `Provider`."""
        return on_the_wire

    def send(self, messages: Sequence[Outgoing], answers: dict[str, Answer]) -> None:
        """See `Provider`."""
        mails = [m for m in messages if isinstance(m, Email)]
        assert len(mails) == len(messages), "SMTP carries e-mail"
        self._run(self._send_all(mails, answers))

    def close(self) -> None:
        """See `Provider`."""
        if self._runner is not None:
            try:
                self._runner.run(self._quit())
            finally:
                self._runner.close()
                self._runner = None

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        # One loop for the provider's life: connections belong to the loop that made them.
        if self._runner is None:
            self._runner = asyncio.Runner()
        return self._runner.run(work)

    # -- connections

    async def _open(self) -> Refused | TryLater | None:
        self._idle = [client for client in self._idle if client.is_connected]
        if self._idle:
            return None
        client = await self._connect()
        if isinstance(client, SMTP):
            self._idle.append(client)
            return None
        return client

    async def _connect(self) -> SMTP | Refused | TryLater:
        server = self.server
        try:
            self._tls = self._tls or _trust(server.ca)
        except (OSError, ssl.SSLError):
            return Refused(kind="config", detail="the file of certificates cannot be read")
        client = SMTP(
            hostname=server.host,
            port=server.port,
            local_hostname=server.hello or _own_name(),
            timeout=server.timeout,
            start_tls=False,
            use_tls=server.starttls == "implicit",
            tls_context=self._tls,
        )
        try:
            await client.connect()
            await client.ehlo()
            if server.starttls in {"auto", "required"}:
                if client.supports_extension("starttls"):
                    await client.starttls()
                elif server.must_encrypt:
                    _drop(client)
                    return Refused(kind="config", detail="the server offers no STARTTLS")
            if server.user is not None:
                await client.login(server.user, server.password or "")
        except (SMTPException, OSError) as error:
            _drop(client)
            return smtp_answers.to_connection(error)
        return client

    async def _quit(self) -> None:
        for client in self._idle:
            try:
                async with asyncio.timeout(2):
                    await client.quit()
            except (SMTPException, OSError):
                pass
            finally:
                _drop(client)
        self._idle.clear()
        # Transports close their sockets in the loop's next turns, and it has no more after this.
        for _ in range(3):
            await asyncio.sleep(0)

    # -- sending

    async def _send_all(self, mails: list[Email], answers: dict[str, Answer]) -> None:
        queue = deque(mails)
        self._live = 0
        async with asyncio.TaskGroup() as group:
            for _ in range(min(self.server.connections, len(mails))):
                group.create_task(self._worker(queue, answers))

    async def _worker(self, queue: deque[Email], answers: dict[str, Answer]) -> None:
        """Sends from the queue over one connection until it is empty."""
        client: SMTP | None = None
        try:
            while queue:
                mail = queue.popleft()
                await self._pace.turn()
                kept = client is not None or bool(self._idle)
                if client is None:
                    made = self._idle.pop() if self._idle else await self._connect()
                    if not isinstance(made, SMTP):
                        queue.appendleft(mail)
                        if self._live == 0:
                            # Nobody has a connection: none of them is sent.
                            answers |= {rest.id: made for rest in queue}
                            queue.clear()
                        return
                    client = made
                    self._live += 1
                answer = await self._converse(client, mail, answers)
                if not client.is_connected:
                    client = None
                    self._live -= 1
                    if kept and isinstance(answer, TryLater):
                        # Servers end idle connections and those that have carried enough.
                        queue.appendleft(mail)
                        continue
                answers[mail.id] = answer
                if _ends_channel(answer):
                    answers |= {rest.id: answer for rest in queue}
                    queue.clear()
        finally:
            if client is not None:
                self._live -= 1
                self._idle.append(client)

    async def _converse(self, client: SMTP, mail: Email, answers: dict[str, Answer]) -> Answer:
        stage = _Stage.BEFORE_CONTENT
        try:
            answer = await self._envelope(client, mail)
            if answer is not None:
                await self._reset(client)
                return answer
            content = mail.prepared if isinstance(mail.prepared, bytes) else on_the_wire(mail)
            start = await client.execute_command(b"DATA")
            if start.code != _START_INPUT:
                await self._reset(client)
                return smtp_answers.to_message(
                    SMTPResponseException(start.code, start.message), mail
                )
            protocol = client.protocol
            if protocol is None:
                return TryLater(detail="the connection was lost")
            stage = _Stage.CONTENT
            protocol.write(content)
            end = await protocol.read_response(timeout=self.server.timeout)
            if end.code // 100 == 2:
                return Accepted(provider_id=mail.message_id)
            return smtp_answers.to_message(SMTPResponseException(end.code, end.message), mail)
        except asyncio.CancelledError:
            # Interrupted: what was not begun is known not to be sent.
            if stage is _Stage.BEFORE_CONTENT:
                answers[mail.id] = TryLater(detail="interrupted")
            _drop(client)
            raise
        except (SMTPException, OSError) as error:
            _drop(client)
            if stage is _Stage.CONTENT:
                return Unknown(detail="the connection was lost before the server answered")
            if isinstance(error, SMTPResponseException):
                return smtp_answers.to_message(error, mail)
            return TryLater(detail="the connection was lost")

    async def _reset(self, client: SMTP) -> None:
        """Ready for the next message; a server that has said 421 is about to hang up."""
        try:
            await client.rset()
        except (SMTPException, OSError):
            _drop(client)

    async def _envelope(self, client: SMTP, mail: Email) -> Answer | None:
        """MAIL and RCPT; None if both were taken."""
        options = []
        if mail.needs_smtputf8:
            if not client.supports_extension("SMTPUTF8"):
                return Refused(
                    kind="rejected", detail="the server takes no addresses beyond ASCII (SMTPUTF8)"
                )
            options = ["SMTPUTF8", "BODY=8BITMIME"]
        sender = self.server.return_path or mail.sender.mailbox
        try:
            await client.mail(sender, options=options, encoding="utf-8")
        except SMTPResponseException as error:
            return smtp_answers.to_message(error, mail)
        try:
            await client.rcpt(mail.to.mailbox, encoding="utf-8")
        except SMTPResponseException as error:
            return smtp_answers.to_recipient(error, mail)
        return None


def _drop(client: SMTP) -> None:
    """Hang up at once: a polite end of TLS would wait for the other side's."""
    transport = client.transport
    client.close()
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


def _ends_channel(answer: Answer) -> bool:
    match answer:
        case Refused():
            return answer.of_channel
        case TryLater():
            return answer.of_channel
        case Accepted() | Unknown():
            return False


def on_the_wire(mail: Email | Note) -> bytes:
    """What stands between DATA and its answer."""
    assert isinstance(mail, Email), "SMTP carries e-mail"
    return _on_the_wire(to_bytes(mail))


def _on_the_wire(content: bytes) -> bytes:
    """CRLF everywhere, dots at line starts doubled, the final dot behind it (RFC 5321)."""
    lined = _LINE_ENDS.sub(b"\r\n", content)
    if not lined.endswith(b"\r\n"):
        lined += b"\r\n"
    return _DOTS.sub(b"..", lined) + b".\r\n"


def _trust(ca: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _own_name() -> str:
    name = socket.gethostname()
    return name if re.fullmatch(r"[A-Za-z0-9.-]{1,253}", name) else "localhost"


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
