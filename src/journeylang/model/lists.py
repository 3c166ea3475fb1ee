"""Lists of people in files: a bought list, the leads of a fair."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from journeylang.model.expressions import CustomerValue

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
