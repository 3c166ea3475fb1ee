"""Of whom it is asked whether they are gone, and when: not in each tick."""

from __future__ import annotations

from pathlib import Path

import pytest

from journeylang.api.runtime import Runtime
from journeylang.runtime.alarms import alarms
from journeylang.runtime.gone import Missing, held_back, let_leave
from journeylang.runtime.leaving import keep_counts
from journeylang.runtime.session import Session
from journeylang.runtime.setup import prepare
from journeylang.runtime.tick import tick
from tests.agreement.both import compiled
from tests.agreement.prelude import TABLES, create, record
from tests.agreement.small import DAY, HOUR, MINUTE, START, person, program
from tests.engines.databases import ENGINES, database, open_engine, put, tell_counts
from tests.engines.watched import Count, Watched
from tests.runtime.world import NOW, loaded, make, opened, sql

pytestmark = pytest.mark.parametrize("engine", ENGINES)

WAITS = program("w: wait 90d")
GONE = "SELECT count(*) FROM journey.run WHERE status = 3"


def signs_up(n: int) -> dict[str, object]:
    return record("shop.signups", id=n, customer_id=n, at=START + MINUTE)


def test_not_in_an_idle_tick(engine: str) -> None:
    seen = Count()
    with database(engine) as real:
        put(real, "crm.customers", (person(n) for n in range(1, 9)))
        put(real, "shop.signups", map(signs_up, range(1, 9)))
        tell_counts(real)
        session = prepare(Watched(real, seen), compiled(WAITS), now=START)
        assert isinstance(session, Session)

        def statements(hour: int) -> int:
            return seen.of(lambda: tick(session, START + hour * HOUR))

        for hour in (1, 2, 3):
            statements(hour)
        assert [statements(hour) for hour in range(4, 8)] == [2] * 4
        real.execute("DELETE FROM crm.customers WHERE id = 5")
        tell_counts(real)
        asked = statements(8)
        assert real.query(GONE) == [(1,)]
        assert asked > 2
        if engine == "postgres":
            # The server may have counted more than that tick's snapshot had.
            assert statements(9) > 2
        assert [statements(hour) for hour in range(10, 12)] == [2] * 2
        # Another process, which has seen nothing of this, goes on from there.
        idle = []
        for hour in (12, 13):
            again = prepare(real, compiled(WAITS), now=START, lease=session.lease)
            assert isinstance(again, Session)
            idle.append(tick(again, START + hour * HOUR).idle)
        assert idle[-1], "at most the first process that follows asks once more"


def test_what_is_counted_before_it_can_be_seen(engine: str) -> None:
    """A deletion that is committed while a tick looks is in the counts, and not in its snapshot."""
    if engine != "postgres":
        pytest.skip("only PostgreSQL counts for itself")
    with database(engine) as real:
        put(real, "crm.customers", (person(n) for n in range(1, 9)))
        put(real, "shop.signups", map(signs_up, range(1, 9)))
        tell_counts(real)
        other = real.beside()
        early: list[str] = []

        def deletes(statement: str) -> None:
            if early and "'gone', ''" in statement:
                # Behind the snapshot, which the lock has taken, and before the counts.
                early.clear()
                other.execute("DELETE FROM crm.customers WHERE id = 5")
                tell_counts(other)

        session = prepare(Watched(real, deletes), compiled(WAITS), now=START)
        assert isinstance(session, Session)
        for hour in (1, 2, 3):
            tick(session, START + hour * HOUR)
        early.append("now")
        for hour in (4, 5):
            tick(session, START + hour * HOUR)
        assert not early
        assert real.query(GONE) == [(1,)]
        other.close()


def test_of_a_view_once_a_day(engine: str) -> None:
    with database(engine) as real:
        real.execute("ALTER TABLE crm.customers RENAME TO people")
        real.execute("CREATE VIEW crm.customers AS SELECT * FROM crm.people")
        columns = TABLES["crm.customers"]
        people = [person(n) for n in range(1, 4)]
        real.insert("crm.people", columns, [[p[name] for name in columns] for p in people])
        put(real, "shop.signups", map(signs_up, range(1, 4)))
        session = prepare(real, compiled(WAITS), now=START)
        assert isinstance(session, Session)
        for hour in (1, 3):
            tick(session, START + hour * HOUR)
        real.execute("DELETE FROM crm.people WHERE id = 2")
        tell_counts(real)
        assert tick(session, START + 4 * HOUR).idle
        assert real.query(GONE) == [(0,)]
        assert not tick(session, START + DAY).idle
        assert real.query(GONE) == [(1,)]
        assert tick(session, START + DAY + HOUR).idle


