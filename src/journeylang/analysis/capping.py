"""Which caps a send meets, and how long it may hold because of its rules."""

from __future__ import annotations

from collections.abc import Iterator

from journeylang.analysis.clock import nights
from journeylang.analysis.lapses import DAY
from journeylang.model.journey import Send
from journeylang.model.policy import Cap, Policy

_PERIODS = {"day": DAY, "week": 7 * DAY, "month": 31 * DAY}


def window(cap: Cap) -> int:
    """The cap's window in seconds; of a calendar period the longest."""
    if cap.seconds is not None:
        return cap.seconds
    assert cap.calendar is not None
    return _PERIODS[cap.calendar]


def sure_window(cap: Cap) -> int:
    """Messages that are less apart than this are most likely within one window of the cap.

    Rolling: surely. Calendar: of two that are half a period apart, half fall into one.
    """
    return window(cap) if cap.seconds is not None else window(cap) // 2


def plain(cap: Cap) -> bool:
    """Whether the cap binds everybody, with the same number, whatever the message is about."""
    return isinstance(cap.limit, int) and cap.segment is None and cap.topic is None


def binds(cap: Cap, send: Send) -> bool:
    """Whether every channel of the send is under the cap."""
    return cap.channel is None or all(c.channel == cap.channel for c in send.candidates)


def counted(cap: Cap, send: Send) -> bool:
    """Whether the send surely uses up one of the cap, for those who want its topic.

    One with a condition for each channel may be skipped.
    """
    return binds(cap, send) and any(candidate.when is None for candidate in send.candidates)


def held_at_most(send: Send, before: int, policy: Policy) -> int:
    """Seconds for which the send may hold, if there are no messages but so many ``before``.

    That is until the end of a quiet time, and until the windows end of caps that so many messages
    may use up; never beyond the send's own limit.
    """
    if send.otherwise is not None and send.otherwise.action == "skip":
        return 0
    limit = send.expires
    if send.otherwise is not None and send.otherwise.seconds is not None:
        limit = min(limit, send.otherwise.seconds)
    return min(limit, max(_windows(send, before, policy), default=0) + _night(send, policy))


def _windows(send: Send, before: int, policy: Policy) -> Iterator[int]:
    for cap in policy.caps:
        channels = {candidate.channel for candidate in send.candidates}
        concerns = cap.channel is None or cap.channel in channels
        least = cap.limit if isinstance(cap.limit, int) else 0
        if concerns and before >= least:
            yield window(cap)


def _night(send: Send, policy: Policy) -> int:
    by_channel = [
        [quiet for quiet in policy.quiets if candidate.channel in quiet.channels]
        for candidate in send.candidates
    ]
    return max((night.length for night in nights(by_channel)), default=0)
