"""Budgets and capacities: of all who might be sent to, for how many is there enough?

One rank is decided channel by channel: `position` 0 of everybody, then 1, ... Within one
position the candidates stand in line, and an allowance lets them through while the sum fits;
from the first one that does not fit on it is *closed*. Who is stopped by one allowance takes
nothing from another. So they are closed one after the other, the one that closes earliest in
the line first (`close`, until it finds none), which is what going along the line would do.

Only candidates that no other rule stops take anything; the others are told whether it would
have been enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, Decimal

from journeylang.classes import dataclass
from journeylang.model.text_message import CHANNEL
from journeylang.model.types import Kind, Type
from journeylang.plan.operations import CAPACITY, Allowance, Offer, Program
from journeylang.sql.dialects import Dialect, text
from journeylang.sql.session import offers, temporary
from journeylang.sql.written import table

VERDICT = {
    "customer_id": "{key}",
    "run_id": "BIGINT",
    "step": "INTEGER",
    "position": "INTEGER",
    "line": "BIGINT",
    "channel": "VARCHAR",
    "cost": "DECIMAL(18,4)",
    "counted": "BOOLEAN",
    "quiet_from": "TIMESTAMP",
    "quiet_until": "TIMESTAMP",
    "caps": "VARCHAR",
    "early": "VARCHAR",
    "late": "VARCHAR",
    "stuck": "BOOLEAN",
    "held": "BOOLEAN",
    "release": "TIMESTAMP",
}
_SPENT = {"allowance": "INTEGER", "amount": "DECIMAL(38,4)", '"at"': "TIMESTAMP"}
_CLOSED = {"allowance": "INTEGER", "line": "BIGINT"}
_RUN = {"customer_id": "{key}", "run_id": "BIGINT", "position": "INTEGER"}
_STOPPED = {**_RUN, "allowance": "INTEGER", "amount": "DECIMAL(38,4)"}


def of_position(d: Dialect) -> str:
    """A statement that begins a position."""
    return temporary(d, "closed", _CLOSED)


def of_round(d: Dialect) -> list[str]:
    """Statements that begin an arbitration."""
    return [temporary(d, "spent", _SPENT)]


def of_rank(d: Dialect, key_type: str) -> list[str]:
    """Statements that begin a rank."""
    tables = {"verdict": VERDICT, "stopped": _STOPPED, "granted": _RUN}
    return [temporary(d, name, columns, key_type) for name, columns in tables.items()]


def allowances(program: Program) -> list[Allowance]:
    """All of a program; the position is the number."""
    return list(dict.fromkeys(a for o in offers(program) for a, _ in o.allowances))


def paid_later(program: Program) -> frozenset[int]:
    """Numbers of the budgets of which more may be taken than a tick has charged: by text messages
    that turn out to have several parts.
    """
    numbers = {a: n for n, a in enumerate(allowances(program))}
    return frozenset(
        numbers[a]
        for o in offers(program)
        if o.channel == CHANNEL
        for a, _ in o.allowances
        if a.kind == "budget"
    )


def plan_tables(d: Dialect, program: Program) -> list[str]:
    """The allowances, and what an offer takes from which of them."""
    numbers = {a: n for n, a in enumerate(allowances(program))}
    taken = dict.fromkeys(
        (
            o.step,
            text(o.channel),
            numbers[a],
            _amount(a, o),
            "TRUE" if action == "hold" else "FALSE",
        )
        for o in offers(program)
        for a, action in o.allowances
    )
    return [
        table(
            d,
            "plan_budget",
            "allowance INTEGER, name VARCHAR, kind VARCHAR, shown VARCHAR, quota DECIMAL(18,4)",
            ((n, text(a.name), text(a.kind), text(shown(a)), a.quota) for a, n in numbers.items()),
        ),
        table(
            d,
            "plan_allowance",
            "step INTEGER, channel VARCHAR, allowance INTEGER, amount DECIMAL(18,4), holds BOOLEAN",
            taken,
        ),
    ]


def _amount(allowance: Allowance, offer: Offer) -> object:
    return offer.cost if allowance.kind == "budget" else 1


def of_money(ledger: str) -> str:
    """Whether a ledger is a budget's, whose charges are money; a capacity's are messages."""
    return f"{ledger} NOT LIKE '%{CAPACITY}%'"


def shown(allowance: Allowance) -> str:
    """An allowance as one would say it."""
    from journeylang.sql.caps import span_of_time

    window = allowance.calendar or (span_of_time(allowance.seconds) if allowance.seconds else "")
    amount = f"{allowance.quota:f}"
    if "." in amount:
        amount = amount.rstrip("0").rstrip(".")
    unit = f" {allowance.currency}" if allowance.currency else ""
    return f"{allowance.name} {amount}{unit}{f' per {window}' if window else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rations:
    """Statements for those who stand at some sends; all take what the tick's parameters have.

    Further ones: `close`, `stop`, `grant`, `charge` {position}; `charges` {base}, the first
    message of the rank. `positions`: how many there are; `rivals`: several allowances, of which
    one may close behind another. `used` -> (allowance, amount, …): what `spent` keeps.

    `takes`: by allowance what one message takes of it at most; `quotas`: how much there is;
    `ledgers`, of all allowances there are: under which name is kept what is taken.
    """

    spent: str
    used: str
    takes: Mapping[int, Decimal]
    quotas: Mapping[int, Decimal]
    ledgers: Mapping[int, str]
    close: str
    stop: str
    grant: str
    charge: str
    charges: str
    positions: int
    rivals: bool

    def enough(self, used: Mapping[int, Decimal], claims: int) -> bool:
        """Whether nobody can be stopped, of so many who claim a message each."""
        return all(
            used.get(n, 0) + (claims + 1) * takes <= self.quotas[n]
            for n, takes in self.takes.items()
        )

    def charged(self, used: Mapping[int, Decimal], messages: int) -> dict[int, Decimal]:
        """What is used up at most after so many messages."""
        most: dict[str, Decimal] = {}
        for n, takes in self.takes.items():
            ledger = self.ledgers[n]
            most[ledger] = max(takes, most.get(ledger, takes))
        return {n: was + messages * most.get(self.ledgers[n], 0) for n, was in used.items()}


def rations(d: Dialect, program: Program, asked: Sequence[Offer]) -> Rations | None:
    """None if nothing limits these offers."""
    numbers = {a: n for n, a in enumerate(allowances(program))}
    mine = {a: numbers[a] for o in asked for a, _ in o.allowances}
    if not mine:
        return None
    position = d.parameter("position")
    used = "\nUNION ALL ".join(_spent(d, a, n) for a, n in mine.items())
    takes: dict[int, Decimal] = {}
    for offer in asked:
        for allowance, _ in offer.allowances:
            # Not less than what the tables keep, which have four digits of it.
            amount = Decimal(str(_amount(allowance, offer) or 0))
            amount = amount.quantize(Decimal("0.0001"), rounding=ROUND_CEILING)
            takes[mine[allowance]] = max(amount, takes.get(mine[allowance], Decimal(0)))
    return Rations(
        spent=f'INSERT INTO spent (allowance, amount, "at")\n{used}',
        used=used,
        takes=takes,
        quotas={n: a.quota for a, n in mine.items()},
        ledgers={n: a.name for a, n in numbers.items()},
        close=_close(position),
        stop=_stop(position),
        grant=_grant(position),
        charge=_charge(d, position),
        charges=_charges(d),
        positions=1 + max(o.position for o in asked),
        rivals=len(mine) > 1,
    )


def _spent(d: Dialect, allowance: Allowance, number: int) -> str:
    """What is used up of an allowance, and when the oldest of it was."""
    now = d.parameter("now")
    since = ""
    if allowance.seconds is not None:
        since = f" AND u.at > {now} - {d.interval(allowance.seconds)}"
    elif allowance.calendar is not None:
        since = f" AND u.at >= {d.parameter('this_' + allowance.calendar)}"
    return f"""SELECT {number}, sum(u.amount), min(u.at) FROM journey.budget_use AS u
