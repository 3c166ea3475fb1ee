"""The rights on the page of roles are enough for each role's verbs, and not for more."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.docs.fences import ROOT, fences
from tests.engines.server import NoServerError, another, new_database

pytestmark = pytest.mark.slow
PAGE = ROOT / "docs" / "how-to" / "roles.md"
TOKEN = "a-secret-that-is-long-enough"
TICKS = ("--from", "2026-03-02T09:00", "--to", "2026-03-02T12:00", "--step", "1h")
PEOPLE = """
INSERT INTO shop.customers VALUES (1, 'ada@acme.example'), (2, 'bob@acme.example');
INSERT INTO shop.signups VALUES ('s1', 1, '2026-03-02 09:30+00', 'web');
"""

Verb = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("roles")
    for fence in fences(PAGE):
        if fence.path:
            path = root / fence.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(fence.text, encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def url(project: Path) -> Iterator[Callable[[str], str]]:
    """Of the shop's database, by the role. Roles are the server's, so it is one of its own."""
    import psycopg

    try:
        server = another()
    except NoServerError as error:
        pytest.skip(str(error))
    owners = new_database(at=server)
    with psycopg.connect(owners, autocommit=True) as connection:
        for name in ("tables.sql", "roles.sql"):
            connection.execute((project / name).read_text(encoding="utf-8").encode())
        connection.execute(PEOPLE.encode())
    yield lambda role: owners.replace("//journeylang@", f"//{role}@")
    server.stop()


@pytest.fixture(scope="module")
def verb(project: Path, url: Callable[[str], str]) -> Verb:
    """Runs a verb as a role."""

    def run(role: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "journeylang", *arguments],
            cwd=project,
            env=environment(url(role)),
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


@pytest.fixture(scope="module", autouse=True)
def applied(verb: Verb) -> None:
    """The very first plan and apply, by the role that owns the schema."""
    for word in ("plan", "apply"):
        done = verb("journeys_apply", word, "prod", "--now", "2026-03-02T08:00")
        assert done.returncode == 0, done.stdout + done.stderr


def environment(address: str) -> dict[str, str]:
    given = {"DATABASE_URL": address, "INTAKE_TOKEN": TOKEN, "NO_COLOR": "1"}
    return os.environ | given | {"PYTHONPATH": str(ROOT / "src")}


@contextmanager
def served(project: Path, address: str) -> Iterator[str]:
    command = [sys.executable, "-m", "journeylang", "serve", "prod", "--port", "0"]
    with subprocess.Popen(
        command, cwd=project, env=environment(address), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()
            process.wait(60)


def test_each_role_can_do_its_verbs(verb: Verb, project: Path, url: Callable[[str], str]) -> None:
    fine = [
        ("journeys_run", "run", "prod", *TICKS),
        ("journeys_run", "pause", "greeting", "prod", "--because", "a trial"),
        ("journeys_run", "resume", "greeting", "prod"),
        ("journeys_report", "status", "prod"),
        ("journeys_report", "report", "--env", "prod"),
        ("journeys_report", "why", "1", "--env", "prod"),
        ("journeys_report", "plan", "prod"),
        ("journeys_report", "versions", "prod"),
        ("journeys_report", "graph", "greeting", "--env", "prod", "--live"),
    ]
    for role, *arguments in fine:
        done = verb(role, *arguments)
        assert done.returncode == 0, f"{role} {arguments}\n{done.stdout}{done.stderr}"
    assert len(list((project / "outbox").rglob("*.eml"))) == 1
    posted = [{"event": "signed_up", "key": "s2", "customer": 2, "data": {"source": "web"}}]
    with served(project, url("journeys_serve")) as address:
        head = {"Authorization": f"Bearer {TOKEN}"}
        answer = httpx.post(f"{address}/events", json=posted, headers=head)
        assert answer.json() == {"accepted": 1, "refused": []}
        mail = next((project / "outbox").rglob("*.eml")).read_text(encoding="utf-8")
        link = mail.replace("\n ", "").partition("List-Unsubscribe: <")[2].partition(">")[0]
        leave = link.replace("http://localhost:8080", address)
        assert httpx.post(leave, data={"List-Unsubscribe": "One-Click"}).status_code == 200
        # What was answered is on the disk, and comes into the database a moment later.
        written = partial(rows, url("journeys_report"))
        until = time.monotonic() + 60
        while time.monotonic() < until and not written("SELECT 1 FROM journey.suppression"):
            time.sleep(0.2)
    assert written("SELECT reason FROM journey.suppression") == [("unsubscribe",)]
    assert written("SELECT id FROM shop.signups ORDER BY 1") == [("s1",), ("s2",)]
    done = verb("journeys_run", "forget", "1", "prod", "--yes", "--known")
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    assert written("SELECT count(*), min(customer_id) < 0 FROM journey.message") == [(1, True)]


def rows(address: str, statement: str) -> list[tuple[object, ...]]:
    import psycopg

    with psycopg.connect(address, autocommit=True) as connection:
        return connection.execute(statement.encode()).fetchall()


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("journeys_apply", "UPDATE shop.customers SET email = NULL"),
        ("journeys_apply", "SELECT * FROM shop.salaries"),
        ("journeys_run", "DROP TABLE journey.run"),
        ("journeys_run", "CREATE TABLE journey.mine (id INT)"),
        ("journeys_run", "INSERT INTO shop.signups VALUES ('x', 1, now(), 'x')"),
        ("journeys_run", "DELETE FROM shop.orders"),
        ("journeys_run", "SELECT * FROM shop.salaries"),
        ("journeys_serve", "UPDATE shop.signups SET source = 'x'"),
        ("journeys_serve", "INSERT INTO shop.orders VALUES (1, 1, now(), 1)"),
        ("journeys_serve", "ALTER TABLE journey.message ADD COLUMN x INT"),
        ("journeys_report", "DELETE FROM journey.message"),
        ("journeys_report", "INSERT INTO journey.meta VALUES ('x', 'x')"),
        ("journeys_report", "SELECT * FROM shop.salaries"),
    ],
)
def test_no_role_can_do_more(role: str, statement: str, url: Callable[[str], str]) -> None:
    import psycopg

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        rows(url(role), statement)