def test_of_a_table_that_is_put_in_the_place_of_another(engine: str, tmp_path: Path) -> None:
    root = make(tmp_path, engine=engine)
    with opened(root, NOW - HOUR) as runtime:
        runtime.tick(NOW + HOUR)
        runtime.tick(NOW + HOUR + MINUTE)
        assert runtime.engine.query(GONE) == [(0,)]
    sql(root, "CREATE TABLE crm.fresh AS SELECT * FROM crm.customers WHERE id <> 4")
    sql(root, "INSERT INTO crm.fresh SELECT * FROM crm.customers WHERE id = 4")
    sql(root, "UPDATE crm.fresh SET id = 400 WHERE id = 4")
    sql(
        root,
        "ALTER TABLE crm.customers RENAME TO former; ALTER TABLE crm.fresh RENAME TO customers",
    )
    with opened(root) as runtime:
        runtime.tick(NOW + HOUR + 2 * MINUTE)
        left = "SELECT DISTINCT customer_id FROM journey.run WHERE status = 3"
        assert runtime.engine.query(left) == [(4,)]


def test_who_becomes_two_rows_leaves_at_once(engine: str, tmp_path: Path) -> None:
    root = make(tmp_path, engine=engine)
    with opened(root, NOW - HOUR) as runtime:
        runtime.tick(NOW + HOUR)
        runtime.tick(NOW + HOUR + MINUTE)
    sql(root, "INSERT INTO crm.customers SELECT * FROM crm.customers WHERE id = 4")
    with opened(root) as runtime:
        runtime.tick(NOW + HOUR + 2 * MINUTE)
        left = "SELECT DISTINCT customer_id FROM journey.run WHERE status = 3"
        assert runtime.engine.query(left) == [(4,)]


def test_of_a_table_in_parts(engine: str) -> None:
    if engine != "postgres":
        pytest.skip("only PostgreSQL has such tables")
    with database(engine) as real:
        real.execute("ALTER TABLE crm.customers RENAME TO former")
        real.execute(
            "CREATE TABLE crm.customers (LIKE crm.former) PARTITION BY RANGE (id);"
            "CREATE TABLE crm.few PARTITION OF crm.customers FOR VALUES FROM (0) TO (3);"
            "CREATE TABLE crm.many PARTITION OF crm.customers FOR VALUES FROM (3) TO (99)"
        )
        put(real, "crm.customers", (person(n) for n in range(1, 6)))
        put(real, "shop.signups", map(signs_up, range(1, 6)))
        session = prepare(real, compiled(WAITS), now=START)
        assert isinstance(session, Session)
        for hour in (1, 3):
            tick(session, START + hour * HOUR)
        real.execute("DELETE FROM crm.customers WHERE id = 4")
        tell_counts(real)
        tick(session, START + 4 * HOUR)
        assert real.query(GONE) == [(1,)]


def test_of_a_file_that_is_opened_again(engine: str, tmp_path: Path) -> None:
    if engine != "duckdb":
        pytest.skip("only DuckDB is a file")
    place = str(tmp_path / "file.duckdb")
    real = open_engine(engine, place)
    for statement in create(real.dialect):
        real.execute(statement)
    put(real, "crm.customers", (person(n) for n in range(1, 6)))
    put(real, "shop.signups", map(signs_up, range(1, 6)))
    session = prepare(real, compiled(WAITS), now=START)
    assert isinstance(session, Session)
    for hour in (1, 3):
        tick(session, START + hour * HOUR)
    real.close()
    idle = []
    for hour in (5, 6):
        real = open_engine(engine, place)
        session = prepare(real, compiled(WAITS), now=START)
        assert isinstance(session, Session)
        idle.append(tick(session, START + hour * HOUR).idle)
        real.close()
    assert idle[-1], "numbers that the engine gives anew each time are the same each time"


