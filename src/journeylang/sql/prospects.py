"""What people on collected lists have agreed to, as rows beside those of a bound consent."""

from __future__ import annotations

from journeylang.model.expressions import Expression
from journeylang.model.lists import ProspectList
from journeylang.model.project import Project
from journeylang.model.types import INSTANT, TEXT
from journeylang.sql.dialects import Dialect, quote, text
from journeylang.sql.lists import comparable
from journeylang.sql.relations import bound_condition, bound_value, customer_column, customers

# No column of a list can be called so.
PERSON = "who is meant"


def stage(listed: ProspectList) -> dict[str, str]:
    """Columns of the table `prospect_stage`: who is meant, and what stands beside."""
    return {PERSON: "VARCHAR", **dict.fromkeys(listed.columns, "VARCHAR")}


def replace_prospects(listed: ProspectList, dialect: Dialect) -> list[str]:
    """Statements that put a list in place of what was there, from the table `prospect_stage`."""
    d, prospects = dialect, listed.prospects
    name = text(prospects.name)
    value = comparable(f"t.{quote(PERSON)}", listed.people.key, d)
    statements = [f"DELETE FROM journey.prospect WHERE prospects = {name}"]
    for consent in prospects.consents:
        at = d.cast(bound_value(consent.at, d), INSTANT)
        expires = "NULL" if prospects.expires is None else f"{at} + {d.interval(prospects.expires)}"
        granted = f"coalesce({bound_condition(consent.condition, d)}, FALSE)"
        statements.append(
            f"INSERT INTO journey.prospect SELECT DISTINCT {name}, {value},"
            f" {text(consent.consent)}, {at}, {granted}, {_text(consent.source, d)}, {expires}"
            f" FROM prospect_stage AS t WHERE {value} IS NOT NULL AND {at} IS NOT NULL"
        )
    return statements


def _text(node: Expression | None, d: Dialect) -> str:
    return d.literal(None, TEXT) if node is None else d.as_text(bound_value(node, d))


def collected_rows(project: Project, consent: str, dialect: Dialect) -> str | None:
    """Rows (customer_id, at, granted) of customers on lists; {now}. None if no list has any."""
    parts = []
    for name, listed in project.collected.items():
        if not any(c.consent == consent for c in listed.prospects.consents):
            continue
        subject = listed.people.subject
        base = customers(project.binding, dialect, (subject.name,))
        value = dialect.as_text(f"c.{quote(customer_column(subject.name))}")
        now = dialect.parameter("now")
        parts.append(
            f'SELECT c.customer_id, p."at", p.granted FROM journey.prospect AS p JOIN {base} AS c'
            f" ON p.value = {comparable(value, listed.people.key, dialect)}"
            f" WHERE p.prospects = {text(name)} AND p.consent = {text(consent)}"
            f" AND (p.expires_at IS NULL OR p.expires_at > {now})"
        )
    return " UNION ALL ".join(parts) or None


def strangers(project: Project, listed: ProspectList, dialect: Dialect) -> str:
    """{} -> source, how many people have it, and how many of them are no customers."""
    subject = listed.people.subject
    base = customers(project.binding, dialect, (subject.name,))
    value = dialect.as_text(f"c.{quote(customer_column(subject.name))}")
    known = comparable(value, listed.people.key, dialect)
    return (
        "SELECT p.source, count(DISTINCT p.value),"
        " count(DISTINCT p.value) FILTER (WHERE k.value IS NULL)"
        f" FROM journey.prospect AS p LEFT JOIN (SELECT DISTINCT {known} AS value"
        f" FROM {base} AS c) AS k ON k.value = p.value"
        f" WHERE p.prospects = {text(listed.prospects.name)} GROUP BY p.source ORDER BY 3 DESC, 1"
    )
