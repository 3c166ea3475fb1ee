"""Chance without a generator: digits of an md5 over a seed and what the draw is about.

    md5(seed : purpose : …)   0-6   happens if below chance * 2^28
                              7-14  when: these over 2^32 of the time it may take
                              15-21 whose fields it has; of answers a second draw,
                              22-29 and when

Whole numbers throughout, so that a draw is the same in every engine and in Python.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from journeylang.sql.dialects import Dialect, text

OUT_OF = 1 << 28
STEPS = 1 << 32


def threshold(chance: Decimal) -> int:
    """Of `OUT_OF`, how many draws mean yes."""
    return int((chance * OUT_OF).to_integral_value(ROUND_HALF_EVEN))


def drawn(d: Dialect, seed: int, purpose: str, *parts: str, known: bool = False) -> str:
    """The md5 of a draw; `parts` are texts. `known`: none of them is ever NULL.

    To put a text together takes as long as its md5: so it is done at once if it may, and constants
    that stand side by side are one.
    """
    pieces = [text(f"{seed}:{purpose}")]
    for piece in (piece for part in parts for piece in (text(":"), part)):
        if _is_constant(piece) and _is_constant(pieces[-1]):
            pieces[-1] = pieces[-1][:-1] + piece[1:]
        else:
            pieces.append(piece)
    return d.md5(f"concat({', '.join(pieces)})" if known else " || ".join(pieces))


def _is_constant(part: str) -> bool:
    return part[:1] == part[-1:] == "'" and "'" not in part[1:-1].replace("''", "")


def limit(threshold: int) -> str:
    """What digits are compared with as text: as many lie before it as numbers below.

    That costs a tenth of making numbers of them.
    """
    return text(f"{threshold:07x}" if threshold < OUT_OF else "g")


def seconds(d: Dialect, md5: str, within: str, first: int = 8) -> str:
    """Whole seconds from 1 to `within`, by eight digits."""
    eight = d.hex_number(f"substr({md5}, {first}, 8)")
    return f"(1 + {d.whole_quotient(f'{within} * {eight}', str(STEPS))})"


def donor(d: Dialect, md5: str, of: int) -> str:
    """One of so many rows, counted from 0."""
    return f"({d.hex_number(f'substr({md5}, 16, 7)')} % {of})"
