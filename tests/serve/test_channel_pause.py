"""A channel of which too much comes back stops by itself, and goes on when a person says so."""

from __future__ import annotations

import json
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from journeylang.cli.main import cli
from journeylang.delivery.channels import channel_settings
from journeylang.delivery.manifest import SettingError
from tests.delivery.hookserver import hook_server
from tests.engines.databases import ENGINES
from tests.runtime.world import HOUR, JOURNEYS, NOW, TEMPLATES, make, opened, orders, sql, write
from tests.serve.place import ENVIRON, messages, served, served_shop
from tests.serve.test_hooks import CHANNELS, PROVIDER, SECRET, tell

LATER = NOW + 3 * HOUR
RECEIPT = """journey receipt {
  owner "shop@shop.example"
  enter on ordered
  purpose transactional "receipt of an order"
  note: send email "receipt/note"
}
"""
PLAIN = 'channels = { email = "file", sms = "file" }\n'
EMAILS = "SELECT count(*) FROM journey.messages WHERE channel = 'email' AND journey = '{}'"
OPEN = f"{EMAILS} AND state = 'queued'"


def journey(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


@pytest.mark.parametrize("engine", ENGINES)
def test_complaints_pause_a_channel(
    tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENVIRON, "HOOK_SECRET", SECRET)
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    root = served_shop(tmp_path, engine, number=500)
    files = (root / "journey.toml").read_text()
    (root / "providers" / "tester").mkdir(parents=True)
    (root / "providers" / "tester" / "provider.toml").write_text(PROVIDER)
    (root / "journey.toml").write_text(files.replace(PLAIN, "") + CHANNELS)
    names = iter(messages(root).values())
    monkeypatch.chdir(root)
    stamp = str(int(LATER.replace(tzinfo=UTC).timestamp()))
    with served(root, now=lambda: LATER) as server:

        def complain() -> None:
            name = next(names)
            event = {"type": "complained", "id": name, "message": name, "at": int(stamp)}
            assert tell(server, event, at=stamp) == 200
            server.settled()

        complain()
        complain()
        assert sql(root, "SELECT * FROM journey.channel_pause") == []
        complain()
        assert server.count("written", "paused") == 1
        complain()
        assert server.count("written", "paused") == 1
    [(number,)] = sql(root, EMAILS.format("welcome"))
    assert number > 200
    [(channel, cause, detail)] = sql(
        root, "SELECT channel, cause, detail FROM journey.channel_pause WHERE until IS NULL"
    )
    assert (channel, cause) == ("email", "complaints")
    assert detail == f"3 complaints of {number} messages in 24 hours, over 0.15 %"
    shown = journey("status")
    assert shown.exit_code == 1
    assert f"channel `email` is paused: {detail}" in " ".join(shown.output.split())
    told = json.loads(journey("status", "--output", "json").output)
    assert [one["channel"] for one in told["paused_channels"]] == ["email"]

    # What is decided from now on waits, but for what people have to be told.
    templates = TEMPLATES | {"receipt/note.email.txt": "---\nsubject: Order\n---\nThanks\n"}
    write(root, JOURNEYS | {"receipt": RECEIPT}, templates=templates, config=files)
    with opened(root, environ=ENVIRON, now=LATER) as runtime:
        runtime.tick(LATER)
    sql(root, f"{orders(60, LATER + HOUR, base=70_000)} RETURNING id")
    with opened(root, environ=ENVIRON, now=LATER) as runtime:
        # Also those who thank for an order of welcome's are of this tick.
        for at in (LATER + 2 * HOUR, NOW + timedelta(days=2)):
            runtime.tick(at)
            runtime.deliver(at)
        # Each delivery of a process tells it once.
        assert [p.code.id for p in runtime.problems].count("JRN823") == 1
    [(waiting,)] = sql(root, OPEN.format("loyal"))
    assert waiting
    assert sql(root, EMAILS.format("receipt")) != [(0,)]
    assert sql(root, OPEN.format("receipt")) == [(0,)]
    assert journey("resume", "email", "--channel").output == "`email` goes on\n"
    assert journey("resume", "email", "--channel").output == "`email` is not paused\n"
    with opened(root, environ=ENVIRON, now=LATER) as runtime:
        runtime.deliver(NOW + timedelta(days=2, hours=1))
    assert sql(root, OPEN.format("loyal")) == [(0,)]


@pytest.mark.parametrize("engine", ENGINES)
def test_addresses_that_are_refused_at_once_have_bounced(
    tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    root = make(tmp_path, number=600, engine=engine)
    provider = PROVIDER.replace("[webhook]", RULES + "[webhook]")
    (root / "providers" / "tester").mkdir(parents=True)
    (root / "providers" / "tester" / "provider.toml").write_text(provider)
    files = (root / "journey.toml").read_text()
    refused = [(422, {"Content-Type": "text/plain"})] * 40
    with hook_server(*refused, (200, {})) as server:
        table = CHANNELS.partition("[env.dev.channels.sms]")[0]
        table += '[env.dev.channels.sms]\nprovider = "file"\n'
        table = table.replace("https://tester.example", server.url.partition("/hooks")[0])
        table = table.replace('provider = "tester"\n', 'provider = "tester"\nprivate = true\n')
        (root / "journey.toml").write_text(files.replace(PLAIN, "") + table)
        with opened(root) as runtime:
            for hours in (1, 2):
                runtime.tick(NOW + hours * HOUR)
            runtime.deliver(NOW + 2 * HOUR)
    found = sql(root, "SELECT channel, cause, detail FROM journey.channel_pause")
    assert [(channel, cause) for channel, cause, _ in found] == [("email", "bounces")]
    assert "40 bounces of" in found[0][2]


RULES = """[[response.rules]]
status = [422]
outcome = "invalid_recipient"

"""


def test_a_person_pauses_a_channel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("LINK_KEY", "a key")
    monkeypatch.chdir(served_shop(tmp_path, number=5))
    said = journey("pause", "sms", "--channel", "--because", "a new number")
    assert said.output == "`sms` is paused\n"
    assert journey("pause", "sms", "--channel").output == "`sms` was paused already\n"
    shown = journey("status")
    assert shown.exit_code == 0
    assert "channel sms" in shown.output
    assert "a new number" in shown.output
    wrong = journey("pause", "smss", "--channel")
    assert wrong.exit_code == 2
    assert "no channel `smss`; did you mean `sms`?" in wrong.stderr


@pytest.mark.parametrize("written", ["5", "500%", "true"])
def test_a_limit_that_is_none_is_told(written: str) -> None:
    with pytest.raises(SettingError, match="max_bounces"):
        channel_settings({"provider": "file", "max_bounces": written})
    assert channel_settings({"provider": "file", "max_bounces": "any"}).limits.bounces is None
