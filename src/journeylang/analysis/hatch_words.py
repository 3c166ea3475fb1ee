"""What SQL written by hand may consist of. Everything that is not here is refused.

Names are those of sqlglot's nodes. Nothing here reads a clock, draws by chance, opens a file,
changes anything, depends on the order of rows, or yields several rows for one.
"""

from __future__ import annotations

from collections.abc import Mapping

LEAVES = frozenset({"Column", "Identifier", "Literal", "Boolean", "Null", "Var", "Paren"})

OPERATORS = frozenset(
    {
        *("Add", "Sub", "Mul", "Div", "IntDiv", "Mod", "Neg", "DPipe"),
        *("And", "Or", "Not", "EQ", "NEQ", "GT", "GTE", "LT", "LTE", "Is", "In", "Between"),
        *("Like", "ILike", "Escape", "NullSafeEQ", "NullSafeNEQ", "Case", "If", "Interval"),
    }
)

FUNCTIONS = frozenset(
    {
        *("Upper", "Lower", "Trim", "Length", "Substring", "Left", "Right", "Replace"),
        *("SplitPart", "StrPosition", "StartsWith", "EndsWith", "Contains", "Concat", "ConcatWs"),
        *("Coalesce", "Nullif", "Greatest", "Least", "Abs", "Round", "Ceil", "Floor", "Sign"),
        *("Extract", "Year", "Quarter", "Month", "Week", "Day", "Hour", "Minute"),
        *("WeekOfYear", "DayOfWeek", "DayOfWeekIso", "DayOfYear", "TimeToStr", "StrToTime"),
        *("DateDiff", "TimestampTrunc", "DateTrunc", "Cast", "TryCast", "Try"),
        *("RegexpLike", "RegexpReplace", "RegexpExtract"),
        *("JSONExtract", "JSONExtractScalar"),
        *("JSONPath", "JSONPathRoot", "JSONPathKey", "JSONPathSubscript"),
    }
)

TYPES = frozenset(
    {
        *("TEXT", "VARCHAR", "BOOLEAN", "TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE"),
        *("DECIMAL", "DATE", "TIME", "TIMESTAMP", "TIMESTAMPNTZ", "UUID"),
    }
)

AGGREGATES = frozenset({"Count", "Sum", "Avg", "Min", "Max", "LogicalAnd", "LogicalOr"})

# Of a query also which of their parts may be there: what is not named here stays empty.
QUERY: Mapping[str, frozenset[str]] = {
    "Select": frozenset(
        {"expressions", "from_", "joins", "where", "group", "having", "distinct", "with_"}
    ),
    "Union": frozenset({"this", "expression", "distinct", "with_"}),
    "Intersect": frozenset({"this", "expression", "distinct", "with_"}),
    "Except": frozenset({"this", "expression", "distinct", "with_"}),
    "With": frozenset({"expressions"}),
    "CTE": frozenset({"this", "alias"}),
    "From": frozenset({"this"}),
    "Join": frozenset({"this", "on", "using", "side", "kind"}),
    "Table": frozenset({"this", "db", "catalog", "alias"}),
    "TableAlias": frozenset({"this"}),
    "Subquery": frozenset({"this", "alias"}),
    "Where": frozenset({"this"}),
    "Group": frozenset({"expressions"}),
    "Having": frozenset({"this"}),
    "Distinct": frozenset({"expressions"}),
    "Exists": frozenset({"this"}),
    "Alias": frozenset({"this", "alias"}),
    "Star": frozenset(),
}
# The same of what may stand in an expression.
PARTS: Mapping[str, frozenset[str]] = {
    "Column": frozenset({"this", "table"}),
    "In": frozenset({"this", "expressions", "query"}),
    "Cast": frozenset({"this", "to"}),
    "TryCast": frozenset({"this", "to", "safe", "requires_string"}),
    "DataType": frozenset({"this", "expressions", "nested"}),
    "DataTypeParam": frozenset({"this"}),
}
JOINS = frozenset({"", "INNER", "CROSS", "OUTER"})

SCALARS = LEAVES | OPERATORS | FUNCTIONS | {"DataType", "DataTypeParam"}

# `'now'` is a clock on some databases.
CLOCK_WORDS = frozenset({"now", "today", "tomorrow", "yesterday", "current_date", "allballs"})

# A table of such a name may be read as a file: `shop.csv`.
FILES = frozenset(
    {"csv", "tsv", "txt", "parquet", "json", "jsonl", "ndjson", "gz", "zst", "xlsx", "arrow", "db"}
)
