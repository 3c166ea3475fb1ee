"""Which channel of a send to the best one a customer is to get first today."""

from __future__ import annotations

from datetime import datetime

from journeylang.model.journey import Send
from tests.oracle.chance import bucket
from tests.oracle.facts import Memory, Run


def channels(send: Send) -> list[str]:
    """Those of a send, each once, as written."""
    return list(dict.fromkeys(candidate.channel for candidate in send.candidates))


def best(memory: Memory, now: datetime, run: Run, send: Send) -> str:
    """The channel that a customer is to get first today."""
    _, shares = memory.shares[run.journey, send.path, id(run.pinned)]
    drawn = bucket(f"{run.journey}/{send.path}:{now.date().isoformat()}", run.customer)
    return channels(send)[place(shares, drawn)]


def place(shares: list[int], left: int) -> int:
    for place, share in enumerate(shares):
        if left < share:
            return place
        left -= share
    raise AssertionError("shares add up to 100%")
