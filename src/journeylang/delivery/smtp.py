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
from dataclasses import field
from datetime import timedelta
from enum import Enum
from typing import Any, NamedTuple, TypeVar

from aiosmtplib import SMTP, SMTPException

from journeylang.classes import dataclass
from journeylang.delivery import smtp_answers
from journeylang.delivery.mime import Email, to_bytes
from journeylang.delivery.outcome import Accepted, Answer, Refused, TryLater, Unknown
from journeylang.delivery.pace import Pace
from journeylang.delivery.provider import Finished, Note, Outgoing, Preparer
from journeylang.delivery.smtp_wire import Said, SmtpWire

_UNFIT = re.compile(r"[\s<>\x00-\x1f\x7f]")
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


class Parcel(NamedTuple):
    """An e-mail as a server takes it: `content` stands between DATA and its answer.

    `utf8`: an address is beyond ASCII.
    """

    id: str
    sender: str
    to: str
    utf8: bool
    message_id: str
    content: bytes


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
        self._idle: list[SmtpWire] = []
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
        return parcel

    def send(self, messages: Sequence[Outgoing], answers: dict[str, Answer]) -> None:
        """See `Provider`."""
        self._run(self._send_all([_parcel(one) for one in messages], answers))

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
        for wire in self._idle:
            if not wire.alive:
                wire.drop()
        self._idle = [wire for wire in self._idle if wire.alive]
        if self._idle:
            return None
        made = await self._connect()
        if isinstance(made, SmtpWire):
            self._idle.append(made)
            return None
        return made

    async def _connect(self) -> SmtpWire | Refused | TryLater:
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
                    # What was known is void (RFC 3207), and SmtpWire says no EHLO of its own.
                    await client.ehlo()
                elif server.must_encrypt:
                    _drop(client)
                    return Refused(kind="config", detail="the server offers no STARTTLS")
            if server.user is not None:
                await client.login(server.user, server.password or "")
        except (SMTPException, OSError) as error:
            _drop(client)
            return smtp_answers.to_connection(error)
        transport = client.transport
        if not isinstance(transport, asyncio.Transport):
            return TryLater(detail="the connection was lost", of_channel=True)
        return SmtpWire(
            transport,
            pipelining=client.supports_extension("PIPELINING"),
            utf8=client.supports_extension("SMTPUTF8"),
        )

    async def _quit(self) -> None:
        for wire in self._idle:
            try:
                await wire.ask(b"QUIT\r\n", seconds=2)
            except OSError:
                pass
            finally:
                wire.drop()
        self._idle.clear()
        # Transports close their sockets in the loop's next turns, and it has no more after this.
        for _ in range(3):
            await asyncio.sleep(0)

    # -- sending

    async def _send_all(self, parcels: list[Parcel], answers: dict[str, Answer]) -> None:
        queue = deque(parcels)
        self._live = 0
        async with asyncio.TaskGroup() as group:
            for _ in range(min(self.server.connections, len(parcels))):
                group.create_task(self._worker(queue, answers))

    async def _worker(self, queue: deque[Parcel], answers: dict[str, Answer]) -> None:
        """Sends from the queue over one connection until it is empty."""
        wire: SmtpWire | None = None
        try:
            while queue:
                mail = queue.popleft()
                if self._pace.limited:
                    await self._pace.turn()
                kept = wire is not None or bool(self._idle)
                if wire is None:
                    made = self._idle.pop() if self._idle else await self._connect()
                    if not isinstance(made, SmtpWire):
                        queue.appendleft(mail)
                        if self._live == 0:
                            # Nobody has a connection: none of them is sent.
                            answers |= {rest.id: made for rest in queue}
                            queue.clear()
                        return
                    wire = made
                    self._live += 1
                answer = await self._converse(wire, mail, answers)
                if not wire.alive:
                    wire.drop()
                    wire = None
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
            if wire is not None:
                self._live -= 1
                self._idle.append(wire)

    async def _converse(self, wire: SmtpWire, mail: Parcel, answers: dict[str, Answer]) -> Answer:
        stage = _Stage.BEFORE_CONTENT
        try:
            answer = await self._envelope(wire, mail)
            if answer is not None:
                return answer
            stage = _Stage.CONTENT
            (end,) = await self._ask(wire, mail.content)
            if end.code // 100 == 2:
                return Accepted(provider_id=mail.message_id)
            return smtp_answers.to_message(end.code, end.text, mail.to)
        except asyncio.CancelledError:
            # Interrupted: what was not begun is known not to be sent.
            if stage is _Stage.BEFORE_CONTENT:
                answers[mail.id] = TryLater(detail="interrupted")
            wire.drop()
            raise
        except OSError:
            wire.drop()
            if stage is _Stage.CONTENT:
                return Unknown(detail="the connection was lost before the server answered")
            return TryLater(detail="the connection was lost")

    async def _envelope(self, wire: SmtpWire, mail: Parcel) -> Answer | None:
        """MAIL, RCPT and DATA; None if the server waits for the content."""
        sender = self.server.return_path or mail.sender
        if _UNFIT.search(sender + mail.to):
            return Refused(kind="rejected", detail="an address that no command can carry")
        options = ""
        if mail.utf8:
            if not wire.utf8:
                return Refused(
                    kind="rejected", detail="the server takes no addresses beyond ASCII (SMTPUTF8)"
                )
            options = " SMTPUTF8 BODY=8BITMIME"
        commands = (
            f"MAIL FROM:<{sender}>{options}\r\n".encode(),
            f"RCPT TO:<{mail.to}>\r\n".encode(),
            b"DATA\r\n",
        )
        said = await self._ask(wire, *commands)
        answer = _refused(said, mail)
        if answer is None and len(said) < len(commands):
            raise ConnectionResetError
        if answer is not None and wire.alive:
            await self._reset(wire, asked=said[-1].code == _START_INPUT)
        return answer

    async def _ask(self, wire: SmtpWire, *commands: bytes) -> list[Said]:
        """Raises OSError: the connection was lost, or no answer came in time."""
        return await wire.ask(*commands, seconds=self.server.timeout)

    async def _reset(self, wire: SmtpWire, *, asked: bool) -> None:
        """Ready for the next message; a server that has said 421 is about to hang up."""
        try:
            if asked:
                # It waits for a content all the same: one without recipients goes to nobody.
                await self._ask(wire, b".\r\n")
            await self._ask(wire, b"RSET\r\n")
        except OSError:
            wire.drop()


