"""The runtime's tables go forward, whatever state of theirs a release finds."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from click.testing import CliRunner

from journeylang.cli.main import cli
from journeylang.engines.base import Engine
from journeylang.runtime.migrate import NewerSchemaError, migrate
from journeylang.runtime.setup import lay_foundation
from journeylang.sql.migrations import LATEST, MIGRATIONS, Migration, NewColumn, NewTable, Run
from journeylang.sql.schema import views
from tests.engines.databases import ENGINES, open_engine
from tests.engines.server import new_database
from tests.runtime.world import HOUR, NOW, Count, contents, make, meaning, opened, refused, sql

pytestmark = pytest.mark.parametrize("engine", ENGINES)
DAY = 24 * HOUR


class Databases:
    """Fresh ones, without a table; closed when the test is over."""

    def __init__(self, engine: str) -> None:
        self.name = engine
        self.opened: list[Engine] = []

    def __call__(self, place: str | None = None) -> Engine:
        found = open_engine(self.name, place)
        self.opened.append(found)
        lay_foundation(found)
        return found


@pytest.fixture
def fresh(engine: str) -> Iterator[Databases]:
    databases = Databases(engine)
    yield databases
    for one in databases.opened:
        one.close()


def numbers(engine: Engine) -> list[int]:
    return [n for (n,) in engine.query("SELECT number FROM journey.migration ORDER BY number")]


def shapes(engine: Engine) -> dict[str, dict[str, str] | None]:
    names = engine.query(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'journey'"
    )
    return {name: engine.columns(("journey", name)) for (name,) in names}


def back(to: int) -> str:
    """Statements that take a database back to what a migration had made of it."""
    lines = [f"DROP VIEW journey.{name}" for name in views()]
    for migration in reversed(MIGRATIONS[to:]):
        for change in reversed(migration.changes):
            match change:
                case NewTable():
                    lines.append(f'DROP TABLE journey."{change.name}"')
                case NewColumn():
                    lines.append(
                        f'ALTER TABLE journey."{change.table}" DROP COLUMN {change.column}'
                    )
                case Run():
                    pass
        lines.append(f"DELETE FROM journey.migration WHERE number = {migration.number}")
    return ";\n".join([*lines, "DELETE FROM journey.meta WHERE name <> 'link_key'"])


def test_migrations_are_numbered_one_by_one(fresh: Databases) -> None:
    assert [m.number for m in MIGRATIONS] == list(range(1, LATEST + 1))
    found = fresh()
    migrate(found, "BIGINT", NOW)
    assert numbers(found) == [m.number for m in MIGRATIONS]


def test_what_is_up_to_date_is_not_touched(fresh: Databases) -> None:
    found = fresh()
    migrate(found, "BIGINT", NOW)
    counted = Count()
    found.before = counted  # type: ignore[attr-defined]
    assert counted.of(lambda: migrate(found, "BIGINT", NOW)) <= 3
    assert all(s.lstrip().startswith("SELECT") for s in counted.seen)


@pytest.mark.parametrize("number", [m.number for m in MIGRATIONS[:-1]])
def test_people_in_an_older_database_go_on(tmp_path: Path, engine: str, number: int) -> None:
    """Nobody notices that the tables have changed under them."""
    root, straight = make(tmp_path / "old", engine=engine), make(tmp_path / "new", engine=engine)
    for place in (root, straight):
        with opened(place, NOW - HOUR) as runtime:
            runtime.tick(NOW + HOUR)
    sql(root, back(number))
    assert sql(root, "SELECT max(number) FROM journey.migration") == [(number,)]
    came_to = []
    for place in (root, straight):
        with opened(place, NOW + 2 * HOUR) as runtime:
            runtime.tick(NOW + DAY + 2 * HOUR)
            assert numbers(runtime.engine)[-1] == LATEST
            # In which order batches were numbered is nobody's business.
            came_to.append((meaning(runtime.engine), shapes(runtime.engine)))
    before, after = came_to
    for found, _ in came_to:
        # What was applied is known since there are tables for it.
        for name in ("migration", "revision"):
            found.pop(name)
    assert before == after


def test_a_database_from_before_there_were_numbers(tmp_path: Path, engine: str) -> None:
    root = make(tmp_path, engine=engine)
    with opened(root, NOW - HOUR) as runtime:
        runtime.tick(NOW + HOUR)
        there = contents(runtime.engine, without=("migration", "meta", "lock", "revision"))
    sql(root, f"{back(1)};\nDROP TABLE journey.migration")
    sql(root, "INSERT INTO journey.meta VALUES ('schema', '1')")
    with opened(root, NOW + HOUR) as runtime:
        assert numbers(runtime.engine) == [m.number for m in MIGRATIONS]
        now = contents(runtime.engine, without=("migration", "meta", "lock", "revision"))
        assert now == there


def test_a_later_release_has_been_here(
    tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make(tmp_path, engine=engine)
    with opened(root, NOW - HOUR) as runtime:
        runtime.tick(NOW + HOUR)
        later = LATEST + 1
        runtime.engine.execute(
            f"INSERT INTO journey.migration VALUES ({later}, 'x', TIMESTAMP '2030-01-01')"
        )
        before = contents(runtime.engine, without=())
        with pytest.raises(NewerSchemaError):
            migrate(runtime.engine, "BIGINT", NOW)
        assert contents(runtime.engine, without=()) == before
    [told] = refused(root, NOW + HOUR)
    assert told.code.id == "JRN822"
    assert f"migration {later}, and {LATEST} is the last" in told.message
    monkeypatch.chdir(root)
    for verb in ("run", "status", "pause welcome"):
        result = CliRunner().invoke(cli, verb.split())
        assert result.exit_code == 2, verb
        assert "error[JRN822]" in result.output, verb


class CutError(Exception):
    pass


def test_cut_at_any_statement_it_is_completed_by_the_next(fresh: Databases) -> None:
    found = fresh()
    done = 0
    while True:
        left = done

        def cut(_: str) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise CutError

        found.before = cut  # type: ignore[attr-defined]
        try:
            migrate(found, "BIGINT", NOW)
        except CutError:
            done += 7
            found.before = None  # type: ignore[attr-defined]
        else:
            break
    found.before = None  # type: ignore[attr-defined]
    assert done > 20
    whole = fresh()
    migrate(whole, "BIGINT", NOW)
    assert shapes(found) == shapes(whole)
    assert numbers(found) == numbers(whole)


def test_each_migration_is_there_whole_or_not_at_all(fresh: Databases) -> None:
    found = fresh()
    columns = NewColumn(table="list", column="more", kind="VARCHAR DEFAULT 'a'")
    broken = Migration(
        number=LATEST + 1, name="broken", changes=(columns, Run(statement="SELECT nothing"))
    )
    migrate(found, "BIGINT", NOW)
    with pytest.raises(Exception, match="nothing"):
        migrate(found, "BIGINT", NOW, (*MIGRATIONS, broken))
    assert "more" not in (found.columns(("journey", "list")) or {})
    assert numbers(found)[-1] == LATEST
    mended = Migration(number=LATEST + 1, name="mended", changes=(columns,))
    found.execute("INSERT INTO journey.list VALUES ('p', 'd', TIMESTAMP '2026-01-01')")
    migrate(found, "BIGINT", NOW, (*MIGRATIONS, mended))
    assert found.query("SELECT more FROM journey.list") == [("a",)]


def test_a_view_with_other_columns_is_made_anew(fresh: Databases) -> None:
    found = fresh()
    migrate(found, "BIGINT", NOW)
    expected = shapes(found)
    found.execute("DROP VIEW journey.runs")
    found.execute("CREATE VIEW journey.runs AS SELECT run_id, version FROM journey.run")
    found.execute("DELETE FROM journey.meta")
    migrate(found, "BIGINT", NOW)
    assert shapes(found) == expected


def test_several_at_once(engine: str, fresh: Databases) -> None:
    if engine == "duckdb":
        pytest.skip("one process has the file")
    url = new_database()
    ready = Barrier(4)

    def upgrade(_: int) -> None:
        found = fresh(url)
        ready.wait()
        migrate(found, "BIGINT", NOW)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(upgrade, range(4)))
    assert numbers(fresh(url)) == [m.number for m in MIGRATIONS]
