"""Can a customer be reached by a channel at all: address, suppression, consent.

The relations are asked of the rank at hand, a CTE `i` with each customer once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from journeylang.model.binding import ConsentTable, ConsentWhen
from journeylang.model.expressions import CustomerValue
from journeylang.plan.operations import Offer, Program
from journeylang.sql.compiler import Compiler
from journeylang.sql.dialects import quote, text
from journeylang.sql.expressions import Rows, Scope, predicate, value
from journeylang.sql.prospects import collected_rows
from journeylang.sql.relations import PREFERS, consent_rows, message_event
from journeylang.sql.schema import OF_MARKETING
from journeylang.sql.session import consent_sets, sends

ANSWERS = ("clicked", "replied", "answered")
"""What somebody does who answers a message; machines open them too."""


class Situation(NamedTuple):
    """Of what may stand against a message, whether there is any at all in the database."""

    changes: bool = True
    suppressions: bool = True
    given_back: bool = True


def wish_column(wish: CustomerValue) -> str:
    """The column of `reach` with what a customer wants to be the most."""
    return quote(f"wish_{wish.name}")


class Reach:
    """Columns of the relation `reach` (customer_id, zone, …), one row per customer of `i`."""

    def __init__(
        self,
        compiler: Compiler,
        program: Program,
        offers: Sequence[Offer],
        there: Situation,
        wishes: Sequence[CustomerValue],
        here: str,
    ) -> None:
        self.here = here
        self.wishes = wishes
        self.compiler = compiler
        self.binding = compiler.project.binding
        self.d = compiler.dialect
        self.there = there
        self.channels = list(dict.fromkeys(o.channel for o in offers))
        # Sets keep their numbers in the whole program; those of no offer here are left out.
        asked = {o.consents for o in offers}
        self.consents = [(n, c) for n, c in enumerate(consent_sets(program)) if c in asked]
        steps = {o.step for o in offers}
        parks = [p for j in program.journeys for p in sends(j) if p.step in steps]
        self.preferring = any(p.preferred for p in parks)
        self.learned = [p.step for p in parks if p.learned]
        self.transactional = any(o.transactional for o in offers)
        self.scope: Scope = compiler.scope(Rows(name="i", alias="i"))

    def ctes(self) -> list[str]:
        """`said_<consent>` for each consent about which there are rows, and `reach`."""
        return [*(self._said_cte(name) for name in self._said()), self._reach()]

    def no_address(self) -> str:
        return f"NOT {self._by_channel('address_')}"

    def suppressed(self) -> str:
        if not self.transactional:
            return self._by_channel("suppressed_")
        told = self._by_channel("dead_")
        return f"CASE WHEN o.transactional THEN {told} ELSE {self._by_channel('suppressed_')} END"

    def no_consent(self) -> str:
        whens, granted = [], ""
        for number, names in self.consents:
            if names:
                granted = " AND ".join(f"r.{quote('granted_' + n)}" for n in names)
                whens.append(f"WHEN {number} THEN {granted}")
        if len(self.consents) == 1 and whens:
            return f"NOT ({granted})"
        return f"NOT (CASE o.consents {' '.join(whens)} ELSE TRUE END)" if whens else "FALSE"

    def _by_channel(self, prefix: str) -> str:
        if len(self.channels) == 1:
            return f"r.{quote(prefix + self.channels[0])}"
        whens = " ".join(f"WHEN {text(n)} THEN r.{quote(prefix + n)}" for n in self.channels)
        return f"CASE o.channel {whens} ELSE FALSE END"

    def _named_consents(self) -> list[str]:
        return list(dict.fromkeys(c for _, names in self.consents for c in names))

    def _said(self) -> list[str]:
        """Consents about which there are rows: who said what, and when."""
        return [
            n
            for n in self._named_consents()
            if self.there.changes or isinstance(self.binding.consents[n], ConsentTable)
        ]

    def _said_cte(self, name: str) -> str:
        """Who has said yes last, and who no. Of both at the same instant the no wins."""
        bound = self.binding.consents[name]
        changes = (
            'SELECT customer_id, "at", granted FROM journey.consent_change'
            f" WHERE consent = {text(name)}"
        )
        rows = changes
        if isinstance(bound, ConsentTable):
            rows = f"SELECT * FROM {consent_rows(bound, self.d)} AS b"
            collected = collected_rows(self.compiler.project, name, self.d)
            rows += f" UNION ALL {collected}" if collected is not None else ""
            rows += f" UNION ALL {changes}" if self.there.changes else ""
        return (
            f"{quote('said_' + name)} AS (SELECT k.customer_id,"
            " max(k.at) FILTER (WHERE k.granted) AS yes,"
            " max(k.at) FILTER (WHERE NOT k.granted) AS no"
            f" FROM ({rows}) AS k WHERE k.at <= {self.d.parameter('now')}"
            f" AND k.customer_id IN ({self.here}) GROUP BY k.customer_id)"
        )

    def _granted(self, name: str) -> str:
        bound = self.binding.consents[name]
        said = quote("said_" + name)
        latest = f"{said}.yes IS NOT NULL AND ({said}.no IS NULL OR {said}.yes > {said}.no)"
        if isinstance(bound, ConsentWhen):
            condition = predicate(bound.condition, self.scope)
            if not self.there.changes:
                return f"coalesce({condition}, FALSE)"
            refused = f"{said}.no IS NOT NULL AND ({said}.yes IS NULL OR {said}.no >= {said}.yes)"
            return f"(coalesce({condition}, FALSE) AND NOT ({refused}))"
        return f"({latest})"

    def _last_answered(self) -> str:
        """(customer_id, channel): by which each customer has answered last."""
        d = self.d
        rows = " UNION ALL ".join(
            f"SELECT * FROM {message_event(name, (), d)} AS e" for name in ANSWERS
        )
        newest = d.newest("a.channel", 'a."_at"', d.in_order('a."_key"'))
        return (
            f"(SELECT a.customer_id, {newest} AS channel FROM ({rows}) AS a"
            f' WHERE a."_at" <= {d.parameter("now")} AND a.customer_id IN ({self.here})'
            " GROUP BY a.customer_id)"
        )

    def _reach(self) -> str:
        scope = self.scope
        columns = ['c.customer_id, c."_zone" AS zone']
        asked = ["timezone"]
        if self.preferring:
            columns.append(f"coalesce(c.{quote(PREFERS)}, ans.channel) AS favourite")
            asked.append(PREFERS)
        for channel in self.channels:
            address = value(self.binding.channels[channel].address, scope)
            columns.append(f"{address} IS NOT NULL AS {quote('address_' + channel)}")
            for name, listed in (("suppressed_", "channels"), ("dead_", "dead")):
                if listed == "dead" and not self.transactional:
                    continue
                found = f"coalesce({self.d.list_has(f'u.{listed}', text(channel))}, FALSE)"
                suppressed = found if self.there.suppressions else "FALSE"
                columns.append(f"{suppressed} AS {quote(name + channel)}")
        columns += [f"{value(w, scope)} AS {wish_column(w)}" for w in self.wishes]
        names = self._named_consents()
        columns += [f"{self._granted(n)} AS {quote('granted_' + n)}" for n in names]
        said = [quote("said_" + n) for n in self._said()]
        joins = "".join(f"\n  LEFT JOIN {s} ON {s}.customer_id = c.customer_id" for s in said)
        if self.preferring:
            joins += f"\n  LEFT JOIN {self._last_answered()} AS ans"
            joins += " ON ans.customer_id = c.customer_id"
        if self.there.suppressions:
            spared = ", ".join(text(reason) for reason in OF_MARKETING)
            joins += f"""
  LEFT JOIN (SELECT customer_id, array_agg(channel) AS channels,
      array_agg(channel) FILTER (WHERE reason NOT IN ({spared})) AS dead
    FROM journey.suppression
    WHERE customer_id IS NOT NULL GROUP BY customer_id) AS u ON u.customer_id = c.customer_id"""
        return f"""reach AS (
  SELECT {", ".join(columns)}
  FROM {self.compiler.base(*asked, *scope.fields)} AS c{joins}
  WHERE c.customer_id IN ({self.here})
)"""
