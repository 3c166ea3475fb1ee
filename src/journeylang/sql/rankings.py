"""Rankings of all customers by a metric, worked out once per tick for all who ask.

The table `ranking` has a row per ranking and customer: `place` counts from 0, highest first,
`among` is the number of those whose metric is known.
"""

from __future__ import annotations

import hashlib

from journeylang.model.expressions import Expression, TileBy, TopBy
from journeylang.sql import expressions
from journeylang.sql.relations import customers
from journeylang.sql.scope import Scope

RANKING = {
    "ranking": "BIGINT",
    "customer_id": "{key}",
    "place": "BIGINT",
    "among": "BIGINT",
}


def ranking_number(by: Expression) -> int:
    """What a ranking is called in the table: 60 bits of a hash of what it ranks by."""
    return int(hashlib.md5(repr(by).encode(), usedforsecurity=False).hexdigest()[:15], 16)


def ranking_rows(by: Expression, scope: Scope) -> str:
    """The rows of one ranking; `scope` is that of all customers."""
    value = expressions.value(by, scope)
    base = customers(scope.project.binding, scope.dialect, scope.fields)
    return (
        f"SELECT {ranking_number(by)} AS ranking, r.customer_id,"
        f" row_number() OVER (ORDER BY r.metric DESC, {scope.dialect.in_order('r.customer_id')})"
        " - 1 AS place,"
        " count(*) OVER () AS among\n"
        f"FROM (SELECT c.customer_id, {value} AS metric FROM {base} AS c{scope.joins()}\n"
        "  WHERE c.customer_id IS NOT NULL) AS r\nWHERE r.metric IS NOT NULL"
    )


def top_by(node: TopBy, scope: Scope) -> str:
    """Among the first ceil(share * among): the share is in hundredths of a percent."""
    k = _place(node.by, scope)
    return f"{k}.place * 10000 < {k}.among * {node.share}"


def tile_by(node: TileBy, scope: Scope) -> str:
    """1 to `tiles`, the highest first place in the last of them; NULL without a place."""
    k = _place(node.by, scope)
    below = scope.dialect.whole_quotient(f"{k}.place * {node.tiles}", f"{k}.among")
    return f"({node.tiles} - {below})"


def _place(by: Expression, scope: Scope) -> str:
    rows = f"(SELECT customer_id, place, among FROM ranking WHERE ranking = {ranking_number(by)})"
    return scope.lookup(rows, "customer_id", scope.customer_id)
