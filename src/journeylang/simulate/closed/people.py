"""What of a customer does not change while a dry run lasts: the zone, addresses, consents."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from journeylang.classes import dataclass
from journeylang.model.binding import ConsentTable
from journeylang.plan.operations import JourneyPlan, Offer
from journeylang.simulate.population import SCHEMA
from journeylang.sql.compiler import Compiler
from journeylang.sql.dialects import text
from journeylang.sql.expressions import Rows, Scope, predicate, value
from journeylang.sql.relations import consent_rows
from journeylang.sql.session import sends

ZONE = f"{SCHEMA}.zone"


def zone_type(names: Sequence[str]) -> str:
    """Makes a type of the zones: names are long, and go with each run to each step."""
    return f"CREATE TYPE {ZONE} AS ENUM ({', '.join(map(text, names)) or text('')})"


@dataclass(frozen=True, kw_only=True)
class People:
    """Columns `zone`, `address_N` and `granted_N` of customers, that go with their runs."""

    compiler: Compiler
    plan: JourneyPlan

    @cached_property
    def offers(self) -> tuple[Offer, ...]:
        return tuple(o for park in sends(self.plan) for o in park.offers)

    @cached_property
    def channels(self) -> list[str]:
        return list(dict.fromkeys(o.channel for o in self.offers))

    @cached_property
    def consents(self) -> list[str]:
        return list(dict.fromkeys(c for o in self.offers for c in o.consents))

    @property
    def columns(self) -> list[str]:
        return [
            "zone",
            *(f"address_{n}" for n in range(len(self.channels))),
            *(f"granted_{n}" for n in range(len(self.consents))),
        ]

    def address(self, offer: Offer) -> str:
        """Whether the address is known, of a row `w`."""
        return f"w.address_{self.channels.index(offer.channel)}"

    def granted(self, offer: Offer) -> str:
        """Whether all consents are given, of a row `w`."""
        asked = [f"w.granted_{self.consents.index(c)}" for c in offer.consents]
        return f"({' AND '.join(asked)})" if asked else "TRUE"

    def relation(self) -> str:
        """{now} -> customer_id and the columns, of all customers."""
        binding = self.compiler.project.binding
        scope = self.compiler.scope(Rows())
        found = [f'CAST(c."_zone" AS {ZONE})']
        found += [f"{value(binding.channels[c].address, scope)} IS NOT NULL" for c in self.channels]
        found += [self._granted(n, consent, scope) for n, consent in enumerate(self.consents)]
        named = ", ".join(f"{sql} AS {name}" for sql, name in zip(found, self.columns, strict=True))
        joins = "".join(self._said(n, consent) for n, consent in enumerate(self.consents))
        base = self.compiler.base("timezone", *scope.fields)
        return f"(SELECT c.customer_id, {named} FROM {base} AS c{joins}{scope.joins()})"

    def _said(self, number: int, consent: str) -> str:
        """Who has said yes last, and who no: of both at the same instant the no wins."""
        d = self.compiler.dialect
        bound = self.compiler.project.binding.consents[consent]
        rows = (
            'SELECT customer_id, "at", granted FROM journey.consent_change'
            f" WHERE consent = {text(consent)}"
        )
        if isinstance(bound, ConsentTable):
            rows += f" UNION ALL SELECT * FROM {consent_rows(bound, d)} AS b"
        return (
            "\nLEFT JOIN (SELECT k.customer_id, max(k.at) FILTER (WHERE k.granted) AS yes,"
            f" max(k.at) FILTER (WHERE NOT k.granted) AS no FROM ({rows}) AS k"
            f" WHERE k.at <= {d.parameter('now')} GROUP BY k.customer_id) AS said_{number}"
            f" ON said_{number}.customer_id = c.customer_id"
        )

    def _granted(self, number: int, consent: str, scope: Scope) -> str:
        bound = self.compiler.project.binding.consents[consent]
        said = f"said_{number}"
        if isinstance(bound, ConsentTable):
            latest = f"{said}.yes IS NOT NULL AND ({said}.no IS NULL OR {said}.yes > {said}.no)"
            return f"({latest})"
        refused = f"{said}.no IS NOT NULL AND ({said}.yes IS NULL OR {said}.no >= {said}.yes)"
        return f"(coalesce({predicate(bound.condition, scope)}, FALSE) AND NOT ({refused}))"
