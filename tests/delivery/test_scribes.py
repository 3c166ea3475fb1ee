"""Messages written by other processes: the same ones, and whoever takes too much fails alone."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from journeylang.delivery.channels import open_channels
from journeylang.delivery.claimed import CLAIM
from journeylang.delivery.files import Contents
from journeylang.delivery.pages import Page, Style, pack, unpack
from journeylang.delivery.scribe import Bounds
from tests.delivery.mailserver import mail_server
from tests.delivery.shop import TEMPLATES, Shop, make_shop
from tests.delivery.sink import sink

LONG = (
    "{% set far = range(-300, 0) | list %}"
    "{% for x in range(900000) %}{% if x in far %}.{% endif %}{% endfor %}"
)
"""Within the budget of work, and some seconds of a processor."""

SUBJECT = "---\nsubject: Hello\n---\n"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = make_shop(tmp_path)
    yield made
    made.close()


def contents(shop: Shop) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in shop.files()}


@pytest.mark.parametrize("form", ["each", "mbox", "lines"])
def test_they_write_the_same(tmp_path: Path, form: str) -> None:
    found = []
    for scribes in (0, 1):
        shop = make_shop(tmp_path / str(scribes))
        shop.people(
            250,
            email="CASE WHEN i % 50 = 0 THEN NULL WHEN i = 7 THEN 'no' ELSE "
            "'person' || i || '@example.com' END",
            first_name="CASE WHEN i % 2 = 0 THEN NULL ELSE 'Jürgen ' || i END",
        )
        shop.messages(range(1, 251))
        shop.use(email={"provider": "file", "form": form})
        summary = shop.outbox(scribes=scribes).deliver(now=shop.clock)
        found.append((summary, contents(shop), shop.states()))
        shop.close()
    assert found[0] == found[1]
    assert found[0][0].accepted == 244


def test_a_request_for_each_and_for_many(tmp_path: Path) -> None:
    with sink() as url:
        for provider, secret in (("sendgrid", "api_key"), ("postmark", "server_token")):
            shop = make_shop(tmp_path / provider)
            shop.people(30)
            shop.messages(range(1, 31))
            given = {
                "provider": provider,
                secret: "env:K",
                "from": "a@b.example",
                "base_url": url,
                "private": True,
            }
            outcome = open_channels({"email": given}, root=tmp_path, environment={"K": "x"})
            assert outcome.value is not None
            shop.channels = outcome.value
            assert shop.outbox(scribes=1).deliver(now=shop.clock).accepted == 30
            shop.close()


def test_by_smtp(shop: Shop) -> None:
    shop.people(5)
    shop.messages(range(1, 6))
    with mail_server() as mail:
        shop.use(
            email={
                "provider": "smtp",
                "host": "127.0.0.1",
                "port": mail.port,
                "from": "a@b.example",
            }
        )
        assert shop.outbox(scribes=1).deliver(now=shop.clock).accepted == 5
        assert b"Unsubscribe</a></p>" in mail.messages[0][1]
        shop.close()


def test_more_time_than_one_message_may_take(tmp_path: Path) -> None:
    """One of many: the others go out, by a process in the place of the one that has ended."""
    slow = f"{{% if customer.points == 12 %}}{LONG}{{% endif %}}"
    shop = make_shop(
        tmp_path, templates=TEMPLATES | {"thanks/hello.email.txt": f"{SUBJECT}Hello {slow}\n"}
    )
    (shop.root / "templates/thanks/hello.email.html").unlink()
    del shop.templates["thanks/hello.email.html"]
    shop.people(150)
    shop.messages(range(1, 151))
    shop.use(email="file")
    outbox = shop.outbox(scribes=1, bounds=Bounds(seconds=0.5))
    summary = outbox.deliver(now=shop.clock)
    assert (summary.accepted, summary.failed, summary.to_pause) == (149, 1, {})
    assert shop.details("failed") == [
        "template thanks/hello.email: more time or memory than one message may take"
    ]
    shop.close()


def test_a_template_that_takes_too_long_for_everybody(tmp_path: Path) -> None:
    """Not each of them is tried: the journey pauses, and its messages wait."""
    shop = make_shop(
        tmp_path, templates=TEMPLATES | {"thanks/hello.email.txt": f"{SUBJECT}Hello {LONG}\n"}
    )
    (shop.root / "templates/thanks/hello.email.html").unlink()
    del shop.templates["thanks/hello.email.html"]
    shop.people(40)
    shop.messages(range(1, 41))
    shop.use(email="file")
    summary = shop.outbox(scribes=1, bounds=Bounds(seconds=0.5)).deliver(now=shop.clock)
    assert summary.accepted == 0
    assert list(summary.to_pause) == ["thanks"]
    assert summary.waiting == 40 - summary.failed
    assert summary.failed < 10
    shop.close()


@pytest.mark.parametrize("scribes", [0, 1])
def test_bad_addresses_and_endless_templates_fail_alone(tmp_path: Path, scribes: int) -> None:
    """Refused and counted; nobody else's message stops, and no record has personal data."""
    endless = "{% if customer.points == 3 %}{% for x in range(999999999) %}.{% endfor %}{% endif %}"
    hello = f"{SUBJECT}{endless}Hello\n"
    templates = {n: t for n, t in TEMPLATES.items() if n != "thanks/hello.email.html"}
    shop = make_shop(tmp_path, templates=templates | {"thanks/hello.email.txt": hello})
    shop.people(
        5,
        email="CASE WHEN i = 2 THEN 'person2@example.com' || chr(13) || chr(10)"
        " || 'Bcc: all@example.com' ELSE 'person' || i || '@example.com' END",
    )
    shop.messages(range(1, 6))
    shop.use(email={"provider": "file", "form": "mbox"})
    summary = shop.outbox(scribes=scribes).deliver(now=shop.clock)
    assert (summary.accepted, summary.failed) == (3, 2)
    assert "invalid_recipient: no e-mail address" in shop.details("failed")
    assert any("than one message may cost" in one for one in shop.details("failed"))
    told = " ".join([*summary.problems, *shop.details("failed")])
    assert "example.com" not in told
    (box,) = shop.files()
    assert b"Bcc" not in box.read_bytes()
    shop.close()


