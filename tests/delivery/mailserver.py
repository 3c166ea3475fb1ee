"""A real SMTP server on the loopback, which can be told to misbehave."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from functools import lru_cache
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


# No slots: aiosmtpd looks at every attribute, which fails on those of Python before 3.11.3.
@dataclass(kw_only=True)
class MailServer:
    """What arrived, and how it is to behave.

    `rcpt`, `data`, `mail`: answers by recipient instead of 250. `drop_at`: "rcpt", "data" (asked
    for the content) or "end" (has taken it): hangs up there for the recipients in `dropped`.
    """

    port: int = 0
    ca: str = ""
    messages: list[tuple[str, bytes]] = field(default_factory=list)
    connections: int = 0
    rcpt: dict[str, str] = field(default_factory=dict)
    data: dict[str, str] = field(default_factory=dict)
    mail: str = ""
    drop_at: str = ""
    dropped: set[str] = field(default_factory=set)
    senders: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)

    def received(self) -> Counter[str]:
        """How often each message id has been taken, dropped answers included."""
        return Counter(
            str(message_from_bytes(raw, policy=default)["message-id"]) for _, raw in self.messages
        )

    def recipients(self) -> set[str]:
        return {to for to, _ in self.messages}

    # -- hooks of aiosmtpd

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.mail:
            return self.mail
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        self.senders.append(address)
        self.encrypted.append(session.ssl is not None)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.drop_at == "rcpt" and address in self.dropped:
            _hang_up(server)
        answer = self.rcpt.get(address)
        if answer is not None:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        (to,) = envelope.rcpt_tos
        answer = self.data.get(to)
        if answer is not None:
            return answer
        assert isinstance(envelope.content, bytes)
        self.messages.append((to, envelope.content))
        if self.drop_at == "end" and to in self.dropped:
            _hang_up(server)
        return "250 OK"


def _hang_up(server: SMTP) -> None:
    assert isinstance(server.transport, asyncio.WriteTransport)
    server.transport.abort()


class _Controller(Controller):
    """Counts connections; hangs up when it is asked for content, if so told."""

    def factory(self) -> SMTP:
        mail: MailServer = self.handler
        made = _Protocol(mail, **self.SMTP_kwargs)
        mail.connections += 1
        return made


class _Protocol(SMTP):
    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        mail: MailServer = self.event_handler
        if mail.drop_at == "data" and self.envelope and set(self.envelope.rcpt_tos) & mail.dropped:
            _hang_up(self)
            return
        await super().smtp_DATA(arg)


@lru_cache(maxsize=1)
def authority() -> trustme.CA:
    return trustme.CA()


@contextmanager
def mail_server(
    *,
    mail: MailServer | None = None,
    tls: bool = False,
    user: str | None = None,
    password: str = "",
    folder: Path | None = None,
    port: int = 0,
    smtputf8: bool = True,
) -> Iterator[MailServer]:
    """A server for the time of the block; `mail` of a former one takes its place again."""
    made = mail or MailServer()
    options: dict[str, Any] = {"enable_SMTPUTF8": smtputf8, "ident": "test"}
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority().issue_cert("localhost", "127.0.0.1").configure_cert(context)
        options["tls_context"] = context
        assert folder is not None
        made.ca = str(folder / "ca.pem")
        authority().cert_pem.write_to_path(made.ca)
    if user is not None:

        def check(
            server: SMTP, session: Session, envelope: Envelope, how: str, data: Any
        ) -> AuthResult:
            assert isinstance(data, LoginPassword)
            fine = data.login == user.encode() and data.password == password.encode()
            return AuthResult(success=fine, handled=False)

        options |= {"authenticator": check, "auth_required": tls, "auth_require_tls": tls}
    made.port = port or free_port()
    controller = _Controller(made, hostname="127.0.0.1", port=made.port, **options)
    controller.start()
    made.connections = 0
    try:
        yield made
    finally:
        controller.stop()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
