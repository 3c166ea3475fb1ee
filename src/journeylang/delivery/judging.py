"""Channels in one delivery: which are paused, and which are to be, because too much bounces."""

from __future__ import annotations

from journeylang.delivery.firmly import firmly
from journeylang.delivery.order import DeliverySummary, Order
from journeylang.runtime.channel_pauses import judge, paused_channels

FIRST = 200
"""After so many messages addresses that were refused are looked at, then after twice as many, and
so on: the figures are those of a whole day."""


class Judging:
    """An address that the provider refuses at once has bounced."""

    def __init__(self, order: Order, summary: DeliverySummary) -> None:
        self.order = order
        self.summary = summary
        self.refused = False
        self.next = FIRST

    def look(self, *, last: bool = False) -> None:
        """Before a claim is worked on, and when nothing is left."""
        if self.refused and (last or self.summary.handled >= self.next):
            self.refused = False
            self.next = max(self.next, self.summary.handled) * 2
            order, limits = self.order, {n: c.limits for n, c in self.order.channels.items()}
            firmly(order, lambda _: judge(order.engine, limits, order.now()))
        elif last:
            return
        for pause in paused_channels(self.order.engine):
            self.summary.still[pause.channel] = pause.detail
