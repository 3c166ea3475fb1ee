"""May this message still go out? The SQL that is asked in the statement that lets it go.

It is asked of the relation `i` (customer_id, message_id, channel, step, …): is the customer
still there, has the journey been left, is the address suppressed, does every consent that
the send rests on stand. The newest word counts, and of a yes and a no of the same instant
the no.
"""

from __future__ import annotations

from dataclasses import dataclass

from journeylang.model.binding import ConsentTable, ConsentWhen
from journeylang.model.project import Project
from journeylang.plan.operations import Program, SendPark
from journeylang.sql.dialects import Dialect, quote, text
from journeylang.sql.expressions import Rows, Scope, predicate
from journeylang.sql.relations import consent_rows, customers
from journeylang.sql.schema import EXITED, GONE

# Suppressions that do not bind what the customer has to be told (bookings, receipts).
_OF_MARKETING = ("unsubscribe",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """Builds the parts of the statement for one program."""

    project: Project
    program: Program
    dialect: Dialect

    def parks(self) -> list[tuple[SendPark, bool]]:
        """All sends, and whether they are transactional."""
        return [
            (park, plan.purpose == "transactional")
            for plan in self.program.journeys
            for park in plan.parks
            if isinstance(park, SendPark)
        ]

    def consents(self) -> list[str]:
        """Names of all consents that sends rest on."""
        return list(
            dict.fromkeys(c for park, _ in self.parks() for o in park.offers for c in o.consents)
        )

    def ctes(self) -> list[str]:
        """`said_<consent>` for each consent, and `c`: the customers at hand."""
        ctes = [self._said(name) for name in self.consents()]
        base = customers(self.project.binding, self.dialect)
        ctes.append(
            f"c AS (SELECT * FROM {base} AS c WHERE c.customer_id IN (SELECT customer_id FROM i))"
        )
        return ctes

    def joins(self) -> str:
        said = [quote(f"said_{name}") for name in self.consents()]
        return (
            "\n  LEFT JOIN c ON c.customer_id = i.customer_id"
            "\n  LEFT JOIN journey.run AS r"
            " ON r.customer_id = i.customer_id AND r.run_id = i.run_id"
        ) + "".join(f"\n  LEFT JOIN {s} ON {s}.customer_id = i.customer_id" for s in said)

    def reason(self) -> str:
        """Why the message may not go out any more; NULL if it may."""
        return (
            f"CASE WHEN {self._exited()} THEN 'exit: ' || r.reason"
            f" WHEN c.customer_id IS NULL OR r.status = {GONE} THEN 'gone'"
            f" WHEN {self._suppressed()} THEN 'suppressed'"
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
        transactional = [str(park.step) for park, exempt in self.parks() if exempt]
        spared = ""
        if transactional:
            words = ", ".join(text(reason) for reason in _OF_MARKETING)
            spared = f" AND NOT (i.step IN ({', '.join(transactional)}) AND s.reason IN ({words}))"
        return (
            "EXISTS (SELECT 1 FROM journey.suppression AS s WHERE s.channel = i.channel"
            f" AND s.customer_id = i.customer_id{spared})"
            " OR EXISTS (SELECT 1 FROM journey.suppression AS s WHERE s.channel = i.channel"
            f" AND s.address_hash = i.address_hash{spared})"
        )

    def _consented(self) -> str:
        """Per set of consents that a send's channel rests on: all of them stand."""
        offers: dict[tuple[str, ...], list[tuple[int, str]]] = {}
        for park, _ in self.parks():
            for offer in park.offers:
                offers.setdefault(offer.consents, []).append((park.step, offer.channel))
        whens = []
        for names, places in offers.items():
            granted = " AND ".join(self._granted(name) for name in names) or "TRUE"
            by_channel: dict[str, list[str]] = {}
            for step, channel in places:
                by_channel.setdefault(channel, []).append(str(step))
            where = " OR ".join(
                f"i.channel = {text(channel)} AND i.step IN ({', '.join(sorted(set(steps)))})"
                for channel, steps in by_channel.items()
            )
            whens.append(f"WHEN {where} THEN {granted}")
        # What no send of the program rests on any more has nothing to stand on.
        return f"CASE {' '.join(whens)} ELSE FALSE END" if whens else "FALSE"

    def _said(self, name: str) -> str:
        bound = self.project.binding.consents[name]
        rows = (
            'SELECT customer_id, "at", granted FROM journey.consent_change'
            f" WHERE consent = {text(name)}"
        )
        if isinstance(bound, ConsentTable):
            rows = f"SELECT * FROM {consent_rows(bound, self.dialect)} AS b UNION ALL {rows}"
        return (
            f"{quote('said_' + name)} AS (SELECT k.customer_id,"
            " max(k.at) FILTER (WHERE k.granted) AS yes,"
            " max(k.at) FILTER (WHERE NOT k.granted) AS no"
            f" FROM ({rows}) AS k WHERE k.at <= {self.dialect.parameter('now')}"
            " AND k.customer_id IN (SELECT customer_id FROM i) GROUP BY k.customer_id)"
        )

    def _granted(self, name: str) -> str:
        bound = self.project.binding.consents[name]
        said = quote(f"said_{name}")
        if isinstance(bound, ConsentWhen):
            scope = Scope(
                project=self.project,
                dialect=self.dialect,
                steps={},
                rows=Rows(name="i", alias="i"),
            )
            condition = predicate(bound.condition, scope)
            refused = f"{said}.no IS NOT NULL AND ({said}.yes IS NULL OR {said}.no >= {said}.yes)"
            return f"(coalesce({condition}, FALSE) AND NOT ({refused}))"
        return f"({said}.yes IS NOT NULL AND ({said}.no IS NULL OR {said}.yes > {said}.no))"