def test_of_a_table_that_was_empty_at_one_tick(engine: str) -> None:
    """Emptied and loaded anew in two transactions: who is not in it any more leaves then."""
    with database(engine) as real:
        put(real, "crm.customers", (person(n) for n in range(1, 6)))
        put(real, "shop.signups", map(signs_up, range(1, 6)))
        tell_counts(real)
        session = prepare(real, compiled(WAITS), now=START)
        assert not isinstance(session, list)
        for hour in (1, 3):
            tick(session, START + hour * HOUR)
        real.execute(
            "DELETE FROM crm.customers" if engine == "duckdb" else "TRUNCATE crm.customers"
        )
        tell_counts(real)
        tick(session, START + 4 * HOUR)
        assert real.query(GONE) == [(0,)]
        put(real, "crm.customers", (person(n) for n in range(1, 4)))
        tell_counts(real)
        for hour in (5, 6):
            tick(session, START + hour * HOUR)
        assert real.query(GONE) == [(2,)]


def test_nobody_of_a_journey_that_stands_still(engine: str, tmp_path: Path) -> None:
    """Its runs are none that a tick writes: they are asked about when it goes on."""
    root = make(tmp_path, engine=engine)
    with opened(root, NOW - HOUR) as runtime:
        runtime.tick(NOW + HOUR)
        runtime.tick(NOW + HOUR + MINUTE)
    sql(root, "ALTER TABLE shop.signups RENAME TO later")
    sql(root, "DELETE FROM crm.customers WHERE id IN (4, 5)")
    runs = "SELECT journey, count(*) FROM journey.run GROUP BY journey ORDER BY journey"
    with opened(root, NOW + 2 * HOUR) as runtime:
        assert runtime.standing
        before = runtime.engine.query(runs)
        tell_counts(runtime.engine)
        runtime.tick(NOW + 3 * HOUR)
        assert runtime.engine.query(runs) == before


def _loaded_anew(root: Path) -> int:
    """In the middle of a load: so many of those who are on their way are missing."""
    with opened(root, NOW - HOUR) as runtime:
        numbers = "generate_series(1001, 1300) AS g(n)"
        for table, columns, values in (
            ("crm.customers", "id, tz", "g.n, 'UTC'"),
            ("shop.signups", 'id, customer_id, "at"', f"g.n, g.n, TIMESTAMP '{NOW + MINUTE}'"),
        ):
            rows = f"SELECT {values} FROM {numbers}"
            runtime.engine.execute(f"INSERT INTO {table} ({columns}) {rows}")
        tell_counts(runtime.engine)
        runtime.tick(NOW + HOUR)
        runtime.tick(NOW + HOUR + MINUTE)
        going = "SELECT count(*) FROM journey.run WHERE status = 0 AND customer_id > 1010"
        ((missing,),) = runtime.engine.query(going)
    sql(root, "DELETE FROM crm.customers WHERE id > 1010")
    assert missing > 200
    return int(missing)


def test_too_many_are_told_and_leave_when_it_is_meant(engine: str, tmp_path: Path) -> None:
    root = make(tmp_path, engine=engine)
    missing = _loaded_anew(root)
    with opened(root) as runtime:
        tell_counts(runtime.engine)
        for minutes in (2, 3):
            runtime.tick(NOW + HOUR + minutes * MINUTE)
        assert [p.code.id for p in runtime.problems] == ["JRN824"]
        assert runtime.engine.query(GONE) == [(0,)]
        assert [(a.kind, a.detail[:3]) for a in alarms(runtime.engine, [])] == [
            ("missing", str(missing))
        ]
        # A person says so, elsewhere.
        assert let_leave(runtime.engine)
        runtime.tick(NOW + HOUR + 4 * MINUTE)
        assert runtime.engine.query(GONE) == [(missing,)]
        assert list(alarms(runtime.engine, [])) == []
        assert not let_leave(runtime.engine)