WHERE u.budget = {text(allowance.name)}{since}
  AND NOT EXISTS (SELECT 1 FROM journey.receipt AS b WHERE b.given_back
    AND b.message_id = u.message_id AND b.customer_id = u.customer_id)
HAVING count(*) > 0"""


def release(d: Dialect, program: Program, number: str, oldest: str) -> str:
    """When something of an allowance is free again; NULL: never."""
    whens = ""
    for n, allowance in enumerate(allowances(program)):
        if allowance.seconds is not None:
            free = f"coalesce({oldest}, {d.parameter('now')}) + {d.interval(allowance.seconds)}"
        elif allowance.calendar is not None:
            free = d.parameter("next_" + allowance.calendar)
        else:
            continue
        whens += f" WHEN {n} THEN {free}"
    nothing = d.literal(None, Type(kind=Kind.INSTANT))
    return f"CASE {number}{whens} ELSE {nothing} END" if whens else nothing


_USED = """used AS (
  SELECT b.allowance, b.quota, coalesce(sum(s.amount), 0) AS amount
  FROM plan_budget AS b LEFT JOIN spent AS s ON s.allowance = b.allowance
  GROUP BY b.allowance, b.quota
)"""


def _claims(position: str) -> str:
    """Candidates of a position and what each takes; `alive`: nothing closed stops it."""
    return f"""waiting AS (
  SELECT v.* FROM verdict AS v WHERE v.position = {position}
    AND NOT EXISTS (SELECT 1 FROM granted AS g
      WHERE g.customer_id = v.customer_id AND g.run_id = v.run_id)
), claim AS (
  SELECT v.line, a.allowance, a.amount, v.early IS NULL AND v.late IS NULL AS claims
  FROM waiting AS v JOIN plan_allowance AS a ON a.step = v.step AND a.channel = v.channel
), barred AS (
  SELECT DISTINCT c.line FROM claim AS c
  JOIN closed AS x ON x.allowance = c.allowance AND x.line <= c.line
), summed AS (
  SELECT c.*, sum(CASE WHEN c.claims AND b.line IS NULL THEN c.amount ELSE 0 END)
    OVER (PARTITION BY c.allowance ORDER BY c.line) AS total, b.line IS NULL AS alive
  FROM claim AS c LEFT JOIN barred AS b ON b.line = c.line
), {_USED}"""


def _close(position: str) -> str:
    return f"""INSERT INTO closed (allowance, line)