def test_more_memory_than_there_may_be(tmp_path: Path) -> None:
    text = "{% set a = ['x' ~ customer.points] %}" + "{% set b = [range(1000) | list] %}" * 2
    big = "{% set l = range(400000) | list %}{{ l | length }}"
    shop = make_shop(
        tmp_path,
        templates=TEMPLATES | {"thanks/hello.email.txt": f"{SUBJECT}{text}{big}\n"},
    )
    (shop.root / "templates/thanks/hello.email.html").unlink()
    del shop.templates["thanks/hello.email.html"]
    shop.people(2)
    shop.messages([1, 2])
    shop.use(email="file")
    summary = shop.outbox(scribes=1, bounds=Bounds(megabytes=8)).deliver(now=shop.clock)
    assert (summary.accepted, summary.failed) == (0, 2)
    assert "memory" in shop.details("failed")[0]
    shop.close()


def test_a_process_that_is_killed_is_replaced(shop: Shop) -> None:
    shop.people(300)
    shop.messages(range(1, 101))
    shop.use(email="file")
    outbox = shop.outbox(scribes=1)
    assert outbox.deliver(now=shop.clock).accepted == 100
    assert outbox._scribes is not None
    (process,) = outbox._scribes._processes
    os.kill(process._process.pid, signal.SIGKILL)
    shop.messages(range(101, 301))
    assert outbox.deliver(now=shop.clock).accepted == 200


def test_what_is_packed_is_unpacked(shop: Shop) -> None:
    """Without a provider that prepares it, a message goes whole."""
    shop.people(3)
    shop.messages(range(1, 4))
    shop.use(email="file")
    outbox = shop.outbox()
    scribe = outbox._writing()._here
    draft = outbox.writer.draft(shop.step("hello")[1], "email")
    from journeylang.delivery.chunks import Open, contents
    from journeylang.delivery.writing import Draft

    assert isinstance(draft, Draft)
    chunk = [
        Open(
            message=n,
            batch=1,
            channel="email",
            expires_at=shop.now,
            attempt=1,
            doubts=0,
            draft=draft,
        )
        for n in (1, 2, 3)
    ]
    style = Style(channel="email", letterhead=shop.channels["email"].letterhead, preparer=None)
    page: Page = contents(shop.engine, outbox.statements, "email", chunk).page(
        chunk, style, shop.now
    )
    assert unpack(pack(scribe.write(page))) == scribe.write(page)
    finished = replace(page, style=replace(style, preparer=Contents("lines")))
    made = scribe.write(finished)
    assert unpack(pack(made)) == made
    # What cannot be finished goes whole, at its place.
    mixed = [made[0], scribe.write(page)[1], (None, "x"), made[2]]
    assert unpack(pack(mixed)) == mixed


def test_the_next_claim_is_written_while_the_last_one_is_sent(shop: Shop) -> None:
    shop.people(11_000)
    shop.messages(range(1, 11_001))
    shop.use(email={"provider": "file", "form": "lines"})
    outbox = shop.outbox(scribes=1)
    held: list[int] = []

    def progress(_: int) -> None:
        held.append(shop.one("SELECT sum(messages) FROM journey.batch WHERE holder IS NOT NULL"))

    assert outbox.deliver(now=shop.clock, progress=progress).accepted == 11_000
    assert max(held) > CLAIM
    assert shop.one("SELECT count(*) FROM journey.batch WHERE holder IS NOT NULL OR NOT done") == 0


def test_what_was_claimed_ahead_is_free_again(shop: Shop) -> None:
    shop.people(11_000)
    shop.messages(range(1, 11_001))
    shop.use(email={"provider": "file", "form": "lines"})
    outbox = shop.outbox(scribes=1)

    def progress(_: int) -> None:
        held = shop.one("SELECT sum(messages) FROM journey.batch WHERE holder IS NOT NULL")
        if held > CLAIM:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        outbox.deliver(now=shop.clock, progress=progress)
    assert shop.one("SELECT count(*) FROM journey.batch WHERE holder IS NOT NULL") == 0
    done = shop.states().get("accepted", 0)
    assert 0 < done < 11_000
    assert outbox.deliver(now=shop.clock).accepted == 11_000 - done
    assert shop.states() == {"accepted": 11_000}


def test_a_channel_that_is_warmed_up_claims_nothing_ahead(shop: Shop) -> None:
    shop.people(11_000)
    shop.messages(range(1, 11_001))
    shop.use(email={"provider": "file", "form": "lines", "ramp": "5000 +0%"})
    summary = shop.outbox(scribes=1).deliver(now=shop.clock)
    assert (summary.accepted, summary.waiting) == (5000, 6000)
