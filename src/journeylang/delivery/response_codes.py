"""Short codes on paper, said on a hotline or typed in a shop: which message they come from.

A code is the message's number in Crockford's base 32 (no I, L, O and U), at least five letters, and
a check letter by Luhn's algorithm modulo 32: one wrong letter, and nearly all pairs of neighbours
that changed places, make it none.
"""

from __future__ import annotations

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {letter: value for value, letter in enumerate(_LETTERS)} | {"I": 1, "L": 1, "O": 0}
_BASE = len(_LETTERS)
_SHORTEST = 5
_LONGEST = 13
"""Letters of the largest number that a message can have."""


def response_code(number: int) -> str:
    """Of the message with this number: `001-6JK`."""
    letters = ""
    while number or len(letters) < _SHORTEST:
        number, value = divmod(number, _BASE)
        letters = _LETTERS[value] + letters
    letters += _LETTERS[-_luhn(letters + "0") % _BASE]
    return f"{letters[:-3]}-{letters[-3:]}"


def message_number(code: str) -> int | None:
    """The way back, however it was written; None if it is no code, or not quite the one meant."""
    letters = "".join(letter for letter in code.upper() if letter not in " -.")
    if not _SHORTEST < len(letters) <= _LONGEST + 1 or not _VALUES.keys() >= set(letters):
        return None
    if _luhn(letters) % _BASE:
        return None
    number = 0
    for letter in letters[:-1]:
        number = number * _BASE + _VALUES[letter]
    return number if number < 2**63 else None


def _luhn(letters: str) -> int:
    total = 0
    for place, letter in enumerate(reversed(letters)):
        value = _VALUES[letter] * (1 + place % 2)
        total += value // _BASE + value % _BASE
    return total
