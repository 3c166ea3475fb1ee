"""SMTP against a real server: what arrives, and what is said when it does not."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from journeylang.delivery.mime import Address, Email, address
from journeylang.delivery.outbox import doubtful
from journeylang.delivery.outcome import Accepted, Answer, Refused, TryLater, Unknown
from journeylang.delivery.smtp import Server, SmtpProvider
from tests.delivery.mailserver import MailServer, free_port, mail_server
from tests.delivery.shop import Shop

HOME = Address(local="hello", domain="acme.example", name="Acme")


def mails(*recipients: str) -> list[Email]:
    made = []
    for n, to in enumerate(recipients):
        recipient = address(to)
        assert recipient is not None
        made.append(
            Email(
                id=f"{n:032x}",
                sender=HOME,
                to=recipient,
                subject="Grüße",
                text=".\n..dots\nFrom here\n",
                html="<p>\n.\n</p>",
                date=datetime.fromisoformat("2026-03-02T10:00"),
            )
        )
    return made


def people(number: int) -> list[str]:
    return [f"p{n}@example.com" for n in range(number)]


@contextmanager
def provider(mail: MailServer, **options: Any) -> Iterator[SmtpProvider]:
    settings: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": mail.port,
        "timeout": 5.0,
        "hello": "test",
    } | options
    made = SmtpProvider(Server(**settings))
    try:
        yield made
    finally:
        made.close()


def send(one: SmtpProvider, *recipients: str) -> list[Answer]:
    outgoing = mails(*recipients)
    answers: dict[str, Answer] = {}
    one.send(outgoing, answers)
    return [answers[mail.id] for mail in outgoing]


def test_mail_arrives_as_it_was_written() -> None:
    with mail_server() as mail, provider(mail) as smtp:
        assert smtp.open() is None
        (answer,) = send(smtp, "jo@example.com")
        assert answer == Accepted(provider_id="<00000000000000000000000000000000@acme.example>")
        ((to, raw),) = mail.messages
        assert to == "jo@example.com"
        assert mail.senders == ["hello@acme.example"]
        assert b"\r\n.\r\n..dots\r\nFrom here\r\n" in raw
        assert not mail.encrypted[0]


def test_connections_are_kept_and_bounded() -> None:
    with mail_server() as mail, provider(mail, connections=4) as smtp:
        assert smtp.open() is None
        for _ in range(3):
            answers = send(smtp, *people(100))
            assert all(isinstance(answer, Accepted) for answer in answers)
        assert len(mail.messages) == 300
        assert mail.connections == 4


def test_starttls_and_log_in(tmp_path: Path) -> None:
    with mail_server(tls=True, user="acme", password="s3cret", folder=tmp_path) as mail:
        options = {"user": "acme", "ca": mail.ca, "host": "localhost", "starttls": "required"}
        with provider(mail, password="s3cret", **options) as smtp:
            assert smtp.open() is None
            assert isinstance(send(smtp, "jo@example.com")[0], Accepted)
            assert mail.encrypted == [True]
        with provider(mail, password="wrong", **options) as smtp:
            refusal = smtp.open()
            assert isinstance(refusal, Refused)
            assert refusal.kind == "auth"
            assert refusal.of_channel
            assert "wrong" not in refusal.detail
            assert [a == refusal for a in send(smtp, *people(20))] == [True] * 20
        assert len(mail.messages) == 1


def test_starttls_without_a_log_in(tmp_path: Path) -> None:
    """What the server said before the encryption is void, and it is asked again."""
    with (
        mail_server(tls=True, folder=tmp_path) as mail,
        provider(mail, ca=mail.ca, host="localhost", starttls="required") as smtp,
    ):
        assert smtp.open() is None
        answers = send(smtp, "jo@example.com", "j\u00f6@example.com")
        assert all(isinstance(answer, Accepted) for answer in answers)
        assert len(mail.messages) == 2


def test_an_untrusted_certificate_stops_the_channel(tmp_path: Path) -> None:
    with mail_server(tls=True, folder=tmp_path) as mail:
        with provider(mail) as smtp:
            refusal = smtp.open()
        assert isinstance(refusal, Refused)
        assert refusal.kind == "config"
        assert "certificate" in refusal.detail
        with provider(mail, ca=str(tmp_path / "none.pem")) as smtp:
            refusal = smtp.open()
        assert isinstance(refusal, Refused)
        assert refusal.kind == "config"


def test_no_password_goes_out_readable() -> None:
    with mail_server(user="acme", password="s3cret") as mail:
        assert Server(host="mail.example", password="x").must_encrypt
        assert not Server(host="mail.example", password="x", starttls="off").must_encrypt
        with provider(mail, starttls="required", user="acme", password="s3cret") as smtp:
            refusal = smtp.open()
        assert refusal == Refused(kind="config", detail="the server offers no STARTTLS")
        with provider(mail, user="acme", password="s3cret") as smtp:
            assert smtp.open() is None  # on the loopback


def test_log_in_where_there_is_none() -> None:
    with mail_server() as mail, provider(mail, user="acme", password="x") as smtp:
        refusal = smtp.open()
        assert isinstance(refusal, Refused)
        assert refusal.kind == "config"


def test_a_refused_recipient_does_not_stop_the_others() -> None:
    with mail_server() as mail, provider(mail, connections=2) as smtp:
        mail.rcpt = {
            "p1@example.com": "550 5.1.1 <p1@example.com>: no 'Jo Doe' here, p1@example.com",
            "p2@example.com": "451 4.7.1 greylisted, p2 is to come again",
            "p3@example.com": "552 5.2.2 mailbox full",
            "p4@example.com": "553 no such user",
        }
        mail.data = {"p5@example.com": "554 5.7.1 spam", "p6@example.com": "452 4.3.1 full"}
        answers = send(smtp, *people(20))
        assert answers[1] == Refused(kind="invalid_recipient", detail="550 5.1.1 …: no … here, …")
        assert answers[2] == TryLater(detail="451 4.7.1 greylisted, … is to come again")
        assert answers[3] == Refused(kind="rejected", detail="552 5.2.2 mailbox full")
        assert answers[4] == Refused(kind="invalid_recipient", detail="553 no such user")
        assert answers[5] == Refused(kind="rejected", detail="554 5.7.1 spam")
        assert answers[6] == TryLater(detail="452 4.3.1 full")
        assert sum(isinstance(answer, Accepted) for answer in answers) == 14
        assert len(mail.messages) == 14


def test_the_server_is_down() -> None:
    with provider(MailServer(port=free_port())) as smtp:
        away = TryLater(detail="no connection", of_channel=True)
        assert smtp.open() == away
        assert send(smtp, *people(10)) == [away] * 10


def test_the_server_hangs() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with provider(MailServer(port=silent.getsockname()[1]), timeout=0.3) as smtp:
            assert smtp.open() == TryLater(detail="no answer in time", of_channel=True)


def test_the_server_goes_and_comes_back() -> None:
    with mail_server() as mail, provider(mail, connections=2) as smtp:
        assert smtp.open() is None
        assert isinstance(send(smtp, "jo@example.com")[0], Accepted)
        with mail_server(mail=mail, port=0) as other:
            smtp.server = Server(host="127.0.0.1", port=other.port, timeout=5.0, connections=2)
    # The kept connections belong to servers that are gone.
    answers = send(smtp, *people(3))
    assert all(isinstance(a, TryLater) and a.of_channel for a in answers)
    with mail_server(mail=mail, port=smtp.server.port):
        assert smtp.open() is None
        assert all(isinstance(answer, Accepted) for answer in send(smtp, *people(3)))
        smtp.close()


def test_a_server_that_ends_idle_connections_costs_nobody_anything() -> None:
    with mail_server() as mail, provider(mail, connections=1) as smtp:
        assert isinstance(send(smtp, "jo@example.com")[0], Accepted)
        # Hangs up on the kept connection, at its next message.
        mail.drop_at, mail.dropped = "rcpt", {"p0@example.com"}
        threading.Timer(0.2, lambda: setattr(mail, "drop_at", "")).start()
        answers = send(smtp, "p0@example.com")
        assert isinstance(answers[0], Accepted | TryLater)
        assert mail.received()["<00000000000000000000000000000000@acme.example>"] <= 2


@pytest.mark.parametrize("at", ["rcpt", "data"])
def test_lost_before_the_content_was_not_sent(at: str) -> None:
    with mail_server() as mail, provider(mail, connections=2) as smtp:
        mail.drop_at, mail.dropped = at, {"p3@example.com"}
        answers = send(smtp, *people(8))
        assert answers[3] == TryLater(detail="the connection was lost")
        assert sum(isinstance(answer, Accepted) for answer in answers) == 7
        assert len(mail.messages) == 7


def test_lost_after_the_final_dot_is_unknown_and_not_sent_twice() -> None:
    with mail_server() as mail, provider(mail, connections=2) as smtp:
        mail.drop_at, mail.dropped = "end", {"p3@example.com"}
        answers = send(smtp, *people(8))
        assert answers[3] == Unknown(detail="the connection was lost before the server answered")
        assert sum(isinstance(answer, Accepted) for answer in answers) == 7
        assert set(mail.received().values()) == {1}


def test_the_server_refuses_everything_for_now() -> None:
    with mail_server() as mail, provider(mail, connections=2) as smtp:
        mail.mail = "421 4.3.2 too busy"
        answers = send(smtp, *people(6))
        assert all(isinstance(a, TryLater) and a.of_channel for a in answers)
        mail.mail = "530 5.7.0 authentication required"
        answers = send(smtp, *people(6))
        assert all(isinstance(a, Refused) and a.kind == "auth" for a in answers)
        assert mail.messages == []


def test_addresses_beyond_ascii() -> None:
    with mail_server() as mail, provider(mail) as smtp:
        assert isinstance(send(smtp, "jö@bücher.example")[0], Accepted)
        assert mail.recipients() == {"jö@xn--bcher-kva.example"}
    with mail_server(smtputf8=False) as mail, provider(mail) as smtp:
        answers = send(smtp, "jö@example.com", "jo@bücher.example")
        assert isinstance(answers[0], Refused)
        assert answers[0].kind == "rejected"
        assert isinstance(answers[1], Accepted)


def test_the_rate_is_kept() -> None:
    import time

    with mail_server() as mail, provider(mail, per_second=100.0) as smtp:
        assert smtp.open() is None
        begin = time.monotonic()
        send(smtp, *people(40))
        assert 0.35 < time.monotonic() - begin < 3


# -- the outbox over SMTP


def smtp_shop(shop: Shop, mail: MailServer, **settings: object) -> None:
    shop.use(
        email={
            "provider": "smtp",
            "host": "127.0.0.1",
            "port": mail.port,
            "from": "Acme <hello@acme.example>",
            "postal_address": "Acme GmbH, Hauptstr. 1, 10115 Berlin",
            "timeout": 5,
            **settings,
        }
    )


def test_the_outbox_over_smtp(shop: Shop) -> None:
    shop.people(300)
    shop.messages(range(1, 301))
    with mail_server() as mail:
        smtp_shop(shop, mail)
        mail.rcpt = {"person7@example.com": "550 5.1.1 person7@example.com unknown"}
        done = shop.deliver()
        assert (done.accepted, done.failed) == (299, 1)
        assert len(mail.received()) == len(mail.messages) == 299
        assert shop.details("failed") == ["invalid_recipient: 550 5.1.1 … unknown"]
        assert b"Acme GmbH, Hauptstr. 1, 10115 Berlin" in mail.messages[0][1]
        shop.outboxes[-1].close()
    assert shop.engine.query("SELECT customer_id FROM journey.suppression") == [("c7",)]


def test_a_server_that_is_down_loses_nothing(shop: Shop) -> None:
    shop.people(40)
    shop.messages(range(1, 41))
    away = MailServer(port=free_port())
    smtp_shop(shop, away)
    for _ in range(3):
        done = shop.deliver()
        assert (done.handled, done.waiting) == (0, 40)
        assert isinstance(done.stopped["email"], TryLater)
        assert done.next_at is not None
        shop.now = done.next_at
    assert shop.now - timedelta(minutes=7) == datetime.fromisoformat("2026-03-02T10:00")
    with mail_server(mail=away, port=away.port) as mail:
        assert shop.deliver().accepted == 40
        assert set(mail.received().values()) == {1}
        shop.outboxes[-1].close()


def test_a_lost_answer_is_listed_and_not_repeated(shop: Shop) -> None:
    shop.people(20)
    shop.messages(range(1, 21))
    with mail_server() as mail:
        smtp_shop(shop, mail)
        mail.drop_at, mail.dropped = "end", {"person3@example.com", "person4@example.com"}
        done = shop.deliver()
        assert (done.accepted, done.unknown) == (18, 2)
        mail.drop_at = ""
        shop.now += timedelta(days=1)
        assert shop.deliver().handled == 0
        assert set(mail.received().values()) == {1}
        assert len(doubtful(shop.engine)) == 2
        for outbox in shop.outboxes:
            outbox.close()


def test_no_receipt_holds_an_address(shop: Shop) -> None:
    shop.people(10)
    shop.messages(range(1, 11))
    with mail_server() as mail:
        smtp_shop(shop, mail)
        mail.rcpt = {
            f"person{n}@example.com": f"550 <person{n}@example.com> person{n}" for n in range(5)
        }
        mail.data = {
            f"person{n}@example.com": f"451 for PERSON{n}@EXAMPLE.com" for n in range(5, 9)
        }
        shop.deliver()
        shop.outboxes[-1].close()
    told = shop.engine.query("SELECT string_agg(r::VARCHAR, ' ') FROM journey.receipt AS r")[0][0]
    assert "person" not in told.lower()
    assert "example.com" not in told.lower()
