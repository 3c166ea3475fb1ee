"""What a project becomes on each engine: the compiled SQL in the engine's own words.

One folder per engine beside the project; anew with ``JOURNEY_UPDATE_GOLDEN=1``.
"""

from __future__ import annotations

import pytest

from journeylang.plan.build import build
from journeylang.plan.numbering import number
from journeylang.runtime.program import make_ready
from journeylang.sql.dialects import DUCKDB, Dialect
from journeylang.sql.postgres import POSTGRES
from journeylang.sql.script import scripts
from tests.agreement.both import compiled
from tests.golden.test_golden import HERE, UPDATE

CLUB = HERE / "statements" / "club.journey"


def statements(dialect: Dialect) -> dict[str, str]:
    """Files by name, as `journey compile` writes them."""
    project = compiled(CLUB.read_text(encoding="utf-8"))
    program, steps = build(project, None, {}), number(project).steps
    versions = {plan.journey: 1 for plan in program.journeys}
    ready = make_ready(project, program, steps, versions, dialect)
    return scripts(project, ready.program, steps, dialect, ready.session, ready.probe)


@pytest.mark.parametrize("dialect", [DUCKDB, POSTGRES], ids=lambda dialect: dialect.name)
def test_statements_are_what_they_were(dialect: Dialect) -> None:
    folder = CLUB.parent / dialect.name
    now = statements(dialect)
    if UPDATE:
        folder.mkdir(exist_ok=True)
        for old in folder.glob("*.sql"):
            old.unlink()
        for name, text in now.items():
            (folder / name).write_text(text, encoding="utf-8")
    assert now == {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.sql")}
