"""What is served is what was applied, whatever the files say by now."""

from __future__ import annotations

from pathlib import Path

from journeylang.serve.opening import opened
from tests.runtime.world import BINDING, loaded, make, write
from tests.serve.place import ENVIRON, served, served_shop


def by_hand(root: Path) -> None:
    """From now on nothing is applied by itself."""
    config = root / "journey.toml"
    text = config.read_text().replace("[env.dev]\n", "[env.dev]\nauto_apply = false\n", 1)
    config.write_text(text)


def test_files_that_were_not_applied_change_nothing(tmp_path: Path) -> None:
    root = served_shop(tmp_path, number=3)
    by_hand(root)
    config = (root / "journey.toml").read_text()
    changed = BINDING.replace("field total", "field amount")
    write(root, {}, binding=changed, config=config)
    found = opened(loaded(root), "dev", environ=ENVIRON)
    [told] = found.diagnostics
    assert "runs revision 1; the files say something else" in told.message
    with served(root) as server:
        event = {"event": "ordered", "key": 1, "customer": 1}
        assert server.post(event | {"data": {"total": 5}}).status_code == 202
        refused = server.post(event | {"key": 2, "data": {"amount": 5}})
        assert refused.status_code == 422


def test_what_was_never_applied_is_not_served(tmp_path: Path) -> None:
    root = make(tmp_path, number=3)
    by_hand(root)
    found = opened(loaded(root), "dev", environ=ENVIRON)
    assert found.value is None
    assert [one.message for one in found.diagnostics] == ["nothing was applied to `dev` yet"]
