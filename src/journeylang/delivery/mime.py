"""An e-mail as bytes: RFC 5322 headers and a multipart/alternative body.

Written by hand because the standard library's writer makes some 500 a second and this one
some 20,000; what comes out is read back with the standard library's parser by the tests.
Lines end with CRLF. The same message gives the same bytes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import NamedTuple

from journeylang.delivery.render import one_line

_LINE = 76
_LONGEST_LINE = 900  # RFC 5322 allows 998
_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_NAMED = re.compile(r"([^<>]*)<([^<>]*)>")
# What nearly all addresses look like; all else is looked at more closely.
_SIMPLE = re.compile(r"([A-Za-z0-9_+-]{1,30}(?:\.[A-Za-z0-9_+-]{1,30})?)@([A-Za-z0-9.-]{1,253})")
_SURROGATES = re.compile("[\ud800-\udfff]")
_ESCAPED = re.compile(r"\\(.)")
_LOCAL = re.compile(r"[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f]+(?<!\.)")
_WORD_BYTES = 45  # of UTF-8 in one encoded word: 60 characters of base64 and 12 around it


class Address(NamedTuple):
    """Where a message goes or comes from. The domain is ASCII (IDNA), the local part as given."""

    local: str
    domain: str
    name: str = ""

    @property
    def mailbox(self) -> str:
        return f"{self.local}@{self.domain}"

    @property
    def is_ascii(self) -> bool:
        """Whether every server can take it; otherwise it must speak SMTPUTF8."""
        return self.local.isascii()


class Email(NamedTuple):
    """One e-mail, ready to be written. `id` is the public message id."""

    id: str
    sender: Address
    to: Address
    subject: str
    text: str
    html: str | None
    date: datetime
    reply_to: Address | None = None
    unsubscribe: str | None = None
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def message_id(self) -> str:
        return f"<{self.id}@{self.sender.domain}>"

    @property
    def needs_smtputf8(self) -> bool:
        people = (self.sender, self.to, *((self.reply_to,) if self.reply_to else ()))
        return not all(one.is_ascii for one in people)


def address(text: str) -> Address | None:
    """`a@b.example` or `Name <a@b.example>`; None if it is no address that mail can go to."""
    simple = _SIMPLE.fullmatch(text)
    if simple is not None:
        host = _ascii_domain(simple[2])
        return None if host is None else Address(local=simple[1], domain=host)
    plain = one_line(text)
    named = _NAMED.fullmatch(plain)
    name, mailbox = (named[1].strip(), named[2].strip()) if named else ("", plain)
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = _ESCAPED.sub(r"\1", name[1:-1])
    local, at, domain = mailbox.rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or _SURROGATES.search(plain):
        return None
    if len(local.encode()) > 64 or local.startswith(".") or ".." in local:
        return None
    host = _ascii_domain(domain)
    return None if host is None else Address(local=local, domain=host, name=one_line(name))


@lru_cache(maxsize=4096)
def _ascii_domain(domain: str) -> str | None:
    if domain.isascii():
        host = domain.lower()
    else:
        import idna

        try:
            host = idna.encode(domain, uts46=True).decode("ascii")
        except idna.IDNAError:
            return None
    return host if len(host) <= 253 and _DOMAIN.fullmatch(host) else None


_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


def to_bytes(mail: Email) -> bytes:
    """The message as it goes over the wire, before dot-stuffing."""
    lines = [
        f"From: {_mailbox(mail.sender, 6)}",
        f"To: {_mailbox(mail.to, 4)}",
        f"Subject: {_unstructured(mail.subject, 9)}",
        f"Date: {_date(mail.date)}",
        f"Message-ID: {mail.message_id}",
    ]
    if mail.reply_to is not None:
        lines.append(f"Reply-To: {_mailbox(mail.reply_to, 10)}")
    if mail.unsubscribe is not None:
        lines.append(f"List-Unsubscribe: <{mail.unsubscribe}>")
        lines.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click")
    lines += [f"{name}: {_unstructured(value, len(name) + 2)}" for name, value in mail.headers]
    lines.append("MIME-Version: 1.0")
    if mail.html is None:
        return _joined(lines, _part(mail.text, "plain"))
    boundary = "=_" + hashlib.sha256(f"boundary {mail.id}".encode()).hexdigest()[:32]
    lines.append(f'Content-Type: multipart/alternative; boundary="{boundary}"')
    return b"".join(
        (
            "\r\n".join(lines).encode("utf-8"),
            f"\r\n\r\n--{boundary}\r\n".encode(),
            _part(mail.text, "plain"),
            f"\r\n--{boundary}\r\n".encode(),
            _part(mail.html, "html"),
            f"\r\n--{boundary}--\r\n".encode(),
        )
    )


def _joined(lines: list[str], part: bytes) -> bytes:
    return "\r\n".join((*lines, "")).encode("utf-8") + part


def _part(text: str, subtype: str) -> bytes:
    """Headers and body of one part, every line short and ASCII: no server need be asked."""
    raw = text.encode("utf-8", "replace")
    encoding, body = _encoded(raw)
    head = f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: {encoding}'
    return head.encode() + b"\r\n\r\n" + body


def _encoded(raw: bytes) -> tuple[str, bytes]:
    lined = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if lined.isascii() and not _UNSAFE.search(lined):
        return "7bit", lined.replace(b"\n", b"\r\n")
    foreign = len(lined) - len(lined.decode("ascii", "ignore"))
    if foreign * 6 > len(lined):
        coded = base64.encodebytes(lined.replace(b"\n", b"\r\n"))
        return "base64", coded.replace(b"\n", b"\r\n")
    # In text mode line ends stay, and a `.` or `From ` at a line's start is the transport's.
    coded = binascii.b2a_qp(lined, istext=True)
    return "quoted-printable", coded.replace(b"\n", b"\r\n")


_UNSAFE = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]|[^\n]{%d}" % _LONGEST_LINE)


@lru_cache(maxsize=1024)
def _date(instant: datetime) -> str:
    return format_datetime(instant.replace(tzinfo=instant.tzinfo or UTC, microsecond=0))


def mailbox(one: Address) -> str:
    """As it stands in a header, in one line and in ASCII but for the local part."""
    return _mailbox(one, 0).replace("\r\n ", " ")


def _mailbox(one: Address, column: int) -> str:
    if not one.name:
        return one.mailbox
    if one.name.isascii():
        if len(one.name) > _LINE - column:
            shown = _words(one.name, column)
        elif _ATOM.fullmatch(one.name):
            shown = one.name
        else:
            shown = '"' + one.name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    else:
        shown = _words(one.name, column)
    last = len(shown) - shown.rfind("\r\n") - 1 if "\r\n" in shown else column + len(shown)
    between = " " if last + len(one.mailbox) + 3 <= _LINE else "\r\n "
    return f"{shown}{between}<{one.mailbox}>"


def _unstructured(text: str, column: int) -> str:
    """A header's text: as it is, folded at spaces, or as encoded words (RFC 2047)."""
    plain = one_line(text)
    if plain.isascii() and "=?" not in plain:
        if column + len(plain) <= _LINE:
            return plain
        folded = _folded(plain, column)
        if folded is not None:
            return folded
    return _words(plain, column)


def _folded(text: str, column: int) -> str | None:
    """Broken at single spaces, or None if a word is too long or the spaces are not single."""
    lines: list[str] = []
    line, left = "", _LINE - column
    for word in text.split(" "):
        if not word or len(word) > _LINE - 1:
            return None
        if line and len(line) + 1 + len(word) > left:
            lines.append(line)
            line, left = word, _LINE - 1
        else:
            line = f"{line} {word}" if line else word
    return "\r\n ".join((*lines, line))


def _words(text: str, column: int) -> str:
    """Encoded words, none of which splits a character or is longer than 75."""
    first = min(max((_LINE - column - 12) // 4 * 3, 6), _WORD_BYTES)
    raw = text.encode("utf-8", "replace")
    if len(raw) <= first:
        return _word(raw)
    words: list[bytes] = []
    part, room = b"", first
    for character in text:
        width = character.encode("utf-8", "replace")
        if len(part) + len(width) > room:
            words.append(part)
            part, room = b"", _WORD_BYTES
        part += width
    words.append(part)
    return "\r\n ".join(map(_word, words))


def _word(raw: bytes) -> str:
    return f"=?utf-8?b?{base64.b64encode(raw).decode()}?="
