"""Lists of people in files: a bought list, the leads of a fair."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from journeylang.classes import dataclass
from journeylang.model.expressions import CustomerValue, Expression
from journeylang.source import Span

ListKey = Literal["key", "email", "phone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactList:
    """The people of one file, who are told by the values of one of its columns.

    `subject` is what they are compared with, of each customer. `values` are as they stand in the
    file, each once, without those that are empty; `digest` is a hash of them and of `key`.
    """

    path: str
    key: ListKey
    subject: CustomerValue
    digest: str
    values: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectedConsent:
    """A consent that people on a list have given: expressions over the list's columns, as text."""

    consent: str
    condition: Expression
    at: Expression
    source: Expression | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospects:
    """A bought or collected list, and what its people agreed to.

    `column` tells who is meant. What they agreed to counts for `expires` seconds, None for ever.
    """

    name: str
    title: str | None
    path: str
    column: str
    consents: tuple[CollectedConsent, ...]
    expires: int | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProspectList:
    """The file of `prospects`: `columns` beside the one that tells people, and a row for each."""

    prospects: Prospects
    people: ContactList
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...] = field(repr=False)
