"""SQL written by hand: ``sql`…` ``, one expression or one SELECT, and nothing that does more.

sqlglot parses and is no validator. So the tree is walked against lists of what may be in it
(`hatch_words`), and what runs is written anew from the tree: nothing that was not looked at gets
through, whatever a database would have read in the text. On the way it is made total: casts
and arithmetic that fail yield NULL.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from typing import Any

from journeylang.analysis import hatch_words as words
from journeylang.classes import dataclass
from journeylang.source import Span
from journeylang.syntax import nodes

LONGEST = 10_000
MOST_TOKENS = 2_000
MOST_PIECES = 2_000
"""Pieces of SQL in one project. Each is parsed twice and written twice: a millisecond or two."""
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RUNTIME = frozenset({"journey", "information_schema", "pg_catalog", "temp", "system"})


@dataclass(frozen=True, slots=True)
class Refused:
    """Why the text may not stand there, and where in the file."""

    message: str
    span: Span
    help: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """SQL that may run. `columns` are those of the bound table, each with its place."""

    sql: str
    columns: tuple[tuple[str, Span], ...] = ()


def expression(node: nodes.SqlHatch, alias: str, *, bare: bool) -> Written | Refused:
    """One expression over the columns of the bound table, which is `t` in what comes out.

    `bare`: columns may be named without the table.
    """
    tree = _parsed(node, query=False)
    if isinstance(tree, Refused):
        return tree
    columns: dict[str, Span] = {}
    for part in tree.walk():
        refused = _refuse(part, words.SCALARS, {}, node)
        if refused is not None:
            return refused
        if _name(part) != "Column":
            continue
        table = part.table
        if table.lower() != alias.lower() and (table or not bare):
            wrong = f"`{table}`" if table else f"`{part.name}`"
            message = f"{wrong} is not the bound table's, which is called `{alias}` here"
            return Refused(message, _place(part, node), f"write `{alias}.{part.name}`")
        columns.setdefault(part.name, _place(part, node))
    for part in list(tree.find_all(_expressions().Column)):
        part.set("table", _expressions().to_identifier("t", quoted=True))
    sql = _again(_safe(tree), words.SCALARS, {}, node)
    if isinstance(sql, Refused):
        return sql
    return Written(sql=sql, columns=tuple(columns.items()))


def query(node: nodes.SqlHatch, tables: Collection[tuple[str, ...]]) -> Written | Refused:
    """One SELECT of one column: keys of customers. `tables` are those that are bound."""
    tree = _parsed(node, query=True)
    if isinstance(tree, Refused):
        return tree
    known = words.SCALARS | words.AGGREGATES
    for part in tree.walk():
        refused = _refuse(part, known, words.QUERY, node) or _refuse_in_query(part, tree, node)
        refused = refused or _refuse_table(part, tree, tables, node)
        if refused is not None:
            return refused
    if len(tree.selects) != 1 or tree.is_star:
        message = "a segment is a SELECT of one column: the customer's key"
        return Refused(message, node.text_span, "name the column: sql`select customer_id from …`")
    sql = _again(_total(_safe(tree)), known, words.QUERY, node)
    return sql if isinstance(sql, Refused) else Written(sql=sql)


# --- reading ------------------------------------------------------------------


def _expressions() -> Any:
    # Some hundred milliseconds, for those alone who write SQL.
    from sqlglot import exp

    return exp


def _name(part: Any) -> str:
    return type(part).__name__


def _parsed(node: nodes.SqlHatch, *, query: bool) -> Any:
    import sqlglot
    from sqlglot.dialects.dialect import Dialect
    from sqlglot.errors import ParseError, SqlglotError

    text = node.text
    if len(text) > LONGEST:
        message = f"SQL of more than {LONGEST:,} characters"
        return Refused(message, node.span, "make a view of it in the database, and bind that")
    if query and not re.match(r"\s*(select|with|\()", text, re.IGNORECASE):
        return Refused(
            "only a SELECT may stand here",
            node.text_span,
            "a segment is one SELECT of customer keys: sql`select customer_id from …`",
        )
    try:
        tokens = Dialect.get_or_raise("duckdb").tokenize(text)
        separator = next((t for t in tokens if t.token_type.name == "SEMICOLON"), None)
        if separator is not None:
            at = _within(node, separator.start, separator.end + 1)
            return Refused("one statement is enough: a `;` has no place here", at, "leave it out")
        if len(tokens) > MOST_TOKENS:
            message = f"SQL of more than {MOST_TOKENS:,} words"
            return Refused(message, node.span, "make a view of it in the database, and bind that")
        if query:
            return sqlglot.parse_one(text, read="duckdb")
        return sqlglot.parse_one(text, read="duckdb", into=_expressions().Condition)
    except ParseError as error:
        return _no_sql(node, error.errors[0] if error.errors else {}, query=query)
    except RecursionError:
        return Refused("SQL that is nested too deep", node.text_span)
    except SqlglotError:
        return Refused("this is not SQL", node.text_span, "close what is open")


def _no_sql(node: nodes.SqlHatch, told: Any, *, query: bool) -> Refused:
    line, column, word = told.get("line"), told.get("col"), told.get("highlight") or ""
    at = node.text_span
    if line and column:
        start = sum(len(one) + 1 for one in node.text.split("\n")[: line - 1])
        end = min(start + column, len(node.text))
        at = _within(node, max(end - max(len(word), 1), 0), max(end, 1))
    if query:
        return Refused("this is not a SELECT of SQL", at)
    return Refused("this is not one expression of SQL", at, "write for example sql`upper(c.name)`")


def _within(node: nodes.SqlHatch, start: int, end: int) -> Span:
    base = node.text_span.start
    return node.text_span._replace(start=base + start, end=base + end)


def _place(part: Any, node: nodes.SqlHatch) -> Span:
    """Where the part stands in the file; where that is not known, all of the SQL."""
    known = [n.meta for n in part.walk() if "start" in n.meta and "end" in n.meta]
    if not known:
        return node.text_span
    return _within(node, min(m["start"] for m in known), max(m["end"] for m in known) + 1)


# --- refusing -----------------------------------------------------------------


def _refuse(part: Any, known: Collection[str], parts: Any, node: nodes.SqlHatch) -> Refused | None:
    name = _name(part)
    if name not in known and name not in parts:
        return Refused(f"{_called(part)} is not allowed in SQL here", _place(part, node), _ALLOWED)
    there = {key for key, value in part.args.items() if value}
    allowed = parts.get(name) or words.PARTS.get(name)
    if name == "Star" or (allowed is not None and not there <= allowed):
        if name == "Star" and _name(part.parent) == "Count" and not there:
            return None
        extra = ", ".join(sorted(key.rstrip("_") for key in there - (allowed or set())))
        message = f"{_called(part)}{f' with {extra}' if extra else ''} is not allowed in SQL here"
        return Refused(message, _place(part, node), _ALLOWED)
    if name == "DataType" and (part.this.name not in words.TYPES or part.args.get("nested")):
        return Refused(f"the type {part.sql()} is not allowed here", _place(part, node))
    if name == "Column" and part.name.lower() == "rowid":
        return Refused("rows have no number that stays", _place(part, node))
    if name == "Literal" and _is_clock(part):
        return Refused("SQL here reads no clock", _place(part, node), _CLOCK)
    return None


def _is_clock(part: Any) -> bool:
    return (
        bool(part.is_string)
        and part.this.strip().lower() in words.CLOCK_WORDS
        and (_name(part.parent) in ("Cast", "TryCast"))
    )


_ALLOWED = "allowed are columns, comparisons, arithmetic, and plain functions of text and numbers"
_CLOCK = "compare in the language: `customer.since older than 30d`"


def _called(part: Any) -> str:
    """What somebody would call the part who knows SQL."""
    name = _name(part)
    if name == "Anonymous":
        return f"the function `{part.name}`"
    if name == "Star":
        return "`*`"
    if isinstance(part, _expressions().Func) and name not in words.OPERATORS:
        return f"the function `{part.sql_name().lower()}`"
    return f"`{re.sub(r'(?<=[a-z])(?=[A-Z])', ' ', name).lower()}`"


def _refuse_in_query(part: Any, root: Any, node: nodes.SqlHatch) -> Refused | None:
    match _name(part):
        case "Join" if (part.args.get("kind") or "").upper() not in words.JOINS:
            return Refused(f"a {part.args['kind']} join is not allowed here", _place(part, node))
        case "With" if part.args.get("recursive") or part.parent is not root:
            message = "`with` stands in front of the whole SELECT, and is not recursive"
            return Refused(message, _place(part, node))
        case "CTE" if not _PLAIN.fullmatch(part.alias):
            return Refused("such a name is not allowed here", _place(part, node))
        case _:
            return None


def _refuse_table(
    part: Any, root: Any, tables: Collection[tuple[str, ...]], node: nodes.SqlHatch
) -> Refused | None:
    if _name(part) != "Table":
        return None
    if _name(part.this) != "Identifier":
        return Refused(
            "a table is expected, not a function",
            _place(part, node),
            "name a table of the binding's",
        )
    names = tuple(p for p in (part.catalog, part.db, part.name) if p)
    if len(names) == 1 and names[0] in {cte.alias for cte in root.ctes}:
        return None
    if names in tables:
        return None
    schemas = _schemas(frozenset(tables))
    plain = all(_PLAIN.fullmatch(name) for name in names)
    if plain and len(names) > 1 and names[:-1] in schemas - {()} and not _reserved(names):
        return None
    readable = sorted({".".join(s) for s in schemas if s and not _reserved((*s, ""))})
    listed = ", ".join(f"`{schema}`" for schema in readable)
    return Refused(
        f"the table `{'.'.join(names)}` is not one of the binding's",
        _place(part, node),
        f"tables of {listed} may be read" if listed else "name a table that is bound",
    )


@lru_cache(maxsize=8)
def _schemas(tables: frozenset[tuple[str, ...]]) -> frozenset[tuple[str, ...]]:
    """Those of the bound tables; asked for each table of each query, and the same all along."""
    schemas = frozenset(table[:-1] for table in tables)
    return schemas | {("main",)} if () in schemas else schemas


def _reserved(names: tuple[str, ...]) -> bool:
    runtime = any(name.lower() in _RUNTIME for name in names[:-1])
    return runtime or names[-1].lower() in words.FILES


# --- writing ------------------------------------------------------------------


def _safe(tree: Any) -> Any:
    """Without what makes one row fail all of them: casts, and division by zero."""
    exp = _expressions()
    # Held, so that the root can be replaced like every other part; the innermost come first.
    held = exp.Paren(this=tree)
    for part in reversed(list(tree.walk())):
        match _name(part):
            case "Cast":
                part.replace(exp.TryCast(this=part.this.copy(), to=part.args["to"].copy()))
            case "Div" | "IntDiv" | "Mod":
                by = exp.Nullif(this=part.expression.copy(), expression=exp.Literal.number(0))
                part.set("expression", by)
            case _:
                pass
    return held.this


def _total(tree: Any) -> Any:
    """What may overflow or fail is tried, as large as it can be: no aggregate stands below it."""
    exp = _expressions()
    waiting = [tree]
    while waiting:
        part = waiting.pop()
        if _may_fail(part) and not any(_is_rows(n) for n in part.walk()):
            part.replace(exp.Try(this=part.copy()))
            continue
        waiting += list(part.iter_expressions())
    return tree


def _may_fail(part: Any) -> bool:
    name = _name(part)
    harmless = name in words.AGGREGATES or name in ("Try", "JSONPath", "DataType", "And", "Or")
    return not harmless and (
        name in ("Add", "Sub", "Mul", "Div", "IntDiv", "Mod", "Neg", "TryCast")
        or name in words.FUNCTIONS
    )


def _is_rows(part: Any) -> bool:
    return _name(part) in words.AGGREGATES or _name(part) in words.QUERY


def _again(tree: Any, known: Collection[str], parts: Any, node: nodes.SqlHatch) -> str | Refused:
    """The text of the tree, which read once more is the same and may stand there as well."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    written = ""
    try:
        # Neither tree is looked at again: a copy of each would be a third of the time.
        written = tree.sql(dialect="duckdb", identify=True, comments=False, copy=False)
        into = None if parts else _expressions().Condition
        read = sqlglot.parse_one(written, read="duckdb", into=into)
        fine = not any(_refuse(p, known, parts, node) for p in read.walk())
        again: str = read.sql(dialect="duckdb", identify=True, comments=False, copy=False)
        fine = fine and written == again
    except (SqlglotError, RecursionError):
        fine = False
    if fine:
        return written
    return Refused("this SQL is too involved", node.text_span, "make a view of it, and bind that")