WITH {_claims(position)}, over AS (
  SELECT s.allowance, min(s.line) AS line
  FROM summed AS s JOIN used AS u ON u.allowance = s.allowance
  WHERE s.claims AND s.alive AND u.amount + s.total > u.quota GROUP BY s.allowance
)
SELECT o.allowance, o.line FROM over AS o WHERE o.line = (SELECT min(line) FROM over)"""


def _stop(position: str) -> str:
    return f"""INSERT INTO stopped (customer_id, run_id, position, allowance, amount)
WITH {_claims(position)}
SELECT v.customer_id, v.run_id, v.position, s.allowance, u.amount + s.total
FROM summed AS s JOIN used AS u ON u.allowance = s.allowance
JOIN waiting AS v ON v.line = s.line
LEFT JOIN closed AS x ON x.allowance = s.allowance
WHERE s.line >= x.line OR (NOT s.claims AND u.amount + s.total + s.amount > u.quota)"""


def _grant(position: str) -> str:
    return f"""INSERT INTO granted (customer_id, run_id, position)
SELECT v.customer_id, v.run_id, v.position FROM verdict AS v
WHERE v.position = {position} AND v.early IS NULL AND v.late IS NULL
  AND NOT EXISTS (SELECT 1 FROM granted AS g
    WHERE g.customer_id = v.customer_id AND g.run_id = v.run_id)
  AND NOT EXISTS (SELECT 1 FROM stopped AS x WHERE x.customer_id = v.customer_id
    AND x.run_id = v.run_id AND x.position = v.position)"""


def _charge(d: Dialect, position: str) -> str:
    return f"""INSERT INTO spent (allowance, amount, "at")
SELECT a.allowance, sum(a.amount), CAST({d.parameter("now")} AS TIMESTAMP)
FROM granted AS g JOIN verdict AS v ON v.customer_id = g.customer_id AND v.run_id = g.run_id
  AND v.position = g.position
JOIN plan_allowance AS a ON a.step = v.step AND a.channel = v.channel
WHERE g.position = {position} GROUP BY a.allowance"""


def _charges(d: Dialect) -> str:
    # Several windows may look at one ledger: it is charged once.
    return f"""INSERT INTO journey.budget_use (customer_id, message_id, budget, "at", amount)
SELECT DISTINCT m.customer_id, m.message_id, b.name, {d.parameter("now")}, a.amount
FROM journey.message AS m JOIN plan_allowance AS a ON a.step = m.step AND a.channel = m.channel
JOIN plan_budget AS b ON b.allowance = a.allowance
WHERE m.message_id >= {d.parameter("base")}"""
