"""A test as it is played: on which clock, and which customer of the database is its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from journeylang.classes import dataclass
from journeylang.model.binding import Binding
from journeylang.model.expressions import Column, Constant
from journeylang.model.trials import Trial
from journeylang.trial.clock import Clock, clock_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """`key` is the customer's in the database; the test's own name for them may be another.

    `zone` is the name under which the database has the customer's zone, where that is another than
    the one given; `marks` are fields that tell the customer from those of other tests.
    """

    trial: Trial
    clock: Clock
    key: str
    zone: str | None = None
    marks: Mapping[str, Constant] = field(default_factory=dict)


def part_of(binding: Binding, trial: Trial) -> Part:
    """The part of a test that has a database to itself."""
    return Part(trial=trial, clock=clock_of(binding, trial), key=customer_key(binding, trial))


def customer_key(binding: Binding, trial: Trial) -> str:
    """The customer's key: given as `key`, or by the name of its column in the binding."""
    assert binding.customers is not None
    given = dict(trial.customer)
    column = binding.customers.key
    found = given.get("key")
    if found is None and isinstance(column, Column):
        found = given.get(column.name)
    return "customer" if found is None else str(found.value)
