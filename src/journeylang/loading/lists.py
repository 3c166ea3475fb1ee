"""Reading lists of people: `in list "lists/fair.csv"`.

A list is a CSV file with a head line, in UTF-8, with commas, semicolons or tabs. Its people are
told by one column: a customer's key, else an e-mail address, else a telephone number. Strangers
make such files, so everything about them is bounded, and what is wrong is told with its line.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from journeylang.classes import dataclass
from journeylang.diagnostics.codes.lists import LIST_INCOMPLETE, LIST_UNUSABLE
from journeylang.diagnostics.model import Diagnostic, Outcome
from journeylang.loading.files import unreadable
from journeylang.model.binding import Binding
from journeylang.model.expressions import Column, CustomerValue, Listed
from journeylang.model.lists import ContactList, ListKey, ProspectList, Prospects
from journeylang.model.project import Project
from journeylang.model.tree import all_of
from journeylang.model.types import TEXT, Kind
from journeylang.model.walk import walk
from journeylang.source import Span

MOST_BYTES = 64 * 1024 * 1024
MOST_ROWS = 1_000_000
MOST_COLUMNS = 1_000
LONGEST_VALUE = 1_000

_WORD = "list"

_HEADS: Mapping[ListKey, frozenset[str]] = {
    "key": frozenset({"customer_id", "customer id", "customer", "key"}),
    "email": frozenset({"email", "e-mail", "e_mail", "email_address", "mail"}),
    "phone": frozenset({"phone", "mobile", "phone_number", "mobile_number", "telephone", "tel"}),
}
_FIELDS: Mapping[ListKey, tuple[str, ...]] = {
    "key": (),
    "email": ("email", "email_address"),
    "phone": ("mobile", "phone", "phone_number", "mobile_number"),
}
_CHANNELS: Mapping[ListKey, tuple[str, ...]] = {
    "key": (),
    "email": ("email",),
    "phone": ("sms", "call", "whatsapp"),
}
_WORDS: Mapping[ListKey, str] = {
    "key": "customer key",
    "email": "e-mail address",
    "phone": "telephone number",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Problem:
    """What is wrong with a file, and what to do."""

    message: str
    help: str


def with_lists(
    project: Project, root: Path, *, texts: Iterable[str] = (_WORD,)
) -> Outcome[Project]:
    """The project with the lists that it names, and what is wrong with them.

    ``texts`` are all that it is written in: where the word stands in none of them, nothing of the
    model has to be looked at.
    """
    named: dict[str, Span] = {}
    kinds = project.metrics, project.segments, project.policies, project.journeys
    if any(_WORD in text for text in texts):
        for node in all_of(kinds, Listed):
            named[node.path] = min(node.span, named.get(node.path, node.span))
    found: dict[str, ContactList] = {}
    problems: list[Diagnostic] = []
    for path, span in sorted(named.items()):
        outcome = read_list(root, path, project.binding, span)
        problems += outcome.diagnostics
        if outcome.value is not None:
            found[path] = outcome.value
    collected: dict[str, ProspectList] = {}
    for name, prospects in project.prospects.items():
        listed = read_prospects(root, prospects, project.binding)
        # Of a list that a segment reads too, the same has been told.
        told = {d.message for d in problems}
        problems += (d for d in listed.diagnostics if d.message not in told)
        if listed.value is not None:
            collected[name] = listed.value
    whole = replace(project, lists=found, collected=collected)
    return Outcome(value=whole, diagnostics=tuple(problems))


def read_list(root: Path, path: str, binding: Binding, span: Span) -> Outcome[ContactList]:
    """The list at `path` below `root`; `span` is where it is named."""
    text = _text(root, path, span)
    if text.value is None:
        return Outcome(value=None, diagnostics=text.diagnostics)
    read = _people(path, text.value, binding, span, column=None, also=())
    people = None if read.value is None else read.value[0]
    return Outcome(value=people, diagnostics=read.diagnostics)


def read_prospects(root: Path, prospects: Prospects, binding: Binding) -> Outcome[ProspectList]:
    """The list of `prospects`, with the columns that its consents ask for."""
    text = _text(root, prospects.path, prospects.span)
    if text.value is None:
        return Outcome(value=None, diagnostics=text.diagnostics)
    also = _columns(prospects)
    read = _people(
        prospects.path,
        text.value,
        binding,
        prospects.span,
        column=prospects.column,
        also=also,
    )
    if read.value is None:
        return Outcome(value=None, diagnostics=read.diagnostics)
    people, rows = read.value
    meant = repr((prospects, also, rows))
    digest = hashlib.sha256(f"{people.digest}{meant}".encode()).hexdigest()
    found = ProspectList(
        prospects=prospects, people=replace(people, digest=digest), columns=also, rows=rows
    )
    return Outcome(value=found, diagnostics=read.diagnostics)


def _columns(prospects: Prospects) -> tuple[str, ...]:
    parts = [e for c in prospects.consents for e in (c.condition, c.at, c.source) if e is not None]
    named = (n.name for part in parts for n in walk(part) if isinstance(n, Column))
    return tuple(dict.fromkeys(named))


def _text(root: Path, path: str, span: Span) -> Outcome[str]:
    file = root / path
    try:
        if file.is_file() and not file.resolve().is_relative_to(root.resolve()):
            return _unusable(path, span, _Problem(message="is a link out of the project", help=""))
        with file.open("rb") as opened:
            data = opened.read(MOST_BYTES + 1)
    except OSError as error:
        told = unreadable(file, path, error)
        return Outcome(value=None, diagnostics=(replace(told, span=span),))
    if len(data) > MOST_BYTES:
        large = f"is larger than {MOST_BYTES // 1024 // 1024} MiB"
        advice = "keep the column by which people are told, or bind a table with it"
        return _unusable(path, span, _Problem(message=large, help=advice))
    try:
        return Outcome(value=data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        bad = _Problem(message=f"is not UTF-8 in line {line}", help="save it as CSV in UTF-8")
        return _unusable(path, span, bad)


def _unusable(path: str, span: Span, problem: _Problem) -> Outcome[Any]:
    told = Diagnostic(
        code=LIST_UNUSABLE,
        message=f"the list `{path}` {problem.message}",
        span=span,
        help=problem.help,
    )
    return Outcome(value=None, diagnostics=(told,))


def _people(
    path: str,
    text: str,
    binding: Binding,
    span: Span,
    *,
    column: str | None,
    also: tuple[str, ...],
) -> Outcome[tuple[ContactList, tuple[tuple[str, ...], ...]]]:
    """Who is on the list, told by `column` if it is given; and per row that and `also`."""
    head_line = text.split("\n", 1)[0]
    separator = max(",;\t", key=head_line.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    values: dict[str, None] = {}
    kept: list[tuple[str, ...]] = []
    total = empty = duplicates = 0
    try:
        head = next(rows, [])
        chosen = _column(head, binding, column)
        if isinstance(chosen, _Problem):
            return _unusable(path, span, chosen)
        key, at, subject = chosen
        places = [_place(head, name) for name in also]
        if None in places:
            lacking = _Problem(
                message=f"has no column `{also[places.index(None)]}`",
                help="its columns are named in the first line",
            )
            return _unusable(path, span, lacking)
        for row in rows:
            if not row:
                continue
            total += 1
            if total > MOST_ROWS:
                many = _Problem(
                    message=f"has more than {MOST_ROWS:,} rows",
                    help="bind a table with it instead",
                )
                return _unusable(path, span, many)
            value = row[at].strip() if at < len(row) else ""
            if not value or len(value) > LONGEST_VALUE or "\0" in value:
                empty += 1
            else:
                form = _form(value, key)
                duplicates += form in values
                values[form] = None
                if also:
                    beside = (row[p] if p is not None and p < len(row) else "" for p in places)
                    kept.append((form, *beside))
    except csv.Error as error:
        wrong = _Problem(
            message=f"cannot be read from line {rows.line_num} on: {error}",
            help="close the quotation marks, and put one person on each line",
        )
        return _unusable(path, span, wrong)
    digest = hashlib.sha256("\n".join((key, *values)).encode()).hexdigest()
    found = ContactList(path=path, key=key, subject=subject, digest=digest, values=tuple(values))
    told = _counts(found, total, empty, duplicates, span)
    return Outcome(value=(found, tuple(kept)), diagnostics=told)


def _place(head: list[str], name: str) -> int | None:
    names = [one.strip().lower() for one in head]
    return names.index(name.lower()) if name.lower() in names else None


def _counts(
    found: ContactList, total: int, empty: int, duplicates: int, span: Span
) -> tuple[Diagnostic, ...]:
    words = _WORDS[found.key]
    told = [f"{empty:,} {'has' if empty == 1 else 'have'} no {words}"] if empty else []
    if duplicates:
        told.append(f"{duplicates:,} {'repeats' if duplicates == 1 else 'repeat'} an earlier one")
    if not told and total:
        return ()
    return (
        Diagnostic(
            code=LIST_INCOMPLETE,
            message=f"of {total:,} rows in `{found.path}` " + " and ".join(told)
            if total
            else f"`{found.path}` has nobody in it",
            span=span,
            help=f"{len(found.values):,} people are on the list, told by {words}",
        ),
    )


def _form(value: str, key: ListKey) -> str:
    """Near enough to what the database compares, to count what is there twice."""
    match key:
        case "key":
            return value
        case "email":
            return value.lower()
        case "phone":
            digits = "".join(c for c in value if c in "0123456789+")
            return f"+{digits[2:]}" if digits.startswith("00") else digits or value


def _column(
    head: list[str], binding: Binding, wanted: str | None
) -> tuple[ListKey, int, CustomerValue] | _Problem:
    """By which column people are told, and what it is compared with; of `wanted` by its name."""
    if len(head) > MOST_COLUMNS:
        return _Problem(message=f"has more than {MOST_COLUMNS:,} columns", help="leave some out")
    names = [name.strip().lower() for name in head]
    wanted = None if wanted is None else wanted.lower()
    lacking: list[str] = []
    own = binding.customers.key if binding.customers is not None else None
    for key, known in _HEADS.items():
        also = own.name.lower() if key == "key" and isinstance(own, Column) else None
        at = next(
            (
                n
                for n, name in enumerate(names)
                if (name in known or name == also) and wanted in (None, name)
            ),
            None,
        )
        if at is None:
            continue
        subject = _subject(key, binding)
        if subject is not None:
            return key, at, subject
        lacking.append(_WORDS[key])
    if lacking:
        return _Problem(
            message=f"tells people by {lacking[0]}, and customers have no such field",
            help="bind one: `field email: text? = …`, `field mobile: text? = …`",
        )
    return _Problem(
        message="has no column by which people are told",
        help="name one of its columns in the first line: `customer_id`, `email` or `phone`",
    )


def _subject(key: ListKey, binding: Binding) -> CustomerValue | None:
    customers = binding.customers
    if customers is None:
        return None
    if key == "key":
        return CustomerValue(name="key", type=TEXT, span=customers.span)
    for name in _CHANNELS[key]:
        channel = binding.channels.get(name)
        if channel is not None and isinstance(channel.address, CustomerValue):
            return channel.address
    fields = {f.name: f for f in customers.fields if f.type.kind is Kind.TEXT}
    found = next((fields[name] for name in _FIELDS[key] if name in fields), None)
    if found is None:
        return None
    return CustomerValue(name=found.name, type=found.type, span=found.span)
