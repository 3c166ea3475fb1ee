"""Functions of schema `journey` on PostgreSQL, by which its expressions are total.

An expression is spelled by its meaning alone (`journey.to_int(x)`), and PostgreSQL chooses by
the type of x. Where nothing can go wrong the function is one expression, which the planner
puts in its place; where something can, it is asked first; and only what cannot be asked is
tried and its error caught, which costs some microseconds.
"""

from __future__ import annotations

from collections.abc import Iterator

_LARGEST_MONEY = "100000000000000"
_NUMERIC = r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?\s*$"
# Words such as `tomorrow` and other orders of day and month are no instants here.
_DAY = r"^\s*[0-9]{1,6}-[0-9]{1,2}-[0-9]{1,2}"
_CLOCK = r"[0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2}(\.[0-9]{1,9})?)?"
_ZONE = r"\s*([zZ]|UTC|[+-][0-9]{2}(:?[0-9]{2})?)?"


def _plain(name: str, arguments: str, returns: str, body: str, how: str = "IMMUTABLE") -> str:
    return (
        f"CREATE OR REPLACE FUNCTION journey.{name}({arguments}) RETURNS {returns}"
        f" LANGUAGE sql {how} AS $body$ SELECT {body} $body$"
    )


def _tried(name: str, arguments: str, returns: str, body: str, how: str = "IMMUTABLE") -> str:
    return (
        f"CREATE OR REPLACE FUNCTION journey.{name}({arguments}) RETURNS {returns}"
        f" LANGUAGE plpgsql {how} STRICT AS $body$ BEGIN {body}"
        " EXCEPTION WHEN data_exception THEN RETURN NULL; END $body$"
    )


def _matching(pattern: str, then: str) -> str:
    return f"IF $1 ~ '{pattern}' THEN RETURN {then}; END IF; RETURN NULL;"


def _by_text(name: str, returns: str, how: str = "IMMUTABLE") -> str:
    return _plain(name, "anyelement", returns, f"journey.{name}(CAST($1 AS TEXT))", how)


def _ints() -> Iterator[str]:
    low, high = -(2**63), 2**63 - 1
    for kind in ("smallint", "integer", "bigint"):
        yield _plain("to_int", kind, "bigint", "CAST($1 AS BIGINT)")
    within = f"CASE WHEN round($1) BETWEEN {low} AND {high} THEN CAST($1 AS BIGINT) END"
    yield _plain("to_int", "numeric", "bigint", within)
    for kind in ("real", "double precision"):
        within = "CASE WHEN $1 >= -9.2233720368547758e18 AND $1 < 9.2233720368547758e18"
        yield _plain("to_int", kind, "bigint", f"{within} THEN CAST($1 AS BIGINT) END")
    yield _plain("to_int", "boolean", "bigint", "CAST(CAST($1 AS INTEGER) AS BIGINT)")
    number = "journey.to_int(CAST($1 AS NUMERIC))"
    yield _tried("to_int", "text", "bigint", _matching(_NUMERIC, number))
    yield _by_text("to_int", "bigint")


def _numbers() -> Iterator[str]:
    for kind in ("smallint", "integer", "bigint", "real", "double precision"):
        yield _plain("to_number", kind, "double precision", "CAST($1 AS DOUBLE PRECISION)")
    within = "CASE WHEN abs($1) < 1.7e308 THEN CAST($1 AS DOUBLE PRECISION) END"
    yield _plain("to_number", "numeric", "double precision", within)
    number = "CAST(CAST($1 AS INTEGER) AS DOUBLE PRECISION)"
    yield _plain("to_number", "boolean", "double precision", number)
    number = "CAST($1 AS DOUBLE PRECISION)"
    yield _tried("to_number", "text", "double precision", _matching(_NUMERIC, number))
    yield _by_text("to_number", "double precision")
    finite = "CASE WHEN $1 > '-Infinity' AND $1 < 'Infinity' THEN $1 END"
    yield _plain("finite", "double precision", "double precision", finite)


