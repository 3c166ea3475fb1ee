"""The SQL of the documentation runs and answers what stands below it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.docs import refill
from tests.docs.fences import ROOT, Fence, fences

pytestmark = pytest.mark.slow


@pytest.fixture
def shop() -> Iterator[duckdb.DuckDBPyConnection]:
    """The shop; what a test writes is taken back."""
    connection = refill.database()
    connection.execute("BEGIN")
    yield connection
    connection.execute("ROLLBACK")


@pytest.mark.parametrize("page", refill.PAGES, ids=lambda page: page.name)
def test_statements_answer_what_is_shown(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert refill.with_results(text) == text, "python -m tests.docs.generate"


def statement(page: str, word: str) -> Fence:
    found = [f for f in fences(ROOT / page) if f.language == "sql" and word in f.text]
    assert len(found) == 1, f"{page}: {word}"
    return found[0]


def in_doubt(shop: duckdb.DuckDBPyConnection) -> list[str]:
    sql = statement("docs/operations.md", "'submitting', 'unknown'").text
    return [row[0] for row in shop.execute(sql).fetchall()]


@pytest.mark.parametrize(
    ("state", "given_back", "counts"), [("accepted", "FALSE", True), ("failed", "TRUE", False)]
)
def test_a_message_in_doubt_is_settled_by_hand(
    shop: duckdb.DuckDBPyConnection, state: str, given_back: str, counts: bool
) -> None:
    number, name = shop.execute(
        "SELECT message_id, message FROM journey.messages WHERE channel = 'sms' ORDER BY 1 LIMIT 1"
    ).fetchall()[0]
    shop.execute("DELETE FROM journey.receipt WHERE message_id = ?", [number])
    shop.execute(
        'INSERT INTO journey.receipt (customer_id, message_id, attempt, state, "at", given_back)'
        " SELECT m.customer_id, m.message_id, 1, s, m.decided_at, FALSE FROM journey.message AS m,"
        " (VALUES ('submitting'), ('unknown')) AS v(s) WHERE m.message_id = ?",
        [number],
    )
    assert in_doubt(shop) == [name]
    sql = statement("docs/operations.md", "INSERT INTO journey.receipt").text
    sql = sql.replace("'accepted', l.now, 'by hand', FALSE", f"'{state}', l.now, '', {given_back}")
    shop.execute(sql.replace("MESSAGE", name))
    assert in_doubt(shop) == []
    found = shop.execute(
        "SELECT state, NOT EXISTS (SELECT 1 FROM journey.receipt AS r WHERE r.given_back"
        " AND r.message_id = m.message_id) FROM journey.messages AS m WHERE m.message = ?",
        [name],
    ).fetchall()
    assert found == [(state, counts)]
    receipts = shop.execute(
        "SELECT count(*) FROM journey.receipt WHERE message_id = ?", [number]
    ).fetchall()
    assert receipts == [(3,)]
