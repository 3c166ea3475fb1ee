# ruff: noqa: T201
"""Check what the journeys did to CDNOW's customers: `python verify.py cdnow.duckdb`.

Everything is computed a second time, from the purchases and from `docs/language/semantics.md`
alone: who enters on which day, who is held out, which arm, who leaves by buying, each message
and each one withheld. The SQL in `expected.sql` knows nothing of the compiler's; it walks
through the ticks with one little table of steps. Its rows are then compared with the views
`journey.runs`, `messages`, `non_sends` and `exposures`, both ways; and the promises (caps,
quiet hours, consent, hold-out, control) are checked once more on the messages as they stand.

Prints one line a check with its count and its differences; exits 1 if one is not 0.
The ticks are those of `journey run --from 1997-01-01 --to 1998-07-01 --step 1d`; for others
give `--from`, `--to` and `--step` (hours) here, too.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

HERE = Path(__file__).resolve().parent
ZONES = (
    "America/New_York",
    "America/Chicago",
    "America/Los_Angeles",
    "America/St_Johns",
    "Europe/London",
)


def statements(name: str) -> dict[str, str]:
    """The statements of a file by the names in front of them: `-- name: …`, one a line."""
    parts = (HERE / name).read_text(encoding="utf-8").split("-- name: ")[1:]
    return {part.partition("\n")[0].strip(): part.partition("\n")[2] for part in parts}


def offsets(zone: str) -> Iterator[tuple[str, datetime, datetime, int]]:
    """The zone's periods from 1996 to 2000: zone, since, until (UTC), seconds ahead of UTC."""
    rules = ZoneInfo(zone)

    def ahead(at: datetime) -> int:
        offset = at.replace(tzinfo=UTC).astimezone(rules).utcoffset()
        assert offset is not None
        return int(offset.total_seconds())

    since = at = datetime(1996, 1, 1)  # noqa: DTZ001 -- instants are UTC without a zone
    end = datetime(2000, 1, 1)  # noqa: DTZ001
    while at < end:
        after = at + timedelta(hours=1)
        if ahead(after) != ahead(at):
            # Not always at the full hour: St John's turned its clocks at 00:01.
            while ahead(at + timedelta(minutes=1)) == ahead(at):
                at += timedelta(minutes=1)
            yield zone, since, at + timedelta(minutes=1), ahead(at)
            since = at + timedelta(minutes=1)
        at = after
    yield zone, since, end, ahead(since)


def expect(connection: duckdb.DuckDBPyConnection, ticks: list[datetime]) -> None:
    """Walk through the ticks and fill `expected_run`, `expected_message`, `expected_skip`."""
    sql = statements("expected.sql")
    connection.execute(sql["tables"])
    for zone in ZONES:
        connection.executemany("INSERT INTO clock VALUES (?, ?, ?, ?)", list(offsets(zone)))
    connection.execute(sql["people"])

    def change(name: str) -> int:
        row = connection.execute(sql[name]).fetchone()
        return 0 if row is None else int(row[0])

    before = ticks[0]
    for now in ticks:
        connection.execute("DELETE FROM moment")
        connection.execute("INSERT INTO moment VALUES (?, ?)", [before, now])
        for name in ("night", "exits", "awaited", "refused", "thanked", "due", "enrolled", "wakes"):
            change(name)
        moving = True
        while moving:
            while change("waits over"):
                change("advance")
                change("wakes")
            change("intents")
            moving = False
            for _ in range(change("ranks")):
                for name in ("judge", "sent", "skipped"):
                    change(name)
                moving = change("moved") > 0 or moving
                change("parked")
                change("next rank")
            if moving:
                change("wakes")
        change("ended")
        before = now
    change("still under way")


def grid(start: str, end: str, hours: int) -> list[datetime]:
    first, last = datetime.fromisoformat(start), datetime.fromisoformat(end)
    return [
        first + timedelta(hours=i * hours)
        for i in range((last - first) // timedelta(hours=hours) + 1)
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("database", type=Path)
    parser.add_argument("--from", dest="start", default="1997-01-01")
    parser.add_argument("--to", dest="end", default="1998-07-01")
    parser.add_argument("--step", type=int, default=24, help="hours between two ticks")
    given = parser.parse_args()
    if not given.database.is_file():
        print(f"verify.py: there is no file {given.database}", file=sys.stderr)
        return 2
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"ATTACH '{given.database}' AS cdnow (READ_ONLY)")
        expect(connection, grid(given.start, given.end, given.step))
        wrong = 0
        print(f"{'check':<62}{'rows':>10}{'differ':>8}")
        for name, sql in statements("checks.sql").items():
            row = connection.execute(sql).fetchone()
            assert row is not None
            print(f"{name:<62}{row[0]:>10,}{row[1]:>8,}")
            wrong += row[1] > 0
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