def _sums() -> Iterator[str]:
    """PostgreSQL refuses results that are too large for a double, and those that are too small."""
    double = "double precision"
    for name, operator in (("plus", "+"), ("minus", "-"), ("times", "*"), ("over", "/")):
        # Between these bounds no operation leaves the range of a double.
        safe = " AND ".join(
            f"({of} BETWEEN 1e-150 AND 1e150 OR {of} BETWEEN -1e150 AND -1e-150"
            f"{' OR ' + of + ' = 0' if of == '$1' or operator != '/' else ''})"
            for of in ("$1", "$2")
        )
        yield f"""CREATE OR REPLACE FUNCTION journey.{name}({double}, {double}) RETURNS {double}
 LANGUAGE plpgsql IMMUTABLE STRICT AS $body$ BEGIN
  IF {safe} THEN RETURN $1 {operator} $2; END IF;
  RETURN journey.{name}_at_the_bounds($1, $2); END $body$"""
        small = "ln(abs($1)) + ln(abs($2)) < 0" if operator == "*" else "abs($1) < 1"
        yield f"""CREATE OR REPLACE FUNCTION journey.{name}_at_the_bounds({double}, {double})
 RETURNS {double} LANGUAGE plpgsql IMMUTABLE STRICT AS $body$ BEGIN
  RETURN journey.finite($1 {operator} $2);
EXCEPTION WHEN numeric_value_out_of_range THEN
  IF {small} THEN RETURN 0; END IF; RETURN NULL;
WHEN data_exception THEN RETURN NULL; END $body$"""
    # Sums are made of terms divided by 2^64: exact, but for those that are all but nothing.
    scale = f"CAST({2**64} AS DOUBLE PRECISION)"
    shrunk = f"CASE WHEN abs($1) > 1e-280 THEN $1 / {scale} WHEN $1 IS NOT NULL THEN 0 END"
    yield _plain("shrunk", double, double, shrunk)
    grown = f"CASE WHEN abs($1) < 9.745314e288 THEN $1 * {scale} END"
    yield _plain("grown", double, double, grown)


def _money() -> Iterator[str]:
    largest = _LARGEST_MONEY
    for kind in ("smallint", "integer"):
        yield _plain("to_money", kind, "numeric", "CAST($1 AS NUMERIC(18,4))")
    within = f"CASE WHEN abs(CAST($1 AS NUMERIC)) < {largest} THEN CAST($1 AS NUMERIC(18,4)) END"
    yield _plain("to_money", "bigint", "numeric", within)
    within = f"CASE WHEN abs(round($1, 4)) < {largest} THEN CAST($1 AS NUMERIC(18,4)) END"
    yield _plain("to_money", "numeric", "numeric", within)
    for kind in ("real", "double precision"):
        # By way of a whole number: PostgreSQL makes 15 digits of a double at most.
        near = "CAST(round(CAST($1 * 10000 AS NUMERIC)) AS BIGINT)"
        within = f"CASE WHEN abs($1) < {largest} THEN {near} / 10000.0000 END"
        yield _plain("to_money", kind, "numeric", f"CAST({within} AS NUMERIC(18,4))")
    yield _plain("to_money", "boolean", "numeric", "CAST(CAST($1 AS INTEGER) AS NUMERIC(18,4))")
    number = "journey.to_money(CAST($1 AS NUMERIC))"
    yield _tried("to_money", "text", "numeric", _matching(_NUMERIC, number))
    yield _by_text("to_money", "numeric")
    # A double becomes a whole number by rounding half to even.
    exact = "CAST(CAST($1 AS BIGINT) AS NUMERIC) / 10000"
    within = f"CASE WHEN abs($1) < {largest}0000 THEN {exact} END"
    yield _plain("money", "double precision", "numeric", f"CAST({within} AS NUMERIC(18,4))")


def _truths() -> Iterator[str]:
    yield _plain("to_bool", "boolean", "boolean", "$1")
    for kind in ("smallint", "integer", "bigint", "numeric", "real", "double precision"):
        yield _plain("to_bool", kind, "boolean", "$1 <> 0")
    words = "CASE lower(btrim($1))"
    for word, truth in zip(("true", "t", "yes", "y", "1"), ("TRUE",) * 5, strict=True):
        words += f" WHEN '{word}' THEN {truth}"
    for word in ("false", "f", "no", "n", "0"):
        words += f" WHEN '{word}' THEN FALSE"
    yield _plain("to_bool", "text", "boolean", f"{words} END")
    yield _by_text("to_bool", "boolean")


