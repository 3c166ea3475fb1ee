"""A project may do without SQL written by hand."""

from pathlib import Path

import pytest

from journeylang.loading.checking import check
from journeylang.loading.project import load

TEXT = """language 1
customers from crm.customers as c {
  key c.id
  field country: text? = sql`upper(c.country)`
}
segment vips = sql`select id from crm.vips`
"""


@pytest.mark.parametrize(
    ("setting", "severity", "ok"),
    [("", None, True), ("warning", None, True), ("error", "error", False)],
)
def test_the_settings_decide(tmp_path: Path, setting: str, severity: str | None, ok: bool) -> None:
    lint = f'\n[lint]\nsql-escape = "{setting}"\n' if setting else ""
    (tmp_path / "journey.toml").write_text(f'[project]\nname = "shop"\nlanguage = 1\n{lint}')
    (tmp_path / "journeys").mkdir()
    (tmp_path / "journeys" / "all.journey").write_text(TEXT)
    loading = load(tmp_path)
    told = [d for d in loading.diagnostics if d.code.id == "JRN603"]
    assert [str(d.severity) for d in told] == ([severity] * 2 if severity else [])
    assert loading.outcome.ok == ok


@pytest.mark.parametrize(("setting", "severity"), [("warning", "warning"), ("error", "error")])
def test_a_check_tells_it_once(tmp_path: Path, setting: str, severity: str) -> None:
    settings = f'[project]\nname = "shop"\nlanguage = 1\n\n[lint]\nsql-escape = "{setting}"\n'
    (tmp_path / "journey.toml").write_text(settings)
    (tmp_path / "journeys").mkdir()
    (tmp_path / "journeys" / "all.journey").write_text(TEXT)
    told = [d for d in check(tmp_path).diagnostics if d.code.id == "JRN603"]
    assert [str(d.severity) for d in told] == [severity] * 2
