"""A plan as it is read: in a terminal, in a pull request, by programs.

After a change that is meant, ``JOURNEY_UPDATE_GOLDEN=1 pytest tests/deploy`` writes it anew.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from journeylang.api.deploying import plan_project
from journeylang.deploy.show import as_json, markdown, text
from tests.runtime.world import (
    BINDING,
    HOUR,
    LOYAL,
    NOW,
    WELCOME,
    loaded,
    make,
    opened,
    write,
)

GOLDEN = Path(__file__).with_name("plan.golden")
ASKING = LOYAL.replace("customer.points >= 50", "customer in segment rich")
THANKS = """journey thanks {
  owner "crm@shop.example"
  enter on ordered
  policy standard
  hello: send email "welcome/thanks"
}
"""
CHANGES = (
    ("settle: wait 1d", "settle: wait 2d"),
    ("think: wait for ordered up to 2d", "ponder: wait for ordered up to 2d"),
    ("as rich", "as wealthy"),
)


def test_a_plan_as_it_is_read(tmp_path: Path) -> None:
    make(tmp_path)
    rich = "segment rich = customer.points >= {}\n"
    write(
        tmp_path,
        {"welcome": WELCOME, "loyal": ASKING, "thanks": THANKS},
        binding=_priced("0.01") + rich.format(50),
    )
    with opened(tmp_path, NOW) as runtime:
        for hours in (0, 1, 25, 26):
            runtime.tick(NOW + hours * HOUR)
    changed = WELCOME
    for old, new in CHANGES:
        assert old in changed
        changed = changed.replace(old, new)
    come = THANKS.replace("journey thanks", "journey again")
    write(
        tmp_path,
        {"welcome": changed, "loyal": ASKING, "again": come},
        binding=_priced("0.02") + rich.format(5),
    )
    found = plan_project(loaded(tmp_path), "dev", now=NOW + 27 * HOUR)
    assert found.value is not None, found.diagnostics
    plan = found.value.plan
    sections = {
        "text": text(plan, 80) + "\n",
        "markdown": markdown(plan, "dev"),
        "json": json.dumps(as_json(plan), indent=1) + "\n",
    }
    made = "".join(f"=== {name}\n{words}" for name, words in sections.items())
    if os.environ.get("JOURNEY_UPDATE_GOLDEN"):
        GOLDEN.write_text(made, encoding="utf-8")
    assert GOLDEN.read_text(encoding="utf-8") == made


def _priced(cost: str) -> str:
    """The binding, where an e-mail costs something."""
    assert "consent: email_ok }" in BINDING
    return BINDING.replace("consent: email_ok }", f"consent: email_ok, cost: {cost} EUR }}")
