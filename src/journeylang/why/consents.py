"""What a customer has said about a consent, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from datetime import datetime

from journeylang.classes import dataclass
from journeylang.model.binding import ConsentTable, ConsentWhen
from journeylang.sql.dialects import text
from journeylang.sql.prospects import collected_rows
from journeylang.sql.relations import consent_rows
from journeylang.why.clauses import Clauses
from journeylang.why.model import Rule, Use
from journeylang.why.person import Person

Word = tuple[datetime, bool, str]
"""When, yes or no, and where that stands."""

TOLD = "told to the runtime"


@dataclass(slots=True, kw_only=True)
class Consents:
    """Words on consents, read once each."""

    person: Person
    _read: dict[str, list[Word]] = field(default_factory=dict, init=False)

    def against(self, name: str, channel: str, at: datetime, clauses: Clauses) -> Rule | None:
        """The rule that stands against a message for want of the consent; None if it is given."""
        said = [w for w in self._words(name) if w[0] <= at]
        yes = max((w[0] for w in said if w[1]), default=None)
        no = max((w[0] for w in said if not w[1]), default=None)
        bound = self.person.whole.binding.consents[name]
        clock = clauses.wording.clock
        refused = no is not None and (yes is None or no >= yes)
        told = f"consent `{name}`: no since {clock(no)}" if refused and no is not None else ""
        if isinstance(bound, ConsentWhen):
            conditions = clauses.asked([bound.condition], at)
            failing = tuple(c for c in conditions if c.holds is not True)
            if not refused and not failing:
                return None
            return Rule(
                channel=channel,
                reason="no_consent",
                text=told or f"consent `{name}` is not given",
                uses=tuple(_uses(said)),
                clauses=conditions,
                needs=(f"a later yes to `{name}`",)
                if refused
                else tuple(n for c in failing for n in c.needs),
            )
        if yes is not None and not refused:
            return None
        nothing = f"consent `{name}`: nothing was ever said ({bound.table} has no row)"
        return Rule(
            channel=channel,
            reason="no_consent",
            text=told or nothing,
            uses=tuple(_uses(said)),
            needs=(f"a {'later ' if refused else ''}yes to `{name}`",),
        )

    def _words(self, name: str) -> list[Word]:
        if name not in self._read:
            self._read[name] = sorted(self._asked(name))
        return self._read[name]

    def _asked(self, name: str) -> Iterator[Word]:
        person = self.person
        whole, d, query = person.whole, person.dialect, person.engine.query
        bound = whole.binding.consents[name]
        mine = f"customer_id = {person.key}"
        if isinstance(bound, ConsentTable):
            rows = query(
                f"SELECT b.at, b.granted FROM {consent_rows(bound, d)} AS b"
                f" WHERE b.{mine} AND b.at IS NOT NULL"
            )
            yield from ((at, granted, str(bound.table)) for at, granted in rows)
        collected = collected_rows(whole, name, d)
        if collected is not None:
            rows = query(
                f'SELECT k."at", k.granted FROM ({collected}) AS k WHERE k.{mine}',
                {"now": person.now},
            )
            yield from ((at, granted, "a collected list") for at, granted in rows)
        for at, granted, source in query(
            'SELECT "at", granted, source FROM journey.consent_change'
            f" WHERE {mine} AND consent = {text(name)}"
        ):
            yield at, granted, f"{TOLD}: {source}" if source else TOLD


def _uses(said: list[Word]) -> Iterator[Use]:
    """The newest words, the latest first."""
    for at, granted, source in said[:-4:-1]:
        yield Use(what=f"{'yes' if granted else 'no'} ({source})", at=at)
