"""Who is no longer in `customers`: asked of all who are on their way, when rows may have gone.

To ask it costs what there are runs and customers. So the probe brings what the database counts of
the table anyway (`Dialect.row_counts`), and it is asked when that is not what it was; once a day
where nothing is counted, as of a view.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import md5

from journeylang.classes import dataclass
from journeylang.model.binding import Binding
from journeylang.sql.compiler import Compiler, insert_head, select
from journeylang.sql.dialects import Dialect
from journeylang.sql.relations import customers, rows_of
from journeylang.sql.schema import ACTIVE, GONE, WHY
from journeylang.sql.session import END

COUNTS = "customers"
"""Under which name `journey.meta` keeps the counts at which it was last asked."""

HELD = "held "
"""Before `missing active now`, in the place of the counts: for these a tick was undone."""

AGAIN = "again "
"""Before counts that may tell of more than their tick's statements saw: it is asked once more."""

MEANT = "meant "
"""Before a number, in the place of the counts: so many have left."""

# More runs, and more than this share of all that are on their way, do not leave at once.
MOST = 100
SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class GoneSql:
    """`leave` {now}: see there. `somebody`: a row unless the table is empty. `active`: the number
    of runs on their way. `leaving`: the number of those in `trail` who are gone.
    `early`: the counts are those of the moment, and the tick's snapshot may be older.
    """

    leave: str
    somebody: str
    active: str
    leaving: str
    early: bool


def gone_sql(compiler: Compiler, journeys: Sequence[int], keys: str | None) -> GoneSql:
    """Of these `journeys`: what a tick writes of runs, it writes of those in its plan."""
    base = compiler.base()
    listed = ", ".join(map(str, journeys))
    return GoneSql(
        leave=leave(compiler, journeys),
        somebody=f"SELECT 1 FROM {base} AS c LIMIT 1",
        active="SELECT count(*) FROM journey.run AS w"
        f" WHERE w.status = {ACTIVE} AND w.journey IN ({listed})",
        leaving=f"SELECT count(*) FROM trail WHERE fate = {END} AND status = {GONE}",
        early=compiler.dialect.shared and keys is not None,
    )


def mark(binding: Binding, d: Dialect, keys: str | None, journeys: Sequence[int]) -> str:
    """What is put before the counts: of another relation, of other `keys` or `journeys`, they say
    nothing.
    """
    asked = f"{customers(binding, d, ())} {sorted(journeys)}"
    relation = md5(asked.encode(), usedforsecurity=False).hexdigest()[:12]
    return f"{relation} {keys} "


def probed_customers(binding: Binding, d: Dialect, keys: str | None) -> str:
    """A part of the probe: ('gone', '', 1, what is counted of the customers now, NULL).

    `keys`: as `runtime.gone.known_keys`. Parameter {now}.
    """
    bound = binding.customers
    assert bound is not None, "checked: a project with journeys binds customers"
    counts = d.as_text(f"CAST(CAST({d.parameter('now')} AS TIMESTAMP) AS DATE)")
    if keys is not None:
        only = bound.only_where is not None
        counts = d.row_counts(bound.table.parts, rows_of(bound, d), only=only)
    return f"SELECT 'gone', '', 1, {counts}, NULL"


def leave(compiler: Compiler, journeys: Sequence[int]) -> str:
    """Active runs of those who are gone, into `trail`; {now}.

    An empty table is one that is being loaded: of nobody is it said that they are gone.
    """
    d = compiler.dialect
    columns = {
        "round": "0",
        "customer_id": "w.customer_id",
        "run_id": "w.run_id",
        "journey": "w.journey",
        "from_step": "w.step",
        "arrived_at": d.parameter("now"),
        "entered_at": "w.entered_at",
        "fate": str(END),
        "status": str(GONE),
        "reason": "'gone'",
        "entry": "w.entry",
        "why": str(WHY["gone"]),
        "passes": "w.passes",
        "fresh": "FALSE",
    }
    base = compiler.base()
    listed = ", ".join(map(str, journeys))
    return f"""{insert_head(columns)}
SELECT {select(columns)}
FROM journey.run AS w
WHERE w.status = {ACTIVE} AND w.journey IN ({listed}) AND EXISTS (SELECT 1 FROM {base} AS c)
  AND NOT EXISTS (SELECT 1 FROM {base} AS c WHERE c.customer_id = w.customer_id)"""
