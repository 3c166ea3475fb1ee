"""A sign-up by a form, a question by mail, an answer; and then, not before, marketing goes out."""

from __future__ import annotations

import email
import email.policy
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from journeylang.cli.main import cli
from tests.runtime.world import opened as running
from tests.runtime.world import sql
from tests.serve.place import ENVIRON, TOKEN, served

BASE = "https://news.shop.example"
PEOPLE = 12
TABLES = f"""CREATE SCHEMA crm; CREATE SCHEMA shop;
CREATE TABLE crm.customers (customer_id BIGINT, tz VARCHAR, lang VARCHAR, email VARCHAR,
  first_name VARCHAR, deleted_at TIMESTAMP);
CREATE TABLE crm.signups (signup_id BIGINT, customer_id BIGINT, signed_up_at TIMESTAMP);
CREATE TABLE shop.orders (order_id BIGINT, customer_id BIGINT, placed_at TIMESTAMP,
  total_amount DECIMAL(14, 4));
CREATE TABLE crm.consents (customer_id BIGINT, changed_at TIMESTAMP, status VARCHAR,
  topic VARCHAR);
INSERT INTO crm.customers SELECT i, 'UTC', NULL, 'p' || i || '@shop.example', NULL, NULL
  FROM generate_series(1, {PEOPLE}) AS r(i);
SELECT 1"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "acme"
    made = CliRunner().invoke(cli, ["init", str(root), "--with", "double_opt_in"])
    assert made.exit_code == 0, made.output
    config = (root / "journey.toml").read_text()
    served_at = f'database = "acme.duckdb"\nbase_url = "{BASE}"\nlink_key = "env:LINK_KEY"\n'
    assert 'database = "acme.duckdb"\n' in config
    config = config.replace('database = "acme.duckdb"\n', served_at)
    serve = '\n[env.dev.serve]\ntoken = "env:INTAKE_TOKEN"\nevents = ["signed_up"]\n'
    (root / "journey.toml").write_text(config + serve)
    return root


def asked(root: Path) -> dict[str, str]:
    """Where the question to each address leads."""
    links = {}
    for path in (root / "outbox").rglob("*.eml"):
        mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        body = mail.get_body(("html",))
        assert body is not None
        found = re.search(rf'href="{BASE}(/a/[^"]+)"', body.get_content())
        if found is not None:
            links[str(mail["To"])] = found[1]
    return links


def test_ready_journeys_pass_their_own_tests(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    checked = CliRunner().invoke(cli, ["check"])
    assert checked.exit_code == 0, checked.output
    played = CliRunner().invoke(cli, ["test"])
    assert played.exit_code == 0, played.output
    again = CliRunner().invoke(cli, ["init", "--with", "double_opt_in"])
    assert again.exit_code == 1
    assert "would be overwritten" in again.output


def test_it_goes_into_a_project_that_is_there(tmp_path: Path) -> None:
    assert CliRunner().invoke(cli, ["init", str(tmp_path / "a")]).exit_code == 0
    made = CliRunner().invoke(cli, ["init", str(tmp_path / "a"), "--with", "double_opt_in"])
    assert made.exit_code == 0, made.output
    assert "journey.toml" not in made.output.partition("Next")[0]
    assert (tmp_path / "a" / "journeys" / "double_opt_in.journey").is_file()


def test_from_the_form_to_the_first_offer(root: Path) -> None:
    duckdb.connect(str(root / "acme.duckdb")).execute(TABLES).close()
    began = datetime.now(UTC).replace(tzinfo=None, microsecond=0) - timedelta(days=3)
    with running(root, environ=ENVIRON, now=began) as runtime:
        runtime.tick(began)

    at = began + timedelta(minutes=1)
    with served(root, now=lambda: at) as server:
        for one in range(1, PEOPLE + 1):
            event = {"event": "signed_up", "key": one, "customer": one}
            assert server.post(event, authorization=f"Bearer {TOKEN}").status_code == 202
        server.settled()
    at = began + timedelta(minutes=5)
    with running(root, environ=ENVIRON, now=at) as runtime:
        runtime.tick(at)
        assert runtime.deliver(at).accepted == PEOPLE
    links = asked(root)
    assert len(links) == PEOPLE

    at = began + timedelta(hours=1)
    confirming = [f"p{one}@shop.example" for one in range(1, PEOPLE + 1, 2)]
    with served(root, now=lambda: at) as server:
        for address in confirming:
            page = server.client.get(links[address])
            assert "<script" not in page.text
        server.settled()
        assert sql(root, "SELECT * FROM journey.consent_change") == []
        for address in confirming:
            assert server.client.post(links[address]).status_code == 200
        server.settled()
    given = sql(
        root,
        "SELECT customer_id, consent, granted, source FROM journey.consent_change"
        " ORDER BY customer_id",
    )
    assert [(who, consent, granted) for who, consent, granted, _ in given] == [
        (one, "email_marketing", True) for one in range(1, PEOPLE + 1, 2)
    ]
    sources = dict(
        sql(root, "SELECT customer_id, message FROM journey.messages WHERE step = 'ask'")
    )
    assert all(source == f"confirmed by message {sources[who]}" for who, _, _, source in given)

    # Not at night: quiet hours of the starter's policy.
    at = (began + timedelta(days=1)).replace(hour=12)
    with running(root, environ=ENVIRON, now=at) as runtime:
        runtime.tick(at)
        runtime.deliver(at)
    hello = sql(
        root,
        "SELECT customer_id FROM journey.messages"
        " WHERE journey = 'welcome' AND step = 'hello' AND state = 'accepted'",
    )
    held = sql(
        root,
        "SELECT customer_id FROM journey.runs WHERE journey = 'welcome' AND status = 'held_out'",
    )
    assert {who for (who,) in hello} == set(range(1, PEOPLE + 1, 2)) - {who for (who,) in held}
    ended = sql(
        root,
        "SELECT count(*) FROM journey.runs"
        " WHERE journey = 'double_opt_in' AND reason = 'confirmed'",
    )
    assert ended == [(len(confirming),)]