def test_nothing_is_sent_while_many_are_missing(engine: str, tmp_path: Path) -> None:
    root = make(tmp_path, engine=engine)
    _loaded_anew(root)
    states = "SELECT state, count(*) FROM journey.messages GROUP BY 1"
    with opened(root) as runtime:
        queued = runtime.engine.query(states)
        tell_counts(runtime.engine)
        runtime.tick(NOW + HOUR + 2 * MINUTE)
        runtime.deliver(NOW + HOUR + 2 * MINUTE)
        assert runtime.engine.query(states) == queued
    # A process that delivers beside looks at what the tick has found.
    beside = Runtime.open(loaded(root), "dev", now=NOW, wait=0, moves=False).value
    assert beside is not None
    with beside:
        for _ in range(2):
            beside.deliver(NOW + HOUR + 2 * MINUTE)
        assert beside.engine.query(states) == queued
        assert [p.code.id for p in beside.problems] == ["JRN824"]
    with opened(root) as runtime:
        runtime.gone_is_meant = True
        runtime.tick(NOW + HOUR + 3 * MINUTE)
    beside = Runtime.open(loaded(root), "dev", now=NOW, wait=0, moves=False).value
    assert beside is not None
    with beside:
        beside.deliver(NOW + HOUR + 3 * MINUTE)
        assert beside.engine.query(states) != queued
        assert beside.problems == []


def test_nothing_waits_for_those_who_are_under_way_no_more(engine: str) -> None:
    """Their last runs have ended otherwise: as if somebody had been forgotten."""
    with database(engine) as real:
        put(real, "crm.customers", [person(1)])
        put(real, "shop.signups", [signs_up(1)])
        tell_counts(real)
        session = prepare(real, compiled(WAITS), now=START)
        assert isinstance(session, Session)
        for hour in range(1, 5):
            tick(session, START + hour * HOUR)
        real.execute("UPDATE journey.run SET status = 1 WHERE status = 0")
        keep_counts(real, Missing(runs=200, active=300, at=START + 4 * HOUR).counts)
        again = prepare(real, compiled(WAITS), now=START, lease=session.lease)
        assert isinstance(again, Session)
        assert not tick(again, START + 5 * HOUR).idle
        assert held_back(real) is None


@pytest.mark.parametrize("there", [0, 20])
def test_of_a_view_that_lacks_many_who_move(engine: str, there: int) -> None:
    """Nobody is asked, yet so many would leave as they move."""
    statuses = "SELECT status, count(*) FROM journey.run GROUP BY 1 ORDER BY 1"
    with database(engine) as real:
        real.execute("ALTER TABLE crm.customers RENAME TO people")
        real.execute("CREATE VIEW crm.customers AS SELECT * FROM crm.people")
        columns = TABLES["crm.customers"]
        rows = [[person(n)[name] for name in columns] for n in range(1, 301)]
        real.insert("crm.people", columns, rows)
        put(real, "shop.signups", map(signs_up, range(1, 301)))
        session = prepare(real, compiled(program("w: wait 6h\nv: wait 90d")), now=START)
        assert isinstance(session, Session)
        for hour in (1, 2):
            tick(session, START + hour * HOUR)
        real.execute(f"DELETE FROM crm.people WHERE id > {there}")
        for hour in (7, 8):
            found = tick(session, START + hour * HOUR).missing
            assert found is not None
            assert found.runs == 300 - there
        assert real.query(statuses) == [(0, 300)]
        real.insert("crm.people", columns, rows[there:])
        assert tick(session, START + 9 * HOUR).moved == 300
        assert real.query(statuses) == [(0, 300)]


def test_so_many_have_left_and_no_more(engine: str, tmp_path: Path) -> None:
    """What a person says of those who are missing now holds for no later load."""
    root = make(tmp_path, engine=engine)
    missing = _loaded_anew(root)
    with opened(root) as runtime:
        tell_counts(runtime.engine)
        runtime.tick(NOW + HOUR + 2 * MINUTE)
        assert let_leave(runtime.engine)
    sql(root, "DELETE FROM crm.customers WHERE id > 1001")
    with opened(root) as runtime:
        tell_counts(runtime.engine)
        found = runtime.tick(NOW + HOUR + 3 * MINUTE).missing
        assert found is not None
        assert found.runs > missing
        assert runtime.engine.query(GONE) == [(0,)]


def test_it_may_be_meant_from_the_first(engine: str, tmp_path: Path) -> None:
    root = make(tmp_path, engine=engine)
    missing = _loaded_anew(root)
    with opened(root) as runtime:
        tell_counts(runtime.engine)
        runtime.gone_is_meant = True
        runtime.tick(NOW + HOUR + 2 * MINUTE)
        assert runtime.problems == []
        assert runtime.engine.query(GONE) == [(missing,)]
