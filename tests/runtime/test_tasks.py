"""`journey.tasks`: what somebody wrote, and no journey has an answer to."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engines.databases import ENGINES
from tests.runtime.world import HOUR, NOW, TEMPLATES, make, opened, write

ASKING = """journey asking {
  owner "crm@shop.example"
  enter on signed_up
  policy standard

  hello: send email "welcome/hello" with { source: entry.source }
  think: wait for replied where keyword = "YES" up to 2d {
    on replied { exit as keen }
    timeout { exit as silent }
  }
}
"""


@pytest.mark.parametrize("engine", ENGINES)
def test_a_reply_that_no_branch_takes_is_a_task(tmp_path: Path, engine: str) -> None:
    root = make(tmp_path, {"asking": ASKING}, number=6, engine=engine)
    write(root, {"asking": ASKING}, templates=TEMPLATES, config=(root / "journey.toml").read_text())
    with opened(root) as runtime:
        runtime.tick(NOW + HOUR)
        people = runtime.engine.query(
            "SELECT customer_id, message_id FROM journey.message ORDER BY customer_id"
        )
        assert len(people) >= 4
        said = ["YES", "MAYBE", "STOP", "LATER"]
        for n, ((customer, message), word) in enumerate(zip(people, said, strict=False)):
            at = NOW + 2 * HOUR
            events = ["replied", *(["unsubscribed"] if word == "STOP" else [])]
            for name in events:
                runtime.engine.execute(
                    "INSERT INTO journey.message_event (customer_id, message_id, provider,"
                    ' event_id, name, "at", data, received_at)'
                    " VALUES ($customer, $message, 'p', $event, $name, $at, $data, $at)",
                    {
                        "customer": customer,
                        "message": message,
                        "event": f"{name}{n}",
                        "name": name,
                        "at": at,
                        "data": f'{{"keyword": "{word}"}}',
                    },
                )
        tasks = "SELECT customer_id, journey, step, channel FROM journey.tasks ORDER BY customer_id"
        assert runtime.engine.query(tasks) == []
        runtime.tick(NOW + 3 * HOUR)
        kept = [people[1][0], people[3][0]]
        assert runtime.engine.query(tasks) == [
            (customer, "asking", "hello", "email") for customer in kept
        ]
        [(status, reason)] = runtime.engine.query(
            "SELECT status, reason FROM journey.runs WHERE customer_id = $customer",
            {"customer": people[0][0]},
        )
        assert (status, reason) == ("finished", "keen")
