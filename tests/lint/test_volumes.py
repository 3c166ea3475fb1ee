"""``[lint.volumes]`` of the settings: read, checked, and given to the rules."""

from pathlib import Path

from journeylang.loading.linting import checked, lint_project
from journeylang.loading.project import load
from tests.loading.folder import write


def project(tmp_path: Path, volumes: str) -> Path:
    root = write(tmp_path)
    settings = root / "journey.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(f"{text}\n[lint.volumes]\n{volumes}\n", encoding="utf-8")
    return root


def test_volumes_come_to_the_rules(tmp_path: Path) -> None:
    loaded = load(project(tmp_path, "welcome = 20_000")).outcome.value
    assert loaded is not None
    assert checked(loaded).settings.volumes == {"welcome": 20_000}


def test_a_volume_of_nothing_is_told_at_its_place(tmp_path: Path) -> None:
    loaded = load(project(tmp_path, "welcom = 20_000")).outcome.value
    assert loaded is not None
    found = [d for d in lint_project(loaded) if "volume" in d.message]
    assert [(d.message, d.help) for d in found] == [
        ("there is no journey `welcom` to have a volume", "did you mean `welcome`?")
    ]
    (wrong,) = found
    assert wrong.span is not None
    source = loaded.sources["journey.toml"]
    assert source.text[wrong.span.start : wrong.span.end] == "welcom"


def test_a_volume_is_a_number_of_people(tmp_path: Path) -> None:
    loading = load(project(tmp_path, "welcome = 0"))
    assert [d.span is not None and d.is_error for d in loading.diagnostics] == [True]
