"""Words by which people end messages, and begin them again; in an SMS they are law."""

from __future__ import annotations

import re

STOP = frozenset(
    [
        *("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"),
        *("STOPP", "ENDE", "ABMELDEN", "ABBESTELLEN"),
        *("ARRET", "ARRÊT", "DESABONNER", "DÉSABONNER"),
        *("BAJA", "ALTO", "PARAR", "CANCELAR", "SAIR"),
        *("ANNULLA", "CANCELLAMI", "AFMELDEN", "STOPZETTEN"),
        *("СТОП", "ОТПИСАТЬСЯ", "ОТПИСКА", "ОТМЕНА"),
    ]
)
BACK = frozenset({"START", "UNSTOP", "СТАРТ"})

_WORD = re.compile(r"\w+")
LONGEST = 64


def keyword(text: str) -> str:
    """The first word of what somebody wrote, in capital letters: `Stop, please` is `STOP`."""
    found = _WORD.search(text)
    return found[0].upper()[:LONGEST] if found else ""


def phone_number(address: str) -> str:
    """An address as telephone numbers are compared: WhatsApp and the like leave out the plus."""
    digits = re.sub(r"[^0-9+]", "", address).removeprefix("00")
    return digits if digits.startswith("+") or not digits else f"+{digits}"
