"""Channels and topics that rest on one consent, chosen one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.runtime.world import BINDING, JOURNEYS, sql, write
from tests.serve.place import messages, served, served_shop

SHARED = BINDING.replace(
    "channel sms {",
    'topic news "News" { consent: email_ok }\n'
    "channel call { address: customer.mobile, consent: email_ok }\nchannel sms {",
)


def test_one_channel_less_is_no_consent_less(tmp_path: Path) -> None:
    root = served_shop(tmp_path, number=8)
    write(root, JOURNEYS, binding=SHARED, config=(root / "journey.toml").read_text())
    customer, name = next(iter(messages(root).items()))

    def chosen(**form: Any) -> tuple[bool, list[str]]:
        """The newest word on the consent, and the channels that are silent."""
        answer = server.client.post(path, data={"shown": "1", **form})
        assert answer.status_code == 200
        server.settled()
        ((granted,),) = sql(
            root,
            "SELECT bool_and(granted) FROM journey.consent_change"
            f" WHERE customer_id = {customer} AND consent = 'email_ok' AND \"at\" = (SELECT"
            f' max("at") FROM journey.consent_change WHERE customer_id = {customer})',
        )
        silent = sql(
            root,
            f"SELECT channel FROM journey.suppression WHERE customer_id = {customer} ORDER BY 1",
        )
        return granted, [channel for (channel,) in silent]

    with served(root) as server:
        path = server.path(server.links.preferences(name))
        # Who wants no calls is still written to.
        assert chosen(channel=["email", "sms"], topic="news") == (True, ["call"])
        assert chosen(channel=["call", "sms"], topic="news") == (True, ["email"])
        assert chosen(channel=["sms"], topic="news") == (False, ["call", "email"])
        assert chosen(channel=["call", "email", "sms"], topic="news") == (True, [])
        # A topic that is not wanted takes back what it rests on.
        assert chosen(channel=["call", "email", "sms"]) == (False, [])
