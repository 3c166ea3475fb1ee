"""A tick's working tables, and the plan as small tables to join with.

`trail` is what a tick does, row by row: each row is a run at one point of its way, written
by one round and read by the next. What becomes of a row is its `fate`:

    GO       leaves by `edge`; the next round advances it
    SEND     stands at a send; arbitration decides
    REST     parked: the run's new state
    ACT      at a step that leaves something behind; then on by `edge`
    END      left: the run's last state
    REFUSED  a candidate that may not enter

`arrived_at` is when it came to `step`, `left_at` when it goes on (the arrival behind) or will,
`why` what brought it here, `going` what takes it away.

What these tables cost is columns: small integers and booleans twice as much as INTEGER on DuckDB,
texts five times, and what is always NULL hardly less. Only some programs need those of `choosing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from journeylang.model.entry import EnterOn
from journeylang.plan.landing import landing
from journeylang.plan.operations import (
    ActionPark,
    JourneyPlan,
    MomentPark,
    Offer,
    Program,
    RacePark,
    SendPark,
    StatePark,
    WaitPark,
)
from journeylang.sql.dialects import Dialect, text
from journeylang.sql.schema import ACTIVE, EXITED, FINISHED, WHY
from journeylang.sql.written import table

GO, SEND, REST, END, REFUSED, ACT = 1, 2, 3, 4, 5, 6
SENT, HELD, SKIPPED = 1, 2, 3

TRAIL = {
    "round": "INTEGER",
    "customer_id": "{key}",
    "run_id": "BIGINT",
    "journey": "INTEGER",
    "edge": "INTEGER",
    "from_step": "INTEGER",
    "step": "INTEGER",
    "arrived_at": "TIMESTAMP",
    "left_at": "TIMESTAMP",
    "entered_at": "TIMESTAMP",
    "fate": "INTEGER",
    "status": "INTEGER",
    "reason": "VARCHAR",
    "entry": "VARCHAR",
    "leaf": "INTEGER",
    "why": "INTEGER",
    "going": "INTEGER",
    "passes": "INTEGER",
    "fresh": "BOOLEAN",
}
# Which rows of `trail AS t` are transitions.
MOVED = f"(t.why <> {WHY['retry']} AND (t.round > 0 OR t.fate = {END}))"
INTENT = {
    "customer_id": "{key}",
    "run_id": "BIGINT",
    "journey": "INTEGER",
    "step": "INTEGER",
    "arrived_at": "TIMESTAMP",
    "entered_at": "TIMESTAMP",
    "entry": "VARCHAR",
    "last_reason": "VARCHAR",
    "mask": "BIGINT",
    "content": "VARCHAR",
    "passes": "INTEGER",
    "fresh": "BOOLEAN",
    "limit_at": "TIMESTAMP",
    "rank": "INTEGER",
}
DECIDED = {
    "phase": "INTEGER",
    "customer_id": "{key}",
    "run_id": "BIGINT",
    "journey": "INTEGER",
    "step": "INTEGER",
    "arrived_at": "TIMESTAMP",
    "entered_at": "TIMESTAMP",
    "entry": "VARCHAR",
    "passes": "INTEGER",
    "fresh": "BOOLEAN",
    "outcome": "INTEGER",
    "reason": "VARCHAR",
    "figures": "VARCHAR",
    "wake_at": "TIMESTAMP",
    "quiet_from": "TIMESTAMP",
    "quiet_until": "TIMESTAMP",
}
# What was chosen, where a send has a choice.
CHOSEN = {"channel": "VARCHAR", "cost": "DECIMAL(18,4)", "counted": "BOOLEAN"}
# What a candidate of a send is, whoever stands there.
OFFER = {
    "step": "INTEGER",
    "position": "INTEGER",
    "channel": "VARCHAR",
    "caps": "INTEGER",
    "consents": "INTEGER",
    "controlled": "BOOLEAN",
    "quiet": "INTEGER",
    "quiet_hold": "INTEGER",
    "quiet_skip": "INTEGER",
    "counted": "BOOLEAN",
    "cost": "DECIMAL(18,4)",
    "transactional": "BOOLEAN",
}
# The instants of schedules that have come, for a zone or (NULL) for everybody; a yearly one's for
# those whose date is of that month and day and not later than the anniversary.
DUE = {
    "journey": "INTEGER",
    "zone": "VARCHAR",
    "due_at": "TIMESTAMP",
    "month_day": "INTEGER",
    "anniversary": "DATE",
}
# What runs `set` in this tick. A run passes one step per round, so `round` orders its own.
WRITTEN = {
    "round": "INTEGER",
    "customer_id": "{key}",
    "run_id": "BIGINT",
    "journey": "INTEGER",
    "step": "INTEGER",
    "arrived_at": "TIMESTAMP",
    "priority": "INTEGER",
    "ordinal": "INTEGER",
    "name": "VARCHAR",
    "value": "VARCHAR",
}
# Who of those looked at is in the segment that a journey is entered by joining.
INSIDE = {"journey": "INTEGER", "customer_id": "{key}", "inside": "BOOLEAN"}
# Local time per zone in use (and rule), each row for the instants in [since, until); worked
# out in Python from one zone database. `zone_rule` is asked for an arrival, the others for now.
ZONES = {
    "zone_rule": {
        "zone": "VARCHAR",
        "rule": "INTEGER",
        "since": "TIMESTAMP",
        "until": "TIMESTAMP",
        "instant": "TIMESTAMP",
        "shift": "BIGINT",
    },
    "zone_day": {
        "zone": "VARCHAR",
        "since": "TIMESTAMP",
        "until": "TIMESTAMP",
        "date": "DATE",
        "day": "TIMESTAMP",
        "week": "TIMESTAMP",
        "month": "TIMESTAMP",
        "next_day": "TIMESTAMP",
        "next_week": "TIMESTAMP",
        "next_month": "TIMESTAMP",
    },
    "zone_quiet": {
        "zone": "VARCHAR",
        "rule": "INTEGER",
        "since": "TIMESTAMP",
        "until": "TIMESTAMP",
        "quiet": "BOOLEAN",
        "release": "TIMESTAMP",
        "next_from": "TIMESTAMP",
        "next_until": "TIMESTAMP",
    },
}


def temporary(d: Dialect, name: str, columns: Mapping[str, str], key_type: str = "") -> str:
    """A statement that makes a temporary table, empty even if it was there."""
    return d.emptied_table(name, {c: kind.format(key=key_type) for c, kind in columns.items()})


def choosing(program: Program) -> dict[str, str]:
    """Columns of `trail` that its sends ask for: bits of candidates, values of messages."""
    parks = [park for journey in program.journeys for park in sends(journey)]
    columns = {}
    if any(p.picks or any(c.when is not None for c in p.candidates) for p in parks):
        columns["mask"] = "BIGINT"
    if any(p.values or p.picks or any(c.values for c in p.candidates) for p in parks):
        columns["content"] = "VARCHAR"
    return columns


def trail_columns(program: Program) -> dict[str, str]:
    return TRAIL | choosing(program)


def decided_columns(program: Program) -> dict[str, str]:
    return (
        DECIDED
        | ({"rank": "INTEGER"} if rivals(program) else {})
        | (CHOSEN if choice(program) else {})
        | ({"content": "VARCHAR"} if worded(program) else {})
        | ({"zone": "VARCHAR"} if _zoned(program) else {})
    )


def _zoned(program: Program) -> bool:
    """Whether those decided of may go on to a wait on their own clock by another statement."""
    land = landing_sends(program)
    return local_waits(program) and any(
        s.step not in land for j in program.journeys for s in sends(j)
    )


def rivals(program: Program) -> bool:
    """Whether somebody can stand at two sends at once: not in one journey of one run at a time."""
    per = any(isinstance(j.entry, EnterOn) and j.entry.per is not None for j in program.journeys)
    return per or sum(1 for j in program.journeys if sends(j)) > 1


def choice(program: Program) -> bool:
    """Whether some send has more than one candidate."""
    return any(offer.position > 0 for offer in offers(program))


def of_rank(d: Dialect, program: Program) -> str:
    """Which of `decided AS s` are of the rank {rank}, behind other conditions."""
    return f" AND s.rank = {d.parameter('rank')}" if rivals(program) else ""


def local_waits(program: Program) -> bool:
    """Whether a wait hangs on somebody's clock or calendar."""
    parks = (park for journey in program.journeys for park in journey.parks)
    return any(getattr(park, "rule", None) is not None for park in parks)