def _times() -> Iterator[str]:
    """Everything with a zone is read in the session's, which is UTC."""
    day = f"{_DAY}([ T]+{_CLOCK}{_ZONE})?\\s*$"
    for kind in ("date", "timestamp"):
        yield _plain("to_instant", kind, "timestamp", "CAST($1 AS TIMESTAMP)")
        yield _plain("to_date", kind, "date", "CAST($1 AS DATE)")
    yield _plain("to_instant", "timestamptz", "timestamp", "CAST($1 AS TIMESTAMP)", "STABLE")
    yield _plain("to_date", "timestamptz", "date", "CAST($1 AS DATE)", "STABLE")
    instant = "CAST(CAST($1 AS TIMESTAMPTZ) AS TIMESTAMP)"
    yield _tried("to_instant", "text", "timestamp", _matching(day, instant), "STABLE")
    yield _tried("to_date", "text", "date", _matching(day, f"CAST({instant} AS DATE)"), "STABLE")
    yield _by_text("to_instant", "timestamp", "STABLE")
    yield _by_text("to_date", "date", "STABLE")
    for kind in ("time", "timestamp"):
        yield _plain("to_time", kind, "time", "CAST($1 AS TIME)")
    clock = _matching(f"^\\s*{_CLOCK}\\s*$", "CAST($1 AS TIME)")
    yield _tried("to_time", "text", "time", clock, "STABLE")
    yield _by_text("to_time", "time", "STABLE")
    yield _plain("to_duration", "interval", "interval", "$1")
    yield _tried("to_duration", "text", "interval", "RETURN CAST($1 AS INTERVAL);", "STABLE")
    yield _by_text("to_duration", "interval", "STABLE")
    for name, operator in (("later", "+"), ("earlier", "-")):
        for left, right, result in (
            ("timestamp", "interval", "timestamp"),
            ("interval", "interval", "interval"),
        ):
            yield _tried(name, f"{left}, {right}", result, f"RETURN $1 {operator} $2;")
    yield _tried("earlier", "timestamp, timestamp", "interval", "RETURN $1 - $2;")
    yield _tried("later", "interval, timestamp", "timestamp", "RETURN $1 + $2;")


def _texts() -> Iterator[str]:
    text_of = "CAST($1 AS TEXT)"
    yield _plain("in_order", "text", "text", '$1 COLLATE "C"')
    yield _plain("in_order", "anyelement", "anyelement", "$1")
    number = f"CASE WHEN {text_of} ~ '^-?[0-9]+$' THEN {text_of} || '.0' ELSE {text_of} END"
    yield _plain("number_text", "double precision", "text", number)
    yield _plain("as_json", "timestamp", "json", f"to_json({text_of})")
    yield _plain("as_json", "text", "json", "to_json($1)")
    yield _plain("as_json", "json", "json", "$1")
    exact = "CAST(journey.number_text($1) AS JSON)"
    within = f"CASE WHEN $1 > '-Infinity' AND $1 < 'Infinity' THEN {exact} END"
    yield _plain("as_json", "double precision", "json", within)
    # Named one by one: else a whole number would be made a double, and a date an instant.
    for kind in ("smallint", "integer", "bigint", "numeric", "boolean", "date", "time"):
        yield _plain("as_json", kind, "json", "to_json($1)", "STABLE")
    yield _plain("as_json", "anyelement", "json", f"to_json({text_of})", "STABLE")
    yield _plain("json", "text", "jsonb", "coalesce(CAST($1 AS JSONB), '{}')")
    # What no text can hold makes a member unreadable, and all members with it.
    member = r"CASE WHEN strpos($1, '\u0000') = 0 THEN CAST($1 AS JSON) ->> $2 END"
    yield _plain("json_text", "text, text", "text", member)


FUNCTIONS: tuple[str, ...] = (
    *_ints(),
    *_numbers(),
    *_sums(),
    *_money(),
    *_truths(),
    *_times(),
    *_texts(),
)
"""In an order in which each finds those that it uses."""
