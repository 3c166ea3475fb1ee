"""What is sent, and what it costs, as far as the last days tell without a simulation.

Steps that go send nothing any more, and a channel's new price is that of its messages. Whether
people come to a step more or less often than before is what only a simulation can tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from journeylang.engines.base import Engine
from journeylang.model.project import Project
from journeylang.plan.numbering import Numbering
from journeylang.runtime.upgrade import Upgrade

if TYPE_CHECKING:
    from journeylang.deploy.plan import Volume

DAYS = 7

_SENT = """SELECT step, channel, count(*) FROM journey.message
WHERE action IS NULL AND decided_at > {since} AND decided_at <= {now} AND step IN ({steps})
GROUP BY step, channel"""


def as_lately(
    engine: Engine,
    old: Project,
    new: Project,
    found: Upgrade,
    known: Numbering,
    now: datetime,
) -> Mapping[str, Volume]:
    """Of journeys whose volume or cost differs: both, if people do as they did lately."""
    from journeylang.deploy.plan import Volume

    places = [(place, step) for place, step in known.steps.items()]
    places += [((name, path), step) for (name, path, _), step in known.aliases.items()]
    sending: dict[int, tuple[str, bool, bool]] = {}
    for name in (name for name in found.changed if name in found.stored):
        were, are = _sends(found.stored[name].body), _sends(found.bodies[name])
        for (of, path), step in places:
            if of == name and path in were | are:
                sending[step] = (name, path in were, path in are)
    channels = {*old.binding.channels, *new.binding.channels}
    prices_stay = all(_price(old, channel) == _price(new, channel) for channel in channels)
    # To find out that as much is sent as before, every message of those days would be read.
    if not sending or (prices_stay and all(was == is_ for _, was, is_ in sending.values())):
        return {}
    d = engine.dialect
    latest = max(now, engine.query("SELECT now FROM journey.lock")[0][0])
    asked = _SENT.format(
        since=d.instant(latest - timedelta(days=DAYS)),
        now=d.instant(latest),
        steps=", ".join(map(str, sending)),
    )
    sums: dict[str, tuple[int, int, Decimal, Decimal]] = {}
    for step, channel, count in engine.query(asked):
        name, was, is_ = sending[step]
        before, after = (count if sends else 0 for sends in (was, is_))
        b, a, cost_b, cost_a = sums.get(name, (0, 0, Decimal(0), Decimal(0)))
        sums[name] = (
            b + before,
            a + after,
            cost_b + before * _price(old, channel),
            cost_a + after * _price(new, channel),
        )
    currency = next((c.currency for c in new.binding.channels.values() if c.currency), None)
    return {
        name: Volume(
            days=DAYS,
            before=before,
            after=after,
            cost_before=cost_before,
            cost_after=cost_after,
            currency=currency,
            basis="as in the last days",
        )
        for name, (before, after, cost_before, cost_after) in sums.items()
        if before != after or cost_before != cost_after
    }


def _sends(body: Mapping[str, Any]) -> set[str]:
    """The paths of the steps that send messages."""
    return {park["path"] for park in body["parks"] if park["kind"] == "SendPark"}


def _price(project: Project, channel: str) -> Decimal:
    bound = project.binding.channels.get(channel)
    return bound.cost if bound is not None and bound.cost is not None else Decimal(0)
