"""In how many parts a text message goes out (3GPP TS 23.038 and 23.040); each of them is paid."""

from __future__ import annotations

from math import ceil

CHANNEL = "sms"
"""The channel whose messages are paid by the part."""

GSM_7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""3GPP TS 23.038, the default alphabet: 160 characters in one message, 153 in each of several."""

GSM_7_EXTENSION = frozenset("\f^{}\\[~]|€")
"""Two places each. Anything else makes the whole message UCS-2: 70 characters, or 67."""

_GSM = GSM_7 | GSM_7_EXTENSION


def not_gsm(text: str) -> str | None:
    """The first letter that GSM 7-bit does not have."""
    return next((c for c in text if c not in _GSM), None)


def parts(text: str, *, ucs2: bool | None = None) -> int:
    """The parts in which a text goes out.

    `ucs2`: some letter is not in GSM 7-bit; None: the text itself says so.
    """
    if ucs2 is None:
        ucs2 = not _GSM.issuperset(text)
    if ucs2:
        size, one, several = len(text.encode("utf-16-be", "surrogatepass")) // 2, 70, 67
    else:
        size, one, several = len(text) + sum(map(text.count, GSM_7_EXTENSION)), 160, 153
    if size <= one:
        return 1
    if size == len(text):
        return ceil(size / several)
    # A letter of two places does not stand in two parts.
    wide = (lambda c: c > "\uffff") if ucs2 else GSM_7_EXTENSION.__contains__
    number, left = 1, several
    for letter in text:
        places = 1 + wide(letter)
        if places > left:
            number, left = number + 1, several
        left -= places
    return number