def landing_sends(program: Program) -> dict[int, bool]:
    """The sends whose decided need no row of `trail`: whether that takes their zone."""
    found = {}
    for plan in program.journeys:
        parks = {park.step: park for park in plan.parks}
        for send in sends(plan):
            leaf = landing(plan, send)
            if leaf is not None:
                park = None if leaf.step is None else parks[leaf.step]
                found[send.step] = getattr(park, "rule", None) is not None
    return found


def working_tables(d: Dialect, program: Program, key_type: str) -> list[str]:
    """Statements that make the tables whose columns are the program's, whatever was there."""
    tables = {"trail": trail_columns(program), "decided": decided_columns(program)}
    return [
        d.fresh_table(name, ", ".join(f"{c} {kind}" for c, kind in columns.items())).format(
            key=key_type
        )
        for name, columns in tables.items()
    ]


def worded(program: Program) -> bool:
    """Whether messages have content of their own, given with the send or drawn behind it."""
    drawn = any(park.code is not None for journey in program.journeys for park in sends(journey))
    return drawn or "content" in choosing(program)


def written_table(d: Dialect, key_type: str) -> str:
    """A statement that empties `written`. Where nobody can write it need not run in each tick."""
    return temporary(d, "written", WRITTEN, key_type)


def caps_sets(program: Program) -> list[Offer]:
    """One offer for each distinct set of caps; its position is the set's number."""
    sets: dict[object, Offer] = {}
    for offer in offers(program):
        sets.setdefault(offer.caps, offer)
    return list(sets.values())


