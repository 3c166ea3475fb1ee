"""A small binding, and the shortest way from a text to its model."""

from journeylang.analysis.check import check_files
from journeylang.diagnostics.model import Diagnostic
from journeylang.model.expressions import Expression
from journeylang.model.journey import Journey, Step
from journeylang.model.project import Project
from journeylang.source import Source
from journeylang.syntax.nodes import File
from journeylang.syntax.parse import parse

BINDING = """
customers from crm.customers as c {
  key c.customer_id
  field email: text? = c.email_address pii
  field country: text
  field points: int
  field spent: money(EUR)
  field birth_date: date?
  field subscribed: bool?
}
event order_placed from shop.orders as o {
  key o.order_id
  customer o.customer_id
  at o.placed_at late 6h
  field total: money(EUR) = o.total_amount
  field items: int
  field category: text?
}
event signed_up from crm.signups as s {
  key s.id
  customer s.customer_id
  at s.created_at
  field source: text
}
consent email_marketing from crm.consents as m {
  customer m.customer_id at m.changed_at granted m.status = "opt_in"
}
channel email { address: customer.email, consent: email_marketing, cost: 0.0004 EUR }
channel push { address: customer.email, consent: email_marketing }
policy standard { cap email 3 per 7d }
"""


def tree(text: str, path: str = "case.journey") -> File:
    outcome = parse(Source(path=path, text=text))
    assert outcome.value is not None, outcome.diagnostics
    assert outcome.diagnostics == ()
    return outcome.value


def checked(text: str) -> tuple[Project, tuple[Diagnostic, ...]]:
    """The model of the binding and the text, and what was found."""
    outcome = check_files([tree(BINDING, "binding.journey"), tree(text)])
    assert outcome.value is not None
    return outcome.value, outcome.diagnostics


def project(text: str) -> Project:
    """The model of a text that is right."""
    value, diagnostics = checked(text)
    assert diagnostics == ()
    return value


def segment(text: str) -> Expression:
    """The predicate of ``segment it = {text}``."""
    return project(f"segment it = {text}").segments["it"].condition


def metric(text: str) -> Expression:
    """The expression of ``metric it = {text}``."""
    return project(f"metric it = {text}").metrics["it"].value


def journey(text: str) -> Journey:
    """A journey with these headers and steps, entered by ``signed_up``."""
    return project(f'journey it {{ owner "a@b.example" enter on signed_up {text} }}').journeys["it"]


def steps(text: str) -> tuple[Step, ...]:
    return journey(text).body
