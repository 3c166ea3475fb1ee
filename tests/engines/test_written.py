"""Tables whose rows stand in the statement: few as VALUES, many as one text per column."""

from __future__ import annotations

import pytest

from journeylang.sql.dialects import text
from journeylang.sql.written import MANY, table
from tests.engines.databases import ENGINES, open_engine

COLUMNS = "n INTEGER, name VARCHAR, step INTEGER, share DECIMAL(18,4), on_ BOOLEAN"
TEXTS = ("a", "it's", "'quoted'", "a,b", "ö\u2028", " ", "\\", "$now", "")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("number", [0, 3, MANY + 7])
@pytest.mark.parametrize("texts", [TEXTS[:-1], TEXTS], ids=["long", "with an empty text"])
def test_the_same_rows(engine: str, number: int, texts: tuple[str, ...]) -> None:
    found = open_engine(engine)
    rows = [
        (n, texts[n % len(texts)], None if n % 3 else n, n % 7, n % 2 == 0) for n in range(number)
    ]
    written = ((n, text(name), step, share, on) for n, name, step, share, on in rows)
    statements = table(found.dialect, "t", COLUMNS, written)
    long = number > MANY and "" not in texts
    assert ("string_to_array" in statements) == long
    found.query(statements)
    assert found.query("SELECT n, name, step, share, on_ FROM t ORDER BY n") == rows
    found.close()
