"""What was applied to a database, revision by revision: each the whole project as text.

Texts are kept once, however many revisions have them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from journeylang.classes import dataclass
from journeylang.deploy.snapshot import Snapshot, digest
from journeylang.engines.base import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One apply: `versions` are those of its journeys, `files` digests by path."""

    number: int
    applied_at: datetime
    digest: str
    files: Mapping[str, str]
    versions: Mapping[str, int]


def revisions(engine: Engine) -> list[Revision]:
    """All of them, the latest first; none if nothing was ever applied."""
    if engine.columns(("journey", "revision")) is None:
        return []
    rows = engine.query(
        "SELECT revision, applied_at, digest, files, versions FROM journey.revision"
        " ORDER BY revision DESC"
    )
    return [_revision(row) for row in rows]


def latest(engine: Engine) -> Revision | None:
    """The one that runs."""
    if engine.columns(("journey", "revision")) is None:
        return None
    rows = engine.query(
        "SELECT revision, applied_at, digest, files, versions FROM journey.revision"
        " WHERE revision = (SELECT max(revision) FROM journey.revision)"
    )
    return _revision(rows[0]) if rows else None


def _revision(row: Sequence[object]) -> Revision:
    number, applied_at, found, files, versions = row
    assert isinstance(number, int)
    assert isinstance(applied_at, datetime)
    return Revision(
        number=number,
        applied_at=applied_at,
        digest=str(found),
        files=json.loads(str(files)),
        versions=json.loads(str(versions)),
    )


def texts(engine: Engine, revision: Revision) -> Snapshot:
    """The project as it was applied."""
    wanted = sorted(set(revision.files.values()))
    listed = ", ".join(f"'{mark}'" for mark in wanted)
    rows = engine.query(f"SELECT digest, content FROM journey.source WHERE digest IN ({listed})")
    found = dict(rows)
    return Snapshot(files={path: found[mark] for path, mark in revision.files.items()})


_IDENTITY = "identity"


def identity(engine: Engine) -> str | None:
    """What tells this database from any other; None until something is applied."""
    if engine.columns(("journey", "meta")) is None:
        return None
    rows = engine.query(f"SELECT value FROM journey.meta WHERE name = '{_IDENTITY}'")
    return str(rows[0][0]) if rows else None


def identify(engine: Engine) -> None:
    """Give the database an identity, if it has none; in the transaction of an apply."""
    import secrets

    if identity(engine) is None:
        engine.execute(
            f"INSERT INTO journey.meta VALUES ('{_IDENTITY}', '{secrets.token_hex(16)}')"
        )


def numbered(engine: Engine, number: int) -> Revision | None:
    """The revision of this number."""
    return next((one for one in revisions(engine) if one.number == number), None)


def record(
    engine: Engine, found: Snapshot, versions: Mapping[str, int], now: datetime
) -> Revision | None:
    """Keep what is being applied, in the transaction of the apply; None if it is what runs."""
    before = latest(engine)
    if before is not None and before.digest == found.digest:
        return None
    number = 1 if before is None else before.number + 1
    digests = found.digests
    there = {mark for (mark,) in engine.query("SELECT digest FROM journey.source")}
    new = {digest(text): text for text in found.files.values()}
    rows = [(mark, text) for mark, text in sorted(new.items()) if mark not in there]
    if rows:
        columns = {"digest": "VARCHAR", "content": "VARCHAR"}
        engine.insert("journey.source", columns, rows)
    columns = {
        "revision": "INTEGER",
        "applied_at": "TIMESTAMP",
        "digest": "VARCHAR",
        "files": "VARCHAR",
        "versions": "VARCHAR",
    }
    files, marked = json.dumps(digests, sort_keys=True), json.dumps(versions, sort_keys=True)
    engine.insert("journey.revision", columns, [(number, now, found.digest, files, marked)])
    return Revision(
        number=number, applied_at=now, digest=found.digest, files=digests, versions=dict(versions)
    )
