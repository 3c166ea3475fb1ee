"""A plan in a file: made by one, looked at by another, and applied exactly so, or not at all.

The file holds the project's texts, so that what is applied is what was looked at, whatever the
working folder holds by then. Of lists of people it holds what tells that they are still the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from journeylang.classes import dataclass
from journeylang.deploy.plan import Plan
from journeylang.deploy.show import as_json
from journeylang.deploy.snapshot import Snapshot, digest
from journeylang.diagnostics.codes.versions import PLAN_EDITED, PLAN_UNUSABLE
from journeylang.diagnostics.model import Diagnostic, Outcome
from journeylang.loading.project import LoadedProject

FORMAT_VERSION = 1
_LARGEST = 256 * 1024 * 1024


class _Base(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    revision: int
    digest: str | None


class _File(BaseModel):
    """What a plan file holds; strangers may have written it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format_version: int
    env: str
    database: str
    base: _Base
    made_at: str
    plan: dict[str, Any]
    files: dict[str, str]
    lists: dict[str, str]
    checksum: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPlan:
    """A plan as it was made: for which database, upon what, and of which texts."""

    env: str
    database: str
    revision: int
    digest: str | None
    plan: Mapping[str, Any]
    snapshot: Snapshot
    lists: Mapping[str, str]


def save(
    plan: Plan,
    *,
    env: str,
    database: str,
    revision: int,
    base: str | None,
    snapshot: Snapshot,
    lists: Mapping[str, str],
    now: datetime,
) -> str:
    """The text of a plan file."""
    body: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "env": env,
        "database": database,
        "base": {"revision": revision, "digest": base},
        "made_at": now.isoformat(timespec="seconds"),
        "plan": as_json(plan),
        "files": dict(snapshot.files),
        "lists": dict(lists),
    }
    return json.dumps({**body, "checksum": _checksum(body)}, indent=1, sort_keys=True) + "\n"


def _checksum(body: Mapping[str, Any]) -> str:
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def read_plan(path: Path) -> Outcome[SavedPlan]:
    """The plan in a file, if it is one and nobody has written in it since."""
    try:
        if path.stat().st_size > _LARGEST:
            return _unusable(path, "it is larger than any plan")
        body = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(body, dict) and body.get("format_version") != FORMAT_VERSION:
            return _unusable(path, "another version of journeylang has made it")
        found = _File.model_validate(body)
    except OSError as error:
        return _unusable(path, error.strerror or "it can't be read")
    except (ValueError, RecursionError, ValidationError):
        return _unusable(path, "`journey plan --out` did not write this")
    del body["checksum"]
    if _checksum(body) != found.checksum:
        told = Diagnostic(
            code=PLAN_EDITED,
            message=f"`{path}` is not as it was made",
            help="change the journeys, and plan again: `journey plan --out FILE`",
        )
        return Outcome(value=None, diagnostics=(told,))
    return Outcome(
        value=SavedPlan(
            env=found.env,
            database=found.database,
            revision=found.base.revision,
            digest=found.base.digest,
            plan=found.plan,
            snapshot=Snapshot(files=found.files),
            lists=found.lists,
        )
    )


def _unusable(path: Path, why: str) -> Outcome[SavedPlan]:
    told = Diagnostic(
        code=PLAN_UNUSABLE,
        message=f"`{path}` is no plan that can be applied: {why}",
        help="make one: `journey plan ENV --out FILE`",
    )
    return Outcome(value=None, diagnostics=(told,))


def lists_of(loaded: LoadedProject) -> dict[str, str]:
    """What tells whether a list of people is still the same, by its path."""
    project = loaded.project
    found = {path: rows.digest for path, rows in project.lists.items()}
    return found | {c.people.path: c.people.digest for c in project.collected.values()}


def what_changes(plan: Mapping[str, Any]) -> str:
    """A digest of what a plan does, without how many people it is done to.

    How many wait where changes with every tick. That nobody is moved or let go whom the plan did
    not speak of does not.
    """
    journeys = [
        {
            **{key: journey[key] for key in ("sign", "journey", "before", "after", "upgrade")},
            "changes": [
                {
                    **{k: change[k] for k in ("sign", "kind", "name", "path", "before", "after")},
                    "fate": change["fate"] if change["waiting"] else None,
                }
                for change in journey["changes"]
            ],
        }
        for journey in plan["journeys"]
    ]
    return digest(json.dumps(journeys, sort_keys=True))
