"""What is written is what the standard library reads."""

from __future__ import annotations

import email
import email.policy
from datetime import datetime
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeylang.delivery.mime import Address, Email, address, to_bytes
from journeylang.delivery.render import one_line

HOME = Address(local="hello", domain="acme.example", name="Acme")
TO = Address(local="jo", domain="example.com")


def mail(**changes: object) -> Email:
    fields: dict[str, object] = {
        "id": "0f343b0931126a20f133d67c2b018a3b",
        "sender": HOME,
        "to": TO,
        "subject": "Hello",
        "text": "text\n",
        "html": "<p>html</p>",
        "date": datetime.fromisoformat("2026-03-02T10:00"),
    }
    return Email(**(fields | changes))  # type: ignore[arg-type]


def read(one: Email) -> EmailMessage:
    raw = to_bytes(one)
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert raw.count(b"\n") == raw.count(b"\r\n") == raw.count(b"\r")
    assert raw.isascii() or one.needs_smtputf8
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert not message.defects
    return message


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def test_headers() -> None:
    message = read(mail(unsubscribe="https://m.acme.example/u/x", reply_to=HOME))
    assert message["from"] == "Acme <hello@acme.example>"
    assert message["to"] == "jo@example.com"
    assert message["reply-to"] == "Acme <hello@acme.example>"
    assert message["date"] == "Mon, 02 Mar 2026 10:00:00 +0000"
    assert message["message-id"] == "<0f343b0931126a20f133d67c2b018a3b@acme.example>"
    assert message["list-unsubscribe"] == "<https://m.acme.example/u/x>"
    assert message["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    assert message.get_content_type() == "multipart/alternative"


def test_text_alone_is_no_multipart() -> None:
    message = read(mail(html=None, text="Zeile ä\n"))
    assert message.get_content_type() == "text/plain"
    assert message.get_content().replace("\r\n", "\n") == "Zeile ä\n"


def test_the_same_message_is_the_same_bytes() -> None:
    assert to_bytes(mail()) == to_bytes(mail())


TEXTS = st.text(st.characters(codec="utf-8"), max_size=400)


@given(subject=TEXTS, name=TEXTS)
def test_any_subject_and_name_come_back(subject: str, name: str) -> None:
    sender = Address(local="hello", domain="acme.example", name=one_line(name))
    message = read(mail(subject=subject, sender=sender))
    assert message["subject"].split() == one_line(subject).split()
    # The library's parser of phrases keeps the space between encoded words; this one does not.
    raw = email.message_from_bytes(to_bytes(mail(subject=subject, sender=sender)))["from"]
    shown, mailbox = parseaddr(str(make_header(decode_header(raw))))
    if not set(name) & set('<>@",;:()[]\\'):
        assert shown.split() == one_line(name).split()
        assert mailbox == "hello@acme.example"
    assert message["from"].addresses[0].addr_spec == "hello@acme.example"
    assert set(message.keys()) == {
        *("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type")
    }


@given(text=TEXTS, html=TEXTS)
def test_any_body_comes_back(text: str, html: str) -> None:
    message = read(mail(text=text, html=html))

    def lines(one: str) -> str:
        return one.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")

    assert body(message, "plain").rstrip("\n") == lines(text)
    assert body(message, "html").rstrip("\n") == lines(html)


@pytest.mark.parametrize(
    "text",
    ["x" * 5000, "ä" * 5000, "中文" * 500, ".\n..\nFrom x\n", "a \n\tb\t\n", "\x00\x0b\x7f", ""],
)
def test_hard_bodies(text: str) -> None:
    message = read(mail(text=text, html=None))
    assert message.get_content().replace("\r\n", "\n").rstrip("\n") == text.rstrip("\n")


def test_line_ends_in_a_subject_add_no_header() -> None:
    for end in ("\r\n", "\n", "\r", "\u2028", "\u2029", "\x0b", "\x1c", "\x85", "\x00"):
        message = read(mail(subject=f"Hello{end}Bcc: all@example.com"))
        assert message["bcc"] is None
        assert message["subject"] == "Hello Bcc: all@example.com"


@pytest.mark.parametrize(
    ("text", "mailbox"),
    [
        ("jo@example.com", "jo@example.com"),
        (" jo@Example.COM ", "jo@example.com"),
        ("Jo <jo@example.com>", "jo@example.com"),
        ('"Jo, of \\"Acme\\"" <jo@example.com>', "jo@example.com"),
        ("jo@bücher.example", "jo@xn--bcher-kva.example"),
        ("jö@example.com", "jö@example.com"),
        ("journey@localhost", "journey@localhost"),
    ],
)
def test_addresses(text: str, mailbox: str) -> None:
    found = address(text)
    assert found is not None
    assert found.mailbox == mailbox


@pytest.mark.parametrize(
    "text",
    [
        *("", "jo", "@example.com", "jo@", "jo@ex ample.com", "a@b@c.com", "jo@-x.com"),
        *("jo@example..com", ".jo@example.com", "j..o@example.com", "jo,ann@example.com"),
        *("jo@example.com, ann@example.com", "<jo@example.com><x@example.com>"),
        *("jo@example.com\r\nBcc: x@example.com", "jo@[127.0.0.1]", "x" * 65 + "@example.com"),
        *("jo@exa_mple.com", '"a b"@example.com', "jo@\udce4.com", "j\udce4@a.com"),
    ],
)
def test_no_addresses(text: str) -> None:
    assert address(text) is None


def test_local_parts_beyond_ascii_need_smtputf8() -> None:
    found = address("jö@example.com")
    assert found is not None
    assert mail(to=found).needs_smtputf8
    assert not mail().needs_smtputf8
    assert read(mail(to=found))["to"] == "jö@example.com"
