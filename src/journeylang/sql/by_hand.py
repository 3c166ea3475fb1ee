"""SQL written by hand, in PostgreSQL's spelling.

It is written in DuckDB's SQL, whatever the database. What comes here was checked against a list of
what it may consist of, and written anew (`analysis/hatch.py`); sqlglot knows what PostgreSQL calls
those few operators and functions, and a test compares what comes of them on both.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

_CASTS = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INT", "BIGINT"), "to_int"),
    **dict.fromkeys(("FLOAT", "DOUBLE"), "to_number"),
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMPNTZ"), "to_instant"),
    "BOOLEAN": "to_bool",
    "DATE": "to_date",
    "TIME": "to_time",
}


@lru_cache(maxsize=4096)
def for_postgres(sql: str, *, query: bool) -> str:
    """An expression, or a SELECT: casts are those of schema `journey`, which cannot fail.

    There is no TRY: what else fails in a row fails the statement.
    """
    import sqlglot
    from sqlglot import exp

    into = None if query else exp.Condition
    tree: Any = exp.Paren(this=sqlglot.parse_one(sql, read="duckdb", into=into))
    for part in reversed(list(tree.walk())):
        match part:
            case exp.Try():
                part.replace(exp.Paren(this=part.this.copy()))
            case exp.TryCast() if part.args["to"].this.name in _CASTS:
                name = f"journey.{_CASTS[part.args['to'].this.name]}"
                part.replace(exp.Anonymous(this=name, expressions=[part.this.copy()]))
            case exp.Contains():
                place = exp.StrPosition(this=part.this.copy(), substr=part.expression.copy())
                part.replace(exp.Paren(this=exp.GT(this=place, expression=exp.Literal.number(0))))
            case exp.Round() if part.args.get("decimals") is not None:
                # Of a double there it is to whole numbers alone.
                number = exp.Cast(this=part.this.copy(), to=exp.DataType.build("decimal"))
                part.set("this", number)
            case exp.TryCast():
                part.replace(exp.Cast(this=part.this.copy(), to=part.args["to"].copy()))
            case _:
                pass
    written: str = tree.this.sql(
        dialect="postgres", identify=True, comments=False, normalize_functions=False
    )
    return written if query else f"({written})"
