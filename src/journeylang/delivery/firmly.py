"""Transactions that outlast others in their way and a connection that is lost."""

from __future__ import annotations

from collections.abc import Callable

from journeylang.delivery.order import Order
from journeylang.engines.base import ConflictError
from journeylang.runtime.session import TRIES


def firmly(order: Order, work: Callable[[bool], object]) -> None:
    """Do work in a transaction, once more after a conflict; it is told whether it is once more.

    The connection may have been lost behind the commit: what is done again must not count
    twice.
    """
    for number in range(TRIES):
        try:
            with order.engine.transaction():
                work(number > 0)
        except ConflictError:
            if number == TRIES - 1:
                raise
            order.recover()
        else:
            return
