"""May this message still go out? The SQL that is asked in the statement that lets it go.

It is asked of the relation `i` (customer_id, message_id, channel, step, …): is the customer
still there, has the journey been left, is the address suppressed, does every consent that
the send rests on stand. The newest word counts, and of a yes and a no of the same instant
the no.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from journeylang.classes import dataclass
from journeylang.model.binding import Binding, ConsentTable, ConsentWhen
from journeylang.model.project import Project
from journeylang.model.walk import customer_fields, walk
from journeylang.plan.operations import Offer, Program, SendPark
from journeylang.sql.dialects import Dialect, quote, text
from journeylang.sql.expressions import Rows, Scope, predicate
from journeylang.sql.prospects import collected_rows
from journeylang.sql.relations import consent_rows, customers
from journeylang.sql.schema import CALLS, EXITED, GONE, OF_MARKETING


def some_customers(binding: Binding, fields: Iterable[str], dialect: Dialect) -> str:
    """The customers relation with these fields alone: a planner pays for each one it sees."""
    bound = binding.customers
    assert bound is not None, "checked: a project with journeys binds customers"
    wanted = set(fields)
    fewer = replace(bound, fields=tuple(f for f in bound.fields if f.name in wanted))
    return customers(replace(binding, customers=fewer), dialect)


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """Builds the parts of the statement for one channel of a program."""

    project: Project
    program: Program
    dialect: Dialect
    channel: str

    @property
    def calling(self) -> bool:
        """Whether it is calls that go out: they rest on no address and no consent."""
        return self.channel.startswith(CALLS)

    def offers(self) -> list[tuple[Offer, bool]]:
        """The channel's part in each send, and whether the send is transactional."""
        return [
            (offer, plan.purpose == "transactional")
            for plan in self.program.journeys
            for park in plan.parks
            if isinstance(park, SendPark)
            for offer in park.offers
            if offer.channel == self.channel
        ]

    def consents(self) -> list[str]:
        """Names of all consents that the channel's sends rest on."""
        return list(dict.fromkeys(name for offer, _ in self.offers() for name in offer.consents))

    def ctes(self) -> list[str]:
        """`said_<consent>` for each consent, `c`: the customers at hand, `u`: the suppressed."""
        bound = [self.project.binding.consents[name] for name in self.consents()]
        asked = [n for one in bound if isinstance(one, ConsentWhen) for n in walk(one.condition)]
        base = some_customers(self.project.binding, customer_fields(asked), self.dialect)
        return [
            *(said(self.project, self.dialect, name) for name in self.consents()),
            f"c AS (SELECT * FROM {base} AS c WHERE c.customer_id IN (SELECT customer_id FROM i))",
            f"u AS ({self._suppressed()})",
        ]

    def joins(self) -> str:
        words = [quote(f"said_{name}") for name in self.consents()]
        return (
            "\n  LEFT JOIN c ON c.customer_id = i.customer_id"
            "\n  LEFT JOIN journey.run AS r"
            " ON r.customer_id = i.customer_id AND r.run_id = i.run_id"
        ) + "".join(f"\n  LEFT JOIN {s} ON {s}.customer_id = i.customer_id" for s in words)

    def reason(self) -> str:
        """Why the message may not go out any more; NULL if it may."""
        return (
            f"CASE WHEN {self._exited()} THEN 'exit: ' || r.reason"
            f" WHEN c.customer_id IS NULL OR r.status = {GONE} THEN 'gone'"
            " WHEN i.message_id IN (SELECT message_id FROM u) THEN 'suppressed'"
            f" WHEN NOT ({self._consented()}) THEN 'no_consent' END"
        )

    def _exited(self) -> str:
        """Left by an `exit when` after the decision; an `exit` step is the path's own end."""
        reasons = [
            f"i.journey = {plan.journey} AND r.reason IN"
            f" ({', '.join(text(x.reason) for x in plan.exits)})"
            for plan in self.program.journeys
            if plan.exits
        ]
        if not reasons:
            return "FALSE"
        return (
            f"(r.status = {EXITED} AND r.ended_at > i.decided_at"
            f" AND ({' OR '.join(f'({one})' for one in reasons)}))"
        )

    def _suppressed(self) -> str:
        if self.calling:
            return "SELECT i.message_id FROM i WHERE FALSE"
        spared = ""
        transactional = sorted({str(offer.step) for offer, exempt in self.offers() if exempt})
        if transactional:
            words = ", ".join(text(reason) for reason in OF_MARKETING)
            spared = f" AND NOT (i.step IN ({', '.join(transactional)}) AND s.reason IN ({words}))"
        by = (
            "SELECT i.message_id FROM i JOIN journey.suppression AS s"
            f" ON s.channel = {text(self.channel)} AND s.{{0}} = i.{{0}}{spared}"
        )
        return f"{by.format('customer_id')} UNION ALL {by.format('address_hash')}"

    def _consented(self) -> str:
        """Per set of consents that a send rests on: all of them stand."""
        if self.calling:
            return "TRUE"

        def stands(name: str) -> str:
            return granted(self.project, self.dialect, name)

        sets: dict[tuple[str, ...], list[int]] = {}
        for offer, _ in self.offers():
            sets.setdefault(offer.consents, []).append(offer.step)
        whens = [
            f"WHEN i.step IN ({', '.join(map(str, sorted(steps)))})"
            f" THEN {' AND '.join(map(stands, names)) or 'TRUE'}"
            for names, steps in sets.items()
        ]
        # What no send of the program rests on any more has nothing to stand on.
        return f"CASE {' '.join(whens)} ELSE FALSE END" if whens else "FALSE"


def said(project: Project, dialect: Dialect, name: str) -> str:
    """The CTE `said_<consent>`: when each of the customers `i` last said yes, and no; {now}."""
    bound = project.binding.consents[name]
    rows = (
        'SELECT customer_id, "at", granted FROM journey.consent_change'
        f" WHERE consent = {text(name)}"
    )
    if isinstance(bound, ConsentTable):
        rows = f"SELECT * FROM {consent_rows(bound, dialect)} AS b UNION ALL {rows}"
        collected = collected_rows(project, name, dialect)
        rows += f" UNION ALL {collected}" if collected is not None else ""
    return (
        f"{quote('said_' + name)} AS (SELECT k.customer_id,"
        " max(k.at) FILTER (WHERE k.granted) AS yes,"
        " max(k.at) FILTER (WHERE NOT k.granted) AS no"
        f" FROM ({rows}) AS k WHERE k.at <= {dialect.parameter('now')}"
        " AND k.customer_id IN (SELECT customer_id FROM i) GROUP BY k.customer_id)"
    )


def granted(project: Project, dialect: Dialect, name: str) -> str:
    """Whether a consent is given, where `said` is joined, and the customer as `c`."""
    bound = project.binding.consents[name]
    words = quote(f"said_{name}")
    if isinstance(bound, ConsentWhen):
        scope = Scope(
            project=project,
            dialect=dialect,
            steps={},
            rows=Rows(name="i", alias="i"),
        )
        condition = predicate(bound.condition, scope)
        refused = f"{words}.no IS NOT NULL AND ({words}.yes IS NULL OR {words}.no >= {words}.yes)"
        return f"(coalesce({condition}, FALSE) AND NOT ({refused}))"
    return f"({words}.yes IS NOT NULL AND ({words}.no IS NULL OR {words}.yes > {words}.no))"