def offers(program: Program) -> list[Offer]:
    return [o for j in program.journeys for p in sends(j) for o in p.offers]


def sends(journey: JourneyPlan) -> list[SendPark]:
    return [p for p in journey.parks if isinstance(p, SendPark)]


def edge_ahead(row: str, send: str) -> str:
    """The edge by which the decided go on."""
    return (
        f"CASE WHEN {row}.reason IN ('too_few', 'no_code') THEN {send}.lacking ELSE {send}.edge END"
    )


def plan_tables(d: Dialect, program: Program) -> list[str]:
    """The program as tables: what a leaf, a park, a send and an offer are."""
    order = sorted((j.name, p.path, p.step) for j in program.journeys for p in sends(j))
    ordinal = {step: n for n, (_, _, step) in enumerate(order)}
    return [
        table(
            d,
            "plan_leaf",
            "journey INTEGER, leaf INTEGER, kind VARCHAR, step INTEGER, seconds BIGINT,"
            " rule INTEGER, edge INTEGER, status SMALLINT, reason VARCHAR,"
            " kept INTEGER, added INTEGER",
            (
                (*row, leaf.passes.kept, leaf.passes.added)
                for j in program.journeys
                for leaf, row in zip(j.leaves, _leaves(j), strict=True)
            ),
        ),
        table(
            d,
            "plan_exposure",
            "journey INTEGER, leaf INTEGER, experiment INTEGER, arm VARCHAR, salt VARCHAR,"
            " low INTEGER, high INTEGER",
            (row for j in program.journeys for row in _exposures(j)),
        ),
        table(
            d,
            "plan_park",
            "journey INTEGER, step INTEGER, kind VARCHAR, edge INTEGER, going SMALLINT",
            (row for j in program.journeys for row in _parks(j)),
        ),
        table(
            d,
            "plan_send",
            "journey INTEGER, step INTEGER, ordinal INTEGER, priority INTEGER,"
            " hold_seconds BIGINT, expires BIGINT, parks BOOLEAN, edge INTEGER, lacking INTEGER,"
            " topic VARCHAR",
            (
                (
                    j.journey,
                    p.step,
                    ordinal[p.step],
                    j.priority,
                    p.limit,
                    p.expires,
                    "FALSE" if p.otherwise == "skip" else "TRUE",
                    p.edge,
                    p.edge if p.lacking is None else p.lacking,
                    None if p.topic is None else text(p.topic),
                )
                for j in program.journeys
                for p in sends(j)
            ),
        ),
        table(
            d,
            "plan_landing",
            "step INTEGER, to_step INTEGER, fate INTEGER, status SMALLINT, reason VARCHAR,"
            " seconds BIGINT, rule INTEGER, kept INTEGER, added INTEGER",
            (row for j in program.journeys for row in landings(j)),
        ),
        table(
            d,
            "plan_turn",
            "step INTEGER, favourite VARCHAR, position INTEGER, turn INTEGER",
            ((step, text(name), position, turn) for step, name, position, turn in turns(program)),
        ),
        table(
            d,
            "plan_offer",
            ", ".join(f"{name} {kind}" for name, kind in OFFER.items()),
            offer_rows(program, offers(program)),
        ),
    ]


