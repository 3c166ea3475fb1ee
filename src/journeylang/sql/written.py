"""Temporary tables whose rows stand in the statement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from journeylang.sql.dialects import Dialect

# Databases read a row of VALUES in a tenth of a millisecond. Many experiments one behind the other
# have tens of thousands of them: those stand as one long text per column.
MANY = 1000
_BETWEEN = "\x1f"


def table(d: Dialect, name: str, columns: str, rows: Iterable[Sequence[object]]) -> str:
    """Statements that make a temporary table with these rows of SQL."""
    lines = [["NULL" if v is None else str(v) for v in row] for row in rows]
    fresh, measured = d.fresh_table(name, columns), d.measured(name)
    if not lines:
        return fresh + measured
    if len(lines) > MANY and not any(_awkward(cell) for line in lines for cell in line):
        return f"{fresh};\nINSERT INTO {name} {_unfolded(d, columns, lines)}{measured}"
    values = ",\n  ".join(f"({', '.join(line)})" for line in lines)
    return f"{fresh};\nINSERT INTO {name} VALUES\n  {values}{measured}"


def _awkward(cell: str) -> bool:
    """Whether a value would be lost in a long text, in which nothing stands for NULL."""
    return _BETWEEN in cell or cell == "''" or "'" in cell[1:-1].replace("''", "")


def _unfolded(d: Dialect, columns: str, lines: Sequence[Sequence[str]]) -> str:
    kinds = [column.split(maxsplit=1)[1] for column in columns.split(", ")]
    folded, read = [], []
    for n, (kind, cells) in enumerate(zip(kinds, zip(*lines, strict=True), strict=True)):
        # The inside of a text literal is quoted for a literal already.
        inside = _BETWEEN.join(map(_inside, cells))
        folded.append(f"unnest(string_to_array('{inside}', '{_BETWEEN}')) AS c{n}")
        bare = kind if kind == "VARCHAR" else d.stored_type(kind)
        read.append(f"CAST(nullif(r.c{n}, '') AS {bare})")
    return f"SELECT {', '.join(read)} FROM (SELECT {', '.join(folded)}) AS r"


def _inside(cell: str) -> str:
    if cell == "NULL":
        return ""
    return cell[1:-1] if cell.startswith("'") else cell
