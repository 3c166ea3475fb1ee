"""What `journey.toml` says counts too."""

from __future__ import annotations

from pathlib import Path

from journeylang.lint import Settings
from journeylang.loading.linting import checked
from tests.lint.linted import found
from tests.runtime.world import loaded, make

SEEN = 'consent seen when customer.email is known basis "asked at the door"\n'


def test_a_consent_that_opens_are_asked_for_is_used(tmp_path: Path) -> None:
    assert len(found("JRN701", f"language 1\n{SEEN}")) == 1
    asked = Settings(consents=frozenset({"seen"}))
    assert found("JRN701", f"language 1\n{SEEN}", settings=asked) == ()
    make(tmp_path, number=1)
    config = tmp_path / "journey.toml"
    config.write_text(f'{config.read_text()}\n[env.dev.serve]\ntracking_consent = "seen"\n')
    assert checked(loaded(tmp_path)).settings.consents == {"seen"}
