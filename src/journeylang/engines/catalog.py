"""What a database says of its own tables: columns, types, keys."""

from __future__ import annotations

from collections import defaultdict

from journeylang.classes import dataclass
from journeylang.engines.base import Engine

DUCKDB_COLUMNS = """
SELECT schema_name, table_name, column_name, data_type, is_nullable
FROM duckdb_columns()
WHERE database_name = current_database() AND NOT internal
ORDER BY schema_name, table_name, column_index"""

DUCKDB_KEYS = """
SELECT schema_name, table_name, constraint_type, constraint_column_names, schema_name,
  referenced_table, referenced_column_names
FROM duckdb_constraints()
WHERE database_name = current_database()
  AND constraint_type IN ('PRIMARY KEY', 'UNIQUE', 'FOREIGN KEY')
ORDER BY schema_name, table_name, constraint_index"""

# Of partitioned tables the whole, not its parts; and only what this role may read.
POSTGRES_COLUMNS = """
SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND NOT c.relispartition
  AND a.attnum > 0 AND NOT a.attisdropped
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND has_table_privilege(c.oid, 'SELECT')
ORDER BY n.nspname, c.relname, a.attnum"""

POSTGRES_KEYS = """
SELECT n.nspname, c.relname,
  CASE WHEN i.indisprimary THEN 'PRIMARY KEY' ELSE 'UNIQUE' END,
  ARRAY(SELECT a.attname::text FROM unnest(i.indkey) WITH ORDINALITY AS k(number, place)
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.number
      AND k.place <= i.indnkeyatts
    ORDER BY k.place),
  NULL::text, NULL::text, NULL::text[]
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
UNION ALL
SELECT n.nspname, c.relname, 'FOREIGN KEY',
  ARRAY(SELECT a.attname::text FROM unnest(f.conkey) WITH ORDINALITY AS k(number, place)
    JOIN pg_attribute AS a ON a.attrelid = f.conrelid AND a.attnum = k.number ORDER BY k.place),
  m.nspname::text, d.relname::text,
  ARRAY(SELECT a.attname::text FROM unnest(f.confkey) WITH ORDINALITY AS k(number, place)
    JOIN pg_attribute AS a ON a.attrelid = f.confrelid AND a.attnum = k.number ORDER BY k.place)
FROM pg_constraint AS f
JOIN pg_class AS c ON c.oid = f.conrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_class AS d ON d.oid = f.confrelid
JOIN pg_namespace AS m ON m.oid = d.relnamespace
WHERE f.contype = 'f'
ORDER BY 1, 2"""

# Where names without a schema are looked for anyway.
_USUAL = {"duckdb": "main", "postgres": ""}
# The runtime's own.
_OURS = "journey"


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A table or view: its columns with types and whether they may be null, and its keys.

    `refers` are foreign keys of one column: it, the table, and the column there.
    """

    parts: tuple[str, ...]
    columns: tuple[tuple[str, str, bool], ...]
    primary: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    refers: tuple[tuple[str, tuple[str, ...], str], ...] = ()


def described(engine: Engine) -> list[Described]:
    """Every table and view that this connection may read, but for the runtime's own."""
    duckdb = engine.dialect.name == "duckdb"
    usual = _USUAL[engine.dialect.name]
    columns: defaultdict[tuple[str, ...], list[tuple[str, str, bool]]] = defaultdict(list)
    for schema, table, column, kind, nullable in engine.query(
        DUCKDB_COLUMNS if duckdb else POSTGRES_COLUMNS
    ):
        if schema != _OURS:
            columns[_parts(schema, table, usual)].append((column, kind, bool(nullable)))
    primary: dict[tuple[str, ...], tuple[str, ...]] = {}
    unique: defaultdict[tuple[str, ...], list[tuple[str, ...]]] = defaultdict(list)
    refers: defaultdict[tuple[str, ...], list[tuple[str, tuple[str, ...], str]]] = defaultdict(list)
    for schema, table, kind, names, to_schema, to, to_names in engine.query(
        DUCKDB_KEYS if duckdb else POSTGRES_KEYS
    ):
        parts = _parts(schema, table, usual)
        if kind == "FOREIGN KEY":
            if len(names) == 1:
                refers[parts].append((names[0], _parts(to_schema, to, usual), to_names[0]))
            continue
        if kind == "PRIMARY KEY":
            primary[parts] = tuple(names)
        unique[parts].append(tuple(names))
    return [
        Described(
            parts=parts,
            columns=tuple(found),
            primary=primary.get(parts, ()),
            unique=tuple(unique[parts]),
            refers=tuple(refers[parts]),
        )
        for parts, found in columns.items()
    ]


def _parts(schema: str, table: str, usual: str) -> tuple[str, ...]:
    return (table,) if schema == usual else (schema, table)
