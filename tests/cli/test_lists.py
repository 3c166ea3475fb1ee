"""Lists of contacts and what a journey remembers, from the file to the message that leaves."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from journeylang.cli.main import cli
from tests.runtime.world import BINDING, make, sql, write

FAIR = """prospects fair from list "lists/fair.csv" {
  key email
  consent email_ok when row.agreed = "yes" at row.day source row.stand
}
segment at_fair = in list "lists/fair.csv"
"""
FOLLOW_UP = """journey follow_up {
  owner "crm@shop.example"
  enter when customer in segment at_fair
  policy standard

  set met = "at the fair"
  hello: send email "follow_up/hello"
}
"""
TEMPLATE = (
    "---\nsubject: Nice to meet you\n---\n"
    "We met {{ profile.met | default('somewhere') }}.\n\n{{ unsubscribe_url }}\n"
)
# Customer 7 gave no consent in the shop, 14 neither there nor at the fair, and customer 1 only
# in the shop; 8's refusal at the fair is older than the shop's consent.
LIST = """email,agreed,day,stand
P7@shop.example,yes,2026-02-20,A1
p14@shop.example,no,2026-02-20,A1
p1@shop.example,,2026-02-20,B2
p1@shop.example,,2026-02-20,B2
p8@shop.example,no,2025-12-20,B2
stranger@elsewhere.example,yes,2026-02-20,A1
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(make(tmp_path))
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists/fair.csv").write_text(LIST, encoding="utf-8")
    return write(
        tmp_path,
        {"follow_up": FOLLOW_UP},
        binding=BINDING + FAIR,
        templates={"follow_up/hello.email.txt": TEMPLATE},
    )


def test_a_list_from_its_file_to_the_messages(root: Path) -> None:
    result = CliRunner().invoke(cli, ["run", "--now", "2026-03-02T12:00"])
    assert result.exit_code == 0, result.output
    told = " ".join(result.stderr.split())
    assert "not customers: 1 of 5 people in `lists/fair.csv`" in told
    assert "not customers: 1 of prospects `fair`: 1 from `A1`" in told
    reasons = sql(root, "SELECT customer_id, reason FROM journey.non_sends ORDER BY 1")
    assert reasons == [(1, "no_consent"), (14, "no_consent")]
    letters = [path.read_text(encoding="utf-8") for path in (root / "outbox").rglob("*.eml")]
    assert len(letters) == 2
    for letter, address in zip(sorted(letters, key=_to), ("p7", "p8"), strict=True):
        assert _to(letter) == f"{address}@shop.example"
        assert "We met at the fair." in letter


def _to(letter: str) -> str:
    return next(line for line in letter.splitlines() if line.startswith("To: "))[4:]
