"""What a mail server's words mean for a message, with nothing of the recipient in them."""

from __future__ import annotations

import re
import ssl

from aiosmtplib import (
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPException,
    SMTPResponseException,
)

from journeylang.delivery import wording
from journeylang.delivery.outcome import Refused, TryLater

_ENHANCED = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
# RFC 3463: the mailbox or the domain does not exist, has moved or cannot be right.
_NO_SUCH_ADDRESS = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.4.4"})
_NO_SUCH_ADDRESS_CODES = frozenset({511, 550, 551, 553})


def words(code: int, message: str, to: str | None = None) -> str:
    """The server's answer for the record, the recipient's address taken out."""
    personal = () if to is None else (to, to.rpartition("@")[0])
    return f"{code} {wording.words(message, *personal)}".strip()[: wording.LONGEST]


def to_recipient(code: int, message: str, to: str) -> Refused | TryLater:
    """The answer to RCPT: of this recipient alone."""
    detail = words(code, message, to)
    if code < 500:
        return TryLater(detail=detail)
    enhanced = _ENHANCED.search(message)
    if enhanced is not None:
        unknown = enhanced[1] in _NO_SUCH_ADDRESS
    else:
        unknown = code in _NO_SUCH_ADDRESS_CODES
    return Refused(kind="invalid_recipient" if unknown else "rejected", detail=detail)


def to_message(code: int, message: str, to: str) -> Refused | TryLater:
    """The answer to MAIL or DATA: of this message."""
    detail = words(code, message, to)
    if code in {530, 535, 538}:
        return Refused(kind="auth", detail=detail)
    if code == 421:
        return TryLater(detail=detail, of_channel=True)
    if code < 500:
        return TryLater(detail=detail)
    return Refused(kind="rejected", detail=detail)


def to_connection(error: Exception) -> Refused | TryLater:
    """Why there is no connection that messages could go through: of the channel."""
    match error:
        case SMTPAuthenticationError() if error.code >= 500:
            return Refused(
                kind="auth", detail=f"log-in refused: {words(error.code, error.message)}"
            )
        case SMTPResponseException():
            return TryLater(detail=words(error.code, error.message), of_channel=True)
        case ssl.SSLCertVerificationError():
            return Refused(
                kind="config", detail=f"the certificate is not trusted: {error.verify_message}"
            )
        case ssl.SSLError():
            return TryLater(detail="the encryption could not be agreed on", of_channel=True)
        case SMTPConnectError() if isinstance(error.__cause__, ssl.SSLCertVerificationError):
            return to_connection(error.__cause__)
        case TimeoutError():
            return TryLater(detail="no answer in time", of_channel=True)
        case SMTPConnectError() | OSError():
            return TryLater(detail="no connection", of_channel=True)
        case SMTPException():
            return Refused(
                kind="config", detail=wording.recordable(error.message)[: wording.LONGEST]
            )
        case _:
            raise error