def offer_rows(program: Program, of: Iterable[Offer]) -> Iterable[Sequence[object]]:
    """Rows of `plan_offer`, as SQL."""
    caps = {offer.caps: n for n, offer in enumerate(caps_sets(program))}
    consents = {c: n for n, c in enumerate(consent_sets(program))}
    return (
        (
            o.step,
            o.position,
            text(o.channel),
            caps[o.caps],
            consents[o.consents],
            "TRUE" if o.control is not None else "FALSE",
            o.quiet,
            o.quiet_hold,
            o.quiet_skip,
            "TRUE" if o.counted else "FALSE",
            o.cost,
            "TRUE" if o.transactional else "FALSE",
        )
        for o in of
    )


def landings(j: JourneyPlan) -> Iterable[Sequence[object]]:
    """Of each send that lets everybody come to one place: where that is."""
    leaves = {row[1]: row for row in _leaves(j)}
    for send in sends(j):
        leaf = landing(j, send)
        if leaf is not None:
            _, _, kind, step, seconds, rule, _, status, reason = leaves[leaf.leaf]
            fate = END if kind == "'end'" else REST
            state = (ACTIVE if status is None else status, reason, seconds, rule)
            yield (send.step, step, fate, *state, leaf.passes.kept, leaf.passes.added)


def turns(program: Program) -> list[tuple[int, str, int, int]]:
    """(step, channel, position, turn) where that channel's candidates are tried first."""
    found = []
    for park in (p for j in program.journeys for p in sends(j) if p.preferred or p.learned):
        channels = [o.channel for o in park.offers]
        for favourite in dict.fromkeys(channels):
            order = sorted(range(len(channels)), key=lambda p: (channels[p] != favourite, p))
            found += [(park.step, favourite, p, turn) for turn, p in enumerate(order)]
    return found


def consent_sets(program: Program) -> list[tuple[str, ...]]:
    """The distinct sets of consents that offers ask for; the position is the number."""
    return list(dict.fromkeys(o.consents for o in offers(program)))


def _exposures(j: JourneyPlan) -> Iterable[Sequence[object]]:
    """Of an experiment the arm; of a factor all arms with their buckets, unless it learns."""
    salts, kept = dict(j.salts), dict(j.kept or ())
    factors = {f.step: f for f in j.factors}
    for leaf in j.leaves:
        for step, arm in leaf.exposures:
            head = (j.journey, leaf.leaf, kept.get(step, step))
            if arm is not None:
                yield (*head, text(arm), text(salts[step]), None, None)
                continue
            salt = text(factors[step].salt)
            if factors[step].learned:
                yield (*head, None, salt, None, None)
                continue
            for name, low, high in factors[step].arms:
                yield (*head, text(name), salt, low, high)


def _leaves(j: JourneyPlan) -> Iterable[Sequence[object]]:
    parks = {p.step: p for p in j.parks}
    for leaf in j.leaves:
        park = parks[leaf.step] if leaf.step is not None else None
        match park:
            case None:
                status = EXITED if leaf.exited else FINISHED
                reason = text(leaf.reason or "end")
                yield (j.journey, leaf.leaf, "'end'", None, None, None, None, status, reason)
            case SendPark():
                yield (j.journey, leaf.leaf, "'send'", park.step, None, None, None, None, None)
            case ActionPark():
                yield (j.journey, leaf.leaf, "'act'", park.step, None, None, park.edge, None, None)
            case MomentPark():
                yield (j.journey, leaf.leaf, "'wait'", park.step, None, None, park.edge, None, None)
            case WaitPark() | StatePark() | RacePark():
                kind = {WaitPark: "'wait'", StatePark: "'state'"}.get(type(park), "'race'")
                yield (
                    *(j.journey, leaf.leaf, kind, park.step),
                    *(park.seconds, park.rule, park.edge, None, None),
                )


def _parks(j: JourneyPlan) -> Iterable[Sequence[object]]:
    for park in j.parks:
        match park:
            case WaitPark() | MomentPark():
                yield (j.journey, park.step, "'wait'", park.edge, WHY["due"])
            case StatePark():
                yield (j.journey, park.step, "'state'", park.edge, WHY["timeout"])
            case RacePark():
                yield (j.journey, park.step, "'race'", park.edge, WHY["timeout"])
            case SendPark():
                yield (j.journey, park.step, "'send'", park.retry, WHY["retry"])
            case ActionPark():
                pass  # nobody rests there
