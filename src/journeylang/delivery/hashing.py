"""Addresses as advertising networks compare them: brought into one form, and then SHA-256.

The forms are those of the networks' own documentation: small letters without blanks; Google also
leaves out dots and what is behind `+` in the names of its own mailboxes. Telephone numbers have
their country's code; Google wants the `+` before it, Meta nothing but digits.
"""

from __future__ import annotations

import hashlib
import re

_GOOGLES = frozenset({"gmail.com", "googlemail.com"})


def email_hash(address: str, network: str = "google") -> str | None:
    """None where it is no e-mail address."""
    local, at, domain = re.sub(r"\s", "", address).lower().rpartition("@")
    if not at or not local or not domain:
        return None
    if network == "google" and domain in _GOOGLES:
        local = local.partition("+")[0].replace(".", "")
    return hashlib.sha256(f"{local}@{domain}".encode("utf-8", "replace")).hexdigest()


def phone_hash(number: str, network: str = "google") -> str | None:
    """None where it is no telephone number with its country's code."""
    plain = number.strip()
    digits = re.sub(r"\D", "", plain)
    if plain.startswith("00"):
        digits = digits[2:]
    elif not plain.startswith("+"):
        return None
    if not 7 <= len(digits) <= 15:
        return None
    form = f"+{digits}" if network == "google" else digits
    return hashlib.sha256(form.encode()).hexdigest()
