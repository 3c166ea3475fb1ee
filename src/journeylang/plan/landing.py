"""Where a send lets everybody come to, if that is one place and they stay there."""

from __future__ import annotations

from journeylang.plan.operations import JourneyPlan, Leaf, Park, RacePark, SendPark, WaitPark


def landing(plan: JourneyPlan, send: SendPark) -> Leaf | None:
    """The leaf that all come to who do not wait at the send, and where they then rest or end.

    None if it hangs on anything, or if something is left behind on the way.
    """
    if send.lacking is not None or send.code is not None:
        return None
    leaf = next(edge.node for edge in plan.edges if edge.edge == send.edge)
    if not isinstance(leaf, Leaf) or leaf.exposures:
        return None
    parks = {park.step: park for park in plan.parks}
    return leaf if leaf.step is None or holds(parks[leaf.step]) else None


def holds(park: Park) -> bool:
    """Whether nobody who comes to it now is through with it now."""
    match park:
        case WaitPark() | RacePark():
            return park.rule is not None or bool(park.seconds)
        case _:
            return False