def _refused(said: Sequence[Said], mail: Parcel) -> Refused | TryLater | None:
    """By the first of the answers to MAIL, RCPT and DATA that takes it not."""
    for number, (code, text) in enumerate(said):
        if number == 1 and code // 100 != 2:
            return smtp_answers.to_recipient(code, text, mail.to)
        if (code != _START_INPUT) if number == 2 else (code // 100 != 2):
            return smtp_answers.to_message(code, text, mail.to)
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


def parcel(mail: Email | Note) -> Parcel:
    """What a server needs of it."""
    assert isinstance(mail, Email), "SMTP carries e-mail"
    return Parcel(
        id=mail.id,
        sender=mail.sender.mailbox,
        to=mail.to.mailbox,
        utf8=mail.needs_smtputf8,
        message_id=mail.message_id,
        content=_on_the_wire(to_bytes(mail)),
    )


def _parcel(one: Outgoing) -> Parcel:
    if isinstance(one, Finished):
        assert isinstance(one.content, Parcel)
        return one.content
    assert isinstance(one, Email), "SMTP carries e-mail"
    return parcel(one)


def _on_the_wire(content: bytes) -> bytes:
    """CRLF everywhere, dots at line starts doubled, the final dot behind it (RFC 5321)."""
    plain = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if not plain.endswith(b"\n"):
        plain += b"\n"
    if plain.startswith(b"."):
        plain = b"." + plain
    return plain.replace(b"\n.", b"\n..").replace(b"\n", b"\r\n") + b".\r\n"


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
